"""Parameters of the confidence of an ensemble."""

from __future__ import annotations

from pydantic import Field, model_validator

from actors.domain.params import Param
from actors.domain.registry import Params


class ConfidenceParams(Params):
    """Weights of the factors, when outcomes count, what the levels are, and what the forecast looks at.

    The defaults were chosen on synthetic markets of the seeds in `actors.domain.evaluation.confidence_study.TUNING`.
    Outcomes, and all that is learnt from them, are taken from every `learn_every_bars`-th bar: neighbours tell the same
    story, and it keeps the cost per bar small.
    """

    agreement_weight: float = Param(0.3, ge=0.0, le=1.0, low=0.0, high=0.6)
    history_weight: float = Param(0.2, ge=0.0, le=1.0, low=0.0, high=0.6)
    quality_weight: float = Param(0.2, ge=0.0, le=1.0, low=0.0, high=0.6)
    boundary_weight: float = Param(0.3, ge=0.0, le=1.0, low=0.0, high=0.6)
    volatility_exponent: float = Param(
        0.1, ge=0.0, le=2.0, low=0.0, high=0.5,
        about="the modifier is the ratio of present to usual volatility, above 1, to this power, inverted",
    )  # fmt: skip
    least_modifier: float = Field(default=0.7, gt=0.0, le=1.0)
    learn_every_bars: int = Field(default=6, ge=1, description="bars from one outcome to the next")
    known_after_bars: int = Param(
        48,
        ge=1,
        low=24,
        high=144,
        about="least lag of labels that become known; they do in batches, so up to twice as late",
    )
    min_outcomes: int = Field(default=75, ge=10, description="outcomes before scores count as calibrated")
    refit_every: int = Field(default=50, ge=1, description="outcomes from one isotonic fit to the next")
    prior_weight: float = Field(default=200.0, gt=0.0, description="outcomes that the prior map is worth")
    half_life: float = Field(default=1500.0, ge=50.0, description="outcomes after which one counts half")
    history_half_life: float = Field(default=350.0, ge=10.0, description="of the hit rates, in outcomes")
    high_at: float = Param(0.75, gt=0.0, lt=1.0, low=0.6, high=0.9, about="what HIGH states")
    medium_at: float = Param(0.5, gt=0.0, lt=1.0, low=0.3, high=0.6)
    miss_frac: float = Field(default=0.1, gt=0.0, lt=1.0, description="of conformal sets")
    adaptation: float = Field(
        default=0.005, ge=0.0, lt=0.5, description="of conformal sets to drift; 0: none"
    )
    conformal_window: int = Field(default=1000, ge=20, description="outcomes")
    leave_horizon_bars: int = Param(24, ge=1, low=6, high=72, about="of the forecast that the regime ends")
    stale_after_bars: int = Field(
        default=5, ge=1, description="silent bars after which a feed is worth nothing"
    )

    @model_validator(mode="after")
    def _consistent(self) -> ConfidenceParams:
        weights = (self.agreement_weight, self.history_weight, self.quality_weight, self.boundary_weight)
        if sum(weights) <= 0.0:
            raise ValueError("expected a weight above 0 for at least one factor, found none")
        if self.medium_at >= self.high_at:
            raise ValueError(f"medium_at: expected below high_at ({self.high_at}), found {self.medium_at}")
        if self.leave_horizon_bars % self.learn_every_bars or self.known_after_bars % self.learn_every_bars:
            raise ValueError(
                "leave_horizon_bars and known_after_bars: expected multiples of learn_every_bars "
                f"({self.learn_every_bars}), found {self.leave_horizon_bars} and {self.known_after_bars}"
            )
        return self
