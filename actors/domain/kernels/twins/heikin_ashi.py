"""Twin of the Heikin-Ashi candles (see ``heikin_ashi.rs``)."""

from __future__ import annotations

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import Line, StreamTwin
from actors.domain.kernels.twins._two_stack import larger, smaller


class HeikinAshi(StreamTwin):
    """Streaming averaged candles: open and close of the candle before."""

    __slots__ = ("_close", "_lines", "_open", "_seen")

    open = Line(0)
    high = Line(1)
    low = Line(2)
    close = Line(3)

    def __init__(self) -> None:
        self._seen, self._open, self._close = False, 0.0, 0.0
        self._lines: tuple[()] | tuple[float, float, float, float] = ()

    def update(
        self, open_: float, high: float, low: float, close: float, /
    ) -> tuple[float, float, float, float]:
        """Take one bar; the averaged open, high, low, close."""
        self._lines = lines = self._step(open_, high, low, close)
        return lines

    def advance(self, open_: float, high: float, low: float, close: float, /) -> float:
        """Take one bar like `update`, return the open only; the attributes hold all lines."""
        return self.update(open_, high, low, close)[0]

    def _step(self, open_: float, high: float, low: float, close: float) -> tuple[float, float, float, float]:
        c = ((float(open_) + high) + (float(low) + close)) * 0.25
        o = (self._open + self._close) * 0.5 if self._seen else (float(open_) + close) * 0.5
        self._seen, self._open, self._close = True, o, c
        return o, larger(float(high), larger(o, c)), smaller(float(low), smaller(o, c)), c

    def snapshot(self) -> bytes:
        return Writer("HeikinAshi").u64(int(self._seen)).f64s((self._open, self._close)).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "HeikinAshi")
        seen = r.u64()
        open_, close = r.f64s(2)
        r.end()
        if seen > 1:
            raise ValueError("not a snapshot of this kernel: a flag is neither 0 nor 1")
        self._seen, self._open, self._close = bool(seen), open_, close
        self._lines = ()


def heikin_ashi(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    ha_open: FloatArray,
    ha_high: FloatArray,
    ha_low: FloatArray,
    ha_close: FloatArray,
    /,
) -> None:
    """Write the four columns; only the open is a recurrence."""
    bars = open_.shape[0]
    if not bars:
        return
    with np.errstate(invalid="ignore", over="ignore"):
        np.multiply((open_ + high) + (low + close), 0.25, out=ha_close)
        opens = [float((open_[0] + close[0]) * 0.5)]
        for c in ha_close[:-1].tolist():
            opens.append((opens[-1] + c) * 0.5)
        ha_open[:] = opens
        np.maximum(high, np.maximum(ha_open, ha_close), out=ha_high)
        np.minimum(low, np.minimum(ha_open, ha_close), out=ha_low)
