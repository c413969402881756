"""Twins of the nine fused features and of the indicator set (see ``fused.rs`` and ``set.rs``)."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Final

import numpy as np

from actors.domain.kernels.twins._codec import Reader, Writer
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._stream import StreamTwin
from actors.domain.kernels.twins.adx import Adx
from actors.domain.kernels.twins.atr import Atr, atr
from actors.domain.kernels.twins.bollinger import Bollinger, bollinger
from actors.domain.kernels.twins.ema import Ema, ema
from actors.domain.kernels.twins.macd import Macd, macd
from actors.domain.kernels.twins.rsi import Rsi, rsi
from actors.domain.kernels.twins.sma import Sma, sma

SET_COLUMNS: Final = [
    "sma", "ema", "rsi", "macd", "macd_signal", "macd_hist", "bb_upper", "bb_middle", "bb_lower", "std",
    "atr", "adx", "plus_di", "minus_di", "obv",
]  # fmt: skip


def fused(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    windows: Sequence[int],
    k_dev: float,
    out: Sequence[FloatArray],
    /,
) -> None:
    """Write nine features, each to the bit that of its own kernel, into nine outputs."""
    sma_bars, ema_bars, rsi_bars, fast, slow, signal, atr_bars = windows
    sma(close, sma_bars, out[0])
    ema(close, ema_bars, out[1])
    rsi(close, rsi_bars, out[2])
    macd(close, fast, slow, signal, out[3], out[4], out[5])
    bollinger(close, sma_bars, k_dev, out[6], np.empty_like(close), out[7])
    atr(high, low, close, atr_bars, out[8])


class IndicatorSet(StreamTwin):
    """Streaming set of indicators: one call and one row of values per bar."""

    __slots__ = (
        "_adx",
        "_atr",
        "_bands",
        "_ema",
        "_last",
        "_macd",
        "_obv",
        "_row",
        "_rsi",
        "_sma",
        "_started",
    )

    def __init__(self, windows: Sequence[int], k_dev: float, /) -> None:
        sma_bars, ema_bars, rsi_bars, fast, slow, signal, bands, atr_adx = windows
        self._sma, self._ema, self._rsi = Sma(sma_bars), Ema(ema_bars), Rsi(rsi_bars)
        self._macd, self._bands = Macd(fast, slow, signal), Bollinger(bands, k_dev)
        self._atr, self._adx = Atr(atr_adx), Adx(atr_adx)
        self._obv, self._last, self._started = 0.0, nan, False
        self._row = np.full(len(SET_COLUMNS), nan)

    def update(self, open_: float, high: float, low: float, close: float, volume: float, /) -> FloatArray:
        """Take one bar, return the row of values: one array, overwritten by every call."""
        mean, sd, half = self._bands.parts(close)
        if not self._started or close > self._last:
            self._obv += volume
        elif close < self._last:
            self._obv -= volume
        else:
            # equal closes add nothing; a NaN close makes every later value NaN
            self._obv += close - self._last
        self._started, self._last = True, close
        self._row[:] = (
            self._sma.update(close),
            self._ema.update(close),
            self._rsi.update(close),
            *self._macd.update(close),
            mean + half,
            mean,
            mean - half,
            sd,
            self._atr.update(high, low, close),
            *self._adx.update(high, low, close),
            self._obv,
        )
        return self._row

    def snapshot(self) -> bytes:
        w = Writer("IndicatorSet").u64(int(self._started)).f64s((self._obv, self._last))
        for s in (self._sma, self._ema, self._rsi, self._macd, self._bands, self._atr, self._adx):
            w.nested(s.snapshot())
        return w.done()

    def restore(self, data: bytes, /) -> None:
        r = Reader(data, "IndicatorSet")
        started = r.u64() != 0
        obv, last = r.f64s(2)
        self._sma = Sma.from_snapshot(r.nested())
        self._ema = Ema.from_snapshot(r.nested())
        self._rsi = Rsi.from_snapshot(r.nested())
        self._macd = Macd.from_snapshot(r.nested())
        self._bands = Bollinger.from_snapshot(r.nested())
        self._atr = Atr.from_snapshot(r.nested())
        self._adx = Adx.from_snapshot(r.nested())
        r.end()
        self._started, self._obv, self._last = started, obv, last
        if not hasattr(self, "_row"):
            self._row = np.full(len(SET_COLUMNS), nan)
