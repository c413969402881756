"""Drawdown: 1 − equity / running peak, the start counting as the first peak; positive = bad."""

from __future__ import annotations

import math

import numpy as np

from actors.domain.evaluation.metrics.growth import FloatArray


def drawdowns(returns: FloatArray) -> FloatArray:
    """Return the drawdown after each bar, shape (n,), the peak starting at 1 before the first bar.

    Examples
    --------
    >>> drawdowns(np.array([-0.1, 0.2, -0.5])).round(6).tolist()
    [0.1, 0.0, 0.5]
    """
    equity = np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    return np.asarray((1.0 - equity / np.maximum.accumulate(equity))[1:], dtype=np.float64)


def max_drawdown(returns: FloatArray) -> float:
    """Return the deepest drawdown; 0 of a curve that never falls.

    Examples
    --------
    >>> round(max_drawdown(np.array([0.1, -0.2, 0.05])), 6)
    0.2
    """
    return float(drawdowns(returns).max(initial=0.0))


def max_drawdown_bars(returns: FloatArray) -> int:
    """Return the longest run of bars under water.

    Examples
    --------
    >>> max_drawdown_bars(np.array([-0.1, 0.01, 0.2, -0.01]))
    2
    """
    under = drawdowns(returns) > 0.0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], under, [False]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def ulcer(returns: FloatArray) -> float | None:
    """Return the ulcer index ``√mean(dd²)`` over all n (Martin, 1987); None of no bars.

    Examples
    --------
    >>> round(ulcer(np.array([-0.1, 0.2, -0.5])), 6)
    0.294392
    """
    return math.sqrt(float((drawdowns(returns) ** 2).mean())) if returns.size else None
