"""Learning facts: predictions, drift, training and promotion of models."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import PRIORITY_SIGNAL, Event


class PredictionMade(Event, frozen=True, kw_only=True, gc=False):
    """P(the return over the next `horizon_bars` is positive) by one model version."""

    stage: ClassVar[str] = "learning"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    model: str
    probability_up: float
    horizon_bars: int
    model_version: int


class DriftDetected(Event, frozen=True, kw_only=True, gc=False):
    """A drift detector fired on a model's own errors."""

    stage: ClassVar[str] = "learning"
    model: str
    detector: str
    statistic: float


class ModelTrained(Event, frozen=True, kw_only=True, gc=False):
    """A fit asked at `requested_step` on data up to then takes effect at this step."""

    stage: ClassVar[str] = "learning"
    model: str
    model_version: int
    requested_step: int
    observations: int
    score: float
