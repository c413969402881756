"""Execution agents: children, reports, stops, rejections, snapshots."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from actors.agents.execution import ExecutionAgent
from actors.domain.errors import OrderStateError, UnknownComponentError
from actors.domain.events.base import Event
from actors.domain.events.execution import (
    CancelOrder,
    ExecutionPlanned,
    ExecutionStopped,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import BarClosed
from actors.domain.events.system import AlertRaised
from actors.domain.execution.ids import client_order_id
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

PAIR = "BTC/USDT"


def make(kind: str, **params: Any) -> ExecutionAgent:
    context = AgentContext("exec", {PAIR: Instrument(pair=PAIR, lot=D("0.01"))}, 100, 7, InlineFits())
    return ExecutionAgent(context, kind=kind, params=params)


def bar(close: float = 100.0) -> BarClosed:
    return BarClosed(
        ts_event_ns=1, source="feed", instrument_id=PAIR, open_ns=0, close_ns=1, open=close, high=close,
        low=close, close=close, volume=5.0,
    )  # fmt: skip


def plan(qty: str = "1", agent: str = "exec", intent: str = "i", **x: Any) -> ExecutionPlanned:
    return ExecutionPlanned(
        ts_event_ns=1, source="coord", instrument_id=PAIR, intent_id=intent, agent=agent, quantity=D(qty),
        reference_price=D(100), urgency=0.5, **x,
    )  # fmt: skip


def stop(intent: str = "i", agent: str = "exec") -> ExecutionStopped:
    return ExecutionStopped(
        ts_event_ns=1, source="coord", instrument_id=PAIR, intent_id=intent, agent=agent, reason="superseded"
    )


def head(order: SubmitOrder) -> dict[str, Any]:
    return {
        "ts_event_ns": 1, "source": "venue", "instrument_id": PAIR, "intent_id": order.intent_id,
        "client_order_id": order.client_order_id,
    }  # fmt: skip


def filled(order: SubmitOrder, qty: str, n: int = 1) -> OrderFilled:
    return OrderFilled(
        **head(order), fill_id=f"{order.client_order_id}-{n}", ts_fill_ns=1, side=order.side, quantity=D(qty),
        price=D(100), fee=D(0), fee_currency="USDT", liquidity="taker", leaves_quantity=D(0),
    )  # fmt: skip


def accepted(order: SubmitOrder) -> OrderAccepted:
    return OrderAccepted(
        **head(order),
        venue_order_id="v",
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
    )


def canceled(order: SubmitOrder, done: str = "0", reason: str = "test") -> OrderCanceled:
    return OrderCanceled(**head(order), filled_quantity=D(done), reason=reason)


def rejected(order: SubmitOrder, code: str) -> OrderRejected:
    return OrderRejected(**head(order), code=code, message="no")


def step(agent: ExecutionAgent, k: int, *events: Event) -> list[Event]:
    inbox = tuple(sorted(events, key=lambda e: e.priority))
    return list(agent.process(Step(number=k, ts_event_ns=k, inbox=inbox)))


def submit(events: list[Event]) -> SubmitOrder:
    found = [e for e in events if isinstance(e, SubmitOrder)]
    assert len(found) == 1, events
    return found[0]


def test_market_sends_one_order_with_a_deterministic_id() -> None:
    agent = make("market")
    order = submit(step(agent, 1, plan("-1.5"), bar(101.0)))
    assert (order.side, order.quantity, order.order_type) == (-1, D("1.50"), "market")
    assert order.arrival_price == D("101.0")
    assert order.client_order_id == client_order_id(7, "i", "exec", 0)
    assert step(agent, 2, accepted(order), filled(order, "1.5")) == []
    assert step(agent, 3, plan("-1.5")) == [], "the same plan again is no new order"


def test_plans_and_stops_for_other_agents_are_not_ours() -> None:
    agent = make("market")
    assert step(agent, 1, plan(agent="other")) == []
    order = submit(step(agent, 2, plan()))
    assert step(agent, 3, stop(agent="other"), accepted(order)) == []


def test_a_stop_cancels_once_and_nothing_follows() -> None:
    agent = make("market")
    order = submit(step(agent, 1, plan()))
    out = step(agent, 2, accepted(order), filled(order, "0.4"), stop())
    assert [type(e) for e in out] == [CancelOrder]
    assert step(agent, 3, stop()) == []
    assert step(agent, 4, canceled(order, "0.4")) == []
    assert agent.state()["works"] == []


def test_a_stop_that_meets_the_last_fill_cancels_nothing() -> None:
    agent = make("market")
    order = submit(step(agent, 1, plan()))
    assert step(agent, 2, filled(order, "1"), stop()) == []


def test_a_plan_stopped_in_its_own_step_sends_nothing_more() -> None:
    agent = make("twap")
    order = submit(step(agent, 1, plan("3", slices=3)))
    assert order.quantity == 1
    assert step(agent, 2, filled(order, "1"), stop()) == []
    assert step(agent, 3) == []


def test_twap_slices_sum_to_the_parent() -> None:
    agent = make("twap", interval_steps=2)
    sizes, k, order = [], 1, submit(step(agent, 1, plan("1.00", slices=3)))
    sizes.append(order.quantity)
    while k < 8:
        k += 1
        out = step(agent, k, filled(order, str(order.quantity))) if k % 2 == 0 else step(agent, k)
        for e in out:
            assert isinstance(e, SubmitOrder)
            order = e
            sizes.append(e.quantity)
    assert sizes == [D("0.33"), D("0.33"), D("0.34")]
    assert agent.state()["works"] == []


def test_twap_goes_on_while_a_slice_is_still_at_the_venue() -> None:
    agent = make("twap")
    first = submit(step(agent, 1, plan("2", slices=2)))
    second = submit(step(agent, 2, accepted(first)))
    assert (first.quantity, second.quantity) == (D(1), D(1))
    assert step(agent, 3, filled(first, "1"), filled(second, "0.5")) == []
    assert step(agent, 4, filled(second, "0.5", 2)) == []
    assert agent.state()["works"] == []


def test_limit_rests_beside_the_close_then_moves_then_takes() -> None:
    agent = make("limit", reprice_steps=2, max_reprices=1)
    first = submit(step(agent, 1, plan(limit_offset_bps=10.0), bar(100.0)))
    assert (first.order_type, first.limit_price) == ("limit", D("99.90"))
    assert step(agent, 2, accepted(first), bar(105.0)) == []
    (move,) = step(agent, 3, bar(110.0))
    assert isinstance(move, CancelOrder)
    second = submit(step(agent, 4, filled(first, "0.3"), canceled(first, "0.3"), bar(110.0)))
    assert (second.quantity, second.limit_price) == (D("0.7"), D("109.89"))
    step(agent, 5, accepted(second), bar())
    assert isinstance(step(agent, 6, bar())[0], CancelOrder)
    third = submit(step(agent, 7, canceled(second), bar()))
    assert (third.order_type, third.quantity) == ("market", D("0.7"))
    step(agent, 8, filled(third, "0.7"))
    assert agent.state()["works"] == []


def test_a_sell_limit_rests_above() -> None:
    order = submit(step(make("limit"), 1, plan("-1", limit_offset_bps=10.0), bar(100.0)))
    assert order.limit_price == D("100.10")


def test_a_buy_the_balance_does_not_cover_shrinks_three_times_and_gives_up_loudly() -> None:
    agent = make("market")
    sizes = []
    out = step(agent, 1, plan("1"))
    for k in range(2, 6):
        order = submit(out)
        sizes.append(order.quantity)
        out = step(agent, k, rejected(order, "INSUFFICIENT_BALANCE"))
    assert sizes == [D("1"), D("0.99"), D("0.98"), D("0.97")]
    (alert,) = out
    assert isinstance(alert, AlertRaised)
    assert (alert.code, alert.severity) == ("INSUFFICIENT_BALANCE", "warning")
    assert step(agent, 7) == []


def test_other_rejections_are_final() -> None:
    agent = make("market")
    order = submit(step(agent, 1, plan("-1")))
    (alert,) = step(agent, 2, rejected(order, "INSUFFICIENT_BALANCE"))
    assert isinstance(alert, AlertRaised)
    assert "gave up 1 of 1: no" in alert.message


def test_a_cancel_by_the_venue_gives_the_rest_up() -> None:
    agent = make("market")
    order = submit(step(agent, 1, plan()))
    (alert,) = step(agent, 2, filled(order, "0.9"), canceled(order, "0.9", "INSUFFICIENT_BALANCE"))
    assert isinstance(alert, AlertRaised)
    assert agent.state()["works"] == []


def test_dust_is_not_sent() -> None:
    (alert,) = step(make("market"), 1, plan("0.01"))
    assert isinstance(alert, AlertRaised)
    assert alert.code == "MIN_NOTIONAL"


def test_a_contradicting_venue_stops_the_agent() -> None:
    agent = make("market")
    order = submit(step(agent, 1, plan()))
    step(agent, 2, accepted(order))
    with pytest.raises(OrderStateError):
        step(agent, 3, rejected(order, "CLIENT_ORDER_ID_REUSED"))


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(UnknownComponentError, match="limit, market, twap"):
        make("iceberg")


def test_snapshot_gives_the_same_future() -> None:
    agent, other = make("limit"), make("limit")
    first = submit(step(agent, 1, plan(limit_offset_bps=10.0), bar(100.0)))
    step(agent, 2, accepted(first), filled(first, "0.3"), bar(105.0))
    other.restore(agent.snapshot())
    for k, events in ((3, (bar(110.0),)), (4, (canceled(first, "0.3"), bar(111.0))), (5, (bar(),))):
        assert step(agent, k, *events) == step(other, k, *events)
    assert agent.snapshot() == other.snapshot()


def test_a_reduce_only_plan_sends_reduce_only_orders_and_is_done_when_a_stop_was_faster() -> None:
    agent = make("market")
    order = submit(step(agent, 1, plan("-1", reduce_only=True), bar()))
    assert order.reduce_only is True
    assert submit(step(make("market"), 1, plan("-1"), bar())).reduce_only is None
    assert step(agent, 2, rejected(order, "REDUCE_ONLY_NO_POSITION")) == []
    assert not agent.busy
