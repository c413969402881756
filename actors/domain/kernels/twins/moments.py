"""Twin of the rolling mean and deviation: centred sums that restart on a fixed grid (see ``moments.rs``)."""

from __future__ import annotations

from math import inf, isnan, nan, sqrt

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray, block_len, restart_limit
from actors.domain.kernels.twins._stream import StreamTwin


class Moments(StreamTwin):
    """Ring of the last bars, centred sum and sum of squares."""

    __slots__ = (
        "_block", "_count", "_inv", "_left", "_limit", "_pos", "_q", "_q_max", "_ring", "_s", "_window", "_z",
    )  # fmt: skip

    def start(self, window: int) -> None:
        """Begin with an empty window."""
        if window < 1:
            raise ValueError("parameter out of range: a window must have at least 1 bar")
        self._window, self._block = window, block_len(window)
        self._inv, self._limit = 1.0 / window, restart_limit(window)
        self._pos = self._count = self._left = 0
        self._z = self._s = self._q = self._q_max = 0.0
        self._ring = [0.0] * window

    def take(self, x: float) -> tuple[float, float]:
        """Take one bar; mean and deviation, NaN until the window is full."""
        x = float(x)
        ring, pos = self._ring, self._pos
        old = ring[pos]
        ring[pos] = x
        self._pos = pos + 1 if pos + 1 < self._window else 0
        self._count += 1
        if self._count < self._window:
            return nan, nan
        if self._left == 0:
            self._left = self._block - 1
            self._restart(x)
            return self._values()
        self._left -= 1
        d = x - old
        self._s += d
        self._q += d * ((x - self._z) + (old - self._z))
        if not self._q <= self._q_max:
            self._q_max = self._q
        mean, sd = self._values()
        if self._q_max <= self._limit * (sd * abs(x)):
            return mean, sd
        self._restart(x)
        return self._values()

    def _values(self) -> tuple[float, float]:
        m = self._s * self._inv
        var = self._q * self._inv - m * m
        if var < 0.0:
            var = 0.0
        return m + self._z, sqrt(var) if var < inf else nan if isnan(var) else inf

    def _restart(self, centre: float) -> None:
        s = q = -0.0
        for part in (self._ring[self._pos :], self._ring[: self._pos]):
            for x in part:
                v = x - centre
                s += v
                q += v * v
        self._z, self._s, self._q, self._q_max = centre, s, q, q

    def write(self, tag: str, *k: float) -> bytes:
        """Return the state as a snapshot of the kernel named `tag` with parameters `k`."""
        w = Writer(tag).u64(self._window).f64s(k).u64(self._count)
        return w.f64s((self._z, self._s, self._q, self._q_max)).f64s(self._ring).done()

    def read(self, data: bytes, tag: str, extras: int) -> tuple[float, ...]:
        """Take the state from a snapshot, return its `extras` parameters."""
        r = Reader(data, tag)
        window = r.u64()
        k = tuple(r.f64s(extras))
        count = r.u64()
        sums = r.f64s(4)
        ring = list(r.f64s(window))
        r.end()
        self.start(window)
        self._count, self._ring = count, ring
        self._z, self._s, self._q, self._q_max = sums
        self._pos = count % window
        used = max(count + 1 - window, 0) % self._block
        self._left = self._block - used if used else 0
        return k


def mean_sd(x: FloatArray, window: int, mean: FloatArray, sd: FloatArray) -> None:
    """Write rolling mean and deviation, block by block; a block whose sums restart inside goes bar by bar."""
    bars, first, block = x.shape[0], window - 1, block_len(window)
    mean[: min(first, bars)] = sd[: min(first, bars)] = np.nan
    inv, limit = 1.0 / window, restart_limit(window)
    for start in range(first, bars, block):
        stop = min(start + block, bars)
        new, old, z = x[start + 1 : stop], x[start - first : stop - window], x[start]
        with np.errstate(invalid="ignore", over="ignore"):
            v = x[start - first : start + 1] - z
            d = new - old
            s = np.cumsum(np.append(np.cumsum(v)[-1], d))
            q = np.cumsum(np.append(np.cumsum(v * v)[-1], d * ((new - z) + (old - z))))
            m = s * inv
            var = q * inv - m * m
            var[var < 0.0] = 0.0
            dev = np.sqrt(var)
            safe = np.maximum.accumulate(q) <= limit * (dev * np.abs(x[start:stop]))
        if safe[1:].all() and np.isfinite(s[0]) and np.isfinite(q[0]):
            mean[start:stop], sd[start:stop] = m + z, dev
            continue
        state = Moments()
        state.start(window)
        for value in x[start - first : start].tolist():
            state.take(value)
        for i, value in enumerate(x[start:stop].tolist(), start):
            mean[i], sd[i] = state.take(value)
