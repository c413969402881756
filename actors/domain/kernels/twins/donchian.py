"""Twin of the Donchian channel (see ``donchian.rs``)."""

from __future__ import annotations

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import Line, StreamTwin
from actors.domain.kernels.twins._two_stack import Window, larger, rolling, smaller


class Donchian(StreamTwin):
    """Streaming channel: two window folds."""

    __slots__ = ("_lines", "_lower", "_upper", "_window")

    upper = Line(0)
    lower = Line(1)
    middle = Line(2)

    def __init__(self, window: int) -> None:
        if window < 1:
            raise ValueError("parameter out of range: a window must have at least 1 bar")
        self._window = window
        self._upper, self._lower = Window(window, larger), Window(window, smaller)
        self._lines: tuple[()] | tuple[float, float, float] = ()

    def update(self, high: float, low: float, /) -> tuple[float, float, float]:
        """Take one bar; upper, lower, middle."""
        self._lines = lines = self._step(high, low)
        return lines

    def advance(self, high: float, low: float, /) -> float:
        """Take one bar like `update`, return the upper line only; the attributes hold all lines."""
        return self.update(high, low)[0]

    def _step(self, high: float, low: float) -> tuple[float, float, float]:
        u, d = self._upper.push(float(high)), self._lower.push(float(low))
        return u, d, (u + d) * 0.5

    def snapshot(self) -> bytes:
        return self._lower.write(self._upper.write(Writer("Donchian").u64(self._window))).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Donchian")
        window = r.u64()
        upper, lower = Window.read(r, window, larger), Window.read(r, window, smaller)
        r.end()
        self._window, self._upper, self._lower = window, upper, lower
        self._lines = ()


def donchian(
    high: FloatArray,
    low: FloatArray,
    window: int,
    upper: FloatArray,
    lower: FloatArray,
    middle: FloatArray,
    /,
) -> None:
    """Write the three lines."""
    upper[:] = rolling(np.maximum, high, window)
    lower[:] = rolling(np.minimum, low, window)
    with np.errstate(invalid="ignore", over="ignore"):
        np.add(upper, lower, out=middle)
    middle *= 0.5
