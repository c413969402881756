"""Momentum regimes: returns over several horizons, each over its volatility, one vote each.

The sign of the past return with exposure scaled by volatility is time-series momentum (Moskowitz, Ooi and Pedersen
2012). The volatility that scales a horizon is the EWMA known at the bar before, so a jump does not shrink itself.
"""

from __future__ import annotations

from collections import deque
from math import ceil, log, sqrt
from typing import Any, ClassVar

from pydantic import model_validator

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
from actors.domain.regime.hysteresis import SchmittTrigger
from actors.domain.regime.vocabulary import beyond, distinctness, soft_labels, top
from actors.domain.registry import Params, component


class MomentumParams(Params):
    """Parameters of `Momentum`."""

    horizons_bars: tuple[int, ...] = (24, 72, 168)
    decay: float = Param(
        0.985, gt=0.5, lt=1.0, low=0.94, high=0.997, about="EWMA weight of the past, per bar"
    )
    cap: float = Param(
        2.0, gt=0.0, low=1.0, high=3.0, about="largest vote of one horizon, standard deviations"
    )
    enter_vote: float = Param(
        0.75, gt=0.0, low=0.4, high=1.5, about="mean vote that makes a trend in the native label"
    )
    leave_vote: float = Param(0.25, ge=0.0, low=0.0, high=0.5, about="mean vote below which it ends")
    drift_sd: float = Param(
        0.05, gt=0.0, low=0.02, high=0.15, about="width of a prototype; sampling error is added"
    )

    @model_validator(mode="after")
    def _sound(self) -> MomentumParams:
        if self.leave_vote > self.enter_vote:
            raise ValueError("leave_vote must not be above enter_vote")
        if not self.horizons_bars or min(self.horizons_bars) < 2:
            raise ValueError("horizons_bars must be whole bars of at least 2")
        return self


@component
class Momentum(PriceDetector):
    """Says which way the market has gone, over short and long; leaves volatility open.

    `native_label` is ``up``, ``down`` or ``flat`` after hysteresis. State: log closes over the longest horizon and one
    variance. Warm-up: the longest horizon. O(horizons) per bar.
    """

    Params: ClassVar[type[Params]] = MomentumParams
    MEASURES: ClassVar[tuple[str, ...]] = ("vote", "drift", "volatility_frac")
    STATE: ClassVar[tuple[str, ...]] = (
        "_bars", "_y", "_shift", "_variance", "_up", "_down", "_native", "_bars_in_state",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: MomentumParams = params
        self._p = p
        longest = max(p.horizons_bars)
        self.warmup_bars = longest + 1
        self.settling_bars = longest + ceil(
            log(0.01) / log(p.decay)
        )  # the variance forgets to one part in 100
        self._roots = tuple((n, sqrt(n)) for n in p.horizons_bars)
        self._width = sqrt(p.drift_sd**2 + sum(1.0 / n for n in p.horizons_bars) / len(p.horizons_bars) ** 2)
        # votes of nested horizons share their bars: corr = sqrt(shorter / longer)
        horizons = p.horizons_bars
        self._vote_sd = sqrt(sum(sqrt(min(a, b) / max(a, b)) for a in horizons for b in horizons)) / len(
            horizons
        )
        self._bars = 0
        self._y: deque[float] = deque(maxlen=longest + 1)  # log closes, newest last
        self._shift = 0.0  # taken off log closes: what gaps moved beyond one bar's return
        self._variance = 0.0
        self._up, self._down = SchmittTrigger(), SchmittTrigger()
        self._native = "flat"
        self._bars_in_state = 0

    @property
    def own_states(self) -> tuple[str, ...]:
        """See `Detector`."""
        return "up", "down", "flat"

    def _update(self, obs: Observation) -> Assessment:
        p, y = self._p, self._y
        self._bars += 1
        now, r = log(obs.close) - self._shift, obs.log_return
        if obs.missing_bars and y and r == r:
            # the path goes on as if the gap had been one bar
            self._shift += now - (y[-1] + r)
            now = y[-1] + r
        y.append(now)
        known = self._variance
        if r == r:  # the first bar has no return
            weight = max(1.0 - p.decay, 1.0 / (self._bars - 1)) if self._bars > 1 else 1.0
            self._variance += weight * (r * r - self._variance)
        if self._bars < self.warmup_bars or not known > 0.0:
            return silent(WARMING_UP if self._bars < self.warmup_bars else STANDING_STILL)
        sigma = sqrt(known)
        vote = drift = 0.0
        for n, root in self._roots:
            z = min(max((now - y[-1 - n]) / (sigma * root), -p.cap), p.cap)
            vote += z
            drift += z / root
        count = len(self._roots)
        vote, drift = vote / count, drift / count
        up = self._up.update(vote, low=p.leave_vote, high=p.enter_vote)
        down = self._down.update(-vote, low=p.leave_vote, high=p.enter_vote)
        native = "up" if up else "down" if down else "flat"
        self._bars_in_state = self._bars_in_state + 1 if native == self._native else 1
        self._native = native
        probabilities = soft_labels(drift, None, drift_sd=self._width)
        return Assessment(
            label=REGIMES[top(probabilities)],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * obs.quality,
            native_label=native,
            bars_in_state=self._bars_in_state,
            own_probabilities=beyond(vote, p.enter_vote, self._vote_sd),
            features=(vote, drift, sigma),
            data_quality=obs.quality,
        )
