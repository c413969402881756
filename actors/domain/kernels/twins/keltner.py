"""Twin of the Keltner channel (see ``keltner.rs``)."""

from __future__ import annotations

from math import isfinite, nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import Line, StreamTwin
from actors.domain.kernels.twins.atr import Atr, atr
from actors.domain.kernels.twins.ema import Ema, ema


def _width(k: float) -> float:
    if not (k > 0.0 and isfinite(k)):
        raise ValueError("parameter out of range: the channel width must be finite and above 0")
    return float(k)


class Keltner(StreamTwin):
    """Streaming channel: an average of the close and an average range."""

    __slots__ = ("_k", "_lines", "_middle", "_range")

    upper = Line(0)
    middle = Line(1)
    lower = Line(2)

    def __init__(self, ema_window: int, atr_window: int, k: float) -> None:
        self._k = _width(k)
        self._middle, self._range = Ema(ema_window), Atr(atr_window)
        self._lines: tuple[()] | tuple[float, float, float] = ()

    def update(self, high: float, low: float, close: float, /) -> tuple[float, float, float]:
        """Take one bar; upper, middle, lower."""
        self._lines = lines = self._step(high, low, close)
        return lines

    def advance(self, high: float, low: float, close: float, /) -> float:
        """Take one bar like `update`, return the upper line only; the attributes hold all lines."""
        return self.update(high, low, close)[0]

    def _step(self, high: float, low: float, close: float) -> tuple[float, float, float]:
        middle, spread = self._middle.update(close), self._range.update(high, low, close)
        half = self._k * spread
        return middle + half, middle + (0.0 if isfinite(spread) else nan), middle - half

    def snapshot(self) -> bytes:
        w = Writer("Keltner").f64s((self._k,))
        return w.nested(self._middle.snapshot()).nested(self._range.snapshot()).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Keltner")
        k = _width(r.f64s(1)[0])
        middle, spread = Ema.from_snapshot(r.nested()), Atr.from_snapshot(r.nested())
        r.end()
        self._k, self._middle, self._range = k, middle, spread
        self._lines = ()


def keltner(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    ema_window: int,
    atr_window: int,
    k: float,
    upper: FloatArray,
    middle: FloatArray,
    lower: FloatArray,
    /,
) -> None:
    """Write the three lines."""
    k = _width(k)
    ema(close, ema_window, middle)
    atr(high, low, close, atr_window, lower)
    with np.errstate(invalid="ignore", over="ignore"):
        half = k * lower
        np.add(middle, half, out=upper)
        middle += lower - lower
        np.subtract(middle, half, out=lower)
