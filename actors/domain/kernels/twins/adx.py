"""Twin of the directional movement: ADX, +DI and -DI (see ``adx.rs``)."""

from __future__ import annotations

from math import isnan, nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._scan import Scan
from actors.domain.kernels.twins._stream import Line, StreamTwin
from actors.domain.kernels.twins.atr import true_range

Lines = tuple[float, float, float]


def _share(part: float, whole: float) -> float:
    """Return 100*part/whole as IEEE has it, without Python's ZeroDivisionError."""
    return 100.0 * part / whole if whole != 0.0 else float(np.float64(100.0) * part / np.float64(whole))


class Adx(StreamTwin):
    """Streaming directional movement; ADX keeps its value where no direction ever moved."""

    __slots__ = (
        "_a",
        "_count",
        "_defined",
        "_index",
        "_last",
        "_lines",
        "_minus",
        "_plus",
        "_range",
        "_value",
        "_window",
    )

    adx = Line(0)
    plus_di = Line(1)
    minus_di = Line(2)

    def __init__(self, window: int, /) -> None:
        if window < 2:
            raise ValueError("parameter out of range: a window must have at least 2 bars")
        self._window, self._a = window, 1.0 / window
        self._count = self._defined = 0
        self._value = nan
        self._last: Lines = (0.0, 0.0, 0.0)
        self._plus, self._minus, self._range, self._index = (Scan(1.0 - self._a) for _ in range(4))
        self._lines: tuple[()] | Lines = ()

    def update(self, high: float, low: float, close: float, /) -> Lines:
        """Take one bar; ADX, +DI and -DI, NaN while warming up."""
        self._lines = lines = self._step(high, low, close)
        return lines

    def advance(self, high: float, low: float, close: float, /) -> float:
        """Take one bar like `update`, return the ADX only; the attributes hold all lines."""
        return self.update(high, low, close)[0]

    def _step(self, high: float, low: float, close: float) -> Lines:
        h1, l1, c1 = self._last
        self._last = (high, low, close)
        up, dn = high - h1, l1 - low
        tr = true_range(high, low, c1)
        plus = up if up > dn and up > 0.0 else 0.0
        minus = dn if dn > up and dn > 0.0 else 0.0
        if self._count < self._window:
            if self._count > 0:
                self._plus.carry += plus
                self._minus.carry += minus
                self._range.carry += tr
            self._count += 1
            return nan, nan, nan
        p, m, t = self._plus.step(plus), self._minus.step(minus), self._range.step(tr)
        with np.errstate(invalid="ignore", divide="ignore"):
            pdi, mdi = _share(p, t), _share(m, t)
            if p + m == 0.0 and not isnan(t):
                return self._value, pdi, mdi
            dx = _share(abs(pdi - mdi), pdi + mdi)
        if self._defined >= self._window:
            self._value = self._index.step(self._a * dx)
        else:
            self._defined += 1
            self._index.carry += dx
            if self._defined == self._window:
                self._value = self._index.carry / self._window
                self._index.seed(self._value)
        return self._value, pdi, mdi

    def snapshot(self) -> bytes:
        w = Writer("Adx").u64(self._window, self._count, self._defined).f64s((self._value, *self._last))
        for s in (self._plus, self._minus, self._range, self._index):
            w = s.write(w)
        return w.done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Adx")
        Adx.__init__(self, r.u64())
        self._count, self._defined = r.u64(), r.u64()
        self._value, h1, l1, c1 = r.f64s(4)
        self._last = (h1, l1, c1)
        for s in (self._plus, self._minus, self._range, self._index):
            s.read(r)
        r.end()
        self._lines = ()


def adx(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    window: int,
    index: FloatArray,
    plus_di: FloatArray,
    minus_di: FloatArray,
    /,
) -> None:
    """Write ADX, +DI and -DI into three outputs."""
    state = Adx(window)
    for i, bar in enumerate(zip(high.tolist(), low.tolist(), close.tolist(), strict=True)):
        index[i], plus_di[i], minus_di[i] = state.update(*bar)
