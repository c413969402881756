"""Volatility regimes: EWMA volatility (RiskMetrics 1996) against its expanding quantiles, with hysteresis.

Enter "high" above the q_hi quantile, leave below a lower one (likewise "low"); quantiles are of past values
only. The soft view measures how far log volatility lies from its expanding median.
"""

from __future__ import annotations

from math import log, sqrt
from typing import Any, ClassVar

from pydantic import Field, model_validator

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import UNIFORM, Assessment, Detector, Observation
from actors.domain.regime.hysteresis import SchmittTrigger
from actors.domain.regime.quantiles import ExpandingQuantiles
from actors.domain.regime.vocabulary import UNDECIDED, distinctness, soft_labels, top
from actors.domain.registry import Params, component

_PARKINSON = 1.0 / (4.0 * log(2.0))


class VolatilityParams(Params):
    """Parameters of `Volatility`."""

    decay: float = Param(
        default=0.94, gt=0.5, lt=1.0, about="EWMA weight of the past, per bar", low=0.85, high=0.99
    )
    range_weight: float = Param(
        default=0.8,
        ge=0.0,
        le=1.0,
        about="share of Parkinson's range variance; the rest is return²",
        low=0.0,
        high=1.0,
    )
    high_quantile: float = Param(default=0.8, gt=0.5, lt=1.0, low=0.65, high=0.95)
    low_quantile: float = Param(default=0.2, gt=0.0, lt=0.5, low=0.05, high=0.35)
    band_quantile: float = Field(default=0.1, ge=0.0, lt=0.3, description="hysteresis: where to leave")
    refresh_bars: int = Field(default=12, ge=1, description="bars between two readings of the quantiles")
    min_history_bars: int = Field(default=200, ge=20)
    volatility_sd: float = Field(default=0.35, gt=0.0, description="width of a prototype, log volatility")

    @model_validator(mode="after")
    def _ordered(self) -> VolatilityParams:
        if self.low_quantile + self.band_quantile >= self.high_quantile - self.band_quantile:
            raise ValueError("low_quantile + band_quantile must stay below high_quantile - band_quantile")
        return self


@component
class Volatility(Detector):
    """Says how turbulent the market is; leaves direction open.

    `native_label` is ``low``, ``normal`` or ``high`` after hysteresis. State: the smoothed variance and a
    histogram of its past. Warm-up: `min_history_bars` bars. O(log bins) per bar.
    """

    Params: ClassVar[type[Params]] = VolatilityParams
    learns: ClassVar[bool] = True  # quantiles of its whole past
    STATE: ClassVar[tuple[str, ...]] = (
        "_variance", "_seen", "_history", "_levels", "_high", "_low", "_native", "_bars_in_state",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: VolatilityParams = params
        self.warmup_bars = p.min_history_bars
        self._decay, self._share = p.decay, p.range_weight
        self._quantiles = (
            p.low_quantile, p.low_quantile + p.band_quantile, 0.5,
            p.high_quantile - p.band_quantile, p.high_quantile,
        )  # fmt: skip
        self._refresh, self._least, self._sd = p.refresh_bars, p.min_history_bars, p.volatility_sd
        self._variance = -1.0  # no bar yet
        self._seen = 0
        self._history = ExpandingQuantiles()
        self._levels: tuple[float, ...] = ()
        self._high, self._low = SchmittTrigger(), SchmittTrigger()
        self._native = "normal"
        self._bars_in_state = 0

    def update(self, obs: Observation) -> Assessment:
        """Take the next bar and return the view at its close."""
        r = obs.log_return
        if r == r:  # the first bar has no return
            spread = log(obs.high / obs.low)
            now = (1.0 - self._share) * r * r + self._share * _PARKINSON * spread * spread
            self._variance = (
                now if self._variance < 0.0 else self._decay * self._variance + (1.0 - self._decay) * now
            )
            self._seen += 1
        return self._judge(sqrt(self._variance) if self._variance > 0.0 else 0.0, obs.quality)

    def _judge(self, sigma: float, quality: float) -> Assessment:
        """Hold a bar's volatility to its own past."""
        if sigma > 0.0:
            self._history.add(sigma)
        if self._history.count < self._least or sigma == 0.0:
            return Assessment(UNDECIDED, UNIFORM, 0.0)
        if not self._levels or self._seen % self._refresh == 0:
            quantile = self._history.quantile
            self._levels = tuple([log(quantile(q)) for q in self._quantiles])
        q_low, leave_low, median, leave_high, q_high = self._levels
        x = log(sigma)
        high = self._high.update(x, low=leave_high, high=q_high)
        low = self._low.update(-x, low=-leave_low, high=-q_low)  # mirrored: on below q_low
        native = "high" if high else "low" if low else "normal"
        self._bars_in_state = self._bars_in_state + 1 if native == self._native else 1
        self._native = native
        probabilities = soft_labels(None, x - median, volatility_sd=self._sd)
        best = top(probabilities)
        return Assessment(
            label=REGIMES[best],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * quality,
            native_label=native,
            bars_in_state=self._bars_in_state,
        )
