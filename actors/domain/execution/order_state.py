"""The life of an order as its client knows it: explicit states, legal edges only (FIX order state changes).

UNKNOWN is a state of its own: nobody knows whether the venue took the order. It is left by an answer of the
venue (reconciliation), never by sending again.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from actors.domain.errors import OrderStateError
from actors.domain.model.money import ZERO


class OrderState(StrEnum):
    """Where an order stands."""

    INITIALIZED = "initialized"
    SUBMITTED = "submitted"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    CANCEL_PENDING = "cancel_pending"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"


_S = OrderState
FINAL_STATES: Final = (_S.FILLED, _S.CANCELED, _S.REJECTED, _S.EXPIRED)
_WORKING: Final = (_S.ACCEPTED, _S.PARTIALLY_FILLED)
EDGES: Final[dict[OrderState, tuple[OrderState, ...]]] = {
    _S.INITIALIZED: (_S.SUBMITTED,),
    _S.SUBMITTED: (*_WORKING, _S.CANCEL_PENDING, _S.UNKNOWN, *FINAL_STATES),
    _S.ACCEPTED: (_S.PARTIALLY_FILLED, _S.CANCEL_PENDING, _S.UNKNOWN, _S.FILLED, _S.CANCELED, _S.EXPIRED),
    _S.PARTIALLY_FILLED: (
        _S.PARTIALLY_FILLED, _S.CANCEL_PENDING, _S.UNKNOWN, _S.FILLED, _S.CANCELED, _S.EXPIRED,
    ),
    # fills go on while a cancel travels; a refused cancel leads back to a working state
    _S.CANCEL_PENDING: (*_WORKING, _S.CANCEL_PENDING, _S.UNKNOWN, *FINAL_STATES),
    _S.UNKNOWN: (*_WORKING, _S.CANCEL_PENDING, *FINAL_STATES),
    _S.FILLED: (),
    _S.CANCELED: (),
    _S.REJECTED: (),
    _S.EXPIRED: (),
}  # fmt: skip


def check_edge(old: OrderState, new: OrderState, client_order_id: str = "") -> None:
    """Raise unless an order may go from `old` to `new`.

    Raises
    ------
    OrderStateError

    Examples
    --------
    >>> check_edge(OrderState.SUBMITTED, OrderState.ACCEPTED)
    """
    if new not in EDGES[old]:
        allowed = ", ".join(EDGES[old]) or "nothing (final)"
        raise OrderStateError(
            "ORDER_EDGE_FORBIDDEN",
            f"order {client_order_id}: expected {allowed} after {old}, found {new}",
            client_order_id=client_order_id,
        )


class OrderLife(msgspec.Struct, gc=False):
    """One order's state, quantity and fills; the only way to change them are the methods below.

    Late and repeated answers of the venue (an acceptance after a fill, the same final report twice) change
    nothing; contradictions raise `OrderStateError`.

    Examples
    --------
    >>> life = OrderLife(client_order_id="a", quantity=Decimal(2))
    >>> life.submit(); life.accept(); _ = life.fill(Decimal("0.5"), "a-1")
    >>> str(life.state), life.leaves
    ('partially_filled', Decimal('1.5'))
    """

    client_order_id: str
    quantity: Decimal
    filled: Decimal = ZERO
    state: OrderState = OrderState.INITIALIZED
    fill_ids: list[str] = []

    @property
    def leaves(self) -> Decimal:
        """Quantity that can still be filled; 0 once the order is over."""
        return ZERO if self.state in FINAL_STATES else self.quantity - self.filled

    @property
    def is_final(self) -> bool:
        """True once nothing can happen any more."""
        return self.state in FINAL_STATES

    def submit(self) -> None:
        """The command has left."""
        self._go(OrderState.SUBMITTED)

    def accept(self) -> None:
        """The venue holds the order; late acceptances are ignored."""
        if self.state is OrderState.UNKNOWN or self.state is OrderState.SUBMITTED:
            self._go(OrderState.PARTIALLY_FILLED if self.filled else OrderState.ACCEPTED)

    def fill(self, quantity: Decimal, fill_id: str) -> bool:
        """Count an execution; return False if this `fill_id` was counted before.

        Raises
        ------
        OrderStateError
            If the order is over, or more than its quantity would be filled.
        """
        if fill_id in self.fill_ids:
            return False
        total = self.filled + quantity
        if quantity <= 0 or total > self.quantity:
            raise OrderStateError(
                "ORDER_OVERFILLED",
                f"order {self.client_order_id}: expected fills > 0 up to {self.quantity}, "
                f"found {quantity} after {self.filled}",
                client_order_id=self.client_order_id,
            )
        if total == self.quantity:
            self._go(OrderState.FILLED)
        elif self.state is not OrderState.CANCEL_PENDING:
            self._go(OrderState.PARTIALLY_FILLED)
        self.filled = total
        self.fill_ids.append(fill_id)
        return True

    def request_cancel(self) -> None:
        """A cancel has left."""
        self._go(OrderState.CANCEL_PENDING)

    def lose(self) -> None:
        """Nobody knows what became of it."""
        self._go(OrderState.UNKNOWN)

    def finish(self, state: OrderState) -> bool:
        """Move to CANCELED, REJECTED or EXPIRED; return False if it is there already."""
        if self.state is state:
            return False
        if state is OrderState.REJECTED and self.filled:
            raise OrderStateError(
                "ORDER_EDGE_FORBIDDEN",
                f"order {self.client_order_id}: expected no rejection after a fill of {self.filled}",
                client_order_id=self.client_order_id,
            )
        self._go(state)
        return True

    def _go(self, state: OrderState) -> None:
        check_edge(self.state, state, self.client_order_id)
        self.state = state
