"""Marks for agents and the weights that follow from them."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import PRIORITY_REPORT, Event


class AgentScored(Event, frozen=True, kw_only=True, gc=False):
    """One agent's record over its outcomes so far: hit rate, mean outcome in bps and how many."""

    stage: ClassVar[str] = "evaluation"
    priority: ClassVar[int] = PRIORITY_REPORT
    agent: str
    score: float
    hit_rate_frac: float
    observations: int


class WeightsRevised(Event, frozen=True, kw_only=True, gc=False):
    """From `effective_step` on, members weigh this much (non-negative, sum 1). Rests on outcomes only."""

    stage: ClassVar[str] = "evaluation"
    priority: ClassVar[int] = PRIORITY_REPORT
    effective_step: int
    members: tuple[str, ...]
    weights: tuple[float, ...]
    regime: str = ""
