"""The simulated venue behind the exchange port: a mock, no orders leave this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import Field

from actors.adapters.exchanges.port import Capabilities, OrderStatus
from actors.domain import registry
from actors.domain.errors import InvalidParamsError, VenueUnavailableError
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, OrderFilled, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.execution.order_state import OrderState
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import to_decimal
from actors.domain.registry import Params, component
from actors.domain.simulation import book_order as book
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

_STATES: Final[Mapping[str, OrderState]] = MappingProxyType(
    {
        book.IN_FLIGHT: OrderState.SUBMITTED,
        book.FILLED: OrderState.FILLED,
        book.CANCELED: OrderState.CANCELED,
        book.EXPIRED: OrderState.EXPIRED,
        book.REJECTED: OrderState.REJECTED,
    }
)


class MockParams(Params):
    """Account, costs and fills of the mock; `balances` maps currency to a decimal text."""

    pairs: tuple[str, ...] = ("BTC/USDT",)
    balances: dict[str, str] = Field(default_factory=lambda: {"USDT": "10000"})
    fees: dict[str, Any] = Field(default_factory=lambda: {"kind": "maker_taker"})
    spread: dict[str, Any] = Field(default_factory=lambda: {"kind": "fixed_bps"})
    slippage: dict[str, Any] = Field(default_factory=lambda: {"kind": "square_root"})
    latency: dict[str, Any] = Field(default_factory=lambda: {"kind": "fixed"})
    fill_at: Literal["next_open", "intrabar"] = "next_open"
    max_volume_share: float | None = Field(default=0.1, gt=0.0, le=1.0)
    through_ticks: int = Field(default=1, ge=0)
    remember_fills: int = Field(default=10_000, ge=1)


@component
class SimulatedExchange:
    """A venue that trades only against the bars it is shown (`advance`).

    Parameters
    ----------
    params : MockParams
    instruments : mapping pair → Instrument, optional
        Default: `params.pairs` with the default tick, lot and minimum notional.

    Notes
    -----
    Commands wait for the next `advance`, as they would travel to a real venue; until then an order is
    ``submitted``.

    Examples
    --------
    >>> import asyncio
    >>> asyncio.run(SimulatedExchange(MockParams()).balances())["USDT"]
    Decimal('10000')
    """

    Params = MockParams

    def __init__(self, params: MockParams, instruments: Mapping[str, Instrument] | None = None) -> None:
        def model(family: str, spec: Mapping[str, Any]) -> Any:
            if "kind" not in spec:
                raise InvalidParamsError("PARAMS_INVALID", f"{family}: expected a kind, found {dict(spec)}")
            package = f"actors.domain.simulation.{family}"
            return registry.build(package, spec["kind"], spec.get("params") or {})

        own = instruments or {pair: Instrument(pair=pair) for pair in params.pairs}
        self._venue = SimulatedVenue(
            "mock",
            own,
            {currency: to_decimal(amount) for currency, amount in params.balances.items()},
            model("fees", params.fees),
            model("slippage", params.slippage),
            model("latency", params.latency),
            VenueParams(
                fill_at=params.fill_at,
                max_volume_share=params.max_volume_share,
                through_ticks=params.through_ticks,
            ),
            model("spread", params.spread),
        )
        self._submits: list[SubmitOrder] = []
        self._cancels: list[CancelOrder] = []
        self._reports: list[Event] = []
        self._fills: deque[OrderFilled] = deque(maxlen=params.remember_fills)
        self._closed = False

    @property
    def name(self) -> str:
        """Name for people."""
        return "mock (simulated venue)"

    @property
    def capabilities(self) -> Capabilities:
        """Simulated; ids of finished orders stay known."""
        return Capabilities(simulated=True, client_ids_unique_forever=True)

    def advance(self, number: int, ts_event_ns: int, bars: Mapping[str, BarClosed]) -> Sequence[Event]:
        """Show the next bars to the venue with all commands given since; return and keep its reports."""
        self._open()
        submits, self._submits = self._submits, []
        cancels, self._cancels = self._cancels, []
        events = self._venue.advance(number, ts_event_ns, submits, cancels, bars)
        self._reports.extend(events)
        self._fills.extend(e for e in events if isinstance(e, OrderFilled))
        return events

    async def instruments(self) -> Mapping[str, Instrument]:
        """Return the pairs."""
        self._open()
        return dict(self._venue.instruments)

    async def submit(self, order: SubmitOrder) -> OrderStatus:
        """Queue an order for the next `advance`; answer a known id with its state."""
        self._open()
        # a known id goes to the venue as well: it judges whether the terms are the same
        self._submits.append(order)
        known = self._venue.order(order.client_order_id)
        return _status(book.from_submit(order, 0) if known is None else known)

    async def cancel(self, order: CancelOrder) -> OrderStatus | None:
        """Queue a cancel for the next `advance`."""
        known = await self.order(order.client_order_id)
        self._cancels.append(order)
        return known

    async def order(self, client_order_id: str) -> OrderStatus | None:
        """Return an order by our id."""
        self._open()
        known = self._venue.order(client_order_id)
        if known is None:
            queued = [o for o in self._submits if o.client_order_id == client_order_id]
            known = book.from_submit(queued[0], 0) if queued else None
        return None if known is None else _status(known)

    async def open_orders(self) -> Sequence[OrderStatus]:
        """Return the orders in the book or on their way."""
        self._open()
        return [_status(o) for o in self._venue.open_orders()]

    async def fills(self, after_fill_id: str | None = None) -> Sequence[OrderFilled]:
        """Return the fills after one."""
        self._open()
        kept = list(self._fills)
        at = [i for i, fill in enumerate(kept) if fill.fill_id == after_fill_id]
        return kept[at[0] + 1 :] if at else kept

    async def balances(self) -> Mapping[str, Decimal]:
        """Return the whole balance of each currency."""
        self._open()
        return dict(self._venue.balances)

    async def reports(self) -> Sequence[Event]:
        """Return and forget the reports since the last call."""
        self._open()
        out, self._reports = self._reports, []
        return out

    async def close(self) -> None:
        """Refuse further calls."""
        self._closed = True

    def _open(self) -> None:
        if self._closed:
            raise VenueUnavailableError("VENUE_CLOSED", "mock: expected an open venue, found it closed")


def _status(order: BookOrder) -> OrderStatus:
    state = _STATES.get(order.status)
    if state is None:
        state = OrderState.PARTIALLY_FILLED if order.filled else OrderState.ACCEPTED
    return OrderStatus(
        client_order_id=order.client_order_id,
        venue_order_id=order.venue_order_id,
        pair=order.pair,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        filled_quantity=order.filled,
        state=state,
        limit_price=order.limit_price,
        reason=order.reason,
    )
