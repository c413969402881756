"""The split of costs: parts add up to what the fills say, per pair and in all."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from actors.domain.evaluation.cost_parts import CostBook
from actors.domain.events.execution import OrderFilled
from actors.domain.events.portfolio import AccountCharged


def fill(
    pair: str, liquidity: str, price: str, fee: str, currency: str, slip: str, spread: str, impact: str
) -> OrderFilled:
    return OrderFilled(
        ts_event_ns=1, source="venue", instrument_id=pair, client_order_id="a", intent_id="", fill_id="a-1",
        ts_fill_ns=1, side=1, quantity=D(2), price=D(price), fee=D(fee), fee_currency=currency,
        liquidity=liquidity, leaves_quantity=D(0), slippage_quote=D(slip), spread_quote=D(spread),
        impact_quote=D(impact),
    )  # fmt: skip


def charge(pair: str | None, kind: str, amount: str) -> AccountCharged:
    return AccountCharged(
        ts_event_ns=1, source="venue", instrument_id=pair, charge_id="c", kind=kind, currency="USDT",
        amount=D(amount), rate=D(0), basis=D(0),
    )  # fmt: skip


def test_parts_add_up_by_hand() -> None:
    book = CostBook()
    book.fill(fill("BTC/USDT", "taker", "100", "0.2", "USDT", "1.5", "0.4", "0.6"))
    book.fill(fill("BTC/USDT", "maker", "100", "0.001", "BTC", "-0.3", "0", "0"))
    book.fill(fill("ETH/USDT", "taker", "50", "0.1", "USDT", "0.2", "0.1", "0.1"))
    book.charge(charge("ETH/USDT", "funding", "-0.05"))
    book.charge(charge(None, "borrow", "0.07"))
    found = book.report()
    assert found["maker_fees_quote"] == "0.1"
    assert found["taker_fees_quote"] == "0.3"
    assert (found["spread_quote"], found["impact_quote"], found["delay_quote"]) == ("0.5", "0.7", "0.2")
    assert (found["funding_quote"], found["borrow_quote"], found["liquidation_quote"]) == (
        "-0.05",
        "0.07",
        "0",
    )
    assert found["total_quote"] == "1.62"
    assert found["traded_quote"] == "500"
    assert found["bps_of_traded"]["taker_fees"] == pytest.approx(6.0)
    assert set(found["per_pair"]) == {"BTC/USDT", "ETH/USDT", "account"}
    assert sum(D(row["total_quote"]) for row in found["per_pair"].values()) == D("1.62")


def test_a_run_without_a_fill_has_no_shares() -> None:
    assert CostBook().report()["bps_of_traded"]["spread"] is None
