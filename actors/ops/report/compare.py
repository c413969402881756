"""Two runs side by side: one self-contained HTML page of tables that needs no network."""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from actors.domain.errors import TradingError
from actors.domain.evaluation.report_model import ReportModel

_CSS = Path(__file__).with_name("report.css")


def rows_of(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return ``metric a b difference`` of each metric; the difference of undefined values is None.

    Examples
    --------
    >>> rows_of({"bars": 3, "fees_quote": "1.50"}, {"bars": 5, "fees_quote": "2"})[1]
    {'metric': 'fees_quote', 'a': '1.50', 'b': '2', 'difference': 0.5}
    """
    names = list(dict.fromkeys([*first, *second]))
    return [
        {
            "metric": n,
            "a": first.get(n),
            "b": second.get(n),
            "difference": difference(first.get(n), second.get(n)),
        }
        for n in names
    ]


def difference(a: Any, b: Any) -> Any:
    """Return ``b - a`` of two numbers or two decimal texts as a number to read, else None.

    Examples
    --------
    >>> difference("1.10", "1.3"), difference(None, 1.0), difference(2, 5)
    (0.2, None, 3)
    """
    if isinstance(a, bool) or isinstance(b, bool):
        return None
    if isinstance(a, int | float) and isinstance(b, int | float):
        return b - a
    if isinstance(a, str) and isinstance(b, str):
        try:
            return float(Decimal(b) - Decimal(a))
        except InvalidOperation:
            return None
    return None


def build_comparison(
    first: tuple[str, ReportModel],
    second: tuple[str, ReportModel],
    about: Sequence[Mapping[str, Any]],
    notes: Sequence[str],
    path: Path,
) -> Path:
    """Write the page of two runs, whole or not at all; return its absolute path.

    Parameters
    ----------
    first, second : (run id, model)
    about : sequence of mappings ``name a b``
        Identity of the runs: hashes, seeds, hosts.
    notes : sequence of str
        What a reader must know before comparing.

    Raises
    ------
    TradingError
        If it cannot be written.
    """
    target = path.absolute()
    page = render(first, second, about, notes)
    temporary: str | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(page)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except OSError as e:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise TradingError(
            "REPORT_UNWRITABLE",
            f"comparison: expected to write {target}, found {e.strerror or e}; free space or choose another path",
        ) from e
    return target


def render(
    first: tuple[str, ReportModel],
    second: tuple[str, ReportModel],
    about: Sequence[Mapping[str, Any]],
    notes: Sequence[str],
) -> str:
    """Return the page."""
    (id_a, a), (id_b, b) = first, second
    made = [f"{i}: SYNTHETIC market, not traded anywhere" for i, m in (first, second) if m.info.synthetic]
    made += notes
    banner = "".join(f"<p><strong>{html.escape(line)}</strong></p>" for line in made)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(f'{id_a} against {id_b}')}</title>"
        f"<style>{_CSS.read_text(encoding='utf-8')}\n.scroll{{overflow-x:auto}}td{{text-align:right}}"
        "td:first-child{text-align:left}</style></head><body><main>"
        f"<h1>Two runs side by side</h1>{banner}"
        f"<p>a = {html.escape(id_a)}: {html.escape(a.info.title)}, {html.escape(', '.join(a.info.pairs))}<br>"
        f"b = {html.escape(id_b)}: {html.escape(b.info.title)}, {html.escape(', '.join(b.info.pairs))}</p>"
        f"{_table('Metrics (after costs)', ('metric', 'a', 'b', 'difference'), rows_of(a.metrics, b.metrics))}"
        f"{_table('Identity', ('name', 'a', 'b'), about)}"
        "</main></body></html>"
    )


def _table(title: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    head = "".join(f"<th>{html.escape('b - a' if c == 'difference' else c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{_text(r[c])}</td>" for c in columns) + "</tr>" for r in rows)
    return (
        f'<h2>{html.escape(title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _text(value: Any) -> str:
    if value is None:
        return "undefined"
    return html.escape(f"{value:.6g}" if isinstance(value, float) else str(value))
