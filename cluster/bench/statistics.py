"""Bench of the statistics: one-pass figures and bootstrap paths beside a C referee, NumPy and the twins, in one run.

The referee (`statistics_floor.c`) is compiled in several ways with the system's ``cc`` where there is one, and the
fastest of each pass counts. It computes less than we do (no quantiles, no runs, no checks, independent draws only).
All candidates take turns and process CPU time counts; a ratio is the median over the rounds of both times of the same
round.
"""

from __future__ import annotations

import ctypes
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.evaluation.metrics.intervals import metric_intervals
from actors.domain.evaluation.run_metrics import run_metrics
from actors.domain.kernels import twins
from cluster.bench.figures import Figure, number
from cluster.bench.floor import Floor, compiled, fastest, ratio, rounds

STEPS, SHARE = 2_500, 20
"""Steps of a path; the twins run one path in twenty."""
BLOCK_BARS = 20.0
SOURCE = Path(__file__).with_name("statistics_floor.c")
_PASSES = {"statistics": "statistics_pass", "bootstrap": "bootstrap_pass"}
Job = Callable[[], object]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def run(bars: int, paths: int, reps: int) -> dict[str, Any]:
    """Measure and return what was found, milliseconds and ratios.

    Parameters
    ----------
    bars : int
        Returns of the statistics rows.
    paths : int
        Paths of the bootstrap rows, 2,500 steps each.
    reps : int
        Rounds; the median counts.
    """
    returns = np.random.default_rng(1).standard_t(4, bars) * 0.001
    equity = 10_000.0 * np.concatenate(([1.0], np.cumprod(1.0 + returns)))
    short = returns[:STEPS].copy()
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        floors, note = compiled(SOURCE, Path(folder))
        took = rounds(_jobs(returns, equity, short, paths, floors), reps)
        best = {name: fastest(took, floors, f"{name}, ") for name in _PASSES}
    ms = {name: float(np.median(t)) / 1e6 for name, t in took.items()}
    found: dict[str, Any] = {"bars": bars, "paths": paths, "steps": STEPS, "ms": ms}
    found["c_referee"] = {name: note if f is None else f.flags for name, f in best.items()}

    def against(over: str, name: str) -> float | None:
        floor = best[name]
        return None if floor is None else ratio(took, over, f"{name}, {floor.flags}")

    found["statistics_x_c"] = against("statistics", "statistics")
    found["equity_x_c"] = against("statistics of a curve", "statistics")
    found["bootstrap_x_c"] = against("bootstrap", "bootstrap")
    found["independent_x_c"] = against("bootstrap, independent", "bootstrap")
    found["statistics_faster_than_numpy"] = ratio(took, "statistics, NumPy", "statistics")
    found["bootstrap_faster_than_numpy"] = ratio(took, "bootstrap, NumPy", "bootstrap, independent")
    found["bootstrap_faster_than_twin"] = ratio(took, "bootstrap, twin", "bootstrap") * SHARE
    found["statistics_faster_than_twin"] = ratio(took, "statistics, twin", "statistics")
    return found


