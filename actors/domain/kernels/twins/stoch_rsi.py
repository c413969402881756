"""Twin of the stochastic RSI (see ``stoch_rsi.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import Line, StreamTwin
from actors.domain.kernels.twins._two_stack import Window, divide, larger, rolling, smaller
from actors.domain.kernels.twins.rsi import Rsi, rsi


def _mean(row: list[float], x: float) -> float:
    """Push `x` into a short row and return its mean, summed from the oldest value."""
    del row[0]
    row.append(x)
    total = row[0]
    for v in row[1:]:
        total += v
    return total * (1.0 / len(row))


def _means(x: FloatArray, n: int) -> FloatArray:
    out = np.full(x.shape[0], np.nan)
    m = x.shape[0] - n + 1
    if m > 0:
        acc = x[:m].copy()
        for lag in range(1, n):
            acc += x[lag : lag + m]
        out[n - 1 :] = acc * (1.0 / n)
    return out


class StochRsi(StreamTwin):
    """Streaming stochastic RSI: RSI, its running extremes and two short rows."""

    __slots__ = ("_d", "_high", "_k", "_lines", "_low", "_rsi", "_windows")

    k = Line(0)
    d = Line(1)

    def __init__(self, rsi_window: int, range_window: int, k_window: int, d_window: int) -> None:
        if min(range_window, k_window, d_window) < 1:
            raise ValueError("parameter out of range: a window must have at least 1 bar")
        self._windows = (rsi_window, range_window, k_window, d_window)
        self._rsi = Rsi(rsi_window)
        self._high, self._low = Window(range_window, larger), Window(range_window, smaller)
        self._k, self._d = [nan] * k_window, [nan] * d_window
        self._lines: tuple[()] | tuple[float, float] = ()

    def update(self, x: float, /) -> tuple[float, float]:
        """Take one bar; K and D."""
        self._lines = lines = self._step(x)
        return lines

    def advance(self, x: float, /) -> float:
        """Take one bar like `update`, return the K only; the attributes hold all lines."""
        return self.update(x)[0]

    def _step(self, x: float) -> tuple[float, float]:
        r = self._rsi.update(x)
        high, low = self._high.push(r), self._low.push(r)
        k = _mean(self._k, divide(100.0 * (r - low), high - low))
        return k, _mean(self._d, k)

    def snapshot(self) -> bytes:
        w = Writer("StochRsi").u64(*self._windows[1:]).nested(self._rsi.snapshot())
        w = self._low.write(self._high.write(w))
        return w.f64s(self._k).f64s(self._d).u64(self._windows[0]).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "StochRsi")
        span, k, d = r.u64(), r.u64(), r.u64()
        state = Rsi.from_snapshot(r.nested())
        high, low = Window.read(r, span, larger), Window.read(r, span, smaller)
        ks, ds = list(r.f64s(k)), list(r.f64s(d))
        first = r.u64()
        r.end()
        StochRsi.__init__(self, first, span, k, d)
        self._rsi, self._high, self._low, self._k, self._d = state, high, low, ks, ds
        self._lines = ()


def stoch_rsi(
    x: FloatArray,
    rsi_window: int,
    range_window: int,
    k_window: int,
    d_window: int,
    k: FloatArray,
    d: FloatArray,
    /,
) -> None:
    """Write K and D."""
    rsi(x, rsi_window, d)
    high, low = rolling(np.maximum, d, range_window), rolling(np.minimum, d, range_window)
    with np.errstate(divide="ignore", invalid="ignore"):
        raw = 100.0 * (d - low) / (high - low)
    k[:] = _means(raw, k_window)
    d[:] = _means(k, d_window)
