"""Risk facts: measures, typed approvals and denials, breaches and the breaker."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from actors.domain.events.base import PRIORITY_CONTROL, PRIORITY_RISK, Event


class RiskMeasured(Event, frozen=True, kw_only=True, gc=False):
    """A risk agent's figure for a pair or (instrument None) the book; losses positive, fractions of equity."""

    stage: ClassVar[str] = "risk"
    priority: ClassVar[int] = PRIORITY_RISK
    measure: str
    value: float
    confidence: float = 0.0
    horizon_bars: int = 1
    observations: int = 0


class OrderIntentApproved(Event, frozen=True, kw_only=True, gc=False):
    """Proof that risk was asked: execution accepts nothing else. `quantity` is signed base; `intent_id` is unique."""

    stage: ClassVar[str] = "risk"
    priority: ClassVar[int] = PRIORITY_RISK
    intent_id: str
    quantity: Decimal
    reference_price: Decimal
    target_frac: float
    urgency: float
    reason: str = "rebalance"
    requested_quantity: Decimal | None = None
    resized_by: str = ""


class OrderIntentDenied(Event, frozen=True, kw_only=True, gc=False):
    """Risk's "no": a stable code, the limit and what was observed."""

    stage: ClassVar[str] = "risk"
    priority: ClassVar[int] = PRIORITY_RISK
    intent_id: str
    quantity: Decimal
    code: str
    rule: str
    limit: float
    observed: float


class RiskLimitBreached(Event, frozen=True, kw_only=True, gc=False):
    """A limit is broken by the market, not by an intent."""

    stage: ClassVar[str] = "risk"
    priority: ClassVar[int] = PRIORITY_RISK
    rule: str
    limit: float
    observed: float


class CircuitBreakerTripped(Event, frozen=True, kw_only=True, gc=False):
    """No new risk until `until_step`; open orders are canceled, exits stay allowed."""

    stage: ClassVar[str] = "risk"
    priority: ClassVar[int] = PRIORITY_CONTROL
    breaker: str
    limit: float
    observed: float
    until_step: int


class CircuitBreakerReset(Event, frozen=True, kw_only=True, gc=False):
    """The breaker's cool-down is over."""

    stage: ClassVar[str] = "risk"
    priority: ClassVar[int] = PRIORITY_CONTROL
    breaker: str
