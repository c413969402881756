"""Opinions: each strategy's signal and what the strategy coordinator makes of them."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import PRIORITY_SIGNAL, Event


class SignalEmitted(Event, frozen=True, kw_only=True, gc=False):
    """A strategy's opinion: direction in [-1, 1], confidence in [0, 1], horizon in bars."""

    stage: ClassVar[str] = "strategies"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    strategy: str
    direction: float
    confidence: float
    horizon_bars: int = 1


class ParametersSwitched(Event, frozen=True, kw_only=True, gc=False):
    """An adaptive strategy's parameter set changed with the regime.

    `previous` and `chosen` name sets: the regimes that share one, or ``global``; `parameters` are those now in force,
    as JSON; `confidence` is the regime's, `reason` says why now.
    """

    stage: ClassVar[str] = "strategies"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    strategy: str
    previous: str
    chosen: str
    regime: str
    confidence: float
    parameters: str
    reason: str


class SignalsAggregated(Event, frozen=True, kw_only=True, gc=False):
    """How the coordinator weighed its members; `weights` and `directions` follow `members`.

    `regime_confidence` and `regime_level` are what it was told of the regime; 0 and empty where nothing was.
    """

    stage: ClassVar[str] = "coordination"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    members: tuple[str, ...]
    weights: tuple[float, ...]
    directions: tuple[float, ...]
    direction: float
    agreement: float
    conflict: bool
    regime: str
    regime_confidence: float = 0.0
    regime_level: str = ""


class TargetExposureSet(Event, frozen=True, kw_only=True, gc=False):
    """Wanted signed fraction of equity in one pair, before risk."""

    stage: ClassVar[str] = "coordination"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    target_frac: float
    confidence: float
    regime: str
