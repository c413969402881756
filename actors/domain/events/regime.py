"""Regime facts: what each detector sees, and the fleet's agreed regime after hysteresis."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from actors.domain.events.base import PRIORITY_SIGNAL, Event

REGIMES: tuple[str, ...] = ("bull", "bear", "sideways", "crash", "high_volatility", "low_volatility")
"""The common vocabulary; every detector maps its own states onto it."""


HIGH, MEDIUM, LOW = "HIGH", "MEDIUM", "LOW"
"""Levels of confidence, for decisions that want a word."""


class RegimeConfidence(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far the fleet's regime may be believed at one bar, and why.

    Attributes
    ----------
    score : float
        Probability that the label in force is right, in [0, 1]; calibrated where `calibrated` says so.
    raw : float
        Weighted mean of the factors times `volatility_modifier`, before calibration.
    level : str
        `HIGH`, `MEDIUM` or `LOW`.
    agreement, history, data_quality, boundary : float or None
        Factors in [0, 1]; None where there is no data for one: it is left out and the rest re-normalised.
    volatility_modifier : float
        In (0, 1]: unusual volatility takes confidence away.
    calibrated : bool
        Whether enough outcomes are known for the isotonic map.
    conformal : tuple of str or None
        The smallest set of regimes that holds the right one at the stated coverage; empty at `HIGH`, which needs none,
        and never below it; None while too few outcomes are known for one.
    leave_probability : float or None
        Probability that the regime is left within `leave_horizon_bars`.
    reason : str
        What took confidence away, in words; empty where nothing did.
    """

    score: float
    raw: float
    level: str
    agreement: float | None = None
    history: float | None = None
    data_quality: float | None = None
    boundary: float | None = None
    volatility_modifier: float = 1.0
    calibrated: bool = False
    conformal: tuple[str, ...] | None = None
    leave_probability: float | None = None
    leave_horizon_bars: int = 0
    reason: str = ""


class RegimeAssessed(Event, frozen=True, kw_only=True, gc=False):
    """One detector's view: probabilities over `REGIMES` (sum to 1), its most likely label, confidence in [0, 1].

    An ensemble also says how its confidence comes about (`detail`), the market `context` it sees, and the `weights`
    of its members in that context (they sum to 1, in the order of its members).

    A detector on longer bars than the run's says their length (`timeframe`); its view is that of its last closed bar,
    and `bars_in_state` counts its own bars.
    """

    stage: ClassVar[str] = "regime"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    detector: str
    label: str
    probabilities: tuple[float, ...]
    confidence: float
    native_label: str = ""
    bars_in_state: int = 0
    detail: RegimeConfidence | None = None
    context: str = ""
    weights: tuple[float, ...] = ()
    timeframe: str = ""


class RegimeChanged(Event, frozen=True, kw_only=True, gc=False):
    """The ensemble's regime switched, after hysteresis."""

    stage: ClassVar[str] = "regime"
    priority: ClassVar[int] = PRIORITY_SIGNAL
    label: str
    previous: str
    probabilities: tuple[float, ...]
    confidence: float
