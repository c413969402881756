"""What detectors of volatility share: a bar's volatility held to the expanding quantiles of its own past.

Enter "high" above the q_hi quantile, leave below a lower one (likewise "low"); quantiles are of past values
only. The soft view measures how far log volatility lies from its expanding median.
"""

from __future__ import annotations

from math import exp, log
from typing import Any, ClassVar

from pydantic import model_validator

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import STANDING_STILL, WARMING_UP, Assessment, PriceDetector, silent
from actors.domain.regime.hysteresis import SchmittTrigger
from actors.domain.regime.quantiles import ExpandingQuantiles
from actors.domain.regime.vocabulary import distinctness, share_above, soft_labels, top
from actors.domain.registry import Params


class LevelParams(Params):
    """Where low and high begin."""

    high_quantile: float = Param(0.8, gt=0.5, lt=1.0, low=0.65, high=0.95)
    low_quantile: float = Param(0.2, gt=0.0, lt=0.5, low=0.05, high=0.35)
    band_quantile: float = Param(0.1, ge=0.0, lt=0.3, low=0.0, high=0.15, about="hysteresis: where to leave")
    refresh_bars: int = Param(12, ge=1, low=1, high=48, about="bars between two readings of the quantiles")
    min_history_bars: int = Param(200, ge=20, low=100, high=1000, about="bars before the first view")
    volatility_sd: float = Param(
        0.35, gt=0.0, low=0.15, high=0.8, about="width of a prototype, log volatility"
    )

    @model_validator(mode="after")
    def _ordered(self) -> LevelParams:
        if self.low_quantile + self.band_quantile >= self.high_quantile - self.band_quantile:
            raise ValueError("low_quantile + band_quantile must stay below high_quantile - band_quantile")
        return self


class Levels(PriceDetector):
    """Base of detectors that say how turbulent the market is and leave direction open.

    A subclass gives each bar's volatility to `_judge` and, as `_error`, the standard error of its logarithm.
    """

    MEASURES: ClassVar[tuple[str, ...]] = ("volatility_frac", "low_frac", "median_frac", "high_frac")
    learns: ClassVar[bool] = True  # quantiles of its whole past
    STATE: ClassVar[tuple[str, ...]] = (
        "_seen", "_history", "_levels", "_high", "_low", "_native", "_bars_in_state",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: LevelParams = params
        self.warmup_bars = p.min_history_bars
        self._quantiles = (
            p.low_quantile, p.low_quantile + p.band_quantile, 0.5,
            p.high_quantile - p.band_quantile, p.high_quantile,
        )  # fmt: skip
        self._refresh, self._least, self._sd = p.refresh_bars, p.min_history_bars, p.volatility_sd
        self._error = 0.1
        self._seen = 0
        self._history = ExpandingQuantiles()
        self._levels: tuple[float, ...] = ()
        self._high, self._low = SchmittTrigger(), SchmittTrigger()
        self._native = "normal"
        self._bars_in_state = 0

    @property
    def own_states(self) -> tuple[str, ...]:
        """See `Detector`."""
        return "low", "normal", "high"

    def _judge(self, sigma: float, quality: float) -> Assessment:
        """Hold a bar's volatility to its own past."""
        if sigma > 0.0:
            self._history.add(sigma)
        if self._history.count < self._least or not sigma > 0.0:
            return silent(STANDING_STILL if self._seen > self.warmup_bars else WARMING_UP)
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
        above, below = share_above(x, q_high, self._error), share_above(-x, -q_low, self._error)
        return Assessment(
            label=REGIMES[best],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * quality,
            native_label=native,
            bars_in_state=self._bars_in_state,
            own_probabilities=(below, max(0.0, 1.0 - above - below), above),
            features=(sigma, exp(q_low), exp(median), exp(q_high)),
            data_quality=quality,
        )
