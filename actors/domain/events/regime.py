"""Regime facts: what each detector sees, and the fleet's agreed regime after hysteresis."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import PRIORITY_SIGNAL, Event

REGIMES: tuple[str, ...] = ("bull", "bear", "sideways", "crash", "high_volatility", "low_volatility")
"""The common vocabulary; every detector maps its own states onto it."""


class RegimeAssessed(Event, frozen=True, kw_only=True, gc=False):
    """One detector's view: probabilities over `REGIMES` (sum to 1), its most likely label, confidence in [0, 1]."""

    stage: ClassVar[str] = "regime"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    detector: str
    label: str
    probabilities: tuple[float, ...]
    confidence: float
    native_label: str = ""
    bars_in_state: int = 0


class RegimeChanged(Event, frozen=True, kw_only=True, gc=False):
    """The ensemble's regime switched, after hysteresis."""

    stage: ClassVar[str] = "regime"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    label: str
    previous: str
    probabilities: tuple[float, ...]
    confidence: float
