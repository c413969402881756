"""Bench of the fan-out over Ray: what it adds to tasks of 200 ms, what a worker weighs, ten assets on two workers.

The tasks of the first row wait without a core, so that what is measured is the fan-out and not who else uses the
cores. The sweep of ten assets is timed by the wall, beside the same in this process: read it with the load in mind.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.model.bars import BarFrame
from actors.domain.search.plan import SweepPlan
from actors.domain.search.result import RECORD_METRICS
from actors.domain.search.sweep import sweep
from actors.runtime.fanout_worker import private_mib
from actors.runtime.session import ray_session
from cluster.bench.engine import frame_of
from cluster.bench.figures import Figure
from cluster.bench.processes import pss_mib
from cluster.bench.sweep import SKIPPED

TASK_S, WORKERS, ASSETS = 0.2, 2, 10


def wait(_shared: Any, _item: int, _rng: Any) -> float:
    """A task that takes its time and no core; how long it really took."""
    began = time.perf_counter()
    time.sleep(TASK_S)
    return time.perf_counter() - began


def read(shared: Mapping[str, Any], _item: int, _rng: Any) -> tuple[float, float]:
    """Read the whole history; its sum and the memory this process has to itself."""
    return float(shared["history"].sum()), private_mib()


def run(tasks: int, bars: int) -> dict[str, Any]:
    """Measure and return what was found.

    Parameters
    ----------
    tasks : int
        Of 200 ms each; an even number.
    bars : int
        Of each of the ten assets.
    """
    with ray_session(num_cpus=WORKERS + 1, object_store_mb=200):
        assets = _assets(bars) if kernels.backend().name == "native" else {}
        return {"tasks": tasks, "bars": bars, **_overhead(tasks), **_weight(), **assets}


def _overhead(tasks: int) -> dict[str, float]:
    from actors.runtime.fanout import RayFanOut

    with RayFanOut(workers=WORKERS) as pool:
        pool.map(wait, range(4 * WORKERS))  # workers start, and tasks have been timed
        began = time.perf_counter()
        own = sum(pool.map(wait, range(tasks)))
        took = time.perf_counter() - began
    # a busy machine wakes a sleeper late: that is the task's own time, not ours
    return {"overhead_frac": took * WORKERS / own - 1.0, "task_ms": own / tasks * 1e3}


def _weight() -> dict[str, Any]:
    from actors.runtime.fanout import RayFanOut

    history = np.arange(8 << 20, dtype=np.float64)  # 64 MiB
    with RayFanOut({"history": history}, workers=WORKERS) as pool:
        idle = min(mib for _, mib in pool.map(read, range(WORKERS)))
        found = pool.map(read, range(8))
        pss = [p for pid in pool.pids() if (p := pss_mib(pid)) is not None]
    if {total for total, _ in found} != {float(history.sum())}:
        raise AssertionError("a worker read another history")
    return {
        "history_mib": history.nbytes / (1 << 20), "private_mib": idle,
        "private_growth_mib": max(mib for _, mib in found) - idle, "pss_mib": max(pss) if pss else None,
    }  # fmt: skip


def _assets(bars: int) -> dict[str, Any]:
    from actors.runtime.fanout import RayFanOut

    windows = tuple(range(2, 102))
    plan = SweepPlan("ma_crossover", {"fast_bars": windows, "slow_bars": windows}, {"band_frac": 0.0})
    frames: dict[str, BarFrame] = {f"A{k}/USDT": frame_of(bars, seed=k) for k in range(ASSETS)}
    began = time.perf_counter()
    here = sweep(plan, frames)
    alone = time.perf_counter() - began
    pools: list[RayFanOut] = []

    def pool(shared: Any) -> RayFanOut:
        pools.append(RayFanOut(shared, workers=WORKERS))
        pools[-1].map(wait, range(WORKERS))  # not the start of processes is to be timed
        nonlocal began
        began = time.perf_counter()
        return pools[-1]

    there = sweep(plan, frames, pool=pool)
    spread = time.perf_counter() - began
    same = all(
        np.array_equal(here[p].columns[m], there[p].columns[m], equal_nan=True)
        for p in frames
        for m in RECORD_METRICS
    )
    work = len(plan) * bars * ASSETS
    return {
        "combinations": len(plan), "assets": ASSETS, "assets_equal": same, "alone_combination_bars_per_s": work / alone,
        "spread_combination_bars_per_s": work / spread, "spread_x_alone": alone / spread,
    }  # fmt: skip


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return the fan-out's goals."""
    rows = [
        Figure("fanout", "added to tasks of 200 ms", 100.0 * found["overhead_frac"], "%", 5.0, "<=",
               note=f"{found['tasks']} tasks on {WORKERS} workers"),
        Figure("fanout", "memory of a worker, its share (PSS)", found["pss_mib"], "MiB",
               note="with the history of 64 MiB that all share"),
        Figure("fanout", "memory of an idle worker, its own", found["private_mib"], "MiB"),
        Figure("fanout", "own memory that reading 64 MiB of history adds", found["private_growth_mib"], "MiB", 8.0,
               "<=", note="read in place"),
    ]  # fmt: skip
    if "assets" not in found:
        return [*rows, Figure("fanout", "sweep of ten assets", None, "M combination-bars/s", note=SKIPPED)]
    size = f"{found['assets']} assets x {found['combinations']:,} pairs x {found['bars']:,} bars, {WORKERS} workers"
    return [
        *rows,
        Figure("fanout", "sweep of ten assets", found["spread_combination_bars_per_s"] / 1e6, "M combination-bars/s",
               note=size),
        Figure("fanout", "against one process, by the wall", found["spread_x_alone"], "x", note="cores may be shared"),
        Figure("fanout", "equal to one process", float(found["assets_equal"]), "", 1.0),
    ]  # fmt: skip
