"""Twin of the on-balance volume (see ``obv.rs``)."""

from __future__ import annotations

from math import nan

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import StreamTwin


class Obv(StreamTwin):
    """Streaming on-balance volume: the last close and the total."""

    __slots__ = ("_close", "_seen", "_total")

    def __init__(self) -> None:
        self._seen, self._close, self._total = False, 0.0, 0.0

    def update(self, close: float, volume: float, /) -> float:
        """Take one bar; the running total."""
        close, volume, before = float(close), float(volume), self._close
        if not self._seen:
            self._seen = True
            self._total = volume if close == close else nan
        elif close > before:
            self._total += volume
        elif close < before:
            self._total -= volume
        elif close != close or before != before:
            self._total = nan
        self._close = close
        return self._total

    def snapshot(self) -> bytes:
        return Writer("Obv").u64(int(self._seen)).f64s((self._close, self._total)).done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "Obv")
        seen = r.u64()
        close, total = r.f64s(2)
        r.end()
        if seen > 1:
            raise ValueError("not a snapshot of this kernel: a flag is neither 0 nor 1")
        self._seen, self._close, self._total = bool(seen), close, total


def obv(close: FloatArray, volume: FloatArray, out: FloatArray, /) -> None:
    """Write the running total of every bar."""
    if not close.shape[0]:
        return
    before, now, v = close[:-1], close[1:], volume[1:]
    with np.errstate(invalid="ignore"):
        step = np.where(now > before, v, 0.0) - np.where(now < before, v, 0.0)
        step[np.isnan(now) | np.isnan(before)] = np.nan
        first = np.where(np.isnan(close[:1]), np.nan, volume[:1])
        np.cumsum(np.concatenate([first, step]), out=out)
