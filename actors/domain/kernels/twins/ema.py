"""Twin of the exponential moving average (see ``ema.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray, running_sum
from actors.domain.kernels.twins._scan import Scan, scan
from actors.domain.kernels.twins._stream import StreamTwin


class Ema(StreamTwin):
    """Streaming exponential moving average, seeded with the mean of the first bars."""

    __slots__ = ("_a", "_count", "_scan", "_sum", "_window")

    def __init__(self, window: int, /) -> None:
        if window < 1:
            raise ValueError("parameter out of range: a window must have at least 1 bar")
        self._window, self._a = window, 2.0 / (window + 1.0)
        self._count, self._sum, self._scan = 0, -0.0, Scan(1.0 - self._a)

    def update(self, x: float, /) -> float:
        """Take one bar; NaN before the seed."""
        if self._count >= self._window:
            return self._scan.step(self._a * x)
        self._count += 1
        self._sum += x
        if self._count < self._window:
            return nan
        self._scan.seed(self._sum / self._window)
        return self._scan.carry

    def snapshot(self) -> bytes:
        return self._scan.write(Writer("Ema").u64(self._window, self._count).f64s((self._sum,))).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Ema")
        Ema.__init__(self, r.u64())
        self._count = r.u64()
        (self._sum,) = r.f64s(1)
        self._scan.read(r)
        r.end()


def ema(x: FloatArray, window: int, out: FloatArray, /) -> None:
    """Write the exponential moving average of `x` into `out`."""
    out[: window - 1] = np.nan
    if x.shape[0] < window:
        return
    a = 2.0 / (window + 1.0)
    seed = running_sum(x[:window]) / window
    out[window - 1] = seed
    out[window:] = scan(a * x[window:], 1.0 - a, seed)
