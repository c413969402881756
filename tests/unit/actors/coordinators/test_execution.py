"""The execution coordinator: choice of algorithm, splitting, superseding, breaker."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from actors.coordinators.execution import ExecutionCoordinator
from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.execution import ExecutionPlanned, ExecutionStopped, OrderFilled
from actors.domain.events.market import BarClosed
from actors.domain.events.risk import CircuitBreakerTripped, OrderIntentApproved, OrderIntentDenied
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

BTC, ETH = "BTC/USDT", "ETH/USDT"


def make(agents: dict[str, str] | None = None, **params: Any) -> ExecutionCoordinator:
    instruments = {p: Instrument(pair=p, lot=D("0.01")) for p in (BTC, ETH)}
    context = AgentContext("coord", instruments, 100, 7, InlineFits())
    names = {"market": "m", "limit": "l", "twap": "t"} if agents is None else agents
    return ExecutionCoordinator(context, agents=names, params=params)


def bar(k: int, pair: str = BTC, volume: float = 100.0, spread: float = 0.0) -> BarClosed:
    # closes alternate between bid and ask around a mid of 100: the bounce that the estimator measures
    close = 100.0 + (spread if k % 2 else -spread)
    return BarClosed(
        ts_event_ns=k, source="feed", instrument_id=pair, open_ns=k - 1, close_ns=k, open=100.0,
        high=101.0, low=100.0**2 / 101.0, close=close, volume=volume,
    )  # fmt: skip


def intent(
    qty: str, urgency: float = 0.5, pair: str = BTC, name: str = "i", reason: str = "x"
) -> OrderIntentApproved:
    return OrderIntentApproved(
        ts_event_ns=1, source="risk", instrument_id=pair, intent_id=name, quantity=D(qty),
        reference_price=D(100), target_frac=0.1, urgency=urgency, reason=reason,
    )  # fmt: skip


def breaker(pair: str | None = None) -> CircuitBreakerTripped:
    return CircuitBreakerTripped(
        ts_event_ns=1,
        source="risk",
        instrument_id=pair,
        breaker="drawdown",
        limit=0.1,
        observed=0.2,
        until_step=9,
    )


def fill(qty: str, name: str = "i") -> OrderFilled:
    return OrderFilled(
        ts_event_ns=1, source="venue", instrument_id=BTC, client_order_id="c", intent_id=name, fill_id="f",
        ts_fill_ns=1, side=1, quantity=D(qty), price=D(100), fee=D(0), fee_currency="USDT", liquidity="taker",
        leaves_quantity=D(0),
    )  # fmt: skip


def step(coord: ExecutionCoordinator, k: int, *events: Event) -> list[Event]:
    inbox = tuple(sorted(events, key=lambda e: e.priority))
    return list(coord.process(Step(number=k, ts_event_ns=k, inbox=inbox)))


def warm(coord: ExecutionCoordinator, spread: float = 0.05) -> ExecutionCoordinator:
    for k in range(1, 5):
        step(coord, k, bar(k, BTC, spread=spread), bar(k, ETH, spread=spread))
    return coord


def plans(events: list[Event]) -> list[tuple[str, D, int]]:
    return [(e.agent, e.quantity, e.slices) for e in events if isinstance(e, ExecutionPlanned)]


@pytest.mark.parametrize(
    ("qty", "urgency", "spread", "expected"),
    [
        ("1", 0.9, 0.05, [("m", D("1"), 1)]),
        ("-1", 0.1, 0.05, [("l", D("-1"), 1)]),
        ("1", 0.5, 0.05, [("m", D("0.5"), 1), ("l", D("0.5"), 1)]),
        ("1", 0.1, 0.0, [("m", D("1"), 1)]),
        ("-5", 0.5, 0.05, [("t", D("-5"), 5)]),
        ("50", 0.5, 0.05, [("t", D("50"), 12)]),
        ("50", 0.9, 0.05, [("m", D("50"), 1)]),
        ("0.15", 0.5, 0.05, [("m", D("0.15"), 1)]),
    ],
)
def test_the_choice_follows_urgency_size_and_spread(
    qty: str, urgency: float, spread: float, expected: list[tuple[str, D, int]]
) -> None:
    out = step(warm(make(), spread), 9, intent(qty, urgency))
    assert plans(out) == expected
    assert sum((q for _, q, _ in plans(out)), D(0)) == D(qty)


def test_the_limit_part_gets_an_offset() -> None:
    (plan,) = step(warm(make()), 9, intent("1", 0.0))
    assert isinstance(plan, ExecutionPlanned)
    assert plan.limit_offset_bps == 2.0


def test_the_spread_estimate_finds_the_bounce() -> None:
    assert warm(make(), 0.05).spread_bps(BTC) == pytest.approx(10.0, rel=0.01)
    assert warm(make(), 0.0).spread_bps(BTC) == 0.0
    assert make().spread_bps(BTC) != make().spread_bps(BTC), "unknown is nan"


def test_without_volume_a_large_order_is_sliced_as_finely_as_allowed() -> None:
    assert plans(step(make(), 1, intent("50"))) == [("t", D("50"), 12)]
    assert plans(step(make(), 1, intent("0.3"))) == [("t", D("0.3"), 2)]


def test_without_a_twap_agent_the_market_takes_its_share() -> None:
    assert plans(step(warm(make({"market": "m"})), 9, intent("50"))) == [("m", D("50"), 1)]


def test_a_new_intent_supersedes_what_is_left_of_the_one_before() -> None:
    coord = warm(make())
    step(coord, 9, intent("1"))
    out = step(coord, 10, fill("0.4"), intent("2", name="j"))
    stops = [(e.intent_id, e.agent, e.reason) for e in out if isinstance(e, ExecutionStopped)]
    assert stops == [("i", "m", "superseded"), ("i", "l", "superseded")]
    assert [e.intent_id for e in out if isinstance(e, ExecutionPlanned)] == ["j", "j"]
    assert isinstance(out[0], ExecutionStopped), "stop first, then plan"


def test_a_finished_intent_and_another_pair_are_not_stopped() -> None:
    coord = warm(make())
    step(coord, 9, intent("1"), intent("1", pair=ETH, name="e"))
    out = step(coord, 10, fill("1"), intent("2", name="j"))
    assert not any(isinstance(e, ExecutionStopped) for e in out)


def test_a_breaker_stops_all_but_exits() -> None:
    coord = warm(make())
    step(coord, 9, intent("1"), intent("-1", pair=ETH, name="exit", reason="breaker_exit"))
    out = step(coord, 10, breaker())
    assert {(e.intent_id, e.agent) for e in out if isinstance(e, ExecutionStopped)} == {
        ("i", "m"),
        ("i", "l"),
    }
    assert step(coord, 11, breaker()) == []


def test_a_breaker_of_one_pair_leaves_the_other() -> None:
    coord = warm(make())
    step(coord, 9, intent("1", 0.9), intent("1", 0.9, pair=ETH, name="e"))
    assert [e.instrument_id for e in step(coord, 10, breaker(ETH))] == [ETH]


def test_an_exit_approved_with_the_breaker_takes_at_once() -> None:
    coord = warm(make())
    step(coord, 9, intent("1"))
    out = step(coord, 10, breaker(), intent("-5", 0.0, name="exit", reason="breaker_exit"))
    assert [type(e) for e in out] == [ExecutionStopped, ExecutionStopped, ExecutionPlanned]
    assert plans(out) == [("m", D("-5"), 1)]


def test_only_approved_intents_are_accepted() -> None:
    denied = OrderIntentDenied(
        ts_event_ns=1, source="risk", instrument_id=BTC, intent_id="i", quantity=D(1), code="X", rule="r",
        limit=1.0, observed=2.0,
    )  # fmt: skip
    assert step(make(), 1, denied) == []
    assert OrderIntentDenied not in ExecutionCoordinator.consumes


def test_parameters_are_validated() -> None:
    with pytest.raises(InvalidParamsError, match="patient_to"):
        make(patient_to=0.9, urgent_from=0.5)
    with pytest.raises(InvalidParamsError, match="market"):
        make({"limit": "l"})


def test_snapshot_gives_the_same_future() -> None:
    coord, other = warm(make()), make()
    step(coord, 9, intent("1"))
    other.restore(coord.snapshot())
    for k, events in (
        (10, (bar(10), fill("0.4"))),
        (11, (bar(11), intent("3", name="j"))),
        (12, (breaker(),)),
    ):
        assert step(coord, k, *events) == step(other, k, *events)
    assert coord.snapshot() == other.snapshot()


@pytest.mark.parametrize(
    ("reason", "reduces"),
    [("exit", True), ("reduce", True), ("breaker_exit", True), ("open", False), ("reverse", False)],
)
def test_beside_protective_orders_what_leaves_a_position_is_reduce_only(reason: str, reduces: bool) -> None:
    context = AgentContext("coord", {BTC: Instrument(pair=BTC, lot=D("0.01"))}, 100, 7, InlineFits())
    coord = ExecutionCoordinator(context, agents={"market": "m"}, protected=True)
    (plan,) = step(coord, 1, bar(1), intent("-1", reason=reason))
    assert isinstance(plan, ExecutionPlanned)
    assert plan.reduce_only == reduces
    (plain,) = step(make({"market": "m"}), 1, bar(1), intent("-1", reason=reason))
    assert isinstance(plain, ExecutionPlanned)
    assert not plain.reduce_only


def test_a_protective_exit_stops_what_would_buy_back_and_nothing_else() -> None:
    stop = OrderFilled(
        ts_event_ns=1, source="venue", instrument_id=BTC, client_order_id="s",
        intent_id="exit:stop:execution-exits:3:0", fill_id="s-1", ts_fill_ns=1, side=-1, quantity=D("0.4"),
        price=D(98), fee=D(0), fee_currency="USDT", liquidity="taker", leaves_quantity=D("0.6"),
    )  # fmt: skip
    coord = make()
    step(coord, 1, bar(1), intent("1"), intent("1", pair=ETH, name="other"))
    (stopped,) = step(coord, 2, stop)
    assert isinstance(stopped, ExecutionStopped)
    assert (stopped.intent_id, stopped.reason) == ("i", "exit stop")
    assert step(coord, 3, stop) == []
    coord = make()
    step(coord, 1, bar(1), intent("-1", reason="exit"))
    assert step(coord, 2, stop) == [], "an exit at work goes on"
