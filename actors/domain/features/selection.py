"""Feature selection on the past: rank correlation with matured forward returns, less redundancy.

Greedy minimum redundancy, maximum relevance (Peng, Long and Ding 2005) with Spearman's coefficient on both
sides: a column is worth the size of its information coefficient, less the more it correlates with the columns
already taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from actors.domain.registry import Params

FloatArray = NDArray[np.float64]


class SelectionParams(Params):
    """Parameters of the walk-forward selection."""

    enabled: bool = True
    every_bars: int = Field(default=168, ge=2, description="bars between two selections, per pair")
    window_bars: int = Field(default=720, ge=60, description="bars of the past that are looked at")
    horizon_bars: int = Field(default=4, ge=1, description="forward return that columns are judged by")
    lag_steps: int = Field(default=24, ge=1, description="steps between asking and using the result")
    max_features: int = Field(default=12, ge=1)
    redundancy_weight: float = Field(default=0.5, ge=0.0, le=1.0)


def average_ranks(x: FloatArray) -> FloatArray:
    """Return ranks from 1, ties by their average.

    Parameters
    ----------
    x : array, shape (n,), finite

    Examples
    --------
    >>> average_ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: FloatArray = (last - (counts - 1) / 2.0)[inverse]
    return ranks


def rank_correlations(columns: FloatArray) -> FloatArray:
    """Return Spearman's coefficients between columns; NaN where a column is constant.

    Parameters
    ----------
    columns : array, shape (n, m), finite

    Returns
    -------
    array, shape (m, m)
    """
    ranks = np.column_stack([average_ranks(columns[:, j]) for j in range(columns.shape[1])])
    ranks -= ranks.mean(axis=0)
    norms = np.sqrt(np.einsum("ij,ij->j", ranks, ranks))
    with np.errstate(invalid="ignore", divide="ignore"):
        # einsum, not BLAS: the same bits whatever the number of threads
        out: FloatArray = np.einsum("ij,ik->jk", ranks, ranks) / np.outer(norms, norms)
    return out


def select(
    values: FloatArray, close: FloatArray, horizon_bars: int, max_features: int, redundancy_weight: float
) -> dict[str, Any]:
    """Choose columns by their relation to the forward return, on matured rows only.

    Parameters
    ----------
    values : array, shape (n, m)
        Features, oldest row first; rows with a NaN are left out.
    close : array, shape (n,), quote
        Close of the same bars.
    horizon_bars : int
        The last `horizon_bars` rows have no outcome yet and serve as outcomes only.
    max_features : int
    redundancy_weight : float
        In [0, 1].

    Returns
    -------
    dict
        ``columns`` (list of int, best first), ``scores`` (list of float: signed information coefficients)
        and ``rows`` (int). No columns when fewer than 30 rows are usable.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> returns = rng.normal(0, 0.01, 400)
    >>> close = 100 * np.exp(np.cumsum(returns))
    >>> foresight = np.append(returns[1:], 0.0)  # knows the next return
    >>> select(np.column_stack([rng.normal(size=400), foresight]), close, 1, 1, 0.5)["columns"]
    [1]
    """
    n = values.shape[0] - horizon_bars
    forward = np.log(close[horizon_bars:] / close[:n])
    usable = np.isfinite(values[:n]).all(axis=1) & np.isfinite(forward)
    rows = int(usable.sum())
    if rows < 30:
        return {"columns": [], "scores": [], "rows": rows}
    table = rank_correlations(np.column_stack([values[:n][usable], forward[usable]]))
    ic = table[:-1, -1]
    between = np.abs(table[:-1, :-1])
    relevance = np.abs(ic)
    usable_columns = np.isfinite(ic)
    redundancy = np.zeros_like(relevance)  # sum of correlations with the columns taken so far
    chosen: list[int] = []
    while len(chosen) < min(max_features, int(usable_columns.sum())):
        worth = relevance * (1.0 - redundancy_weight * redundancy / max(len(chosen), 1))
        worth[~usable_columns] = -np.inf
        worth[chosen] = -np.inf
        best = int(np.argmax(worth))
        chosen.append(best)
        redundancy += between[:, best]
    return {"columns": chosen, "scores": [float(ic[j]) for j in chosen], "rows": rows}
