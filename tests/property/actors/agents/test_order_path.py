"""The order path as a whole: random intents, breakers and markets through coordinator, agents, venue, ledger.

Laws: the books balance to the last digit and agree with the venue; no balance is negative; every planned unit
is filled at most once; a repeated command changes nothing; no fill is better than its bar; a snapshot taken
anywhere leads to the same future.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.agents.execution import ExecutionAgent
from actors.agents.portfolio import LedgerAgent
from actors.agents.venue import VenueAgent
from actors.coordinators.execution import ExecutionCoordinator
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, ExecutionPlanned, OrderFilled, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated, TradeClosed
from actors.domain.events.risk import CircuitBreakerTripped, OrderIntentApproved
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.portfolio.ledger import Ledger
from actors.domain.processor import Agent, AgentContext, Step

INSTRUMENTS = {
    "BTC/USDT": Instrument(pair="BTC/USDT", tick=D("0.01"), lot=D("0.00001")),
    "ETH/USDT": Instrument(pair="ETH/USDT", tick=D("0.05"), lot=D("0.003")),
}
CASH = D("10000.37")


class Loop:
    """The loop part of the fleet, in the order of computation."""

    def __init__(self, venue: dict[str, Any]) -> None:
        def context(name: str) -> AgentContext:
            return AgentContext(name, INSTRUMENTS, 100, 7, InlineFits())

        self.venue = VenueAgent(context("venue"), initial_cash=str(CASH), **venue)
        self.ledger = LedgerAgent(context("ledger"), initial_cash=str(CASH))
        self.coordinator = ExecutionCoordinator(
            context("coordinator-execution"), params={"twap_above_share": 0.05, "min_spread_bps": 0.0}
        )
        self.workers = [
            ExecutionAgent(context(f"execution-{k}"), kind=k) for k in ("market", "limit", "twap")
        ]
        self.commands: list[Event] = []

    def agents(self) -> list[Agent]:
        return [self.venue, self.ledger, self.coordinator, *self.workers]

    def step(
        self, k: int, bars: Sequence[Event], decisions: Sequence[Event], twice: bool
    ) -> list[list[Event]]:
        def run(agent: Agent, *groups: Sequence[Event]) -> list[Event]:
            inbox = [e for g in groups for e in g if type(e) in agent.consumes]
            inbox.sort(key=lambda e: (e.priority, e.source))
            return list(agent.process(Step(number=k, ts_event_ns=(k + 1) * 100, inbox=tuple(inbox))))

        commands = self.commands * 2 if twice else self.commands
        reports = run(self.venue, commands, bars)
        books = run(self.ledger, reports, bars)
        plans = run(self.coordinator, reports, bars, decisions)
        orders = [run(worker, plans, reports, bars) for worker in self.workers]
        self.commands = [e for out in orders for e in out if isinstance(e, SubmitOrder | CancelOrder)]
        return [reports, books, plans, *orders]


class Market:
    """Random bars and decisions; `balance` is what risk would know of the account."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.price = {"BTC/USDT": 20000.0, "ETH/USDT": 1000.0}

    def bars(self, k: int) -> list[BarClosed]:
        out = []
        for pair, last in self.price.items():
            if self.random.random() < 0.05:
                continue
            gap = last * math.exp(self.random.gauss(0, 0.004))
            close = gap * math.exp(self.random.gauss(0, 0.01))
            high = max(gap, close) * (1 + abs(self.random.gauss(0, 0.003)))
            low = min(gap, close) * (1 - abs(self.random.gauss(0, 0.003)))
            self.price[pair] = close
            volume = 0.0 if self.random.random() < 0.03 else self.random.uniform(0.5, 20.0)
            out.append(
                BarClosed(
                    ts_event_ns=(k + 1) * 100, source="feed", instrument_id=pair, open_ns=k * 100,
                    close_ns=(k + 1) * 100, open=gap, high=high, low=low, close=close, volume=volume,
                )
            )  # fmt: skip
        return out

    def decisions(self, k: int, balances: dict[str, D]) -> list[Event]:
        out: list[Event] = []
        for i, (pair, price) in enumerate(self.price.items()):
            if self.random.random() < 0.3:
                held = balances[pair.partition("/")[0]]
                size = self.random.choice([0.001, 0.2, 0.7, 1.0, 1.5])
                wanted = -float(held) * size if self.random.random() < 0.5 else float(CASH) * size / price
                quantity = INSTRUMENTS[pair].quantity(wanted)
                if quantity:
                    out.append(
                        OrderIntentApproved(
                            ts_event_ns=(k + 1) * 100, source="risk", instrument_id=pair,
                            intent_id=f"i{k}-{i}",
                            quantity=quantity, reference_price=INSTRUMENTS[pair].price(price),
                            target_frac=0.0,
                            urgency=self.random.random(),
                            reason=self.random.choice(["rebalance", "breaker_exit"]),
                        )
                    )  # fmt: skip
        if self.random.random() < 0.03:
            out.append(
                CircuitBreakerTripped(
                    ts_event_ns=(k + 1) * 100, source="risk", breaker="drawdown", limit=0.1, observed=0.2,
                    until_step=k + 5,
                )
            )  # fmt: skip
        return out


