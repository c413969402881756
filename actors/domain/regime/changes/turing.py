"""The Turing change-point benchmark: our segmentations of its series, scored as its authors score.

Series are brought to unit variance first, as there. Defaults are fixed before any series is seen; a row in hindsight
takes, per series, the best F1 of a grid, so it says what the method can do and not what it does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from actors.domain.regime.changes.costs import FloatArray
from actors.domain.regime.changes.online import Prior, bocpd_changes
from actors.domain.regime.changes.scoring import covering, f1
from actors.domain.regime.changes.segmentation import Kind, bic_penalty, binary_segmentation, pelt

MARGIN = 5
MOST_CUTS = 5
"""Cuts of binary segmentation by default, as in the benchmark."""
PENALTIES = tuple(np.logspace(-1.0, 3.0, 17).tolist())
PRIORS = tuple(Prior(*p) for p in itertools.product((10.0, 50.0, 100.0, 200.0), *((0.01, 1.0, 100.0),) * 3))
Changes = Sequence[int]


class Series(NamedTuple):
    """One series and the change points that people marked in it, by annotator."""

    name: str
    values: FloatArray
    annotations: Mapping[str, Sequence[int]]


def _fixed() -> dict[str, Callable[[FloatArray], Changes]]:
    return {
        "none": lambda x: [],
        "pelt": lambda x: pelt(x, bic_penalty("mbic", len(x)), cost="mbic")[:-1],
        "pelt_normal": lambda x: pelt(x, bic_penalty("normal", len(x)), cost="normal", min_size=MARGIN)[:-1],
        "binary": lambda x: binary_segmentation(
            x, bic_penalty("mbic", len(x)), cost="mbic", max_changes=MOST_CUTS
        )[:-1],
        "bocpd": bocpd_changes,
    }


def _grids() -> dict[str, Callable[[FloatArray], list[Changes]]]:
    def by_penalty(x: FloatArray) -> list[Changes]:
        kinds: tuple[Kind, ...] = ("l2", "normal")
        return [pelt(x, penalty, cost=cost)[:-1] for cost in kinds for penalty in PENALTIES]

    def by_prior(x: FloatArray) -> list[Changes]:
        return [bocpd_changes(x, prior) for prior in PRIORS]

    return {"pelt_hindsight": by_penalty, "bocpd_hindsight": by_prior}


DEFAULTS: tuple[str, ...] = tuple(_fixed())
HINDSIGHT: tuple[str, ...] = tuple(_grids())


def score(series: Series, *, hindsight: bool = True) -> dict[str, dict[str, Any]]:
    """Return ``changes f1 covering`` of each method on one series; `HINDSIGHT` rows only if asked for."""
    marked, n = series.annotations, len(series.values)

    def row(found: Changes) -> dict[str, Any]:
        return {
            "changes": list(found), "f1": f1(marked, found, MARGIN), "covering": covering(marked, found, n)
        }  # fmt: skip

    rows = {name: row(method(series.values)) for name, method in _fixed().items()}
    if hindsight:
        for name, grid in _grids().items():
            tried = [row(found) for found in grid(series.values)]
            rows[name] = max(tried, key=lambda r: r["f1"]) | {"tried": len(tried)}
    # the printed rows count the last bar of a segment, so theirs is reproduced one bar earlier
    rows["pelt_as_printed"] = row([c - 1 for c in rows["pelt"]["changes"]])
    return rows
