"""Twin of the relative strength index (see ``rsi.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray, running_sum
from actors.domain.kernels.twins._scan import Scan, scan
from actors.domain.kernels.twins._stream import StreamTwin


class Rsi(StreamTwin):
    """Streaming relative strength index, seeded with the first changes."""

    __slots__ = ("_count", "_gain", "_last", "_loss", "_window")

    def __init__(self, window: int, /) -> None:
        if window < 2:
            raise ValueError("parameter out of range: a window must have at least 2 bars")
        b = 1.0 - 1.0 / window
        self._window, self._count, self._last = window, 0, 0.0
        self._gain, self._loss = Scan(b), Scan(b)

    def update(self, x: float, /) -> float:
        """Take one bar; NaN for the first `window` bars and while no price ever moved."""
        up, down = x - self._last, self._last - x
        up, down = 0.0 if up < 0.0 else up, 0.0 if down < 0.0 else down
        self._last = x
        if self._count > self._window:
            gain, loss = self._gain.step(up), self._loss.step(down)
        else:
            self._count += 1
            if self._count == 1:
                return nan
            self._gain.carry += up
            self._loss.carry += down
            if self._count <= self._window:
                return nan
            gain, loss = self._gain.carry, self._loss.carry
        both = gain + loss
        return 100.0 * gain / both if both != 0.0 else nan

    def snapshot(self) -> bytes:
        w = Writer("Rsi").u64(self._window, self._count).f64s((self._last,))
        return self._loss.write(self._gain.write(w)).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Rsi")
        Rsi.__init__(self, r.u64())
        self._count = r.u64()
        (self._last,) = r.f64s(1)
        self._gain.read(r)
        self._loss.read(r)
        r.end()


def rsi(x: FloatArray, window: int, out: FloatArray, /) -> None:
    """Write the relative strength index of `x` into `out`."""
    out[:window] = np.nan
    if x.shape[0] <= window:
        return
    with np.errstate(invalid="ignore", over="ignore"):
        up, down = np.diff(x), x[:-1] - x[1:]
        up[up < 0.0] = 0.0
        down[down < 0.0] = 0.0
        b = 1.0 - 1.0 / window
        first = [running_sum(s[:window], 0.0) for s in (up, down)]
        gain, loss = (scan(s[window:], b, seed) for s, seed in zip((up, down), first, strict=True))
        gain, loss = np.append(first[0], gain), np.append(first[1], loss)
        with np.errstate(divide="ignore"):
            out[window:] = 100.0 * gain / (gain + loss)
