"""Trend regimes: regression slope of log price against a random walk, confirmed by ADX and efficiency ratio.

The slope is divided by the bar's volatility, which makes it an estimate of drift (mean over deviation per
bar), and judged against what a driftless random walk would show: the variance of its fitted slope over n bars
is 6/5 · σ²/n. ADX (Wilder 1978) and the efficiency ratio (Kaufman 1995) shrink slopes that the path does not
bear out. A fast loss, in units of slow volatility, is called a crash. Every so often the Hurst exponent of the last
returns and the slope's t with Bartlett's weights are told too; returns that turn back for certain can shrink slopes.
"""

from __future__ import annotations

from collections import deque
from math import ceil, exp, log, nan, sqrt
from typing import Any, ClassVar

from pydantic import model_validator

from actors.domain import kernels
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import (
    STANDING_STILL,
    WARMING_UP,
    Assessment,
    Observation,
    PriceDetector,
    silent,
)
from actors.domain.regime.hurst import LEAST_BARS, dfa
from actors.domain.regime.hysteresis import SchmittTrigger
from actors.domain.regime.slope import fitted_slope
from actors.domain.regime.vocabulary import (
    CRASH,
    PROTOTYPES,
    beyond,
    distinctness,
    share_above,
    soft_labels,
    top,
)
from actors.domain.regime.window import PastRows
from actors.domain.registry import Params, component

_RESTART_BARS = 64


class TrendParams(Params):
    """Parameters of `Trend`."""

    window_bars: int = Param(
        default=96, ge=8, about="of the regression and the efficiency ratio", low=24, high=240, log=True
    )
    adx_bars: int = Param(default=14, ge=2, low=7, high=40)
    adx_strong: float = Param(
        default=30.0, gt=0.0, le=100.0, about="ADX that confirms a trend fully", low=20.0, high=45.0
    )
    confirm_frac: float = Param(
        default=0.3, ge=0.0, le=1.0, about="share of drift that needs confirming", low=0.0, high=0.8
    )
    enter_t: float = Param(
        default=2.0, gt=0.0, about="t that makes a trend in the native label", low=1.0, high=4.0
    )
    leave_t: float = Param(1.0, ge=0.0, low=0.0, high=1.5, about="t below which it ends")
    crash_bars: int = Param(
        default=24, ge=2, about="a crash falls from the high of this many closes", low=6, high=72
    )
    crash_units: float = Param(
        default=3.5, gt=0.0, about="loss over slow volatility · sqrt(crash_bars)", low=2.0, high=6.0
    )
    fast_decay: float = Param(
        0.97, gt=0.5, lt=1.0, low=0.9, high=0.99, about="EWMA of the volatility that scales the slope"
    )
    slow_decay: float = Param(
        0.998, gt=0.5, lt=1.0, low=0.99, high=0.9995, about="EWMA of the volatility that a crash is held to"
    )
    drift_sd: float = Param(
        0.05, gt=0.0, low=0.02, high=0.15, about="width of a prototype; sampling error is added"
    )
    hurst_bars: int = Param(
        512,
        ge=LEAST_BARS,
        le=8192,
        low=256,
        high=2048,
        log=True,
        about="returns that the Hurst exponent is taken from",
    )
    measure_every_bars: int = Param(96, ge=1, about="bars between two readings of Hurst and HAC t")
    revert_frac: float = Param(
        0.0,
        ge=0.0,
        le=1.0,
        low=0.0,
        high=0.8,
        about="share of drift taken away while the whole Hurst interval lies below 0.5",
    )

    @model_validator(mode="after")
    def _ordered(self) -> TrendParams:
        if self.leave_t > self.enter_t:
            raise ValueError("leave_t must not be above enter_t")
        return self


