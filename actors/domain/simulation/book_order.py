"""An order as the simulated venue keeps it: plain fields that encode themselves for snapshots."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from actors.domain.events.execution import SubmitOrder
from actors.domain.model.money import ZERO

IN_FLIGHT, WORKING, FILLED, CANCELED, EXPIRED, REJECTED = (
    "in_flight", "working", "filled", "canceled", "expired", "rejected",
)  # fmt: skip


class BookOrder(msgspec.Struct, array_like=True, gc=False):
    """One order at the venue; `fresh` until it has met a bar; `hold` is what it blocks of the balance."""

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

    @property
    def leaves(self) -> Decimal:
        """Quantity not yet executed."""
        return self.quantity - self.filled

    def same_terms(self, order: SubmitOrder) -> bool:
        """Tell whether a submission repeats this order."""
        return (
            self.pair == order.instrument_id
            and self.side == order.side
            and self.order_type == order.order_type
            and self.quantity == order.quantity
            and self.limit_price == order.limit_price
            and self.time_in_force == order.time_in_force
            and self.expire_step == order.expire_step
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
    )
