"""Volatility regimes: EWMA volatility (RiskMetrics 1996) or a range estimator against its expanding quantiles.

With hysteresis: see `actors.domain.regime.levels`.
"""

from __future__ import annotations

from math import log, sqrt
from typing import Any, ClassVar, Literal

from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.levels import LevelParams, Levels
from actors.domain.regime.ranges import EFFICIENCY, RangeVolatility
from actors.domain.registry import Params, component

_PARKINSON = 1.0 / (4.0 * log(2.0))


class VolatilityParams(LevelParams):
    """Parameters of `Volatility`."""

    estimator: Literal["ewma", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"] = Param(
        "ewma",
        choices=("ewma", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"),
        about="ewma mixes squared returns and ranges; the others are means over the last bars",
    )
    decay: float = Param(
        0.94, gt=0.5, lt=1.0, about="of ewma: weight of the past, per bar", low=0.85, high=0.99
    )
    range_weight: float = Param(
        0.8, ge=0.0, le=1.0, low=0.0, high=1.0,
        about="of ewma: share of Parkinson's range variance; the rest is return²",
    )  # fmt: skip
    estimator_bars: int = Param(24, ge=2, low=8, high=96, about="of the other estimators: bars that count")


@component
class Volatility(Levels):
    """Says how turbulent the market is; leaves direction open.

    `native_label` is ``low``, ``normal`` or ``high`` after hysteresis. State: the smoothed variance, or the terms of
    the last bars, and a histogram of its past. Warm-up: `min_history_bars` bars, with a range estimator its bars more.
    O(log bins) per bar, with a range estimator O(`estimator_bars`).
    """

    Params: ClassVar[type[Params]] = VolatilityParams
    STATE: ClassVar[tuple[str, ...]] = ("_variance", "_ranges")

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: VolatilityParams = params
        self._decay, self._share = p.decay, p.range_weight
        self._ranges: RangeVolatility | None = None
        # of a log deviation from n independent normal deviates: sqrt(1 / 2n)
        self._error = sqrt(0.5 * (1.0 - p.decay) / (1.0 + p.decay))
        if p.estimator != "ewma":
            self._ranges = RangeVolatility(p.estimator, p.estimator_bars)
            self.warmup_bars += p.estimator_bars
            self._error = sqrt(0.5 / (p.estimator_bars * EFFICIENCY[p.estimator]))
        self._variance = -1.0  # no bar yet

    def _update(self, obs: Observation) -> Assessment:
        r = obs.log_return
        if r == r:  # the first bar has no return
            self._seen += 1
            if self._ranges is not None:
                self._variance = self._ranges.update(obs)
            else:
                spread = log(obs.high / obs.low)
                now = (1.0 - self._share) * r * r + self._share * _PARKINSON * spread * spread
                self._variance = (
                    now if self._variance < 0.0 else self._decay * self._variance + (1.0 - self._decay) * now
                )
        return self._judge(sqrt(self._variance) if self._variance > 0.0 else 0.0, obs.quality)