@component
class Trend(PriceDetector):
    """Says which way the market goes; leaves volatility open, except in a crash.

    `native_label` is ``up``, ``down``, ``flat`` or ``crash`` after hysteresis. State: the window of log closes and
    its running sums. Warm-up: the longest of its windows. O(1) per bar and
    O(hurst_bars) every `measure_every_bars`; until then Hurst and HAC t are NaN.
    """

    Params: ClassVar[type[Params]] = TrendParams
    MEASURES: ClassVar[tuple[str, ...]] = (
        "t", "t_hac", "adx", "efficiency_frac", "hurst", "hurst_low", "hurst_high", "fall_units",
    )  # fmt: skip
    STATE: ClassVar[tuple[str, ...]] = (
        "_bars", "_y", "_shift", "_recent", "_anchor", "_sum", "_moment", "_path", "_fast", "_slow", "_adx", "_up",
        "_down", "_crash", "_native", "_bars_in_state", "_returns", "_measured",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: TrendParams = params
        self._p = p
        n = p.window_bars
        self._n = n
        self.warmup_bars = max(n + 1, 2 * p.adx_bars, p.crash_bars + 1)
        self.settling_bars = ceil(
            log(0.01) / log(p.slow_decay)
        )  # the slow volatility forgets to one part in 100
        self._slope_scale = 12.0 / (n * (n * n - 1.0))  # 1 / Σ (i - mean)²
        self._t_scale = sqrt(n / 1.2)
        self._width = sqrt(p.drift_sd * p.drift_sd + 1.2 / n)
        self._crash_root = sqrt(p.crash_bars)
        # error of the slow volatility that a fall is measured in
        self._crash_sd = p.crash_units * sqrt(0.5 * (1.0 - p.slow_decay) / (1.0 + p.slow_decay))
        self._returns = PastRows(p.hurst_bars, 0)
        # HAC t; Hurst exponent with its interval
        self._measured: tuple[float | None, ...] = (None, None, None, None)
        self._bars = 0
        self._y: deque[float] = deque(maxlen=n + 2)  # log closes, newest last
        self._shift = 0.0  # taken off log closes: what gaps moved beyond one bar's return
        self._recent: deque[float] = deque(maxlen=p.crash_bars)
        self._sum = self._moment = self._path = 0.0  # Σ y, Σ i·y (i = 0 oldest) of the window; Σ |Δy|
        self._anchor = 0.0  # log price that the sums are centred on
        self._fast = self._slow = 0.0
        self._adx = kernels.adx_stream(p.adx_bars)
        self._up, self._down, self._crash = SchmittTrigger(), SchmittTrigger(), SchmittTrigger()
        self._native = "flat"
        self._bars_in_state = 0

    @property
    def own_states(self) -> tuple[str, ...]:
        """See `Detector`."""
        return "up", "down", "flat", "crash"

    def _update(self, obs: Observation) -> Assessment:
        p, n, y = self._p, self._n, self._y
        now, r = log(obs.close) - self._shift, obs.log_return
        if obs.missing_bars and y and r == r:
            # the path goes on as if the gap had been one bar
            self._shift += now - (y[-1] + r)
            now = y[-1] + r
        self._bars += 1
        k = exp(-self._shift) if self._shift else 1.0
        adx = self._adx.advance(k * obs.high, k * obs.low, k * obs.close)
        if r == r:  # the first bar has no return
            age = self._bars - 1
            self._fast += (r * r - self._fast) * max(1.0 - p.fast_decay, 1.0 / age)
            self._slow += (r * r - self._slow) * max(1.0 - p.slow_decay, 1.0 / age)
            self._returns.add(r)
        self._slide(now)
        if self._bars % p.measure_every_bars == 0:
            self._measure()
        if self._bars < self.warmup_bars or not self._fast > 0.0:
            return silent(WARMING_UP if self._bars < self.warmup_bars else STANDING_STILL)
        slope = (self._moment - 0.5 * (n - 1) * self._sum) * self._slope_scale
        drift = slope / sqrt(self._fast)
        t = drift * self._t_scale
        efficiency = abs(now - y[-n - 1]) / self._path if self._path > 0.0 else 0.0
        borne_out = 0.5 * min(1.0, adx / p.adx_strong if adx == adx else 0.0) + 0.5 * min(
            1.0, efficiency * self._t_scale * 0.5
        )
        drift *= 1.0 - p.confirm_frac * (1.0 - borne_out)
        t_hac, hurst, hurst_low, hurst_high = self._measured
        if hurst_high is not None and hurst_high < 0.5:
            drift *= 1.0 - p.revert_frac
        fall = self._fall(now)
        crash = self._crash.update(fall, low=0.5 * p.crash_units, high=p.crash_units)
        up = self._up.update(t, low=p.leave_t, high=p.enter_t)
        down = self._down.update(-t, low=p.leave_t, high=p.enter_t)
        native = "crash" if crash else "up" if up else "down" if down else "flat"
        self._bars_in_state = self._bars_in_state + 1 if native == self._native else 1
        self._native = native
        if crash:
            probabilities = soft_labels(
                min(drift, PROTOTYPES[CRASH][0]), PROTOTYPES[CRASH][1], drift_sd=self._width
            )
        else:
            probabilities = soft_labels(drift, None, drift_sd=self._width)
        falling = share_above(fall, p.crash_units, self._crash_sd)
        rising, sinking, flat = [(1.0 - falling) * share for share in beyond(t, p.enter_t, 1.0)]
        return Assessment(
            label=REGIMES[top(probabilities)],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * obs.quality,
            native_label=native,
            bars_in_state=self._bars_in_state,
            own_probabilities=(rising, sinking, flat, falling),
            features=(t, t_hac, adx if adx == adx else None, efficiency, hurst, hurst_low, hurst_high, fall),
            data_quality=obs.quality,
        )

    def _measure(self) -> None:
        """Read what is too dear for every bar."""
        p, n = self._p, self._n
        found = [nan] * 4
        if len(self._y) >= n:
            found[0] = fitted_slope(list(self._y)[-n:]).t_hac
        if self._returns.count >= p.hurst_bars:
            found[1:] = dfa(self._returns.last(p.hurst_bars))[1:]
        self._measured = tuple(v if v == v else None for v in found)

    def _slide(self, now: float) -> None:
        """Move the window's sums by one bar; every 64 bars they are computed afresh."""
        y, n = self._y, self._n
        y.append(now)
        self._recent.append(now)
        if len(y) <= n:
            return
        if self._bars % _RESTART_BARS == 0 or len(y) < n + 2:
            window = list(y)[-n:]
            anchor = window[0]
            self._sum = sum([v - anchor for v in window])
            self._moment = sum([i * (v - anchor) for i, v in enumerate(window)])
            self._path = sum([abs(b - a) for a, b in zip([y[-n - 1], *window], window, strict=False)])
            self._anchor = anchor
            return
        # the window loses y[-n-1], the others move down by one place
        self._sum -= y[-n - 1] - self._anchor
        self._moment += (n - 1) * (now - self._anchor) - self._sum
        self._sum += now - self._anchor
        self._path += abs(now - y[-2]) - abs(y[-n - 1] - y[-n - 2])

    def _fall(self, now: float) -> float:
        """Loss from the high of the last closes, in slow volatility over that many bars."""
        if self._slow <= 0.0:
            return 0.0
        return (max(self._recent) - now) / (sqrt(self._slow) * self._crash_root)
