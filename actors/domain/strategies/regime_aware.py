"""One rule per regime: follow trends in bull and bear markets, fade extremes in ranges, hold no crash.

Ang & Timmermann (2012), "Regime changes and financial markets", for switching the rule with the regime;
Bollinger (2001), "Bollinger on Bollinger bands", for band reversals confirmed by RSI.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pydantic

from actors.domain import kernels
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Market, Opinion, Strategy


class RegimeAwareParams(Params):
    """Parameters of `RegimeAware`.

    Attributes
    ----------
    fast_window_bars, slow_window_bars : int
        Exponential averages of the trend rule; fast < slow.
    band_window_bars, band_width : int, float
        Bollinger bands of the reversal rule, width in standard deviations.
    rsi_window_bars : int
    oversold, overbought : float
        RSI that must confirm a touch of the lower or upper band.
    min_confidence : float
        Confidence of the regime below which no rule is applied.
    calm_confidence : float
        Confidence that a high-volatility regime needs before the trend rule is followed at half size.
    veto : float
        Mean prediction against the side, in [0, 1] as 2p − 1, from which on the side is dropped.
    """

    fast_window_bars: int = pydantic.Field(20, ge=2)
    slow_window_bars: int = pydantic.Field(50, ge=3)
    band_window_bars: int = pydantic.Field(20, ge=2)
    band_width: float = pydantic.Field(2.0, gt=0)
    rsi_window_bars: int = pydantic.Field(14, ge=2)
    oversold: float = pydantic.Field(35.0, gt=0, lt=50)
    overbought: float = pydantic.Field(65.0, gt=50, lt=100)
    min_confidence: float = pydantic.Field(0.2, ge=0, le=1)
    calm_confidence: float = pydantic.Field(0.6, ge=0, le=1)
    veto: float = pydantic.Field(0.2, gt=0, le=1)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> RegimeAwareParams:
        if self.fast_window_bars >= self.slow_window_bars:
            raise ValueError(
                f"fast_window_bars: expected < slow_window_bars ({self.slow_window_bars}), "
                f"found {self.fast_window_bars}"
            )
        return self


@component
class RegimeAware(Strategy):
    """The switching rule.

    Notes
    -----
    State: four streaming indicators and the side of the reversal rule. Warm-up: the longest window. O(1)
    per bar. All indicators run in every regime, so a switch needs no new warm-up. There is no batch form:
    the opinion depends on the regime and the predictions of each bar.

    A crash, and high volatility that the ensemble is unsure about, give direction 0 *with* the regime's
    confidence: an advice to hold nothing, which the coordinator weighs against the others.
    """

    Params = RegimeAwareParams
    STATE: ClassVar[tuple[str, ...]] = ("_fast", "_slow", "_bands", "_rsi", "_side", "_bars")

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._fast = kernels.ema_stream(params.fast_window_bars)
        self._slow = kernels.ema_stream(params.slow_window_bars)
        self._bands = kernels.bollinger_stream(params.band_window_bars, params.band_width)
        self._rsi = kernels.rsi_stream(params.rsi_window_bars)
        self._side = 0.0
        self._bars = 0
        self.warmup_bars = (
            max(params.slow_window_bars, params.band_window_bars, params.rsi_window_bars + 1) - 1
        )

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
