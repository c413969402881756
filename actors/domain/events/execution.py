"""Orders on their way to the venue and back."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from actors.domain.events.base import PRIORITY_CONTROL, PRIORITY_FILL, Event


class ExecutionPlanned(Event, frozen=True, kw_only=True, gc=False):
    """The execution coordinator gave (a part of) an approved intent to one algorithm agent.

    `quantity` is signed base. `agent` is the name of the execution agent that must work it.
    """

    stage: ClassVar[str] = "execution"
    priority: ClassVar[int] = PRIORITY_FILL
    intent_id: str
    agent: str
    quantity: Decimal
    reference_price: Decimal
    urgency: float
    slices: int = 1
    limit_offset_bps: float = 0.0


class ExecutionStopped(Event, frozen=True, kw_only=True, gc=False):
    """The execution coordinator withdraws what is left of an intent (superseded, or the breaker tripped)."""

    stage: ClassVar[str] = "execution"
    priority: ClassVar[int] = PRIORITY_CONTROL
    intent_id: str
    agent: str
    reason: str


class SubmitOrder(Event, frozen=True, kw_only=True, gc=False):
    """Command to the venue. `side` is +1 buy, -1 sell; `quantity` is unsigned base on the lot."""

    stage: ClassVar[str] = "execution"
    priority: ClassVar[int] = PRIORITY_FILL
    client_order_id: str
    intent_id: str
    side: int
    order_type: str  # "market" | "limit"
    quantity: Decimal
    time_in_force: str = "GTC"
    limit_price: Decimal | None = None
    arrival_price: Decimal | None = None
    expire_step: int | None = None


class CancelOrder(Event, frozen=True, kw_only=True, gc=False):
    """Command to the venue; canceling a finished order is answered, not an error."""

    stage: ClassVar[str] = "execution"
    priority: ClassVar[int] = PRIORITY_CONTROL
    client_order_id: str
    reason: str


class OrderAccepted(Event, frozen=True, kw_only=True, gc=False):
    """The venue holds the order."""

    stage: ClassVar[str] = "venue"
    priority: ClassVar[int] = PRIORITY_FILL
    client_order_id: str
    intent_id: str
    venue_order_id: str
    side: int
    order_type: str
    quantity: Decimal
    limit_price: Decimal | None = None


class OrderRejected(Event, frozen=True, kw_only=True, gc=False):
    """The venue's "no"."""

    stage: ClassVar[str] = "venue"
    priority: ClassVar[int] = PRIORITY_FILL
    client_order_id: str
    intent_id: str
    code: str
    message: str


class OrderFilled(Event, frozen=True, kw_only=True, gc=False):
    """One execution: price in quote, quantity in base (unsigned), fee with its currency."""

    stage: ClassVar[str] = "venue"
    priority: ClassVar[int] = PRIORITY_FILL
    client_order_id: str
    intent_id: str
    fill_id: str
    ts_fill_ns: int
    side: int
    quantity: Decimal
    price: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: str  # "maker" | "taker"
    leaves_quantity: Decimal
    slippage_quote: Decimal = Decimal(0)


class OrderCanceled(Event, frozen=True, kw_only=True, gc=False):
    """The order left the book by a cancel; `filled_quantity` had been done before."""

    stage: ClassVar[str] = "venue"
    priority: ClassVar[int] = PRIORITY_FILL
    client_order_id: str
    intent_id: str
    filled_quantity: Decimal
    reason: str


class OrderExpired(Event, frozen=True, kw_only=True, gc=False):
    """The order left the book by its time in force."""

    stage: ClassVar[str] = "venue"
    priority: ClassVar[int] = PRIORITY_FILL
    client_order_id: str
    intent_id: str
    filled_quantity: Decimal
