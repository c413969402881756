"""What the pages that end in a verdict share: banner, checks, and the frame around figures and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from actors.ops.report.html import page, script_safe, write_whole
from actors.ops.report.tables import Table, number

_COLOURS = {"no evidence": "none", "weak evidence": "weak", "evidence": "some"}


@dataclass
class VerdictPage:
    """One page.

    Attributes
    ----------
    cards : list of (name, value, note)
    figures : list of (name, label, figure, note)
    """

    title: str
    about: str
    words: str
    lead: str
    checks: Sequence[Mapping[str, Any]]
    change: Sequence[str] = ()
    warnings: Sequence[str] = ()
    cards: list[tuple[str, str, str]] = field(default_factory=list)
    figures: list[tuple[str, str, go.Figure, str]] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    notes: Sequence[str] = ()


def write_page(model: VerdictPage, path: Path) -> Path:
    """Write a page, whole or not at all; return its absolute path.

    Raises
    ------
    StorageError
        ``REPORT_UNWRITABLE`` if it cannot be written.
    """
    return write_whole(
        path,
        page(
            "verdict.html.j2",
            title=model.title, about=model.about, words=model.words, lead=model.lead,
            colour=_COLOURS[model.words], warnings=model.warnings, cards=model.cards,
            checks=check_table(model.checks), change=model.change,
            plots=[(name, label, note) for name, label, _, note in model.figures],
            figures=[(name, script_safe(str(figure.to_json()))) for name, _, figure, _ in model.figures],
            tables=model.tables, notes=model.notes,
        ),
    )  # fmt: skip


def check_table(checks: Sequence[Mapping[str, Any]]) -> Table:
    """Return the checks behind the verdict.

    Examples
    --------
    >>> check_table([{"name": "pbo", "asks": "?", "value": None, "bound": 0.2, "at_least": False, "met": False}]).rows
    [('pbo', 'no', '–', 'at most 0.2', '?')]
    """
    return Table(
        caption="What was asked", headers=("check", "met", "found", "expected", "question"),
        rows=[
            (
                c["name"].replace("_", " "), "yes" if c["met"] else "no",
                number(c["value"], 3 if c["bound"] < 10.0 else 0),
                f"{'at least' if c['at_least'] else 'at most'} {c['bound']:g}", c["asks"],
            )
            for c in checks
        ],
        numeric=(False, False, True, False, False),
        note="– means undefined: such a check is not met.",
    )  # fmt: skip
