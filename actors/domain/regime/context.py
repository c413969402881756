"""What kind of market a bar lies in: volatility x trend x liquidity x time, as one name.

Which detector to trust depends on it; the ensemble keeps a table of weights for each. Thresholds of volatility and
liquidity are decayed quantiles of the past, followed by stochastic approximation (Robbins and Monro 1951; Tierney
1983) in O(1) time and memory per bar. Trend is measured in its own standard errors, so its thresholds are fixed. Every
bucket but time holds by hysteresis: what opens it lies further out than what closes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import exp, log, nan, sqrt
from typing import ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from actors.domain.params import Param
from actors.domain.regime.base import Observation
from actors.domain.registry import Params
from actors.domain.state import Stateful

Part = Literal["volatility", "trend", "liquidity", "time"]
PARTS: tuple[Part, ...] = ("volatility", "trend", "liquidity", "time")
VOLATILITY = ("calm", "usual", "wild")
TREND = ("down", "flat", "up")
LIQUIDITY = ("thin", "deep", "unmeasured")
TIME = ("asia", "europe", "america", "weekend", "unmeasured")
_LEAST = 1e-9  # deviation per bar below which a market stands still; its logarithm must exist
_HOUR_NS, _DAY_NS = 3_600_000_000_000, 86_400_000_000_000
_MONDAY = 3  # 1970-01-01 was a Thursday


class ContextParams(Params):
    """What tells one market from another."""

    parts: tuple[Part, ...] = Field(default=PARTS, description="what a context is made of; none: one context")
    fast_half_life_bars: float = Param(12.0, gt=0.0, low=6.0, high=48.0)
    slow_half_life_bars: float = Param(96.0, gt=0.0, low=48.0, high=336.0)
    low_frac: float = Field(default=0.33, gt=0.0, lt=1.0, description="share of past bars that are calm")
    high_frac: float = Field(default=0.67, gt=0.0, lt=1.0, description="share of past bars below wild ones")
    band_frac: float = Field(
        default=0.3, ge=0.0, lt=0.5, description="hysteresis: share of the gap between both thresholds"
    )
    trend_on: float = Field(default=2.0, gt=0.0, description="standard errors of the drift that make a trend")
    trend_off: float = Field(default=1.0, ge=0.0, description="standard errors below which it ends")
    memory_bars: int = Param(1500, ge=50, low=500, high=4000, about="how far back a quantile remembers")
    warmup_bars: int = Field(default=48, ge=2, description="bars before a bucket is told from the middle one")

    @field_validator("parts")
    @classmethod
    def _distinct(cls, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        if len(set(parts)) != len(parts):
            raise ValueError("expected each part once")
        return parts

    @model_validator(mode="after")
    def _ordered(self) -> ContextParams:
        if not self.low_frac < self.high_frac:
            raise ValueError(
                f"low_frac: expected below high_frac = {self.high_frac:g}, found {self.low_frac:g}"
            )
        if not self.trend_off < self.trend_on:
            raise ValueError(
                f"trend_off: expected below trend_on = {self.trend_on:g}, found {self.trend_off:g}"
            )
        if not self.fast_half_life_bars < self.slow_half_life_bars:
            raise ValueError(
                f"fast_half_life_bars: expected below slow_half_life_bars = {self.slow_half_life_bars:g}, found "
                f"{self.fast_half_life_bars:g}"
            )
        return self


class DecayedQuantile(Stateful):
    """A quantile of the newest `memory_bars` or so, without keeping them.

    ``q ← q + gain·(τ − [x < q])``, the gain from the mean distance of values to q and the number of bars, never below
    that of the memory.

    Parameters
    ----------
    frac : float
        τ in (0, 1).
    memory_bars : int

    Examples
    --------
    >>> q = DecayedQuantile(0.5, 400)
    >>> for i in range(4000): q.add(float(i * 37 % 101))
    >>> 44.0 < q.value < 56.0
    True
    """

    STATE: ClassVar[tuple[str, ...]] = ("value", "_distance", "_count")

    def __init__(self, frac: float, memory_bars: int) -> None:
        self._frac, self._least = frac, 1.0 / memory_bars
        self.value = nan
        self._distance, self._count = 0.0, 0

    def add(self, x: float) -> None:
        """Take the next value."""
        self._count += 1
        gain = max(1.0 / self._count, self._least)
        q = self.value
        if q != q:
            self.value = x
            return
        away = x - q
        self._distance += gain * ((-away if away < 0.0 else away) - self._distance)
        # 2.5 mean distances stand for one over the density at the quantile
        self.value = q + 2.5 * self._distance * gain * (self._frac - (1.0 if away < 0.0 else 0.0))


class MarketContext(Stateful):
    """Names the context of each bar from the bars up to it.

    State: five moving averages, three quantiles, the buckets in force. O(1) per bar.

    Examples
    --------
    >>> context = MarketContext(ContextParams())
    >>> context.update(Observation(step=0, high=2.0, low=1.0, close=1.5, log_return=nan))
    'usual/flat/unmeasured/unmeasured'
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "name", "volatility_ratio", "_bars", "_fast", "_slow", "_mean", "_turnover", "_low", "_high", "_middle",
        "_volatility", "_trend", "_liquidity",
    )  # fmt: skip

    def __init__(self, params: ContextParams) -> None:
        self._p = params
        self._a = 1.0 - exp(-log(2.0) / params.fast_half_life_bars)
        self._b = 1.0 - exp(-log(2.0) / params.slow_half_life_bars)
        # standard error of an exponential mean of unit noise
        self._error = sqrt(self._b / (2.0 - self._b))
        self._wanted = tuple(PARTS.index(p) for p in params.parts)
        self._names = {
            key: "/".join(
                (VOLATILITY[key[0]], TREND[key[1]], LIQUIDITY[key[2]], TIME[key[3]])[i] for i in self._wanted
            )
            or "any"
            for key in product(
                range(len(VOLATILITY)), range(len(TREND)), range(len(LIQUIDITY)), range(len(TIME))
            )
        }
        self._bars = 0
        self._fast = self._slow = self._mean = 0.0
        self._turnover = nan
        self._low = DecayedQuantile(params.low_frac, params.memory_bars)
        self._high = DecayedQuantile(params.high_frac, params.memory_bars)
        self._middle = DecayedQuantile(0.5, params.memory_bars)
        self._volatility, self._trend, self._liquidity = 1, 1, 2
        self.volatility_ratio = nan
        """Present deviation of a bar's return over its usual one; NaN until the warm-up is over."""
        self.name = self._name(4)

    def update(self, obs: Observation) -> str:
        """Take the next bar, return its context."""
        r = obs.log_return
        if r == r:
            self._returns(r)
        if obs.volume == obs.volume:
            self._volume(obs.volume * obs.close)
        self.name = name = self._name(time_bucket(obs.close_ns))
        return name

    def _returns(self, r: float) -> None:
        p = self._p
        self._bars = n = self._bars + 1
        early = 1.0 / n  # the first bars weigh evenly, so nothing depends on a seed
        a, b = max(self._a, early), max(self._b, early)
        square = r * r
        self._fast = fast = self._fast + a * (square - self._fast)
        self._slow = slow = self._slow + b * (square - self._slow)
        self._mean = mean = self._mean + b * (r - self._mean)
        level = 0.5 * log(fast) if fast > _LEAST * _LEAST else log(_LEAST)
        if n > p.warmup_bars:
            low, high = self._low.value, self._high.value
            band = p.band_frac * (high - low)
            self._volatility = _bucket(level, low, high, max(band, 0.0), self._volatility)
            deviation = sqrt(slow) if slow > _LEAST * _LEAST else _LEAST
            t = mean / (deviation * self._error)
            self._trend = _trend(t, p.trend_on, p.trend_off, self._trend)
            self.volatility_ratio = sqrt(fast) / deviation
        # after the comparison: a bar is ranked among those before it
        self._low.add(level)
        self._high.add(level)

    def _volume(self, turnover: float) -> None:
        before = self._turnover
        self._turnover = now = turnover if before != before else before + self._a * (turnover - before)
        x = log(now) if now > 1e-12 else log(1e-12)
        middle = self._middle
        if self._bars > self._p.warmup_bars:
            # a tenth either way, in logarithms
            if self._liquidity == 2:
                self._liquidity = 1 if x >= middle.value else 0
            elif x > middle.value + 0.1:
                self._liquidity = 1
            elif x < middle.value - 0.1:
                self._liquidity = 0
        middle.add(x)

    def _name(self, time: int) -> str:
        return self._names[self._volatility, self._trend, self._liquidity, time]


