"""Twin of the simple moving average: running sums that restart on a fixed grid (see ``sma.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray, block_len, restart_limit
from actors.domain.kernels.twins._stream import StreamTwin


class Sma(StreamTwin):
    """Streaming moving average: the ring of the last bars and one centred running sum."""

    __slots__ = (
        "_block",
        "_count",
        "_inv",
        "_left",
        "_limit",
        "_pos",
        "_ring",
        "_s",
        "_s_max",
        "_window",
        "_z",
    )

    def __init__(self, window: int, /) -> None:
        if window < 1:
            raise ValueError("parameter out of range: a window must have at least 1 bar")
        self._window, self._block = window, block_len(window)
        self._inv, self._limit = 1.0 / window, restart_limit(window)
        self._pos = self._count = self._left = 0
        self._z = self._s = self._s_max = 0.0
        self._ring = [0.0] * window

    def update(self, x: float, /) -> float:
        """Take one bar; NaN until the window is full."""
        x = float(x)
        ring, pos = self._ring, self._pos
        old = ring[pos]
        ring[pos] = x
        self._pos = pos + 1 if pos + 1 < self._window else 0
        self._count += 1
        if self._count < self._window:
            return nan
        if self._left == 0:
            self._left = self._block
            self._restart(x)
        else:
            self._s += x - old
            a = abs(self._s)
            if not a <= self._s_max:
                self._s_max = a
            if not self._s_max <= self._limit * abs(x):
                self._restart(x)
        self._left -= 1
        return self._s * self._inv + self._z

    def _restart(self, centre: float) -> None:
        s = -0.0
        for v in self._ring[self._pos :]:
            s += v - centre
        for v in self._ring[: self._pos]:
            s += v - centre
        self._z, self._s, self._s_max = centre, s, abs(s)

    def snapshot(self) -> bytes:
        w = Writer("Sma").u64(self._window, self._count)
        return w.f64s((self._z, self._s, self._s_max)).f64s(self._ring).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Sma")
        window, count = r.u64(), r.u64()
        z, s, s_max = r.f64s(3)
        ring = list(r.f64s(window))
        r.end()
        Sma.__init__(self, window)
        self._count, self._z, self._s, self._s_max, self._ring = count, z, s, s_max, ring
        self._pos = count % window
        used = max(count + 1 - window, 0) % self._block
        self._left = self._block - used if used else 0


def sma(x: FloatArray, window: int, out: FloatArray, /) -> None:
    """Write the moving average of `x` into `out`."""
    bars = x.shape[0]
    first = window - 1
    out[: min(first, bars)] = np.nan
    inv, limit, block = 1.0 / window, restart_limit(window), block_len(window)
    for start in range(first, bars, block):
        stop = min(start + block, bars)
        z = x[start]
        with np.errstate(invalid="ignore", over="ignore"):
            s = np.empty(stop - start)
            s[0] = np.cumsum(x[start - first : start + 1] - z)[-1]
            s[1:] = x[start + 1 : stop] - x[start + 1 - window : stop - window]
            s = np.cumsum(s)
            safe = np.maximum.accumulate(np.abs(s)) <= limit * np.abs(x[start:stop])
        if safe[1:].all() and np.isfinite(s[0]):
            out[start:stop] = s * inv + z
            continue
        state = Sma(window)
        for v in x[start - first : start].tolist():
            state.update(v)
        out[start:stop] = [state.update(v) for v in x[start:stop].tolist()]
