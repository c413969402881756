"""Every combination of a plan over one or many pairs: by a kernel that shares work, or one backtest each.

How work is spread is the caller's: `sweep` takes what makes a pool around the bars, such as
``lambda shared: RayFanOut(shared, workers=4)``; without one it works here. Results do not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.search.families import Family, family_of
from actors.domain.search.objectives import Objective
from actors.domain.search.plan import SweepPlan
from actors.domain.search.result import (
    RECORD_METRICS,
    RUN_METRICS,
    FloatArray,
    SweepResult,
    record_columns,
    run_row,
)
from actors.domain.search.terms import Terms

Frames = Mapping[str, BarFrame]
SLAB = 5_000_000_000
"""Combination-bars of a kernel that one item of a pool computes at most: a few seconds of a core."""


class Pool(Protocol):
    """Does items; `actors.runtime` has one over Ray and its serial twin."""

    def map(self, fn: Callable[[Any, Any, np.random.Generator], Any], items: Iterable[Any], /) -> list[Any]:
        """Return ``fn(shared, item, rng)`` for every item, in order."""

    def close(self) -> None:
        """Free what it holds."""


class Slab(NamedTuple):
    """One item: combinations that a kernel sweeps over a pair; all axes of the family, in its order."""

    kind: str
    axes: Mapping[str, tuple[Any, ...]]
    terms: Terms
    pair: str
    threads: int


class One(NamedTuple):
    """One item: a single combination over a pair."""

    kind: str
    params: Mapping[str, Any]
    terms: Terms
    pair: str


def sweep(
    plan: SweepPlan,
    frames: Frames,
    *,
    objective: Objective | None = None,
    pool: Callable[[Frames], Pool] | None = None,
    threads: int = 1,
) -> dict[str, SweepResult]:
    """Backtest every combination of a plan over every pair.

    Parameters
    ----------
    plan : SweepPlan
    frames : mapping pair → BarFrame
    objective : Objective, optional
        What the result will be ranked by: where it reads more than a kernel's records hold, every combination is
        run on its own.
    pool : callable, optional
        Makes a pool around the frames; closed at the end.
    threads : int
        Of a kernel, in each process.

    Returns
    -------
    dict pair → SweepResult

    Raises
    ------
    ConfigError
        If there are no bars.

    Examples
    --------
    >>> c = 100.0 + 10.0 * np.sin(np.arange(400) / 9.0)
    >>> f = BarFrame("X/Y", 3_600 * 10**9, np.arange(400) * 3_600 * 10**9, c, c, c, c, np.ones(400))
    >>> plan = SweepPlan("ma_crossover", {"fast_bars": [2, 5], "slow_bars": [10, 20]}, {"band_frac": 0.0})
    >>> found = sweep(plan, {"X/Y": f})["X/Y"]
    >>> len(found), found.shared, found.plan.params(int(found.columns["total_return_frac"].argmax()))
    (4, True, {'fast_bars': 2, 'slow_bars': 10})
    """
    empty = [pair for pair, frame in frames.items() if not len(frame)]
    if not frames or empty:
        raise ConfigError(
            "SWEEP_BARS", f"sweep: expected bars of at least one pair, found none of {empty or 'any'}"
        )
    family = plan.family if enough(objective) else None
    made = _Here(frames) if pool is None else pool(frames)
    try:
        if family is not None:
            slabs = [
                s for pair, frame in frames.items() for s in _slabs(plan, family, pair, len(frame), threads)
            ]
            return _joined(plan, frames, slabs, made.map(sweep_slab, slabs))
        singles = [
            One(plan.kind, plan.all_params(k), plan.terms, p) for p in frames for k in range(len(plan))
        ]
        rows = np.array(made.map(sweep_one, singles), dtype=np.float64).reshape(len(frames), len(plan), -1)
    finally:
        made.close()
    return {
        pair: SweepResult(
            plan, pair, {n: np.ascontiguousarray(table[:, j]) for j, n in enumerate(RUN_METRICS)}, False
        )
        for pair, table in zip(frames, rows, strict=True)
    }


def enough(objective: Objective | None) -> bool:
    """Tell whether the records of a kernel hold all that an objective reads."""
    if objective is None:
        return True
    return not getattr(objective, "reads_all", False) and set(objective.reads) <= set(RECORD_METRICS)


def sweep_slab(shared: Frames, item: Slab, _rng: np.random.Generator) -> NDArray[np.void]:
    """Return the records of a slab."""
    family = family_of(item.kind, item.axes)
    if family is None:
        raise ConfigError(
            "SWEEP_FAMILY", f"sweep of {item.kind}: expected axes that a kernel sweeps, found others"
        )
    return family.run(shared[item.pair], item.axes, item.terms, item.threads)


def sweep_one(shared: Frames, item: One, _rng: np.random.Generator) -> FloatArray:
    """Return the metrics of one combination."""
    return run_row(item.kind, item.params, item.terms, shared[item.pair])


def _slabs(plan: SweepPlan, family: Family, pair: str, bars: int, threads: int) -> Iterator[Slab]:
    """Cut the first axis into parts of at most about `SLAB` combination-bars; those without a combination go."""
    axes = plan.family_axes(family)
    name, values = next(iter(axes.items()))
    count = min(-(-len(plan) * bars // SLAB), len(values))
    for part in np.array_split(np.arange(len(values)), count):
        own = {**axes, name: tuple(values[k] for k in part)}
        if family.count(own):
            yield Slab(plan.kind, own, plan.terms, pair, threads)


def _joined(
    plan: SweepPlan, frames: Frames, slabs: list[Slab], parts: list[NDArray[np.void]]
) -> dict[str, SweepResult]:
    out = {}
    for pair, frame in frames.items():
        own = [part for slab, part in zip(slabs, parts, strict=True) if slab.pair == pair]
        records = own[0] if len(own) == 1 else np.concatenate(own)
        columns = record_columns(records, len(frame), frame.timeframe_ns, plan.terms)
        out[pair] = SweepResult(plan, pair, columns, True)
    return out


class _Here:
    """The pool of one process: this one."""

    def __init__(self, shared: Frames) -> None:
        self._shared = shared

    def map(self, fn: Callable[[Any, Any, np.random.Generator], Any], items: Iterable[Any], /) -> list[Any]:
        rng = np.random.default_rng(0)  # nothing here draws from it
        return [fn(self._shared, item, rng) for item in items]

    def close(self) -> None:
        pass