def _jobs(returns: Floats, equity: Floats, short: Floats, paths: int, floors: list[Floor]) -> dict[str, Job]:
    out, n = np.empty(22), returns.shape[0]
    growth, deepest = np.empty(paths), np.empty(paths)
    few = np.empty(paths // SHARE)
    none, gross = np.empty(0), 1.0 + short
    jobs: dict[str, Job] = {
        "statistics": lambda: kernels.return_statistics(returns),
        "statistics of a curve": lambda: kernels.equity_statistics(equity),
        "all metrics of a run": lambda: run_metrics(equity, timeframe_ns=60 * 10**9),
        "statistics, NumPy": lambda: _numpy_statistics(returns),
        "statistics, twin": lambda: twins.return_statistics(
            returns, False, (n - 1) * 0.05, (n - 1) * 0.95, n * 0.05, out
        ),
        "bootstrap": lambda: kernels.bootstrap_paths(
            short, paths=paths, steps=STEPS, seed=7, mean_block_bars=BLOCK_BARS
        ),
        "bootstrap, independent": lambda: kernels.bootstrap_paths(short, paths=paths, steps=STEPS, seed=7),
        "bootstrap, sums for ratios": lambda: kernels.bootstrap_paths(
            short, paths=paths, steps=STEPS, seed=7, mean_block_bars=BLOCK_BARS, sums=True
        ),
        "bootstrap, NumPy": lambda: _numpy_bootstrap(gross, paths),
        "bootstrap, twin": lambda: twins.bootstrap_paths(
            short, STEPS, 2**32 // 20, 7, 0.0, 1.0, 2.0, 1.0, few, few.copy(), none
        ),
        "intervals of a year of hours": lambda: metric_intervals(
            returns[:8760], periods_per_year=8760.0, seed=7
        ),
    }
    for floor in floors:
        jobs[f"statistics, {floor.flags}"] = statistics_job(floor.library, returns, out)
        jobs[f"bootstrap, {floor.flags}"] = bootstrap_job(floor.library, gross, deepest, growth)
    return jobs


def statistics_job(library: ctypes.CDLL, returns: Floats, out: Floats) -> Job:
    """Return a run of the referee's pass over returns; ten figures go to `out`."""
    return lambda: library.statistics_pass(_at(returns), ctypes.c_long(returns.shape[0]), _at(out))


def bootstrap_job(library: ctypes.CDLL, gross: Floats, deepest: Floats, growth: Floats) -> Job:
    """Return a run of the referee's resampling of gross returns; one value per path goes to the two others."""
    return lambda: library.bootstrap_pass(
        _at(gross), ctypes.c_long(gross.shape[0]), ctypes.c_long(growth.shape[0]), ctypes.c_long(STEPS),
        ctypes.c_uint64(1), _at(deepest), _at(growth),
    )  # fmt: skip


def _at(x: Floats) -> ctypes.c_void_p:
    return ctypes.c_void_p(x.ctypes.data)


def _numpy_statistics(r: Floats) -> tuple[Any, ...]:
    """The referee's figures as one writes them in NumPy."""
    equity = np.cumprod(1.0 + r)
    peak = np.maximum.accumulate(equity)
    z = r - r.mean()
    short = np.minimum(r, 0.0)
    return (
        equity[-1], (1.0 - equity / peak).max(), (z**2).mean(), (z**3).mean(), (z**4).mean(),
        (short**2).mean(), np.maximum(r, 0.0).sum(), short.sum(), (r > 0.0).mean(),
    )  # fmt: skip


def _numpy_bootstrap(gross: Floats, paths: int) -> Floats:
    rng = np.random.default_rng(7)
    out = np.empty(paths)
    for k in range(0, paths, 1000):
        rows = min(1000, paths - k)
        value = np.cumprod(gross[rng.integers(0, STEPS, (rows, STEPS))], axis=1)
        out[k : k + rows] = (1.0 - value / np.maximum.accumulate(value, axis=1)).max(axis=1)
    return out


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return the goals of the statistics."""
    ms, referees = found["ms"], found["c_referee"]
    size, drawn = f"{found['bars']:,} returns", f"{found['paths']:,} paths of {found['steps']:,} steps"

    def of(name: str) -> str:
        part = "bootstrap" if name.startswith("bootstrap") else "statistics"
        each = [f"{number(ms[k])} by {k.split(', ')[1]}" for k in ms if k.startswith(f"{part}, cc ")]
        return f"{number(ms[name])} ms, C: {'; '.join(each) or referees[part]}"

    return [
        Figure("statistics", f"{size}, all figures, against C", found["statistics_x_c"], "x", 2.0, "<=",
               note=of("statistics")),
        Figure("statistics", "the same from an equity curve, against C", found["equity_x_c"], "x", 2.0, "<=",
               note=of("statistics of a curve")),
        Figure("statistics", "all figures, faster than NumPy", found["statistics_faster_than_numpy"], "x", 5.0,
               note=f"NumPy {number(ms['statistics, NumPy'])} ms without quantiles"),
        Figure("statistics", "all metrics of a run", ms["all metrics of a run"], "ms"),
        Figure("statistics", f"bootstrap, {drawn}, against C", found["bootstrap_x_c"], "x", 1.5, "<=",
               note=of("bootstrap")),
        Figure("statistics", "independent draws, against C", found["independent_x_c"], "x", 1.5, "<=",
               note=of("bootstrap, independent")),
        Figure("statistics", "independent draws, faster than NumPy", found["bootstrap_faster_than_numpy"], "x",
               5.0),
        Figure("statistics", "bootstrap with the sums of all ratios", ms["bootstrap, sums for ratios"], "ms"),
        Figure("statistics", "intervals of a year of hours, 2,000 paths", ms["intervals of a year of hours"],
               "ms"),
        Figure("statistics", "native against twin, figures", found["statistics_faster_than_twin"], "x"),
        Figure("statistics", "native against twin, bootstrap", found["bootstrap_faster_than_twin"], "x"),
    ]  # fmt: skip


def main() -> int:
    """Print the figures as text."""
    from cluster.bench.figures import table

    sys.stdout.write(table(figures(run(1_000_000, 10_000, 5))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
