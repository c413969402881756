"""An order as the simulated venue keeps it: plain fields that encode themselves for snapshots."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from actors.domain.events.execution import SubmitOrder
from actors.domain.execution.bracket import anchored_price
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import ZERO

IN_FLIGHT, WORKING, FILLED, CANCELED, EXPIRED, REJECTED, WAITING = (
    "in_flight", "working", "filled", "canceled", "expired", "rejected", "waiting",
)  # fmt: skip
PLAIN = ("market", "limit")
STOPS = ("stop", "stop_limit", "trailing_stop")
TAKES = ("take_profit", "take_profit_limit")
LIMITED = ("limit", "stop_limit", "take_profit_limit")


class BookOrder(msgspec.Struct, array_like=True, gc=False):
    """One order at the venue; `fresh` until it has met a bar; `hold` is what it blocks of the balance.

    `trigger` is how far the market must trade for a resting limit to be served, `level` where a stop or
    take-profit is triggered, `mark` the watermark of a trailing stop (None before its first bar), `met` the last
    moment in which it acted, `born` the moment inside which its parent was filled (at `parent_price`), `asked` the
    quantity as submitted, `cost` what its fills were worth, `due_ns` when it arrives (0: before any bar), `ahead` the
    volume before it at its limit (below 0: not known yet). A child with a `parent_offset` gets its price from its
    parent's fills. `contingent` orders need more than price-time priority: a trigger, a list, a parent, or a
    condition.
    """

    client_order_id: str
    intent_id: str
    pair: str
    side: int
    order_type: str
    quantity: Decimal
    time_in_force: str
    limit_price: Decimal | None
    arrival_price: Decimal | None
    expire_step: int | None
    due_step: int
    status: str = IN_FLIGHT
    venue_order_id: str = ""
    arrival: int = 0
    filled: Decimal = ZERO
    fills: int = 0
    hold: Decimal = ZERO
    hold_price: Decimal = ZERO
    limit: float = 0.0
    trigger: float = 0.0
    fresh: bool = True
    reason: str = ""
    message: str = ""
    stop_price: Decimal | None = None
    trailing_offset: Decimal | None = None
    trailing_kind: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    order_list_id: str | None = None
    parent_id: str | None = None
    level: float = 0.0
    mark: float | None = None
    triggered: bool = False
    met: int = -1
    born: int = -1
    parent_price: float = 0.0
    asked: Decimal = ZERO
    contingent: bool = False
    cost: Decimal = ZERO
    parent_offset: Decimal | None = None
    parent_offset_kind: str | None = None
    due_ns: int = 0
    ahead: float = -1.0

    @property
    def leaves(self) -> Decimal:
        """Quantity not yet executed."""
        return self.quantity - self.filled

    @property
    def alive(self) -> bool:
        """Whether it is in the book, working or waiting for its parent."""
        return self.status in (WORKING, WAITING)

    @property
    def acts_market(self) -> bool:
        """Whether it acts as a market order now."""
        return self.order_type == "market" or (self.triggered and self.order_type not in LIMITED)

    @property
    def acts_limit(self) -> bool:
        """Whether it acts as a limit order now."""
        return self.order_type == "limit" or (self.triggered and self.order_type in LIMITED)

    def trailing_level(self) -> float:
        """Return where a trailing stop lies below (a sell) or above its watermark."""
        mark, offset = self.mark or 0.0, float(self.trailing_offset or 0)
        level = mark + self.side * (mark * offset if self.trailing_kind == "percent" else offset)
        if self.stop_price is None:
            return level
        worst = float(self.stop_price)
        return min(level, worst) if self.side > 0 else max(level, worst)

    def anchor(self, parent: BookOrder, instrument: Instrument) -> None:
        """Give a child the price that lies `parent_offset` from its parent's average fill."""
        if self.parent_offset is None:
            return
        average, kind = parent.cost / parent.filled, self.parent_offset_kind or ""
        price = anchored_price(instrument, self.side, average, self.parent_offset, kind)
        if self.order_type in LIMITED:
            self.limit_price = price
        else:
            self.stop_price, self.level = price, float(price)

    def same_terms(self, order: SubmitOrder) -> bool:
        """Tell whether a submission repeats this order."""
        return (
            self.pair == order.instrument_id
            and self.side == order.side
            and self.order_type == order.order_type
            and self.asked == order.quantity
            and (self.limit_price == order.limit_price or self.parent_offset is not None)
            and self.time_in_force == order.time_in_force
            and self.expire_step == order.expire_step
            and (self.stop_price == order.stop_price or self.parent_offset is not None)
            and self.trailing_offset == order.trailing_offset
            and self.trailing_kind == order.trailing_kind
            and self.post_only == bool(order.post_only)
            and self.reduce_only == bool(order.reduce_only)
            and self.order_list_id == order.order_list_id
            and self.parent_id == order.parent_id
            and self.parent_offset == order.parent_offset
            and self.parent_offset_kind == order.parent_offset_kind
        )


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(BookOrder)


def from_submit(order: SubmitOrder, due_step: int) -> BookOrder:
    """Return the record of a submission."""
    return BookOrder(
        client_order_id=order.client_order_id,
        intent_id=order.intent_id,
        pair=order.instrument_id or "",
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        time_in_force=order.time_in_force,
        limit_price=order.limit_price,
        arrival_price=order.arrival_price,
        expire_step=order.expire_step,
        due_step=due_step,
        stop_price=order.stop_price,
        trailing_offset=order.trailing_offset,
        trailing_kind=order.trailing_kind,
        post_only=bool(order.post_only),
        reduce_only=bool(order.reduce_only),
        order_list_id=order.order_list_id,
        parent_id=order.parent_id,
        parent_offset=order.parent_offset,
        parent_offset_kind=order.parent_offset_kind,
        level=float(order.stop_price or 0),
        asked=order.quantity,
        contingent=bool(
            order.order_type not in PLAIN
            or order.post_only
            or order.reduce_only
            or order.time_in_force == "FOK"
            or order.order_list_id
            or order.parent_id
        ),
    )
