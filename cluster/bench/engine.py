"""Bench of the backtest engine: bars per second beside a plain C loop that does the same, in one run, one thread.

The C referee (`engine_floor.c`) is compiled in several ways with the system's ``cc`` where there is one, and the
fastest counts; without it the rows of ratios are empty and say so. All candidates take turns and process CPU time
counts; a ratio is the median over the rounds of both times of the same round. Kernel and referee write into buffers
that are there; the rows from Python pay for their results. vectorbt and others are not measured here.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.backtest.vector import backtest_crossover
from actors.domain.kernels.backtest import TRADE_DTYPE
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import Instrument
from cluster.bench.figures import Figure, number
from cluster.bench.floor import Floor, compiled, fastest, medians, ratio, rounds
from cluster.bench.kernels import market

FAST, SLOW = 10, 50
LENGTHS = (10_000, 100_000, 1_000_000, 10_000_000)
SOURCE = Path(__file__).with_name("engine_floor.c")
_SEEN_BYTES = 1 << 20
_STATUS, _CLEAR_PEAK = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def frame_of(bars: int, seed: int = 7) -> BarFrame:
    """Return a seeded synthetic frame of one-minute bars."""
    minute = 60 * 10**9
    return BarFrame("BTC/USDT", minute, np.arange(bars) * minute, *market(bars, seed), synthetic=True)


class Referee:
    """The C referee over one frame, with buffers of its own."""

    def __init__(self, library: ctypes.CDLL, frame: BarFrame) -> None:
        self._kernel, self._frame = library.ma_cross, frame
        self._kernel.restype = ctypes.c_long
        self.equity, self.totals = np.zeros(len(frame)), np.zeros(4)
        self._trades, self._count = np.zeros(len(frame) // 2 + 1, TRADE_DTYPE), 0

    @property
    def trades(self) -> np.ndarray[Any, Any]:
        """Round trips of the last run."""
        return self._trades[: self._count]

    def run(self) -> int:
        """Run it; return the number of trades, below 0 where it refuses the bars."""
        frame, money, fee, slip = self._frame, 10_000.0, 0.001, 0.0005
        found = self._kernel(
            *(ctypes.c_void_p(x.ctypes.data) for x in (frame.open, frame.close)), ctypes.c_long(len(frame)),
            ctypes.c_long(FAST), ctypes.c_long(SLOW), *(ctypes.c_double(x) for x in (money, fee, slip)),
            ctypes.c_void_p(self.equity.ctypes.data), ctypes.c_void_p(self._trades.ctypes.data),
            ctypes.c_long(self._trades.shape[0]), ctypes.c_void_p(self.totals.ctypes.data),
        )  # fmt: skip
        self._count = max(found, 0)
        return int(found)


def run(bars: int, reps: int) -> dict[str, Any]:
    """Measure every row and return what was found.

    Parameters
    ----------
    bars : int
        Length of the series of the main rows.
    reps : int
        Rounds; the median counts.
    """
    frame, equity = frame_of(bars), np.zeros(bars)
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        floors, note = compiled(SOURCE, Path(folder))
        took = rounds(_duel(floors, frame, equity), 3 * reps)
        slower = medians(
            {
                "end to end": lambda: backtest_crossover(frame, FAST, SLOW),
                "orders": lambda: _orders(frame),
                "callback": lambda: _callback(frame),
            },
            reps,
        )
        best = fastest(took, floors)
    typical = {name: float(np.median(t)) for name, t in took.items()} | slower
    found: dict[str, Any] = {
        "bars": bars,
        "trades": len(kernels.ma_cross_backtest(frame.open, frame.close, FAST, SLOW).trades),
        "c_referee": note if best is None else best.flags,
        "c_bars_per_s": {f.flags: bars * 1e9 / typical[f"C: {f.flags}"] for f in floors},
        "kernel_x_c": None if best is None else ratio(took, f"C: {best.flags}", "kernel"),
    }
    found |= {f"{name}_bars_per_s": bars * 1e9 / typical[name] for name in ("kernel", *slower)}
    found["fixed_us"] = _fixed_us(reps)
    lengths = [n for n in LENGTHS if n <= max(10 * bars, LENGTHS[0])]
    found["ns_per_bar"] = {str(n): _ns_per_bar(n, min(reps, 3)) for n in lengths}
    found["memory_x_input"] = _memory(frame)
    return found


def _duel(floors: list[Floor], frame: BarFrame, out: np.ndarray[Any, Any]) -> dict[str, Callable[[], object]]:
    def kernel() -> object:
        return kernels.ma_cross_backtest(frame.open, frame.close, FAST, SLOW, out=out)

    return {f"C: {f.flags}": Referee(f.library, frame).run for f in floors} | {"kernel": kernel}


def _crossover(frame: BarFrame) -> np.ndarray:
    up = kernels.sma(frame.close, FAST) > kernels.sma(frame.close, SLOW)
    return up.astype(np.float64)


def _orders(frame: BarFrame) -> object:
    """Signals, then every order type of the array form: market, stop, target, trailing; fees and slippage."""
    sim = _sim()
    equity = sim.simulate(
        frame, _crossover(frame), stop_frac=0.02, target_frac=0.04, trailing_frac=0.03, size_frac=0.5
    )
    return equity, sim.fills()


def _callback(frame: BarFrame) -> object:
    """A strategy in Python: two streaming averages, orders at their crossings."""
    sim = _sim()
    fast, slow, submit = kernels.sma_stream(FAST).update, kernels.sma_stream(SLOW).update, sim.submit_lots
    long = False

    def on_bar(_i: int, close: float) -> None:
        nonlocal long
        up = fast(close) > slow(close)
        if up is not long:
            long = up
            submit(1 if up else -1, 0, 100_000)

    return sim.run(frame, on_bar)


def _sim() -> kernels.OrderSim:
    return kernels.OrderSim(
        Instrument(pair="BTC/USDT"), Decimal(10**9), rules=kernels.SimRules(max_volume_share=None)
    )


def _fixed_us(reps: int) -> float:
    """Return the microseconds of a whole call on a hundred bars."""
    frame, calls = frame_of(100), 200
    backtest_crossover(frame, FAST, SLOW)

    def job() -> None:
        for _ in range(calls):
            backtest_crossover(frame, FAST, SLOW)

    return medians({"fixed": job}, reps)["fixed"] / calls / 1e3


def _ns_per_bar(bars: int, reps: int) -> float:
    """Return the nanoseconds per bar of a whole call on a series of that length."""
    frame, calls = frame_of(bars), max(LENGTHS[2] // bars, 1)

    def job() -> None:
        for _ in range(calls):
            backtest_crossover(frame, FAST, SLOW)

    job()
    return medians({"job": job}, reps)["job"] / calls / bars


def _memory(frame: BarFrame) -> float | None:
    """Return the peak of a whole call, its input included, as a multiple of the two columns it reads.

    Measured as the process's resident memory; None where the system does not tell its peak, or the bars are too few
    to be seen in it.
    """
    size = frame.open.nbytes + frame.close.nbytes
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        # what was freed goes back to the system, or the call would use it unseen
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):
        # from here on the peak is that of the present
        _CLEAR_PEAK.write_text("5", encoding="ascii")
    before = _resident("VmRSS"), _resident("VmHWM")
    result = backtest_crossover(frame, FAST, SLOW)
    after = _resident("VmHWM")
    del result
    # a peak that could not be cleared tells nothing
    if size < _SEEN_BYTES or None in (*before, after) or before[1] - before[0] > size / 10:  # type: ignore[operator]
        return None
    return (size + after - before[0]) / size  # type: ignore[operator]


def _resident(name: str) -> int | None:
    """Return a line of the process's status in bytes."""
    try:
        lines = _STATUS.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), None)


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return the engine's goals."""
    bars = found["bars"]
    size = f"{bars:,} bars, {found['trades']:,} trades"

    def rate(name: str, key: str, goal: float, note: str = size) -> Figure:
        return Figure("engine", name, found[f"{key}_bars_per_s"] / 1e6, "M bars/s", goal, note=note)

    per_bar = found["ns_per_bar"]
    shortest, longest = min(per_bar, key=int), max(per_bar, key=int)
    referees = [f"{number(x / 1e6)} M bars/s by {flags}" for flags, x in found["c_bars_per_s"].items()]
    memory = found["memory_x_input"]
    return [
        Figure("engine", "MA crossover, kernel against C", found["kernel_x_c"], "x", 0.7,
               note=f"C: {'; '.join(referees) or found['c_referee']}"),
        rate("MA crossover, kernel", "kernel", 150.0),
        rate("MA crossover, from Python, all figures", "end to end", 60.0),
        rate("exact orders: stop, target, trailing", "orders", 20.0, "signals, fees and slippage included"),
        rate("exact orders, Python callback per bar", "callback", 1.0, "two streaming averages in the callback"),
        Figure("engine", "fixed cost of a call", found["fixed_us"], "µs", 100.0, "<="),
        Figure("engine", f"ns per bar, {int(longest):,} bars against {int(shortest):,}",
               per_bar[longest] / per_bar[shortest], "x", 1.5, "<=",
               note=", ".join(f"{number(x)} ns at {int(n):,}" for n, x in per_bar.items())),
        Figure("engine", "peak memory against the input", memory, "x", 3.0, "<=",
               note="" if memory is not None else "this system does not tell the peak, or there are too few bars"),
    ]  # fmt: skip


def main() -> int:
    """Print the rows as text."""
    from cluster.bench.figures import table

    sys.stdout.write(table(figures(run(1_000_000, 5))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
