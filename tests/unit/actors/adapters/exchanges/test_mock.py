"""The simulated venue behind the exchange port."""

from __future__ import annotations

import asyncio
from decimal import Decimal as D

import pytest

from actors.adapters.exchanges.mock import SimulatedExchange
from actors.adapters.exchanges.port import ExchangePort
from actors.domain import registry
from actors.domain.errors import InvalidParamsError, VenueUnavailableError
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.execution.order_state import OrderState

PAIR = "BTC/USDT"


def make(**params: object) -> SimulatedExchange:
    venue = registry.build("actors.adapters.exchanges", "mock", {"max_volume_share": None, **params})
    assert isinstance(venue, SimulatedExchange)
    return venue


def submit(cid: str, limit: str | None = None) -> SubmitOrder:
    return SubmitOrder(
        ts_event_ns=0, source="exec", instrument_id=PAIR, client_order_id=cid, intent_id="i", side=1,
        order_type="limit" if limit else "market", quantity=D(1), limit_price=D(limit) if limit else None,
    )  # fmt: skip


def advance(venue: SimulatedExchange, k: int, low: float = 99.0) -> None:
    bar = BarClosed(
        ts_event_ns=k, source="feed", instrument_id=PAIR, open_ns=k - 1, close_ns=k, open=100.0, high=101.0,
        low=low, close=100.0, volume=10.0,
    )  # fmt: skip
    venue.advance(k, k, {PAIR: bar})


def test_it_is_a_port_and_says_that_it_is_simulated() -> None:
    venue = make()
    assert isinstance(venue, ExchangePort)
    assert "simulated" in venue.name
    assert venue.capabilities.simulated


def test_an_order_from_submission_to_fill() -> None:
    async def run() -> None:
        venue = make()
        assert (await venue.submit(submit("a"))).state is OrderState.SUBMITTED
        status = await venue.order("a")
        assert status is not None
        assert status.state is OrderState.SUBMITTED
        advance(venue, 1)
        status = await venue.order("a")
        assert status is not None
        assert (status.state, status.filled_quantity) == (OrderState.FILLED, 1)
        (fill,) = await venue.fills()
        assert await venue.fills(fill.fill_id) == []
        assert (await venue.balances())["BTC"] == 1
        assert len(await venue.reports()) == 2
        assert await venue.reports() == []

    asyncio.run(run())


def test_asking_by_id_settles_an_unknown_outcome_without_a_second_order() -> None:
    async def run() -> None:
        venue = make()
        await venue.submit(submit("a"))
        advance(venue, 1)
        assert await venue.order("never-arrived") is None
        assert (await venue.submit(submit("a"))).state is OrderState.FILLED
        advance(venue, 2)
        assert len(await venue.fills()) == 1

    asyncio.run(run())


def test_open_orders_and_cancels() -> None:
    async def run() -> None:
        venue = make()
        await venue.submit(submit("a", "90.00"))
        advance(venue, 1)
        assert [o.state for o in await venue.open_orders()] == [OrderState.ACCEPTED]
        cancel = CancelOrder(
            ts_event_ns=0, source="exec", instrument_id=PAIR, client_order_id="a", reason="r"
        )
        await venue.cancel(cancel)
        advance(venue, 2, low=80.0)
        assert await venue.open_orders() == []
        status = await venue.order("a")
        assert status is not None
        assert (status.state, status.reason) == (OrderState.CANCELED, "r")

    asyncio.run(run())


def test_a_closed_venue_is_unavailable() -> None:
    async def run() -> None:
        venue = make()
        await venue.close()
        with pytest.raises(VenueUnavailableError):
            await venue.submit(submit("a"))

    asyncio.run(run())


def test_models_are_checked() -> None:
    with pytest.raises(InvalidParamsError, match="expected a kind"):
        make(fees={"params": {}})
