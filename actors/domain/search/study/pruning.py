"""Pruners as limits: what trial n must reach at the end of each time slice, from the trials told before it.

A pruner that compares with whoever happens to be finished depends on the number of workers. Here a trial carries its
limits from the moment it is asked, so it may be computed anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from actors.domain.errors import ConfigError
from actors.domain.search.study.trial import TrialResult

Cuts = tuple[float | None, ...]
Pruner = Callable[[Sequence[TrialResult], int, bool], Cuts]
"""``pruner(told, slices, maximize)``: the limits of the slices 0 … slices − 2."""
NAMES = ("none", "median", "percentile", "halving")
STARTUP = 5
"""Complete trials before which nothing is pruned, as in Optuna's median pruner."""


def none(_told: Sequence[TrialResult], _slices: int, _maximize: bool) -> Cuts:
    """Prune nothing."""
    return ()


def percentile(keep: float) -> Pruner:
    """Return the pruner that ends what is worse than the best `keep` percent of complete trials at a slice.

    Examples
    --------
    >>> told = [TrialResult("complete", (float(k),), intermediate=(float(k),)) for k in range(5)]
    >>> percentile(50.0)(told, 2, True), percentile(50.0)(told[:4], 2, True)
    ((2.0,), (None,))
    """

    def cuts(told: Sequence[TrialResult], slices: int, maximize: bool) -> Cuts:
        complete = [t for t in told if t.state == "complete"]
        if len(complete) < STARTUP:
            return (None,) * (slices - 1)
        out: list[float | None] = []
        for k in range(slices - 1):
            known = [v for t in complete if len(t.intermediate) > k and (v := t.intermediate[k]) is not None]
            out.append(float(np.percentile(known, 100.0 - keep if maximize else keep)) if known else None)
        return tuple(out)

    return cuts


def halving(factor: int) -> Pruner:
    """Return the pruner that lets one in `factor` of those who reached a slice go on (successive halving).

    Examples
    --------
    >>> told = [TrialResult("complete", (float(k),), intermediate=(float(k),)) for k in range(9)]
    >>> halving(3)(told, 2, True)
    (6.0,)
    """

    def cuts(told: Sequence[TrialResult], slices: int, maximize: bool) -> Cuts:
        if sum(t.state == "complete" for t in told) < STARTUP:
            return (None,) * (slices - 1)
        out: list[float | None] = []
        for k in range(slices - 1):
            known = sorted(
                (v for t in told if len(t.intermediate) > k and (v := t.intermediate[k]) is not None),
                reverse=maximize,
            )
            out.append(known[math.ceil(len(known) / factor) - 1] if len(known) >= factor else None)
        return tuple(out)

    return cuts


def make_pruner(name: str, *, keep: float = 50.0, factor: int = 3) -> Pruner:
    """Return a pruner by name.

    Raises
    ------
    ConfigError
        If there is none of that name, or a number is out of range.
    """
    if name not in NAMES or not 0.0 < keep < 100.0 or factor < 2:
        raise ConfigError(
            "PRUNER",
            f"pruner: expected one of {', '.join(NAMES)}, a percentile between 0 and 100 and a factor from 2, found "
            f"{name}, {keep:g}, {factor}",
        )
    made: dict[str, Any] = {"none": none, "median": percentile(50.0), "percentile": percentile(keep)}
    found: Pruner = made.get(name) or halving(factor)
    return found


def pruned_at(cuts: Cuts, reached: Sequence[float | None], *, maximize: bool) -> bool:
    """Tell whether a trial ends at the slice that it has reached.

    Examples
    --------
    >>> pruned_at((1.0, 2.0), [0.5], maximize=True), pruned_at((1.0, 2.0), [3.0, 0.5], maximize=True)
    (True, False)
    """
    k = len(reached) - 1
    limit = cuts[k] if k < len(cuts) else None
    best = _best(reached, maximize)
    if limit is None or best is None:
        return False
    return best < limit if maximize else best > limit


def _best(values: Sequence[float | None], maximize: bool) -> float | None:
    known = [v for v in values if v is not None]
    return None if not known else max(known) if maximize else min(known)


Kind = Literal["none", "median", "percentile", "halving"]
