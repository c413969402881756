"""The ledger agent: an account in every step, trades with their reasons."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from msgspec import structs

from actors.agents.portfolio import LedgerAgent
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled
from actors.domain.events.market import BarClosed
from actors.domain.events.portfolio import AccountUpdated, PositionChanged, TradeClosed
from actors.domain.events.risk import OrderIntentApproved
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

BTC, ETH = "BTC/USDT", "ETH/USDT"


def make() -> LedgerAgent:
    context = AgentContext("ledger", {p: Instrument(pair=p) for p in (BTC, ETH)}, 100, 7, InlineFits())
    return LedgerAgent(context, initial_cash=1000)


def bar(close: float, pair: str = BTC) -> BarClosed:
    return BarClosed(
        ts_event_ns=1, source="feed", instrument_id=pair, open_ns=0, close_ns=1, open=close, high=close,
        low=close, close=close, volume=1.0,
    )  # fmt: skip


def fill(n: int, side: int, price: str, slippage: str = "0") -> OrderFilled:
    return OrderFilled(
        ts_event_ns=n, source="venue", instrument_id=BTC, client_order_id="c", intent_id=f"i{n}",
        fill_id=f"f{n}", ts_fill_ns=n, side=side, quantity=D(2), price=D(price), fee=D("0.5"),
        fee_currency="USDT", liquidity="taker", leaves_quantity=D(0), slippage_quote=D(slippage),
    )  # fmt: skip


def intent(n: int, reason: str) -> OrderIntentApproved:
    return OrderIntentApproved(
        ts_event_ns=1, source="risk", instrument_id=BTC, intent_id=f"i{n}", quantity=D(-2),
        reference_price=D(1), target_frac=0.0, urgency=0.5, reason=reason,
    )  # fmt: skip


def step(agent: LedgerAgent, k: int, *events: Event) -> list[Event]:
    return list(agent.process(Step(number=k, ts_event_ns=10 * k, inbox=events)))


def test_every_step_reports_the_account() -> None:
    agent = make()
    (account,) = step(agent, 0)
    assert isinstance(account, AccountUpdated)
    assert (account.equity, account.cash, account.positions, account.drawdown_frac) == (
        1000,
        1000,
        (0, 0),
        0.0,
    )


def test_fills_move_the_account_and_bars_mark_it() -> None:
    agent = make()
    changed, account = step(agent, 1, fill(1, 1, "100", "0.2"), bar(110.0), bar(5.0, ETH))
    assert isinstance(changed, PositionChanged)
    assert (changed.quantity, changed.average_price, changed.realised_pnl_quote) == (2, 100, D("-0.5"))
    assert isinstance(account, AccountUpdated)
    assert (account.equity, account.cash, account.positions) == (D("1019.5"), D("799.5"), (2, 0))
    assert account.exposures_frac == pytest.approx((220 / 1019.5, 0.0))
    assert (account.fees_quote, account.slippage_quote) == (D("0.5"), D("0.2"))
    (later,) = step(agent, 2, bar(5.0, ETH))
    assert isinstance(later, AccountUpdated)
    assert later.equity == D("1019.5"), "a missing pair keeps its mark"
    (fallen,) = step(agent, 3, bar(9.0))
    assert isinstance(fallen, AccountUpdated)
    assert fallen.drawdown_frac == pytest.approx(1 - 817.5 / 1019.5)


def test_a_closed_trade_is_complete() -> None:
    agent = make()
    step(agent, 1, intent(1, "rebalance"))
    step(agent, 2, fill(1, 1, "100", "0.2"), bar(100.0))
    step(agent, 5, intent(2, "stop_loss"))
    trade = step(agent, 6, fill(2, -1, "90", "0.1"), bar(90.0))[1]
    assert isinstance(trade, TradeClosed)
    assert (trade.side, trade.entry_price, trade.exit_price) == ("long", 100, 90)
    assert (trade.pnl_quote, trade.fees_quote, trade.slippage_quote) == (D(-21), D(1), D("0.3"))
    assert (trade.return_frac, trade.duration_bars, trade.exit_reason) == (-0.105, 4, "stop_loss")


def test_without_intents_the_reason_is_the_order() -> None:
    agent = make()
    step(agent, 1, fill(1, 1, "100"), bar(100.0))
    trade = step(agent, 2, fill(2, -1, "100"), bar(100.0))[1]
    assert isinstance(trade, TradeClosed)
    assert trade.exit_reason == "order"


@pytest.mark.parametrize(
    ("said", "intent_id", "reason"),
    [
        ("exit", None, "signal"),
        ("breaker_exit", None, "breaker_exit"),
        ("exit", "exit:trailing:execution-exits:5:0", "trailing"),
        ("exit", "venue:trading_ended", "trading_ended"),
    ],
)
def test_a_closed_trade_says_who_ended_it(said: str, intent_id: str | None, reason: str) -> None:
    agent = make()
    step(agent, 2, fill(1, 1, "100"), bar(100.0))
    step(agent, 5, intent(2, said))
    last = fill(2, -1, "90")
    trade = step(agent, 6, structs.replace(last, intent_id=intent_id or last.intent_id), bar(90.0))[1]
    assert isinstance(trade, TradeClosed)
    assert trade.exit_reason == reason


def test_a_repeated_fill_is_booked_once() -> None:
    agent = make()
    step(agent, 1, fill(1, 1, "100"), bar(100.0))
    (account,) = step(agent, 2, fill(1, 1, "100"))
    assert isinstance(account, AccountUpdated)
    assert account.positions == (2, 0)


def test_snapshot_gives_the_same_future() -> None:
    agent, other = make(), make()
    step(agent, 1, intent(2, "x"), fill(1, 1, "100"), bar(101.37))
    other.restore(agent.snapshot())
    for k, events in ((2, (bar(99.0),)), (3, (fill(2, -1, "98"), bar(98.0))), (4, (fill(2, -1, "98"),))):
        assert step(agent, k, *events) == step(other, k, *events)
    assert agent.snapshot() == other.snapshot()
