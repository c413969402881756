"""Twin of the Bollinger bands (see ``bollinger.rs``)."""

from __future__ import annotations

from math import inf

import numpy as np

from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import Line
from actors.domain.kernels.twins.moments import Moments, mean_sd


class Bollinger(Moments):
    """Streaming Bollinger bands."""

    __slots__ = ("_k", "_lines")

    upper = Line(0)
    middle = Line(1)
    lower = Line(2)

    def __init__(self, window: int, k_dev: float, /) -> None:
        if not 0.0 < k_dev < inf:
            raise ValueError("parameter out of range: the band width must be finite and above 0")
        self.start(window)
        self._k = float(k_dev)
        self._lines: tuple[()] | tuple[float, float, float] = ()

    def update(self, x: float, /) -> tuple[float, float, float]:
        """Take one bar; upper band, middle and lower band, NaN until the window is full."""
        self._lines = lines = self._step(x)
        return lines

    def advance(self, x: float, /) -> float:
        """Take one bar like `update`, return the upper band only; the attributes hold all lines."""
        return self.update(x)[0]

    def _step(self, x: float) -> tuple[float, float, float]:
        mean, sd = self.take(x)
        half = self._k * sd
        return mean + half, mean, mean - half

    def parts(self, x: float) -> tuple[float, float, float]:
        """Take one bar; mean, deviation and half width."""
        mean, sd = self.take(x)
        return mean, sd, self._k * sd

    def snapshot(self) -> bytes:
        return self.write("Bollinger", self._k)

    def restore(self, data: bytes, /) -> None:
        (self._k,) = self.read(data, "Bollinger", 1)
        self._lines = ()


def bollinger(
    x: FloatArray, window: int, k_dev: float, upper: FloatArray, middle: FloatArray, lower: FloatArray, /
) -> None:
    """Write the Bollinger bands of `x` into three outputs."""
    sd = np.empty_like(x)
    mean_sd(x, window, middle, sd)
    with np.errstate(invalid="ignore", over="ignore"):
        sd *= k_dev
        np.add(middle, sd, out=upper)
        np.subtract(middle, sd, out=lower)
