"""The ledger against hand-worked books."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from actors.domain import state
from actors.domain.errors import InvalidParamsError, TradingError
from actors.domain.events.execution import OrderFilled
from actors.domain.events.portfolio import AccountCharged
from actors.domain.model.instrument import Instrument
from actors.domain.portfolio.ledger import ASSETS, EQUITY, FEES, TRADING, Ledger

BTC, ETH = "BTC/USDT", "ETH/USDT"
INSTRUMENTS = {p: Instrument(pair=p, lot=D("0.001")) for p in (BTC, ETH)}


def fill(
    n: int, side: int, qty: str, price: str, fee: str = "0", currency: str = "USDT", **x: Any
) -> OrderFilled:
    return OrderFilled(
        ts_event_ns=n, source="venue", instrument_id=x.pop("pair", BTC), client_order_id="c", intent_id="i",
        fill_id=f"f{n}", ts_fill_ns=n, side=side, quantity=D(qty), price=D(price), fee=D(fee),
        fee_currency=currency, liquidity="taker", leaves_quantity=D(0), **x,
    )  # fmt: skip


def charge(n: int, amount: str, kind: str = "funding", pair: str | None = BTC, **x: Any) -> AccountCharged:
    return AccountCharged(
        ts_event_ns=n, source="venue", instrument_id=pair, charge_id=f"c{n}", kind=kind, amount=D(amount),
        currency=x.get("currency", "USDT"), rate=D("0.0001"), basis=D(1),
    )  # fmt: skip


def make() -> Ledger:
    return Ledger(INSTRUMENTS, D(1000), "USDT")


def test_the_deposit_is_an_entry_against_equity() -> None:
    ledger = make()
    assert ledger.balance(ASSETS, "USDT") == 1000
    assert ledger.balance(EQUITY, "USDT") == -1000
    ledger.check()


def test_a_round_trip_by_hand() -> None:
    ledger = make()
    assert ledger.apply(fill(1, 1, "2", "100", "0.2", slippage_quote=D("0.1")), 1) == []
    ledger.apply(fill(2, 1, "1", "130", "0.13"), 2)
    position = ledger.position(BTC)
    assert (position.quantity, position.cost, position.average_price) == (D(3), D(330), D(110))
    ledger.mark(BTC, 120.0)
    assert ledger.unrealised == 30
    assert ledger.equity == D(1000) + 30 - D("0.33")
    trips = ledger.apply(fill(3, -1, "3", "121", "0.363"), 7)
    assert trips is not None
    (trip,) = trips
    assert (trip.side, trip.quantity, trip.entry_price, trip.exit_price) == ("long", D(3), D(110), D(121))
    assert (trip.pnl_quote, trip.fees_quote, trip.slippage_quote) == (D("32.307"), D("0.693"), D("0.1"))
    assert (trip.opened_step, trip.closed_step, trip.opened_ns, trip.closed_ns) == (1, 7, 1, 3)
    assert trip.return_frac == pytest.approx(32.307 / 330)
    assert ledger.realised == D("32.307")
    assert ledger.cash == D("1032.307") == ledger.equity
    assert ledger.balance(FEES, "USDT") == D("0.693")
    assert ledger.balance(TRADING, "BTC") == 0
    ledger.check()


def test_partial_exits_realise_by_average_cost() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "3", "100"), 1)
    assert ledger.apply(fill(2, -1, "1", "110"), 2) == []
    assert ledger.realised == 10
    assert ledger.position(BTC).cost == 200
    (trip,) = ledger.apply(fill(3, -1, "2", "90"), 3) or []
    assert (trip.exit_price.quantize(D("0.0001")), trip.pnl_quote) == (D("96.6667"), D(-10))
    ledger.check()


def test_shorts_and_a_flip_close_one_trip_and_open_the_next() -> None:
    ledger = make()
    ledger.apply(fill(1, -1, "1", "100"), 1)
    ledger.mark(BTC, 90.0)
    assert ledger.equity == 1010
    (trip,) = ledger.apply(fill(2, 1, "3", "80", "0.24"), 4) or []
    assert (trip.side, trip.pnl_quote, trip.fees_quote) == ("short", D("19.76"), D("0.24"))
    assert ledger.position(BTC).quantity == 2
    assert ledger.position(BTC).average_price == 80
    (trip,) = ledger.apply(fill(3, -1, "2", "85"), 5) or []
    assert (trip.side, trip.quantity, trip.pnl_quote, trip.opened_step) == ("long", D(2), D(10), 4)
    ledger.check()


def test_a_fee_in_base_leaves_the_position_and_counts_at_its_price() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "0.7", "100", "0.0007", "BTC"), 1)
    position = ledger.position(BTC)
    assert (position.quantity, position.fees, position.average_price) == (D("0.6993"), D("0.07"), D(100))
    assert ledger.cash == 930
    (trip,) = ledger.apply(fill(2, -1, "0.699", "110"), 2) or []
    assert position.quantity == D("0.0003"), "less than a lot is dust, not a position"
    assert trip.fees_quote == D("0.07")
    assert trip.pnl_quote == D("0.699") * 10 - D("0.07")
    ledger.check()


def test_dust_does_not_keep_the_next_trip_open() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "0.7", "100", "0.0007", "BTC"), 1)
    ledger.apply(fill(2, -1, "0.699", "110"), 2)
    ledger.apply(fill(3, 1, "1", "100"), 3)
    (trip,) = ledger.apply(fill(4, -1, "1", "105"), 4) or []
    assert (trip.quantity, trip.opened_step) == (D(1), 3)
    ledger.check()


def test_thirds_stay_exact() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "0.003", "33.33"), 1)
    for n in range(2, 5):
        ledger.apply(fill(n, -1, "0.001", "44.41", "0.00000001"), n)
        ledger.mark(BTC, 41.17)
        ledger.check()
    assert ledger.position(BTC).cost == 0


def test_a_fill_counts_once() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "1", "100"), 1)
    assert ledger.apply(fill(1, 1, "1", "100"), 2) is None
    assert (ledger.position(BTC).quantity, ledger.fill_count) == (1, 1)


def test_drawdown_from_the_running_peak() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "1", "100"), 1)
    seen = []
    for mark in (100.0, 200.0, 90.0):
        ledger.mark(BTC, mark)
        seen.append(ledger.close_step())
    assert [e for e, _ in seen] == [1000, 1100, 990]
    assert [d for _, d in seen] == pytest.approx([0.0, 0.0, 0.1])


def test_check_finds_a_tampered_balance() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "1", "100"), 1)
    ledger._balances["USDT"][FEES] += D("0.00000001")
    with pytest.raises(TradingError, match="sum to 0") as e:
        ledger.check()
    assert e.value.code == "LEDGER_UNBALANCED"


def test_check_finds_a_position_that_is_not_its_balance() -> None:
    ledger = make()
    ledger.apply(fill(1, 1, "1", "100"), 1)
    ledger.position(BTC).quantity += D("0.001")
    with pytest.raises(TradingError) as e:
        ledger.check()
    assert e.value.code == "LEDGER_POSITION"


def test_foreign_fills_and_pairs_are_refused() -> None:
    with pytest.raises(TradingError, match="DOGE"):
        make().apply(fill(1, 1, "1", "1", pair="DOGE/USDT"), 1)
    with pytest.raises(TradingError, match="BNB"):
        make().apply(fill(1, 1, "1", "1", "0.1", "BNB"), 1)
    with pytest.raises(InvalidParamsError, match="quoted in EUR"):
        Ledger(INSTRUMENTS, D(1), "EUR")
    with pytest.raises(InvalidParamsError, match="initial_cash"):
        Ledger(INSTRUMENTS, D(-1), "USDT")


def test_rebuilding_from_the_fills_gives_the_same_books() -> None:
    fills = [(n, fill(n, 1 if n % 3 else -1, f"0.{n}", f"{90 + n}.37", "0.01234567")) for n in range(1, 9)]
    ledger = make()
    for step, f in fills:
        ledger.apply(f, step)
    again = Ledger.rebuild(INSTRUMENTS, D(1000), "USDT", fills)
    assert state.dumps(again.state()) == state.dumps(ledger.state())
    restored = make()
    restored.load_state(state.loads(state.dumps(ledger.state())))
    restored.check()
    assert restored.equity == ledger.equity


def test_what_holding_cost_is_in_the_round_trip_and_in_its_own_account() -> None:
    ledger = make()
    ledger.apply(fill(1, -1, "2", "100", "0.2"), 1)
    assert ledger.charge(charge(2, "0.5"))
    assert ledger.charge(charge(3, "-0.125"))  # a short receives
    assert not ledger.charge(charge(3, "-0.125"))  # booked before
    assert ledger.charge(charge(4, "0.25", "borrow"))
    ledger.mark(BTC, 100.0)
    assert ledger.equity == D(1000) - D("0.2") - D("0.625")
    ledger.check()
    ledger.charge(charge(5, "3", "liquidation"))
    (trip,) = ledger.apply(fill(6, 1, "2", "110", "0.22"), 9) or []
    assert (trip.side, trip.carry_quote, trip.fees_quote) == ("short", D("3.625"), D("0.42"))
    assert trip.pnl_quote == D(-20) - D("0.42") - D("3.625") == ledger.realised
    assert ledger.charged_quote == {"funding": D("0.375"), "borrow": D("0.25"), "liquidation": D(3)}
    assert ledger.balance("funding", "USDT") == D("0.375")
    assert ledger.cash == ledger.equity == D(1000) + trip.pnl_quote
    ledger.check()


def test_a_charge_of_no_pair_is_the_accounts() -> None:
    ledger = make()
    ledger.charge(charge(1, "0.75", "borrow", None))
    assert (ledger.equity, ledger.position(BTC).realised) == (D("999.25"), D(0))
    ledger.check()


@pytest.mark.parametrize(
    "wrong", [{"pair": "X/Y"}, {"kind": "gift"}, {"currency": "BTC"}], ids=lambda w: next(iter(w))
)
def test_a_foreign_charge_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TradingError, match="LEDGER_FOREIGN_CHARGE"):
        make().charge(charge(1, "1", **wrong))


def test_a_position_forgets_no_charge_over_a_snapshot() -> None:
    ledger, again = make(), make()
    ledger.apply(fill(1, 1, "1", "100"), 1)
    ledger.charge(charge(2, "0.5"))
    again.load_state(state.loads(state.dumps(ledger.state())))
    (one,), (other,) = (x.apply(fill(3, -1, "1", "100"), 3) or [] for x in (ledger, again))
    assert one == other
    assert other.carry_quote == D("0.5")
