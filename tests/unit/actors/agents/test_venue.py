"""The venue agent: routes its inbox, costs on by default."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from actors.agents.venue import VenueAgent
from actors.domain.errors import InvalidParamsError, UnknownComponentError
from actors.domain.events.execution import CancelOrder, OrderAccepted, OrderCanceled, OrderFilled, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

PAIR = "BTC/USDT"


def context() -> AgentContext:
    return AgentContext("venue", {PAIR: Instrument(pair=PAIR)}, 100, 7, InlineFits())


def bar(k: int) -> BarClosed:
    return BarClosed(
        ts_event_ns=k, source="feed", instrument_id=PAIR, open_ns=k - 1, close_ns=k, open=100.0, high=101.0,
        low=99.0, close=100.0, volume=1000.0,
    )  # fmt: skip


def submit(cid: str, limit: str | None = None) -> SubmitOrder:
    return SubmitOrder(
        ts_event_ns=0, source="exec", instrument_id=PAIR, client_order_id=cid, intent_id="i", side=1,
        order_type="limit" if limit else "market", quantity=D(1), limit_price=D(limit) if limit else None,
    )  # fmt: skip


def test_costs_are_on_by_default() -> None:
    agent = VenueAgent(context(), initial_cash="5000")
    agent.process(Step(number=0, ts_event_ns=0, inbox=(bar(0),)))
    accepted, fill = agent.process(Step(number=1, ts_event_ns=1, inbox=(submit("a"), bar(1))))
    assert isinstance(accepted, OrderAccepted)
    assert isinstance(fill, OrderFilled)
    assert fill.price > 100
    assert fill.fee > 0
    assert fill.slippage_quote > 0
    assert (fill.source, fill.instrument_id, fill.correlation_id, fill.ts_event_ns) == ("venue", PAIR, "i", 1)


def test_costs_can_be_switched_off_by_name() -> None:
    agent = VenueAgent(context(), fees={"kind": "none"}, slippage={"kind": "none"}, max_volume_share=None)
    fill = agent.process(Step(number=1, ts_event_ns=1, inbox=(submit("a"), bar(1))))[1]
    assert isinstance(fill, OrderFilled)
    assert (fill.price, fill.fee) == (100, 0)


def test_cancels_reach_the_venue_and_snapshots_continue() -> None:
    agent, other = VenueAgent(context()), VenueAgent(context())
    agent.process(Step(number=1, ts_event_ns=1, inbox=(submit("a", "90.00"), bar(1))))
    other.restore(agent.snapshot())
    stop = CancelOrder(ts_event_ns=0, source="exec", instrument_id=PAIR, client_order_id="a", reason="r")
    step = Step(number=2, ts_event_ns=2, inbox=(stop, bar(2)))
    out = agent.process(step)
    assert [type(e) for e in out] == [OrderCanceled]
    assert out == other.process(step)


def test_bad_parameters_name_the_problem() -> None:
    with pytest.raises(UnknownComponentError, match="maker_taker"):
        VenueAgent(context(), fees={"kind": "tiered"})
    with pytest.raises(InvalidParamsError, match="money"):
        VenueAgent(context(), initial_cash="lots")