venues = st.fixed_dictionaries(
    {
        "fees": st.sampled_from(
            [
                {"kind": "maker_taker"},
                {"kind": "maker_taker", "params": {"taker_bps": 7.5, "fee_currency": "received"}},
            ]
        ),
        "slippage": st.sampled_from([{"kind": "square_root"}, {"kind": "fixed_bps"}, {"kind": "none"}]),
        "latency": st.sampled_from([{"kind": "fixed"}, {"kind": "uniform"}]),
        "fill_at": st.sampled_from(["next_open", "intrabar"]),
        "max_volume_share": st.sampled_from([None, 0.05, 0.5]),
    }
)


def run(
    seed: int, venue: dict[str, Any], steps: int, snapshot_at: int = -1, twice: bool = False
) -> Iterator[tuple[int, list[BarClosed], list[list[Event]], Loop]]:
    """Yield ``(step, bars, outputs, loop)`` after each step; the loop goes on changing."""
    loop, market = Loop(venue), Market(seed)
    for k in range(steps):
        if k == snapshot_at:
            old, commands = loop.agents(), loop.commands
            loop = Loop(venue)
            loop.commands = commands
            for before, after in zip(old, loop.agents(), strict=True):
                after.restore(before.snapshot())
        bars = market.bars(k)
        decisions = market.decisions(k, loop.venue.venue.balances)
        yield k, bars, loop.step(k, bars, decisions, twice), loop


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), venues)
def test_books_balance_and_agree_with_the_venue(seed: int, venue: dict[str, Any]) -> None:
    planned: dict[tuple[str, str], D] = {}
    filled: dict[tuple[str, str], D] = {}
    owner: dict[str, str] = {}
    fills: list[tuple[int, OrderFilled]] = []
    pnl = D(0)
    for k, bars, outputs, loop in run(seed, venue, 60):
        by_pair = {b.instrument_id: b for b in bars}
        for event in (e for out in outputs for e in out):
            if isinstance(event, ExecutionPlanned):
                planned[event.intent_id, event.agent] = abs(event.quantity)
            elif isinstance(event, SubmitOrder):
                assert event.client_order_id not in owner, "no id twice"
                owner[event.client_order_id] = event.source
            elif isinstance(event, OrderFilled):
                fills.append((k, event))
                key = event.intent_id, owner[event.client_order_id]
                filled[key] = filled.get(key, D(0)) + event.quantity
                bar = by_pair[event.instrument_id]
                instrument = INSTRUMENTS[event.instrument_id or ""]
                assert event.quantity % instrument.lot == 0
                assert event.price % instrument.tick == 0
                best = bar.low if event.side > 0 else bar.high
                assert event.side * (event.price - D(repr(best))) >= 0, "no fill better than the bar"
                assert bar.open_ns <= event.ts_fill_ns <= bar.close_ns
            elif isinstance(event, TradeClosed):
                pnl += event.pnl_quote
        ledger: Ledger = loop.ledger.ledger
        ledger.check()
        for currency, balance in loop.venue.venue.balances.items():
            assert balance == ledger.balance("assets", currency)
            assert balance >= 0
            assert 0 <= loop.venue.venue.available(currency) <= balance
        account = outputs[1][-1]
        assert isinstance(account, AccountUpdated)
        assert account.equity == ledger.equity
    assert all(quantity <= planned[key] for key, quantity in filled.items()), "no unit is filled twice"
    again = Ledger.rebuild(INSTRUMENTS, CASH, "USDT", fills)
    assert (again.cash, again.realised, again.fees_quote) == (ledger.cash, ledger.realised, ledger.fees_quote)
    if all(ledger.position(pair).quantity == 0 for pair in INSTRUMENTS) and not ledger.unrealised:
        assert ledger.realised == pnl


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), venues)
def test_repeated_commands_execute_nothing_twice(seed: int, venue: dict[str, Any]) -> None:
    once, twice = run(seed, venue, 40), run(seed, venue, 40, twice=True)
    for (_, _, a, one), (_, _, b, two) in zip(once, twice, strict=True):
        fills = [[e for e in out[0] if isinstance(e, OrderFilled)] for out in (a, b)]
        assert fills[0] == fills[1]
        assert one.venue.venue.balances == two.venue.venue.balances


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), venues, st.integers(1, 39))
def test_a_snapshot_anywhere_leads_to_the_same_future(seed: int, venue: dict[str, Any], at: int) -> None:
    plain, restored = run(seed, venue, 40), run(seed, venue, 40, snapshot_at=at)
    one = two = Loop(venue)
    for (_, _, a, one), (_, _, b, two) in zip(plain, restored, strict=True):  # noqa: B007 - the last are used
        assert a == b
    assert all(x.snapshot() == y.snapshot() for x, y in zip(one.agents(), two.agents(), strict=True))


@pytest.mark.parametrize("seed", [3, 11])
def test_the_flow_reaches_every_kind_of_event(seed: int) -> None:
    venue = {"max_volume_share": 0.05, "latency": {"kind": "fixed"}}
    kinds = {type(e).__name__ for _, _, outputs, _ in run(seed, venue, 400) for out in outputs for e in out}
    assert kinds >= {
        "OrderAccepted", "OrderFilled", "OrderCanceled", "OrderRejected", "ExecutionStopped", "TradeClosed",
        "AlertRaised",
    }  # fmt: skip
