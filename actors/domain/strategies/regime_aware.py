"""One rule per regime: follow trends in bull and bear markets, fade extremes in ranges, hold no crash.

Ang & Timmermann (2012), "Regime changes and financial markets", for switching the rule with the regime;
Bollinger (2001), "Bollinger on Bollinger bands", for band reversals confirmed by RSI.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.events.regime import REGIMES
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import (
    FLAT,
    PREDICTIONS,
    REGIME,
    Columns,
    FloatArray,
    Market,
    MarketColumns,
    Opinion,
    Strategy,
)
from actors.domain.strategies.sides import held_side


class RegimeAwareParams(Params):
    """Parameters of `RegimeAware`.

    Attributes
    ----------
    fast_bars, slow_bars : int
        Exponential averages of the trend rule; fast < slow.
    band_window_bars, band_width : int, float
        Bollinger bands of the reversal rule, width in standard deviations.
    rsi_window_bars : int
        Bars of the RSI.
    oversold, overbought : float
        RSI that must confirm a touch of the lower or upper band.
    min_confidence : float
        Confidence of the regime below which no rule is applied.
    calm_confidence : float
        Confidence that a high-volatility regime needs before the trend rule is followed at half size.
    veto : float
        Mean prediction against the side, in [0, 1] as 2p − 1, from which on the side is dropped.
    """

    fast_bars: int = Param(20, ge=2, low=5, high=60, log=True)
    slow_bars: int = Param(50, ge=3, low=20, high=250, log=True)
    band_window_bars: int = Param(20, ge=2, low=10, high=60)
    band_width: float = Param(2.0, gt=0, low=1.0, high=3.0)
    rsi_window_bars: int = Param(14, ge=2, low=5, high=50, log=True)
    oversold: float = Param(35.0, gt=0, lt=50, low=15.0, high=45.0)
    overbought: float = Param(65.0, gt=50, lt=100, low=55.0, high=85.0)
    min_confidence: float = Param(0.2, ge=0, le=1, low=0.0, high=0.6)
    calm_confidence: float = Param(0.6, ge=0, le=1, low=0.2, high=0.9)
    veto: float = Param(0.2, gt=0, le=1, low=0.05, high=1.0)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> RegimeAwareParams:
        if self.fast_bars >= self.slow_bars:
            raise ValueError(f"fast_bars: expected < slow_bars ({self.slow_bars}), found {self.fast_bars}")
        return self


@component
class RegimeAware(Strategy):
    """The switching rule.

    Notes
    -----
    State: four streaming indicators and the side of the reversal rule. Warm-up: the longest window. O(1)
    per bar. All indicators run in every regime, so a switch needs no new warm-up. The batch form wants
    `MarketColumns`: over plain bars the regime is unknown, and the opinion flat.

    A crash, and high volatility that the ensemble is unsure about, give direction 0 *with* the regime's
    confidence: an advice to hold nothing, which the coordinator weighs against the others.
    """

    Params = RegimeAwareParams
    STATE: ClassVar[tuple[str, ...]] = ("_fast", "_slow", "_bands", "_rsi", "_side", "_bars")
    has_batch: ClassVar[bool] = True
    reads = (REGIME, PREDICTIONS)

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._fast = kernels.ema_stream(params.fast_bars)
        self._slow = kernels.ema_stream(params.slow_bars)
        self._bands = kernels.bollinger_stream(params.band_window_bars, params.band_width)
        self._rsi = kernels.rsi_stream(params.rsi_window_bars)
        self._side = 0.0
        self._bars = 0
        self.warmup_bars = max(params.slow_bars, params.band_window_bars, params.rsi_window_bars + 1) - 1

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        close, p = market.close, self.params
        trend = self._fast.update(close) - self._slow.update(close)
        upper = self._bands.advance(close)
        self._revert(close, upper, self._rsi.update(close))
        self._bars += 1
        regime, sure = market.regime, market.regime_confidence
        if self._bars <= self.warmup_bars or sure < p.min_confidence:
            return FLAT
        size = 1.0
        if regime == "crash":
            return Opinion(0.0, sure)
        if regime == "bull":
            side = 1.0 if trend > 0.0 else 0.0
        elif regime == "bear":
            side = -1.0 if trend < 0.0 else 0.0
        elif regime in ("sideways", "low_volatility"):
            side = self._side
        elif regime == "high_volatility":
            if sure < p.calm_confidence:
                return Opinion(0.0, sure)
            side, size = (1.0 if trend > 0.0 else -1.0 if trend < 0.0 else 0.0), 0.5
        else:
            return FLAT
        if side == 0.0:
            return FLAT
        lean = side * _mean_lean(market.predictions)
        if lean <= -p.veto:
            return FLAT
        confidence = sure * (1.0 + lean)
        return Opinion(side * size, confidence if confidence < 1.0 else 1.0)

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        p, known = self.params, MarketColumns.of(columns)
        close, sure = known.close, known.regime_confidence
        trend = kernels.ema(close, p.fast_bars) - kernels.ema(close, p.slow_bars)
        label = {name: known.regime == k for k, name in enumerate(REGIMES)}
        calm = label["high_volatility"] & (sure >= p.calm_confidence)
        side = np.zeros(len(close))
        side[(label["bull"] | calm) & (trend > 0.0)] = 1.0
        side[(label["bear"] | calm) & (trend < 0.0)] = -1.0
        ranging = label["sideways"] | label["low_volatility"]
        side[ranging] = self._reversals(close)[ranging]
        lean = side * _mean_leans(known.predictions, len(close))
        heard = sure >= p.min_confidence
        heard[: self.warmup_bars] = False
        live = heard & (side != 0.0) & ~(lean <= -p.veto)
        direction = np.where(live, np.where(calm, side * 0.5, side), 0.0)
        confidence = np.where(live, np.minimum(sure * (1.0 + lean), 1.0), 0.0)
        # hold nothing, and say so with the regime's confidence
        nothing = heard & (label["crash"] | (label["high_volatility"] & ~calm))
        return direction, np.where(nothing, sure, confidence)

    def _reversals(self, close: FloatArray) -> FloatArray:
        """Return the side of the reversal rule per bar: `_revert` over a column."""
        p = self.params
        upper, middle, lower = kernels.bollinger(close, p.band_window_bars, p.band_width)
        rsi = kernels.rsi(close, p.rsi_window_bars)
        enter_long, enter_short = (close < lower) & (rsi < p.oversold), (close > upper) & (rsi > p.overbought)
        return held_side(enter_long, close >= middle, enter_short, close <= middle)

    def _revert(self, close: float, upper: float, rsi: float) -> None:
        """Move the side of the reversal rule: in at a band that RSI confirms, out at the middle."""
        if close < self._bands.lower and rsi < self.params.oversold:
            self._side = 1.0
        elif close > upper and rsi > self.params.overbought:
            self._side = -1.0
        elif self._side != 0.0:
            middle = self._bands.middle
            if (self._side > 0.0 and close >= middle) or (self._side < 0.0 and close <= middle):
                self._side = 0.0


def _mean_lean(predictions: Any) -> float:
    """Return the mean of 2p − 1 over the models that have a prediction; 0, no lean, if none has."""
    total, n = 0.0, 0
    for p in predictions.values():
        if p == p:
            total += 2.0 * p - 1.0
            n += 1
    return total / n if n else 0.0


def _mean_leans(predictions: Mapping[str, FloatArray], bars: int) -> FloatArray:
    """Return `_mean_lean` per bar: the same sums in the same order."""
    total, n = np.zeros(bars), np.zeros(bars)
    for p in predictions.values():
        there = ~np.isnan(p)
        total[there] += 2.0 * p[there] - 1.0
        n[there] += 1.0
    return np.divide(total, n, out=np.zeros(bars), where=n > 0.0)
