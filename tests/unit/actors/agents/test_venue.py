"""The venue agent: routes its inbox, costs on by default."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from actors.agents.venue import VenueAgent
from actors.domain.errors import DataError, InvalidParamsError, UnknownComponentError
from actors.domain.events.execution import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
    VenueStatusChanged,
)
from actors.domain.events.market import BarClosed, BarUnseen, VenueDisturbed
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
    off = {"kind": "none"}
    agent = VenueAgent(context(), fees=off, spread=off, slippage=off, max_volume_share=None)
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
        VenueAgent(context(), fees={"kind": "gratis"})
    with pytest.raises(InvalidParamsError, match="money"):
        VenueAgent(context(), initial_cash="lots")


def becomes(state: str, **more: object) -> VenueDisturbed:
    return VenueDisturbed(ts_event_ns=0, source="market-data", state=state, **more)  # type: ignore[arg-type]


def cancel(cid: str) -> CancelOrder:
    return CancelOrder(ts_event_ns=0, source="exec", client_order_id=cid, reason="test")


def at(agent: VenueAgent, k: int, *said: object) -> list[object]:
    return list(agent.process(Step(number=k, ts_event_ns=k, inbox=tuple(said))))  # type: ignore[arg-type]


def test_what_meets_a_venue_that_is_down_has_no_outcome_until_it_answers_again() -> None:
    agent = VenueAgent(context())
    at(agent, 1, submit("resting", "90.00"), bar(1))
    status, waiting = at(agent, 2, becomes("down"), submit("sent"), cancel("resting"), cancel("sent"), bar(2))
    assert isinstance(status, VenueStatusChanged)
    assert isinstance(waiting, VenueStatusChanged)
    assert (status.state, waiting.unanswered_orders) == ("down", 1)
    frozen = dict(agent.venue.balances)
    # through the resting order's price: a venue that is down trades nothing
    low = BarClosed(
        ts_event_ns=3, source="feed", instrument_id=PAIR, open_ns=2, close_ns=3, open=80.0, high=80.0, low=80.0,
        close=80.0, volume=1000.0,
    )  # fmt: skip
    assert at(agent, 3, low) == []
    assert agent.venue.balances == frozen
    other = VenueAgent(context())
    other.restore(agent.snapshot())
    back = at(agent, 4, becomes("open"), bar(4))
    assert back == at(other, 4, becomes("open"), bar(4))
    never, again, canceled = back
    assert isinstance(never, OrderRejected)
    assert (never.code, never.client_order_id) == ("NEVER_ARRIVED", "sent")
    assert isinstance(again, VenueStatusChanged)
    assert again.unanswered_orders == 0
    # the cancel that waited gets through before anything trades, and only for the order that is there
    assert isinstance(canceled, OrderCanceled)
    assert canceled.client_order_id == "resting"


def test_a_venue_that_refuses_goes_on_trading_what_it_has() -> None:
    agent = VenueAgent(context())
    at(agent, 1, submit("resting", "100.50"), bar(1))
    out = at(agent, 2, becomes("refusing", reason="CLOCK_SKEW"), submit("new"), bar(2))
    kinds = [type(e).__name__ for e in out]
    assert kinds[:2] == ["VenueStatusChanged", "OrderRejected"]
    assert out[1].code == "CLOCK_SKEW"  # type: ignore[attr-defined]
    accepted = at(agent, 3, becomes("open"), submit("new"), bar(3))
    assert any(isinstance(e, OrderAccepted) and e.client_order_id == "new" for e in accepted)


def test_a_wider_spread_is_paid_by_takers_and_ends() -> None:
    off = {"kind": "none"}
    agent = VenueAgent(
        context(), slippage=off, spread={"kind": "fixed_bps", "params": {"half_spread_bps": 10}}
    )
    prices = []
    for k, factor in ((1, 1.0), (2, 10.0), (3, 1.0)):
        out = at(agent, k, becomes("open", spread_factor=factor), submit(f"o{k}"), bar(k))
        prices.append(next(e.price for e in out if isinstance(e, OrderFilled)))
    assert prices == [D("100.10"), D("101.00"), D("100.10")]


def test_bars_that_our_feed_did_not_see_trade_all_the_same() -> None:
    agent = VenueAgent(context())
    b = bar(1)
    unseen = BarUnseen(
        ts_event_ns=1, source="market-data", instrument_id=PAIR, open_ns=0, close_ns=1, open=b.open, high=b.high,
        low=b.low, close=b.close, volume=b.volume,
    )  # fmt: skip
    assert any(isinstance(e, OrderFilled) for e in at(agent, 1, submit("a"), unseen))


def test_an_unknown_disturbance_is_refused() -> None:
    with pytest.raises(DataError, match="expected one of open, refusing, down"):
        at(VenueAgent(context()), 1, becomes("asleep"))
