"""Feature facts: one vector per pair and bar, and which columns are in use."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import Event


class FeaturesComputed(Event, frozen=True, kw_only=True, gc=False):
    """All columns of the pipeline in the order of its `names`; NaN until a column is warm."""

    stage: ClassVar[str] = "features"
    values: tuple[float, ...]
    close: float
    log_return: float
    bar_index: int
    ready: bool


class FeatureSetRevised(Event, frozen=True, kw_only=True, gc=False):
    """From `effective_step` on, models use these columns."""

    stage: ClassVar[str] = "features"
    effective_step: int
    selected: tuple[str, ...]
    scores: tuple[float, ...]
