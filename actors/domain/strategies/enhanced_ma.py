"""Enhanced moving average: the crossover, followed only in a trending market and at half size in a wild one.

Wilder (1978), "New concepts in technical trading systems", for the directional movement index (ADX) that tells
a trend from a range; Ang & Timmermann (2012), "Regime changes and financial markets", for trading by regime. The
regime is this strategy's own, read off the bars: it needs no detector beside it.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.sides import held_side


class EnhancedMaParams(Params):
    """Parameters of `EnhancedMa`.

    Attributes
    ----------
    fast_bars, slow_bars : int
        Exponential averages of the close; fast < slow.
    adx_bars : int
        Window of the directional movement index.
    trend_adx, range_adx : float
        Index at which a trend begins, and below which it is over; range < trend.
    atr_bars, usual_atr_bars : int
        True ranges of now and as usual; the first is shorter.
    wild_ratio : float
        Range of now, in usual ones, above which the market is wild.
    wild_size : float
        Strength of the direction in a wild market.
    scale_frac : float
        Distance of the averages, fraction of the slow one, at which the confidence reaches one half.
    """

    fast_bars: int = Param(20, ge=1, low=5, high=60, log=True)
    slow_bars: int = Param(60, ge=2, low=30, high=300, log=True)
    adx_bars: int = Param(14, ge=2, low=7, high=40)
    trend_adx: float = Param(25.0, gt=0, lt=100, low=15.0, high=40.0)
    range_adx: float = Param(20.0, ge=0, lt=100, low=5.0, high=30.0)
    atr_bars: int = Param(14, ge=1, low=5, high=30)
    usual_atr_bars: int = Param(100, ge=2, low=50, high=300)
    wild_ratio: float = Param(2.0, gt=1, low=1.2, high=4.0)
    wild_size: float = Param(0.5, ge=0, le=1, low=0.0, high=1.0)
    scale_frac: float = Param(0.01, gt=0, low=0.002, high=0.05, log=True)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> EnhancedMaParams:
        for less, more in (
            ("fast_bars", "slow_bars"),
            ("range_adx", "trend_adx"),
            ("atr_bars", "usual_atr_bars"),
        ):
            a, b = getattr(self, less), getattr(self, more)
            if a >= b:
                raise ValueError(f"{less}: expected < {more} ({b}), found {a}")
        return self


@component
class EnhancedMa(Strategy):
    """The crossover of a trending market.

    Notes
    -----
    State: five streaming indicators and whether a trend is on. Warm-up: the longest of the slow average, twice
    ``adx_bars`` less one, and ``usual_atr_bars``. O(1) per bar. A trend is on from the bar whose ADX reaches
    ``trend_adx`` to the first below ``range_adx``: in between, what was goes on.

    Examples
    --------
    >>> EnhancedMa(EnhancedMaParams()).warmup_bars
    100
    """

    Params = EnhancedMaParams
    STATE: ClassVar[tuple[str, ...]] = ("_fast", "_slow", "_adx", "_range", "_usual", "_trending", "_bars")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        p = params
        self._fast, self._slow = kernels.ema_stream(p.fast_bars), kernels.ema_stream(p.slow_bars)
        self._adx = kernels.adx_stream(p.adx_bars)
        self._range, self._usual = kernels.atr_stream(p.atr_bars), kernels.atr_stream(p.usual_atr_bars)
        self._limits = p.trend_adx, p.range_adx, p.wild_ratio, p.wild_size, p.scale_frac
        self._trending = False
        self._bars = 0
        self.warmup_bars = max(p.slow_bars - 1, 2 * p.adx_bars - 1, p.usual_atr_bars)

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        high, low, close = market.high, market.low, market.close
        fast, slow = self._fast.update(close), self._slow.update(close)
        adx = self._adx.advance(high, low, close)
        now, usual = self._range.update(high, low, close), self._usual.update(high, low, close)
        trend_adx, range_adx, wild_ratio, wild_size, scale = self._limits
        if adx >= trend_adx:
            self._trending = True
        elif adx < range_adx:
            self._trending = False
        self._bars += 1
        gap = (fast - slow) / slow
        if not self._trending or self._bars <= self.warmup_bars or not (gap > 0.0 or gap < 0.0):
            return FLAT
        size = gap if gap > 0.0 else -gap
        strength = wild_size if now > wild_ratio * usual else 1.0
        return Opinion(strength if gap > 0.0 else -strength, size / (size + scale))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        p, high, low, close = self.params, columns.high, columns.low, columns.close
        slow = kernels.ema(close, p.slow_bars)
        gap = (kernels.ema(close, p.fast_bars) - slow) / slow
        adx, _, _ = kernels.adx(high, low, close, p.adx_bars)
        wild = kernels.atr(high, low, close, p.atr_bars) > p.wild_ratio * kernels.atr(
            high, low, close, p.usual_atr_bars
        )
        begins, never = adx >= p.trend_adx, np.zeros(len(close), dtype=bool)
        trending = held_side(begins, adx < p.range_adx, never, never) > 0.0
        live = trending & ((gap > 0.0) | (gap < 0.0))
        live[: self.warmup_bars] = False
        strength = np.where(wild, p.wild_size, 1.0)
        direction = np.where(live, np.where(gap > 0.0, strength, -strength), 0.0)
        size = np.abs(gap)
        return direction, np.divide(size, size + p.scale_frac, out=np.zeros_like(size), where=live)
