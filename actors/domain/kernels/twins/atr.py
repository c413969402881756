"""Twin of the average true range (see ``atr.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray, running_sum
from actors.domain.kernels.twins._scan import Scan, scan
from actors.domain.kernels.twins._stream import StreamTwin


def true_range(h: float, low: float, c1: float) -> float:
    """Return the true range; the last term carries a NaN of the low, which the compares swallow."""
    return (c1 if c1 > h else h) - (low if low < c1 else c1) + (low - low)


class Atr(StreamTwin):
    """Streaming average true range, seeded with the mean of the first true ranges."""

    __slots__ = ("_a", "_count", "_last", "_scan", "_window")

    def __init__(self, window: int, /) -> None:
        if window < 1:
            raise ValueError("parameter out of range: a window must have at least 1 bar")
        self._window, self._a = window, 1.0 / window
        self._count, self._last, self._scan = 0, 0.0, Scan(1.0 - self._a)

    def update(self, high: float, low: float, close: float, /) -> float:
        """Take one bar; NaN for the first `window` bars."""
        tr = true_range(high, low, self._last)
        self._last = close
        if self._count > self._window:
            return self._scan.step(self._a * tr)
        self._count += 1
        if self._count == 1:
            return nan
        self._scan.carry += tr
        if self._count <= self._window:
            return nan
        self._scan.carry /= self._window
        return self._scan.carry

    def snapshot(self) -> bytes:
        return self._scan.write(Writer("Atr").u64(self._window, self._count).f64s((self._last,))).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Atr")
        Atr.__init__(self, r.u64())
        self._count = r.u64()
        (self._last,) = r.f64s(1)
        self._scan.read(r)
        r.end()


def true_ranges(high: FloatArray, low: FloatArray, close: FloatArray) -> FloatArray:
    """Return the true ranges from bar 1 on, in the operations of `true_range`."""
    h, lo, c1 = high[1:], low[1:], close[:-1]
    with np.errstate(invalid="ignore", over="ignore"):
        ranges: FloatArray = np.where(c1 > h, c1, h) - np.where(lo < c1, lo, c1) + (lo - lo)
    return ranges


def atr(high: FloatArray, low: FloatArray, close: FloatArray, window: int, out: FloatArray, /) -> None:
    """Write the average true range into `out`."""
    out[:window] = np.nan
    if close.shape[0] <= window:
        return
    tr = true_ranges(high, low, close)
    a = 1.0 / window
    seed = running_sum(tr[:window], 0.0) / window
    out[window] = seed
    out[window + 1 :] = scan(a * tr[window:], 1.0 - a, seed)
