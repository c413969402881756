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
    reduce_only: bool = False


class ExecutionStopped(Event, frozen=True, kw_only=True, gc=False):
    """The execution coordinator withdraws what is left of an intent (superseded, or the breaker tripped)."""

    stage: ClassVar[str] = "execution"
    priority: ClassVar[int] = PRIORITY_CONTROL
    intent_id: str
    agent: str
    reason: str


class SubmitOrder(Event, frozen=True, kw_only=True, gc=False):
    """Command to the venue. `side` is +1 buy, -1 sell; `quantity` is unsigned base on the lot.

    Attributes
    ----------
    order_type : str
        ``market``, ``limit``, ``stop``, ``stop_limit``, ``take_profit``, ``take_profit_limit``,
        ``trailing_stop``; the rules are in `actors.domain.simulation`.
    time_in_force : str
        ``GTC``, ``IOC``, ``FOK``, ``GTD`` (until `expire_step`).
    stop_price : Decimal, quote
        Trigger of the stops and take-profits.
    trailing_offset : Decimal
        Distance of a trailing stop: quote if `trailing_kind` is ``absolute``, a fraction if ``percent``. Its
        `stop_price`, if there is one, is the worst level it has.
    parent_offset : Decimal
        Instead of the price of a child: signed distance of its trigger or limit from the average price of its
        parent's fills, in quote if `parent_offset_kind` is ``absolute``, a fraction of it if ``percent``.
    post_only, reduce_only : bool
        Never take; never open or turn a position (such an order holds no balance: it is cut to the position
        when it fills).
    order_list_id : str
        Orders of one list cancel each other: the first that fills, also in part, ends the rest.
    parent_id : str
        Client order id of the order whose fill brings this one to life, in the size of that fill.
    """

    stage: ClassVar[str] = "execution"
    priority: ClassVar[int] = PRIORITY_FILL
    client_order_id: str
    intent_id: str
    side: int
    order_type: str
    quantity: Decimal
    time_in_force: str = "GTC"
    limit_price: Decimal | None = None
    arrival_price: Decimal | None = None
    expire_step: int | None = None
    stop_price: Decimal | None = None
    trailing_offset: Decimal | None = None
    trailing_kind: str | None = None
    post_only: bool | None = None
    reduce_only: bool | None = None
    order_list_id: str | None = None
    parent_id: str | None = None
    parent_offset: Decimal | None = None
    parent_offset_kind: str | None = None


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
    """One execution: price in quote, quantity in base (unsigned), fee with its currency.

    `slippage_quote` is against the price at the decision; `spread_quote` and `impact_quote` are the parts of it
    that the execution itself cost, the rest is what the market did meanwhile. They say nothing that price and
    quantity do not follow from, so they stand in no decision record.
    """

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
    spread_quote: Decimal = Decimal(0)
    impact_quote: Decimal = Decimal(0)


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


class VenueStatusChanged(Event, frozen=True, kw_only=True, gc=False):
    """The connection to the venue noticed that orders get through no longer, or again.

    Attributes
    ----------
    state : str
        ``open``, ``refusing`` or ``down``.
    reason : str
    unanswered_orders : int
        Submissions of which nobody knows the outcome at this moment.
    """

    stage: ClassVar[str] = "venue"
    priority: ClassVar[int] = PRIORITY_CONTROL
    state: str
    reason: str = ""
    unanswered_orders: int = 0
