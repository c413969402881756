"""Drawdown: 1 − equity / running peak, the start counting as the first peak; positive = bad."""

from __future__ import annotations

import math

import msgspec
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


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """A time under water, in points of the equity curve (0 = before the first bar).

    Attributes
    ----------
    peak, trough : int
        Last point at the peak; first point at the bottom.
    recovered : int or None
        First point back at the peak or above; None while it lasts.
    depth_frac : float
    bars : int
        Points below the peak, as `max_drawdown_bars` counts them: the recovery is no part of the spell.
    """

    peak: int
    trough: int
    recovered: int | None
    depth_frac: float
    bars: int


def drawdown_spells(equity: FloatArray, most: int = 10) -> list[Spell]:
    """Return the deepest times under water, deepest first, the earlier first among equals.

    Parameters
    ----------
    equity : array, shape (n + 1,), > 0
        Starts with the capital before the first bar.
    most : int
        How many are wanted.

    Examples
    --------
    >>> spells = drawdown_spells(np.array([100.0, 90.0, 95.0, 110.0, 88.0, 99.0]))
    >>> [(s.peak, s.trough, s.recovered, round(s.depth_frac, 6), s.bars) for s in spells]
    [(3, 4, None, 0.2, 2), (0, 1, 3, 0.1, 2)]
    """
    if equity.shape[0] < 2:
        return []
    fell = 1.0 - equity / np.maximum.accumulate(equity)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], fell > 0.0, [False]))))
    starts, ends = edges[::2], edges[1::2]
    if starts.shape[0] == 0:
        return []
    # between two spells the fall is 0
    depths = np.maximum.reduceat(fell, starts)
    out = []
    for i in np.argsort(-depths, kind="stable")[:most].tolist():
        begin, end = int(starts[i]), int(ends[i])
        recovered = end if end < fell.shape[0] else None
        out.append(
            Spell(
                peak=begin - 1, trough=begin + int(np.argmax(fell[begin:end])), recovered=recovered,
                depth_frac=float(depths[i]), bars=end - begin,
            )
        )  # fmt: skip
    return out
