"""Offline change points: PELT, which is exact, and binary segmentation, which is greedy. Neither is causal."""

from __future__ import annotations

from heapq import heappop, heappush
from math import log
from typing import Any, Literal

import numpy as np

from actors.domain.errors import InvalidParamsError
from actors.domain.regime.changes.costs import Cost, NormalError, SquaredError, series

Kind = Literal["l2", "normal", "mbic"]
PARAMETERS = {"l2": 1, "normal": 2, "mbic": 1}


def cost_of(kind: str, x: Any) -> Cost:
    """Return a series' cost by name: ``l2``, ``normal`` (mean and variance) or ``mbic`` (l2 plus ln length)."""
    if kind not in PARAMETERS:
        raise InvalidParamsError(
            "CHANGES_COST", f"cost: expected one of {', '.join(PARAMETERS)}, found {kind!r}"
        )
    return NormalError(x) if kind == "normal" else SquaredError(x, log_length=kind == "mbic")


def bic_penalty(kind: Kind, bars: int) -> float:
    """Return the Bayesian information criterion's price of a change: one place and the segment's parameters.

    ``mbic`` is the modified criterion of Zhang and Siegmund (2007), whose other half lies in the cost. Costs ``l2`` and
    ``mbic`` are in units of the noise's variance: give them a series of unit noise.

    Examples
    --------
    >>> round(bic_penalty("l2", 100), 3), round(bic_penalty("mbic", 100), 3)
    (9.21, 13.816)
    """
    return (PARAMETERS[kind] + (2 if kind == "mbic" else 1)) * log(bars)


def pelt(x: Any, penalty: float, *, cost: Kind = "l2", min_size: int = 1) -> list[int]:
    """Return the segmentation of least cost plus `penalty` per change, exactly.

    Parameters
    ----------
    x : array, shape (n,)
    penalty : float
        Of one change, at least 0.
    cost : {"l2", "normal", "mbic"}
    min_size : int
        Least bars of a segment; raised to what the cost needs (2 for ``normal``).

    Returns
    -------
    list of int
        Ends of the segments (exclusive), rising; the last is n.

    Raises
    ------
    InvalidParamsError
        If the series is not finite, or shorter than `min_size`, or a parameter is out of range.

    Notes
    -----
    Killick, Fearnhead and Eckley (2012). A start that another beats at t may still win before t + min_size, where the
    other is not yet allowed; it is given up only then, so short segments cost no exactness. O(n) candidates at worst.

    Examples
    --------
    >>> pelt([0.0, 0.1, 0.0, 5.0, 5.1, 5.0], 1.0)
    [3, 6]
    """
    values = series(x)
    part = cost_of(cost, values)
    n, least = len(values), _least(min_size, part, len(values), penalty)
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    came = np.zeros(n + 1, dtype=np.int64)
    starts = np.array([0])
    leaves = np.array([n + least + 1])  # first end at which a start is given up
    for end in range(least, n + 1):
        keep = leaves > end
        starts, leaves = starts[keep], leaves[keep]
        total = best[starts] + part.of(starts, end)
        at = int(total.argmin())
        best[end], came[end] = total[at] + penalty, starts[at]
        beaten = total + part.slack > best[end]
        leaves = np.where(beaten, np.minimum(leaves, end + least), leaves)
        ready = end + 1 - least  # may start a segment that ends at the next bar
        if ready >= least:
            starts, leaves = np.append(starts, ready), np.append(leaves, n + least + 1)
    ends = [n]
    while came[ends[-1]]:
        ends.append(int(came[ends[-1]]))
    return ends[::-1]


def binary_segmentation(
    x: Any, penalty: float, *, cost: Kind = "l2", min_size: int = 1, max_changes: int | None = None
) -> list[int]:
    """Return a segmentation made by cutting where the cost falls most, until no cut saves more than `penalty`.

    Greedy (Scott and Knott 1974): cheaper than `pelt` and not exact. Parameters, result and errors as `pelt`;
    `max_changes` bounds the cuts.

    Examples
    --------
    >>> binary_segmentation([0.0, 0.1, 0.0, 5.0, 5.1, 5.0], 1.0)
    [3, 6]
    """
    values = series(x)
    part = cost_of(cost, values)
    n, least = len(values), _least(min_size, part, len(values), penalty)
    ends: list[int] = []
    heap: list[tuple[float, int, int, int]] = []

    def offer(start: int, end: int) -> None:
        cuts = np.arange(start + least, end - least + 1)
        if cuts.size:
            whole = float(part.of(np.array([start]), end)[0])
            saved = whole - part.of(np.full(cuts.size, start), cuts) - part.of(cuts, end)
            at = int(saved.argmax())
            if saved[at] > penalty:
                heappush(heap, (-float(saved[at]), start, int(cuts[at]), end))

    offer(0, n)
    while heap and (max_changes is None or len(ends) < max_changes):
        _, start, cut, end = heappop(heap)
        ends.append(cut)
        offer(start, cut)
        offer(cut, end)
    return [*sorted(ends), n]


def _least(min_size: int, part: Cost, n: int, penalty: float) -> int:
    least = max(min_size, part.least)
    if min_size < 1 or not penalty >= 0.0 or n < least:
        raise InvalidParamsError(
            "CHANGES_PARAMS",
            f"segmentation: expected min_size from 1, penalty from 0 and at least {least} bars, found {min_size}, "
            f"{penalty} and {n}",
        )
    return least