def time_bucket(close_ns: int | None) -> int:
    """Return where in `TIME` a bar's close lies, UTC: a third of a working day, or the weekend.

    A close at midnight belongs to the day before it.

    Examples
    --------
    >>> TIME[time_bucket(9 * 3_600_000_000_000)], TIME[time_bucket(3 * 86_400_000_000_000)]
    ('europe', 'weekend')
    """
    if close_ns is None:
        return 4
    inside = close_ns - 1
    if (inside // _DAY_NS + _MONDAY) % 7 >= 5:
        return 3
    return int(inside % _DAY_NS // (8 * _HOUR_NS))


def _bucket(x: float, low: float, high: float, band: float, now: int) -> int:
    """Three buckets by two thresholds; the one in force is left only beyond the band."""
    if now == 0:
        return 2 if x > high else 1 if x > low + band else 0
    if now == 2:
        return 0 if x < low else 1 if x < high - band else 2
    return 2 if x > high else 0 if x < low else 1


def _trend(t: float, on: float, off: float, now: int) -> int:
    if t > on:
        return 2
    if t < -on:
        return 0
    if (now == 2 and t < off) or (now == 0 and t > -off):
        return 1
    return now


def contexts(parts: Sequence[Part]) -> int:
    """Return how many contexts there can be: what bounds the tables that are kept per context.

    Examples
    --------
    >>> contexts(("volatility", "trend")), contexts(())
    (9, 1)
    """
    sizes = dict(zip(PARTS, (len(VOLATILITY), len(TREND), len(LIQUIDITY), len(TIME)), strict=True))
    out = 1
    for part in parts:
        out *= sizes[part]
    return out
