"""Candlestick reversals: after a decline long on a bullish pattern, after a rise short on a bearish one, for a while.

Nison (1991), "Japanese candlestick charting techniques", for the patterns; Caginalp & Laurent (1998), "The
predictive power of price patterns", Applied Mathematical Finance 5, for the trend before and the short holding
time. Our thresholds replace their drawings (a small body is one of at most
`small_body_frac` of the range), and no gaps are asked for: these markets never close.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.rows import shifted
from actors.domain.strategies.sides import BoolArray, last_event


class CandlestickPatternsParams(Params):
    """Parameters of `CandlestickPatterns`.

    Attributes
    ----------
    trend_bars : int
        Average of the close; where the close of two bars ago lay tells the trend before a pattern.
    hold_bars : int
        Bars that an opinion lives; its confidence falls in a line to nothing.
    small_body_frac : float
        Body of a star, a hammer and a shooting star, at most, as a fraction of the bar's range.
    long_body_frac : float
        Body of the other candles of a pattern, at least.
    shadow_ratio : float
        Long shadow of a hammer or shooting star, at least, in bodies.
    two_bar, three_bar, one_bar : float
        Confidence in patterns of so many candles on their last bar.
    """

    trend_bars: int = Param(20, ge=2, low=8, high=80, log=True)
    hold_bars: int = Param(8, ge=1, low=2, high=30)
    small_body_frac: float = Param(0.35, gt=0, lt=1, low=0.15, high=0.45)
    long_body_frac: float = Param(0.5, gt=0, lt=1, low=0.45, high=0.8)
    shadow_ratio: float = Param(2.0, gt=0, low=1.5, high=4.0)
    one_bar: float = Param(0.4, ge=0, le=1)
    two_bar: float = Param(0.5, ge=0, le=1)
    three_bar: float = Param(0.6, ge=0, le=1)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> CandlestickPatternsParams:
        if self.small_body_frac > self.long_body_frac:
            raise ValueError(
                f"small_body_frac: expected at most long_body_frac ({self.long_body_frac}), "
                f"found {self.small_body_frac}"
            )
        return self


_Candle = tuple[Any, Any, Any, Any]
"""Open, high, low, close of one candle, or of a column of them: the rules read the same for both."""


@component
class CandlestickPatterns(Strategy):
    """Hammer, shooting star, engulfing, piercing line, dark cloud, stars, soldiers and crows.

    Notes
    -----
    State: the last two candles and averages, a streaming average, and the pattern that speaks. Warm-up:
    ``trend_bars + 2`` bars. O(1) per bar. A longer pattern is preferred to a shorter one on the same bar, and a
    new one takes over from an old one.

    Examples
    --------
    >>> CandlestickPatterns(CandlestickPatternsParams()).warmup_bars
    22
    """

    Params = CandlestickPatternsParams
    STATE: ClassVar[tuple[str, ...]] = ("_mean", "_means", "_candles", "_bars", "_side", "_strength", "_age")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        nan = float("nan")
        self._mean = kernels.sma_stream(params.trend_bars)
        self._means = (nan, nan)  # of two bars ago and of the bar before
        self._candles: tuple[_Candle, _Candle] = (
            (nan, nan, nan, nan),
            (nan, nan, nan, nan),
        )  # two bars ago, one bar ago
        self._bars = 0
        self._side, self._strength, self._age = 0.0, 0.0, 0
        self.warmup_bars = params.trend_bars + 2

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        p = self.params
        first, middle = self._candles
        now = (market.open, market.high, market.low, market.close)
        mean_two_ago, mean_one_ago = self._means
        self._candles = (middle, now)
        self._means = (mean_one_ago, self._mean.update(market.close))
        self._bars += 1
        self._age += 1
        if self._bars > self.warmup_bars:
            fallen, risen = first[3] < mean_two_ago, first[3] > mean_two_ago
            if fallen or risen:
                rules = _bullish(first, middle, now, p) if fallen else _bearish(first, middle, now, p)
                for found, strength in zip(rules, (p.three_bar, p.two_bar, p.one_bar), strict=True):
                    if found:
                        self._side, self._strength, self._age = 1.0 if fallen else -1.0, strength, 0
                        break
        if self._side == 0.0 or self._age >= p.hold_bars:
            return FLAT
        return Opinion(self._side, self._strength * (1.0 - self._age / p.hold_bars))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        p, bars = self.params, len(columns.close)
        prices = (columns.open, columns.high, columns.low, columns.close)
        now, middle, first = ([shifted(x, k) for x in prices] for k in range(3))
        before = shifted(kernels.sma(columns.close, p.trend_bars), 2)
        ready = np.arange(bars) >= self.warmup_bars
        fallen, risen = ready & (first[3] < before), ready & (first[3] > before)
        strength, side = np.zeros(bars), np.zeros(bars)
        for trend, sign, rules in (
            (fallen, 1.0, _bullish(first, middle, now, p)),
            (risen, -1.0, _bearish(first, middle, now, p)),
        ):
            # the longest pattern last, so that it stays
            for found, sure in zip(reversed(rules), (p.one_bar, p.two_bar, p.three_bar), strict=True):
                here: BoolArray = trend & found
                side[here], strength[here] = sign, sure
        began = last_event(side != 0.0)
        age = np.arange(bars) - began
        live = (began >= 0) & (age < p.hold_bars)
        confidence = strength[began] * (1.0 - age / p.hold_bars)
        return np.where(live, side[began], 0.0), np.where(live, confidence, 0.0)


def _bullish(first: Any, middle: Any, now: Any, p: CandlestickPatternsParams) -> tuple[Any, Any, Any]:
    """Return whether a pattern of three, two and one candles ends here, for floats or for columns.

    Only comparisons, sums and products: they give the same bits for both.
    """
    o1, h1, l1, c1 = first
    o2, h2, l2, c2 = middle
    o3, h3, l3, c3 = now
    fell, body, turned = o1 - c1, c2 - o2, c3 - o3
    reach, small, long_ = h2 - l2, p.small_body_frac, p.long_body_frac
    long_rise = (turned > 0.0) & (turned >= long_ * (h3 - l3))
    star = (
        (fell > 0.0) & (fell >= long_ * (h1 - l1)) & long_rise
        & (body <= small * reach) & (-body <= small * reach)
        & (c2 < c1) & (o2 <= c1) & (c3 > 0.5 * (o1 + c1))
    )  # fmt: skip
    soldiers = (
        (fell < 0.0) & (body > 0.0) & long_rise
        & (c2 > c1) & (c3 > c2) & (o2 > o1) & (o2 <= c1) & (o3 > o2) & (o3 <= c2)
    )  # fmt: skip
    fallen = body < 0.0
    engulfing = fallen & (turned > -body) & (o3 <= c2) & (c3 >= o2)
    piercing = fallen & (-body >= long_ * reach) & long_rise & (o3 <= c2) & (c3 > 0.5 * (o2 + c2)) & (c3 < o2)
    return star | soldiers, engulfing | piercing, _hammer(o3, h3, l3, c3, p)


def _bearish(first: Any, middle: Any, now: Any, p: CandlestickPatternsParams) -> tuple[Any, Any, Any]:
    """Return `_bullish` of the candles upside down: evening star, crows, engulfing, dark cloud, shooting star."""
    a, b, c = ((-o, -low, -high, -close) for o, high, low, close in (first, middle, now))
    return _bullish(a, b, c, p)


def _hammer(open_: Any, high: Any, low: Any, close: Any, p: CandlestickPatternsParams) -> Any:
    """Tell a small body at the top of its range, above a long shadow."""
    rises, falls = close > open_, close <= open_
    top, bottom = close * rises + open_ * falls, open_ * rises + close * falls  # exact: one term is 0
    body, reach = top - bottom, high - low
    return (
        (reach > 0.0) & (body <= p.small_body_frac * reach)
        & (bottom - low >= p.shadow_ratio * body) & (bottom - low >= 0.5 * reach) & (high - top <= 0.1 * reach)
    )  # fmt: skip
