"""What this system asks of a venue, real or simulated; three outcomes only: refused here, answered, unknown.

A call either returns the venue's definitive answer, raises an error whose order certainly did not reach the
venue (`ExecutionError` and its kin), or raises `UnknownOrderOutcomeError`: then `order`, `open_orders` and
`fills` are asked until the answer is known, and nothing is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol, runtime_checkable

import msgspec

from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, OrderFilled, SubmitOrder
from actors.domain.execution.order_state import OrderState
from actors.domain.model.instrument import Instrument


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a venue can do; who plans orders asks here and not the venue's name.

    `client_ids_unique_forever` is False where a venue compares ids with open orders only: there a repeated
    submission of a filled order would trade twice.
    """

    simulated: bool
    order_types: tuple[str, ...] = ("market", "limit")
    times_in_force: tuple[str, ...] = ("GTC", "IOC")
    client_ids_unique_forever: bool = False
    cancel_all_after: bool = False


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A venue's present knowledge of one order; quantities unsigned base, prices in quote."""

    client_order_id: str
    venue_order_id: str
    pair: str
    side: int
    order_type: str
    quantity: Decimal
    filled_quantity: Decimal
    state: OrderState
    limit_price: Decimal | None = None
    reason: str = ""


@runtime_checkable
class ExchangePort(Protocol):
    """One account at one venue."""

    @property
    def name(self) -> str:
        """Name for people; a simulated venue says so in it."""

    @property
    def capabilities(self) -> Capabilities:
        """What the venue can do."""

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return the pairs with tick, lot and minimum notional."""

    async def submit(self, order: SubmitOrder) -> OrderStatus:
        """Send an order once; a known `client_order_id` is answered with its present state.

        Raises
        ------
        UnknownOrderOutcomeError
            If nobody knows whether the venue has it.
        VenueUnavailableError
            If it certainly never left.
        """

    async def cancel(self, order: CancelOrder) -> OrderStatus | None:
        """Ask for a cancel; return what is known of the order then, None if the venue does not know it."""

    async def order(self, client_order_id: str) -> OrderStatus | None:
        """Return an order by our id, None if the venue does not know it; the way out of the unknown."""

    async def open_orders(self) -> Sequence[OrderStatus]:
        """Return the orders that can still trade, in order of arrival."""

    async def fills(self, after_fill_id: str | None = None) -> Sequence[OrderFilled]:
        """Return the fills after one, oldest first; all that the venue still tells without an argument."""

    async def balances(self) -> Mapping[str, Decimal]:
        """Return the whole balance of each currency, what orders hold included."""

    async def reports(self) -> Sequence[Event]:
        """Return and forget the reports since the last call, oldest first."""

    async def close(self) -> None:
        """Give back connections; later calls raise `VenueUnavailableError`."""
