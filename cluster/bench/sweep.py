"""Bench of the sweeps: combination-bars per second beside plain C that shares work and C that does not, in one run.

The C referees (`sweep_floor.c`) are compiled with the system's ``cc`` where there is one. All candidates take turns
and the median of process CPU time counts; a candidate that does not share work runs a sample of the pairs. Memory is
the growth of the peak of a fresh process. vectorbt and others are not measured here.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.backtest.vector import backtest_crossover
from actors.domain.model.bars import BarFrame
from cluster.bench.engine import frame_of
from cluster.bench.figures import Figure, number

FIRST, LAST = 2, 101
SAMPLE = 33
"""One pair in so many is run by those who do not share work."""
SKIPPED = "the twins run every combination on its own: a grid takes them an hour"
_SOURCE = Path(__file__).with_name("sweep_floor.c")
_FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
Job = Callable[[], object]


def compiled_floor(folder: Path) -> tuple[ctypes.CDLL | None, str]:
    """Return the C referees and how they were compiled, or None and why there are none."""
    cc = shutil.which("cc")
    if cc is None:
        return None, "no C compiler on this machine"
    target = folder / "sweep_floor.so"
    command = [cc, *_FLAGS, "-o", str(target), str(_SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own source
    if done.returncode:
        return None, f"cc failed: {done.stderr.strip()[:200]}"
    return ctypes.CDLL(str(target)), "cc " + " ".join(_FLAGS[:2])


def pairs_of(first: int, last: int) -> list[tuple[int, int]]:
    """Return every pair of windows, the shorter one first."""
    return [(f, s) for f in range(first, last + 1) for s in range(f + 1, last + 1)]


class Floor:
    """The C referees over one market."""

    def __init__(self, library: ctypes.CDLL, frame: BarFrame, pairs: list[tuple[int, int]]) -> None:
        self._library, self._frame = library, frame
        self._fast, self._slow = (np.array(x, dtype=np.int64) for x in zip(*pairs, strict=True))
        self._used = np.zeros(int(self._slow.max()) + 1, dtype=np.int8)
        self._used[[*self._fast.tolist(), *self._slow.tolist()]] = 1
        self.out = np.zeros((len(pairs), 7))

    def shared(self) -> None:
        """Sweep all pairs, sharing work."""
        longest = (ctypes.c_long(len(self._used) - 1), _pointer(self._used))
        self._library.shared(*self._arguments(*longest))

    def alone(self) -> None:
        """Run pair after pair."""
        self._library.each_alone(*self._arguments())

    def _arguments(self, *more: Any) -> tuple[Any, ...]:
        f = self._frame
        costs = (ctypes.c_double(10_000.0), ctypes.c_double(0.001), ctypes.c_double(0.0005))
        return (
            _pointer(f.open), _pointer(f.close), ctypes.c_long(len(f)), _pointer(self._fast), _pointer(self._slow),
            ctypes.c_long(len(self._fast)), *more, *costs, _pointer(self.out),
        )  # fmt: skip


def _pointer(x: np.ndarray[Any, Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(x.ctypes.data)


def crossovers(frame: BarFrame, first: int = FIRST, last: int = LAST, threads: int = 1) -> Any:
    """Sweep every pair of windows."""
    windows = range(first, last + 1)
    return kernels.sweep_ma_cross(frame.open, frame.close, windows, windows, threads=threads)


def run(bars: int, reps: int, *, long: bool) -> dict[str, Any]:
    """Measure every row and return what was found.

    Parameters
    ----------
    bars : int
        Length of the series of the main rows.
    reps : int
        Rounds; the median counts.
    long : bool
        Also ten times as many bars and twice as many combinations.
    """
    if kernels.backend().name != "native":
        return {"skipped": SKIPPED}
    frame, pairs = frame_of(bars), pairs_of(FIRST, LAST)
    some = pairs[::SAMPLE]
    records = crossovers(frame)
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        library, note = compiled_floor(Path(folder))
        jobs: dict[str, tuple[int, Job]] = {
            "kernel": (len(pairs), lambda: crossovers(frame)),
            "single": (len(some), lambda: _singles(frame, some)),
        }
        if library is not None:
            every, few = Floor(library, frame, pairs), Floor(library, frame, some)
            jobs |= {"c_shared": (len(pairs), every.shared), "c_alone": (len(some), few.alone)}
        took = _medians({name: job for name, (_, job) in jobs.items()}, reps)
        rates = {name: jobs[name][0] * bars * 1e9 / ns for name, ns in took.items()}
        differs = None if library is None else _differs(records, every.out)
    found: dict[str, Any] = {
        "bars": bars, "combinations": len(pairs), "trades": int(records["trades"].sum()), "c_referee": note,
        "combination_bars_per_s": rates, "differs_from_c": differs, "error": _error(frame, records, some),
        "two_threads_x": _threads(frame, reps), "families": _families(frame, reps),
        "memory": grown(bars, FIRST, LAST),
    }  # fmt: skip
    for name in ("c_shared", "c_alone", "single"):
        found[f"kernel_x_{name}"] = rates["kernel"] / rates[name] if name in rates else None
    if long:
        found["long"] = _long(bars * 10, rates["kernel"])
    return found


def _singles(frame: BarFrame, pairs: list[tuple[int, int]]) -> None:
    for fast, slow in pairs:
        kernels.ma_cross_backtest(frame.open, frame.close, fast, slow)


def _medians(jobs: dict[str, Job], reps: int) -> dict[str, float]:
    took: dict[str, list[int]] = {name: [] for name in jobs}
    for _ in range(reps):
        for name, job in jobs.items():
            start = time.process_time_ns()
            job()
            took[name].append(time.process_time_ns() - start)
    return {name: max(float(statistics.median(t)), 1.0) for name, t in took.items()}


def _differs(records: Any, out: np.ndarray[Any, Any]) -> dict[str, float]:
    """Return how far we are from C: relative in equity and fees, absolute in drawdown, counts that differ."""
    return {
        "final_equity": float(np.abs(records["final_equity"] / out[:, 0] - 1.0).max()),
        "max_drawdown": float(np.abs(records["max_drawdown"] - out[:, 3]).max()),
        "fees": float(np.abs(records["fees"] / out[:, 6] - 1.0).max()),
        "counts": float(((records["trades"] != out[:, 4]) | (records["wins"] != out[:, 5])).sum()),
    }


def _error(frame: BarFrame, records: Any, pairs: list[tuple[int, int]]) -> float:
    """Return the largest difference from single backtests; infinite if a count differs."""
    root, worst = (365 * 86_400 * 10**9 / frame.timeframe_ns) ** 0.5, 0.0
    for record, (fast, slow) in zip(records[::SAMPLE], pairs, strict=True):
        _, f = backtest_crossover(frame, fast, slow)
        if (record["trades"], record["wins"]) != (f.trades.closed, f.trades.wins):
            return float("inf")
        ours = (record["final_equity"] / 10_000.0 - 1.0, record["sharpe"] * root, record["sortino"] * root,
                record["max_drawdown"])  # fmt: skip
        for a, b in zip(ours, (f.total_return, f.sharpe, f.sortino, f.max_drawdown), strict=True):
            if b is not None:
                worst = max(worst, abs(a - b) / max(abs(b), 1e-3))
    return worst


def _threads(frame: BarFrame, reps: int) -> float:
    """Return how many times faster two threads are, by the clock on the wall."""
    best = {}
    for threads in (1, 2):
        times = []
        for _ in range(max(reps, 3)):
            start = time.perf_counter()
            crossovers(frame, threads=threads)
            times.append(time.perf_counter() - start)
        best[threads] = min(times)
    return best[1] / best[2]


def _families(frame: BarFrame, reps: int) -> dict[str, float]:
    """Return combination-bars per second of the other rules, and of crossovers that may be short."""
    o, h, low, c = frame.open, frame.high, frame.low, frame.close
    levels, windows = np.arange(10.0, 50.0, 2.0), range(5, 55, 2)
    sweeps: dict[str, Callable[[], Any]] = {
        "rsi": lambda: kernels.sweep_rsi(o, c, windows, levels, levels + 50.0),
        "bollinger": lambda: kernels.sweep_bollinger(o, c, windows, np.arange(1.0, 3.0, 0.05)),
        "donchian": lambda: kernels.sweep_donchian(o, h, low, c, range(5, 105), range(2, 52)),
        "momentum": lambda: kernels.sweep_momentum(o, c, range(2, 22), range(22, 62, 4), range(70, 170, 10)),
        "ma_cross, long and short": lambda: kernels.sweep_ma_cross(
            o, c, range(2, 102, 5), range(2, 102, 5), allow_short=True
        ),
    }
    took = _medians(dict(sweeps), min(reps, 3))
    return {name: len(job()) * len(frame) * 1e9 / took[name] for name, job in sweeps.items()}


def grown(bars: int, first: int, last: int) -> dict[str, float] | None:
    """Return by how much a sweep raised the memory of a fresh process, and what is allowed, MB of 10^6 bytes.

    None where the system keeps no peak that can be set back.
    """
    command = [sys.executable, "-m", "cluster.bench.sweep", "--memory", str(bars), str(first), str(last)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - our own module
    found: dict[str, float] | None = json.loads(done.stdout)
    return found


def _memory(bars: int, first: int, last: int) -> dict[str, float] | None:
    frame = frame_of(bars)
    crossovers(frame_of(300), 2, 4)
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what was freed before would hide what is taken now
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before = _status("VmRSS")
        count = len(crossovers(frame, first, last))
        peak = _status("VmHWM")
    except (OSError, AttributeError, StopIteration):
        return None
    return {"grown_mb": (peak - before) / 1e6, "allowed_mb": 5.0 + 64e-6 * count, "combinations": count}


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024


def _long(bars: int, rate: float) -> dict[str, Any]:
    """Return the rate on a longer series and a larger grid, against the main row's, and its memory."""
    frame, last = frame_of(bars), 143
    start = time.process_time_ns()
    count = len(crossovers(frame, FIRST, last))
    found = count * bars * 1e9 / (time.process_time_ns() - start)
    return {
        "bars": bars, "combinations": count, "combination_bars_per_s": found, "x_short": found / rate,
        "memory": grown(bars, FIRST, last),
    }  # fmt: skip


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return the goals of the sweeps."""
    if "skipped" in found:
        return [
            Figure("sweep", "MA crossovers, one thread", None, "M combination-bars/s", 1000.0, note=SKIPPED)
        ]
    rates, size = found["combination_bars_per_s"], f"{found['combinations']:,} pairs x {found['bars']:,} bars"
    trades = f"{found['trades'] / found['combinations']:,.0f} trades each, fee and slippage on"

    def against(name: str, label: str, goal: float) -> Figure:
        rate = number(rates[name] / 1e6) if name in rates else "-"
        note = f"{rate} M; {found['c_referee']}" if name.startswith("c_") else f"{rate} M"
        return Figure("sweep", label, found[f"kernel_x_{name}"], "x", goal, note=note)

    rows = [
        Figure("sweep", "MA crossovers, one thread", rates["kernel"] / 1e6, "M combination-bars/s", 1000.0,
               note=f"{size}, {trades}"),
        against("c_shared", "against C that shares work", 0.9),
        against("c_alone", "against C, pair after pair", 4.0),
        against("single", "against single backtests", 4.0),
        Figure("sweep", "difference from single backtests", found["error"], "", 1e-9, "<=",
               note="return, Sharpe, Sortino, drawdown; trades and wins equal"),
        Figure("sweep", "two threads against one, by the wall", found["two_threads_x"], "x",
               note="cores may be shared"),
        _memory_row("peak memory of the sweep", found["memory"]),
    ]  # fmt: skip
    for name, rate in found["families"].items():
        rows.append(Figure("sweep", name, rate / 1e6, "M combination-bars/s"))
    if "long" in found:
        long = found["long"]
        size = f"{long['combinations']:,} pairs x {long['bars']:,} bars"
        rows.append(
            Figure("sweep", "rate of a larger sweep against this one", long["x_short"], "x", 0.8, note=size)
        )
        rows.append(_memory_row("peak memory of the larger sweep", long["memory"]))
    return rows


def _memory_row(name: str, memory: dict[str, float]) -> Figure:
    return Figure(
        "sweep",
        name,
        memory["grown_mb"],
        "MB",
        memory["allowed_mb"],
        "<=",
        note="5 MB + 64 B per combination",
    )


def main() -> int:
    """Print the rows as text; with ``--memory``, what a sweep takes in this process."""
    from cluster.bench.figures import table

    parser = argparse.ArgumentParser()
    parser.add_argument("--memory", nargs=3, type=int, metavar=("BARS", "FIRST", "LAST"))
    args = parser.parse_args()
    if args.memory:
        sys.stdout.write(json.dumps(_memory(*args.memory)))
    else:
        sys.stdout.write(table(figures(run(100_000, 5, long=True))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
