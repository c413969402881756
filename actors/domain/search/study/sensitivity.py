"""What a parameter does to the objective: averages along one dimension, and over two at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain.search.objectives.base import Direction
from actors.domain.search.ranges import to_unit
from actors.domain.search.space import Dimension, Space
from actors.domain.search.study.trial import Trial

BINS = 10
MAPS = 3
"""Dimensions of which every two have a heat map."""


def slices(
    trials: Sequence[Trial], space: Space, direction: Direction, bins: int = BINS
) -> dict[str, list[dict[str, Any]]]:
    """Return, by path, mean and best objective of the trials in each part of a dimension.

    Returns
    -------
    dict path → list of ``{"value", "mean", "best", "trials"}``
        `value` is that of the trial in the middle of the part; parts without a trial are left out.

    Examples
    --------
    >>> from actors.domain.params import Range
    >>> from actors.domain.search.study.trial import TrialResult
    >>> space = Space((Dimension("x", Range("int", 1, 2)),))
    >>> ts = [Trial(k, {"x": 1 + k % 2}, TrialResult("complete", (float(k),))) for k in range(4)]
    >>> slices(ts, space, "maximize")["x"][1]
    {'value': 2, 'mean': 2.0, 'best': 3.0, 'trials': 2}
    """
    known = [t for t in trials if t.result.state == "complete"]
    out = {}
    for d in space.dimensions:
        at = parts(known, d, bins)
        rows = []
        for k in range(int(at.max(initial=-1)) + 1):
            own = [t for t, place in zip(known, at, strict=True) if place == k]
            if own:
                values = [t.result.values[0] for t in own]
                middle = sorted(own, key=lambda t: (to_unit(d.range, t.params[d.path]), t.number))[
                    len(own) // 2
                ]
                rows.append(
                    {
                        "value": middle.params[d.path], "mean": float(np.mean(values)),
                        "best": max(values) if direction == "maximize" else min(values), "trials": len(own),
                    }
                )  # fmt: skip
        out[d.path] = rows
    return out


def heat_maps(
    trials: Sequence[Trial], space: Space, importance: Sequence[str], bins: int = 8, maps: int = MAPS
) -> list[dict[str, Any]]:
    """Return the mean objective over every two of the most important dimensions.

    Parameters
    ----------
    importance : sequence of str
        Paths, the most important first.

    Returns
    -------
    list of ``{"x", "y", "x_values", "y_values", "mean", "trials"}``
        `mean` and `trials` by row (y) and column (x); a part without a trial has no mean.
    """
    known = [t for t in trials if t.result.state == "complete"]
    order = [p for p in importance if p in space.paths][:maps]
    dims = {d.path: d for d in space.dimensions}
    out = []
    for i, x in enumerate(order):
        for y in order[i + 1 :]:
            columns, rows = parts(known, dims[x], bins), parts(known, dims[y], bins)
            width, height = _count(dims[x], bins), _count(dims[y], bins)
            total, count = np.zeros((height, width)), np.zeros((height, width), dtype=np.int64)
            for t, c, r in zip(known, columns, rows, strict=True):
                total[r, c] += t.result.values[0]
                count[r, c] += 1
            mean = [
                [float(v / n) if n else None for v, n in zip(vs, ns, strict=True)]
                for vs, ns in zip(total, count, strict=True)
            ]
            out.append(
                {
                    "x": x, "y": y, "x_values": labels(dims[x], bins), "y_values": labels(dims[y], bins), "mean": mean,
                    "trials": count.tolist(),
                }
            )  # fmt: skip
    return out


def parts(trials: Sequence[Trial], dimension: Dimension, bins: int) -> NDArray[np.int64]:
    """Return the part of a dimension in which each trial lies: its values where they are few, else equal shares."""
    count = _count(dimension, bins)
    units = np.array([to_unit(dimension.range, t.params[dimension.path]) for t in trials])
    return (
        np.minimum((units * count).astype(np.int64), count - 1)
        if len(trials)
        else np.zeros(0, dtype=np.int64)
    )


def labels(dimension: Dimension, bins: int) -> list[Any]:
    """Return the values in the middle of the parts of a dimension.

    Examples
    --------
    >>> from actors.domain.params import Range
    >>> labels(Dimension("x", Range("float", 0.0, 1.0)), 4)
    [0.125, 0.375, 0.625, 0.875]
    """
    from actors.domain.search.ranges import from_unit

    count = _count(dimension, bins)
    return [from_unit(dimension.range, (k + 0.5) / count) for k in range(count)]


def _count(dimension: Dimension, bins: int) -> int:
    values = dimension.range.values()
    return (
        bins
        if values is None
        else max(1, min(bins, len(values)) if dimension.range.kind != "choice" else len(values))
    )
