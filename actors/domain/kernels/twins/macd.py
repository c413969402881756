"""Twin of the MACD (see ``macd.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray, running_sum
from actors.domain.kernels.twins._scan import Scan, scan
from actors.domain.kernels.twins._stream import Line, StreamTwin

Lines = tuple[float, float, float]
_WARMING: Lines = (nan, nan, nan)


class Macd(StreamTwin):
    """Streaming MACD: two averages seeded on the same bar, and the average of their difference."""

    __slots__ = ("_a", "_count", "_fast", "_lines", "_signal", "_slow", "_windows")

    line = Line(0)
    signal = Line(1)
    histogram = Line(2)

    def __init__(self, fast: int, slow: int, signal: int, /) -> None:
        if min(fast, slow, signal) < 1 or fast >= slow:
            raise ValueError("parameter out of range: spans need 1 <= fast < slow and signal >= 1")
        self._windows = (fast, slow, signal)
        self._a = (2.0 / (fast + 1.0), 2.0 / (slow + 1.0), 2.0 / (signal + 1.0))
        self._count = 0
        self._fast, self._slow, self._signal = (Scan(1.0 - a) for a in self._a)
        self._lines: tuple[()] | Lines = ()

    def _line(self, x: float) -> float:
        return self._fast.step(self._a[0] * x) - self._slow.step(self._a[1] * x)

    def update(self, x: float, /) -> Lines:
        """Take one bar; line, signal and histogram, NaN until the signal has its seed."""
        self._lines = lines = self._step(x)
        return lines

    def advance(self, x: float, /) -> float:
        """Take one bar like `update`, return the line only; the attributes hold all lines."""
        return self.update(x)[0]

    def _step(self, x: float) -> Lines:
        fast, slow, window = self._windows
        ready = slow + window - 1
        if self._count >= ready:
            line = self._line(x)
            signal = self._signal.step(self._a[2] * line)
            return line, signal, line - signal
        self._count += 1
        if self._count <= slow:
            self._slow.carry += x
            if self._count > slow - fast:
                self._fast.carry += x
            if self._count < slow:
                return _WARMING
            self._slow.seed(self._slow.carry / slow)
            self._fast.seed(self._fast.carry / fast)
            line = self._fast.carry - self._slow.carry
        else:
            line = self._line(x)
        self._signal.carry += line
        if self._count < ready:
            return _WARMING
        self._signal.seed(self._signal.carry / window)
        return line, self._signal.carry, line - self._signal.carry

    def snapshot(self) -> bytes:
        w = Writer("Macd").u64(*self._windows, self._count)
        return self._signal.write(self._slow.write(self._fast.write(w))).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Macd")
        Macd.__init__(self, r.u64(), r.u64(), r.u64())
        self._count = r.u64()
        for scan_ in (self._fast, self._slow, self._signal):
            scan_.read(r)
        r.end()
        self._lines = ()


def macd(
    x: FloatArray,
    fast: int,
    slow: int,
    signal: int,
    line: FloatArray,
    average: FloatArray,
    hist: FloatArray,
    /,
) -> None:
    """Write line, signal and histogram of `x` into three outputs."""
    first = slow + signal - 2
    for o in (line, average, hist):
        o[:first] = np.nan
    if x.shape[0] <= first:
        return
    af, asl, ag = (2.0 / (w + 1.0) for w in (fast, slow, signal))
    seeds = running_sum(x[slow - fast : slow], 0.0) / fast, running_sum(x[:slow], 0.0) / slow
    with np.errstate(invalid="ignore", over="ignore"):
        quick, calm = scan(af * x[slow:], 1.0 - af, seeds[0]), scan(asl * x[slow:], 1.0 - asl, seeds[1])
        whole = np.append(seeds[0] - seeds[1], quick - calm)
        seed = running_sum(whole[:signal], 0.0) / signal
        line[first:] = whole[signal - 1 :]
        average[first] = seed
        average[first + 1 :] = scan(ag * whole[signal:], 1.0 - ag, seed)
        hist[first:] = line[first:] - average[first:]
