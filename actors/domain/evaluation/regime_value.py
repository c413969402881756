"""What a state is worth on a real series: how soon it is left before falls, how often in vain, what it tells of risk.

All of it looks back on finished series: it judges labels that were made causally, and no decision may use it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import DataError

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Crisis:
    """A fall by its rows, both included."""

    name: str
    first: int
    last: int


@dataclass(frozen=True)
class CrisisExit:
    """How a state was left in a crisis.

    Attributes
    ----------
    inside_before : bool
        Whether the state held at the bar before the first: at the close of the first the fall has begun.
    delay_bars : int or None
        From the first bar to the first one out of the state: 0 if it was out at that; None: never within the crisis.
    avoided_frac : float or None
        Share of the fall from the first close to the lowest one that was still to come when the state was left, at most
        1 (it was left above the first close); None if there was no fall.
    """

    name: str
    inside_before: bool
    delay_bars: int | None
    avoided_frac: float | None


def crisis_exits(inside: BoolArray, close: FloatArray, crises: Sequence[Crisis]) -> list[CrisisExit]:
    """Return how a state was left in each crisis.

    Parameters
    ----------
    inside : bool array, shape (n,)
        The state at each close.
    close : array, shape (n,)
    crises : sequence of Crisis

    Raises
    ------
    DataError
        If a crisis reaches beyond the series, or begins with it: then nothing was before.

    Examples
    --------
    >>> inside = np.array([True, True, True, False, False, True])
    >>> close = np.array([100.0, 100.0, 90.0, 80.0, 60.0, 70.0])
    >>> crisis_exits(inside, close, [Crisis("fall", 1, 4)])
    [CrisisExit(name='fall', inside_before=True, delay_bars=2, avoided_frac=0.5)]
    """
    out = []
    for crisis in crises:
        if not 1 <= crisis.first <= crisis.last < len(close):
            raise DataError(
                "CRISIS_RANGE",
                f"{crisis.name}: expected rows within 1..{len(close) - 1}, found {crisis.first}..{crisis.last}",
            )
        here = slice(crisis.first, crisis.last + 1)
        gone = np.flatnonzero(~inside[here])
        delay = int(gone[0]) if len(gone) else None
        begin, lowest = float(close[crisis.first]), float(close[here].min())
        avoided = None
        if lowest < begin:
            left = lowest if delay is None else float(close[crisis.first + delay])
            avoided = min(1.0, (left - lowest) / (begin - lowest))
        out.append(CrisisExit(crisis.name, bool(inside[crisis.first - 1]), delay, avoided))
    return out


def exits_in_vain(
    inside: BoolArray, close: FloatArray, crises: Sequence[Crisis], *, horizon_bars: int, fall_frac: float
) -> tuple[int, int]:
    """Return how often a state was left, and how often in vain.

    In vain: outside of every crisis, and no close of the next `horizon_bars` was `fall_frac` below that of the exit.
    Exits whose horizon the series does not hold are left out.

    Examples
    --------
    >>> inside = np.array([True, False, True, False, False, False])
    >>> close = np.array([100.0, 100.0, 101.0, 100.0, 80.0, 80.0])
    >>> exits_in_vain(inside, close, [], horizon_bars=2, fall_frac=0.1)
    (2, 1)
    """
    at = np.flatnonzero(inside[:-1] & ~inside[1:]) + 1
    at = at[at + horizon_bars < len(close)]
    if not len(at):
        return 0, 0
    ahead = np.lib.stride_tricks.sliding_window_view(close[1:], horizon_bars)
    fell = ahead[at].min(axis=1) <= (1.0 - fall_frac) * close[at]
    for crisis in crises:
        fell |= (at >= crisis.first) & (at <= crisis.last)
    return len(at), int((~fell).sum())


def switches_per_year(inside: BoolArray, bars_per_year: float) -> float | None:
    """Return how often a state changed, a year; None of fewer than two bars.

    Examples
    --------
    >>> switches_per_year(np.array([True, False, False, True]), 252.0)
    126.0
    """
    if len(inside) < 2:
        return None
    return float((inside[1:] != inside[:-1]).sum()) * bars_per_year / len(inside)


def realised_ahead(returns: FloatArray, bars: int, bars_per_year: float) -> FloatArray:
    """Return the annual volatility of the `bars` returns behind each row (ddof 1); NaN where there are not so many.

    Examples
    --------
    >>> realised_ahead(np.array([0.0, 0.01, -0.01, 0.02]), 2, 2.0).round(4).tolist()
    [0.02, 0.03, nan, nan]
    """
    out = np.full(len(returns), np.nan)
    if len(returns) > bars:
        ahead = np.lib.stride_tricks.sliding_window_view(returns[1:], bars)
        out[: len(ahead)] = ahead.std(axis=1, ddof=1) * np.sqrt(bars_per_year)
    return out


@dataclass(frozen=True)
class Separation:
    """How a figure differs between two states.

    Attributes
    ----------
    inside_mean, outside_mean : float or None
    auc : float or None
        Probability that a bar inside shows more of it than one outside (ties half): 0.5 says nothing.
    """

    inside_mean: float | None
    outside_mean: float | None
    auc: float | None


def separation(inside: BoolArray, figure: FloatArray) -> Separation:
    """Return how a figure differs where a state holds; rows without the figure are left out.

    Examples
    --------
    >>> separation(np.array([True, True, False, False]), np.array([3.0, 2.0, 2.0, 1.0]))
    Separation(inside_mean=2.5, outside_mean=1.5, auc=0.875)
    """
    known = np.isfinite(figure)
    here, there = figure[known & inside], figure[known & ~inside]
    if not len(here) or not len(there):
        return Separation(
            float(here.mean()) if len(here) else None, float(there.mean()) if len(there) else None, None
        )
    order = np.sort(there)
    below = np.searchsorted(order, here, side="left") + np.searchsorted(order, here, side="right")
    return Separation(float(here.mean()), float(there.mean()), float(below.mean() / 2.0 / len(there)))


def held_outside(inside: BoolArray, returns: FloatArray, *, cost_frac: float) -> FloatArray:
    """Return what holding only outside of a state earns: in at the close at which it is out of it, else cash.

    Parameters
    ----------
    inside : bool array, shape (n,)
        The state to stay out of, known at each close.
    returns : array, shape (n,)
        Simple return of each bar; row 0 is not earned.
    cost_frac : float
        Of each entry and exit.

    Examples
    --------
    >>> held_outside(np.array([False, True, True, False]), np.array([0.0, 0.1, -0.2, 0.1]), cost_frac=0.0).tolist()
    [0.0, 0.1, 0.0, 0.0]
    """
    held = np.zeros(len(returns))
    held[1:] = ~inside[:-1]
    out = np.where(held > 0.0, returns, 0.0)
    out[1:] -= cost_frac * np.abs(np.diff(held))
    return out
