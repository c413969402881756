"""Columns back to rows: for the parts of a batch form that think bar by bar."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from actors.domain.events.regime import REGIMES
from actors.domain.strategies.base import Columns, FloatArray, Market, MarketColumns, Strategy

_LABELS = (*REGIMES, "")  # index -1, unknown, is the last one
_NO_PREDICTIONS: Mapping[str, float] = {}


def market_rows(
    columns: Columns, at: NDArray[np.int64] | None = None, *, predictions: bool = True
) -> Iterator[Market]:
    """Iterate over bars as strategies see them; ``step`` is the row.

    Parameters
    ----------
    columns : Columns
    at : int64 array, optional
        Rows to give; all by default.
    predictions : bool
        False leaves them out, which is faster.

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> [m.close for m in market_rows(MarketColumns(x, x, x, x, x))]
    [1.0, 2.0]
    """
    known = MarketColumns.of(columns)
    rows = np.arange(len(known.close)) if at is None else at
    fields = (
        rows.tolist(), known.open[rows].tolist(), known.high[rows].tolist(), known.low[rows].tolist(),
        known.close[rows].tolist(), known.volume[rows].tolist(),
        [_LABELS[r] for r in known.regime[rows].tolist()], known.regime_confidence[rows].tolist(),
    )  # fmt: skip
    names = list(known.predictions) if predictions else []
    if not names:
        return map(Market, *fields, itertools.repeat(_NO_PREDICTIONS))
    said = zip(*(known.predictions[name][rows].tolist() for name in names), strict=True)
    return map(Market, *fields, (dict(zip(names, p, strict=True)) for p in said))


def streamed(fresh: Strategy, columns: Columns) -> tuple[FloatArray, FloatArray]:
    """Return ``(direction, confidence)`` of a strategy that was never updated, bar by bar.

    This is what `Strategy.batch` must equal, and what stands in for it where there is none.
    """
    opinions = [fresh.update(m) for m in market_rows(columns)]
    return np.array([o.direction for o in opinions], dtype=np.float64), np.array(
        [o.confidence for o in opinions], dtype=np.float64
    )


def shifted(x: FloatArray, bars: int) -> FloatArray:
    """Return what was known `bars` bars ago, NaN before there was anything.

    Examples
    --------
    >>> shifted(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [nan, nan, 1.0]
    """
    out = np.full(len(x), np.nan)
    if bars < len(x):
        out[bars:] = x[: len(x) - bars]
    return out
