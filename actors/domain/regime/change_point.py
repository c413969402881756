"""Change points: how long the present stretch has lasted, and how it moves since it began.

Bayesian online change-point detection (Adams and MacKay 2007) over returns in units of slow volatility; a stretch has
one mean and one variance. The view is that of the bars since the most likely beginning: a young stretch claims little.
"""

from __future__ import annotations

from collections import deque
from math import ceil, log, pi, sqrt
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
from actors.domain.regime.hysteresis import SchmittTrigger
from actors.domain.regime.vocabulary import distinctness, soft_labels, top
from actors.domain.registry import Params, component

_NORMAL = sqrt(0.5 * pi)  # deviation over mean absolute value of normal deviates
_CAP = 8.0  # units of volatility: one wild bar is no new stretch of them


class ChangePointParams(Params):
    """Parameters of `ChangePoint`."""

    mean_dwell_bars: float = Param(
        200.0, gt=1.0, low=50.0, high=1000.0, log=True, about="prior of a stretch's length"
    )
    max_run_bars: int = Param(
        400, ge=20, le=5000, low=100, high=1000, step=100, about="longest stretch told apart"
    )
    recent_bars: int = Param(10, ge=1, low=3, high=30, about="a change within this many bars is recent")
    mean_weight_bars: float = Param(
        20.0, gt=0.0, low=2.0, high=100.0, log=True, about="weight of the prior of no drift"
    )
    variance_weight_bars: float = Param(
        6.0, gt=2.0, low=3.0, high=20.0, about="weight of the prior of usual volatility"
    )
    decay: float = Param(
        0.998,
        gt=0.5,
        lt=1.0,
        low=0.99,
        high=0.9995,
        about="EWMA of the volatility that returns are measured in, per bar",
    )
    min_history_bars: int = Param(100, ge=20, low=50, high=300, about="bars before the first view")
    drift_sd: float = Param(
        0.08, gt=0.0, low=0.03, high=0.2, about="width of a prototype; sampling error is added"
    )
    volatility_sd: float = Param(0.35, gt=0.0, low=0.2, high=0.8)

    @model_validator(mode="after")
    def _sound(self) -> ChangePointParams:
        if self.recent_bars >= self.max_run_bars:
            raise ValueError("recent_bars must stay below max_run_bars")
        return self


@component
class ChangePoint(PriceDetector):
    """Reads drift and volatility since the last change of either.

    `native_label` is ``changed`` while a change is likely to be recent, else ``settled``, with hysteresis. State: the
    weights of all lengths of the stretch and running sums over the longest. Warm-up: `min_history_bars`.
    O(max_run_bars) per bar.
    """

    Params: ClassVar[type[Params]] = ChangePointParams
    MEASURES: ClassVar[tuple[str, ...]] = (
        "drift", "log_volatility", "mean_run_bars", "likely_run_bars", "surprise",
    )  # fmt: skip
    STATE: ClassVar[tuple[str, ...]] = (
        "_bars", "_usual", "_online", "_scaled", "_changed", "_native", "_bars_in_state",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: ChangePointParams = params
        self._p = p
        self.warmup_bars = p.min_history_bars + 1
        self.settling_bars = p.max_run_bars + ceil(log(0.01) / log(p.decay))
        alpha = 0.5 * p.variance_weight_bars
        self._online = kernels.bocpd_stream(
            1.0 / p.mean_dwell_bars, mean=0.0, kappa=p.mean_weight_bars, alpha=alpha, beta=alpha,
            max_run=p.max_run_bars, recent_bars=p.recent_bars,
        )  # fmt: skip
        self._bars = 0  # bars with a return
        self._usual = 0.0
        self._scaled: deque[float] = deque(
            maxlen=p.max_run_bars
        )  # returns in units of volatility, newest last
        self._changed = SchmittTrigger()
        self._native = "settled"
        self._bars_in_state = 0

    @property
    def own_states(self) -> tuple[str, ...]:
        """See `Detector`."""
        return "changed", "settled"

    def _update(self, obs: Observation) -> Assessment:
        p, r = self._p, obs.log_return
        if r != r:  # the first bar has no return
            return silent(WARMING_UP)
        known = self._usual
        self._bars += 1
        # of absolute returns: a few wild stretches move it less than they would a variance
        self._usual += max(1.0 - p.decay, 1.0 / self._bars) * (_NORMAL * abs(r) - self._usual)
        if not known > 0.0:
            return silent(STANDING_STILL if self._bars > p.min_history_bars else WARMING_UP)
        z = min(max(r / known, -_CAP), _CAP)
        self._scaled.append(z)
        recent, mean_run, likely, surprise = self._online.update(z)
        if self._bars < p.min_history_bars:
            return silent(WARMING_UP)
        drift, level, error = self._stretch(int(likely))
        changed = self._changed.update(recent, low=0.25, high=0.5)
        native = "changed" if changed else "settled"
        self._bars_in_state = self._bars_in_state + 1 if native == self._native else 1
        self._native = native
        probabilities = soft_labels(
            drift,
            level,
            drift_sd=sqrt(p.drift_sd**2 + error),
            volatility_sd=sqrt(p.volatility_sd**2 + 0.5 * error),
        )
        return Assessment(
            label=REGIMES[top(probabilities)],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * obs.quality,
            native_label=native,
            bars_in_state=self._bars_in_state,
            own_probabilities=(recent, max(0.0, 1.0 - recent)),
            features=(drift, level, mean_run, likely, surprise),
            data_quality=obs.quality,
        )

    def _stretch(self, length: int) -> tuple[float, float, float]:
        """Return drift, log volatility and squared standard error of the last `length` bars, with the prior."""
        p, scaled = self._p, self._scaled
        length = min(length, len(scaled))
        total = square = 0.0
        for i in range(len(scaled) - length, len(scaled)):
            total += scaled[i]
            square += scaled[i] * scaled[i]
        mean = total / (length + p.mean_weight_bars)
        weight = p.variance_weight_bars
        variance = (square - 2.0 * mean * total + length * mean * mean + weight) / (length + weight)
        deviation = sqrt(max(variance, 1e-6))
        return mean / deviation, log(deviation), 1.0 / (length + weight)
