"""Attribution of a run: strategies that oppose each other are netted, every kind of part sums exactly."""

from decimal import Decimal as D

import pytest

from actors.domain.evaluation.attribution import UNATTRIBUTED, Attribution
from actors.domain.evaluation.report_model import AccountSeries, PairSeries
from actors.domain.events.execution import OrderFilled
from actors.domain.events.risk import OrderIntentApproved
from actors.domain.events.signal import SignalsAggregated

HOUR = 3_600_000_000_000
CLOSES = [100.0, 110.0, 105.0, 120.0]


def run(fee=D("0.3"), currency="USDT"):
    """Buy 1.1 A at 101.37 for the wish of two members against a third."""
    found = Attribution(("A/USDT",), ("one", "two", "three"))
    common = {"ts_event_ns": 2 * HOUR, "source": "x", "instrument_id": "A/USDT"}
    view = SignalsAggregated(
        **common, members=("one", "two", "three"), weights=(0.5, 0.3, 0.2), directions=(1.0, 0.5, -1.0),
        direction=0.45, agreement=0.5, conflict=False, regime="",
    )  # fmt: skip
    approved = OrderIntentApproved(
        **common, intent_id="i", quantity=D("1.1"), reference_price=D(100), target_frac=0.2, urgency=0.5,
    )  # fmt: skip
    fill = OrderFilled(
        **common, client_order_id="c", intent_id="i", fill_id="f", ts_fill_ns=2 * HOUR, side=1, quantity=D("1.1"),
        price=D("101.37"), fee=fee, fee_currency=currency, liquidity="taker", leaves_quantity=D(0),
        slippage_quote=D(0),
    )  # fmt: skip
    found.add([("coordinator-strategy", (view,)), ("coordinator-risk", (approved,)), ("venue", (fill,))])
    held = D("1.1") - (fee if currency == "A" else 0)
    paid = fee * (D("101.37") if currency == "A" else 1)
    pnl = held * 120 - D("1.1") * D("101.37") - (0 if currency == "A" else fee)
    return found, pnl, paid


def groups(found, pnl, paid):
    ts = [HOUR * (k + 1) for k in range(4)]
    bars = PairSeries(pair="A/USDT", ts_ns=ts, close=CLOSES, detected=["", "bull", "bull", "bear"])
    account = AccountSeries(
        initial_equity=1000.0, ts_ns=ts, equity=[1000.0, 1009.0, 1004.0, 1020.0], benchmark=[1000.0] * 4,
        drawdown=[0.0] * 4, exposures=[(0.0,)] * 4, es_bound_frac=[0.0] * 4, es_confidence=0.95,
        fees_quote=[0.0] * 4, slippage_quote=[0.0] * 4,
    )  # fmt: skip
    rows = found.groups({"A/USDT": bars}, account, HOUR, total_pnl_quote=pnl, fees_quote=paid)
    return {kind: {r.name: r for r in rows if r.kind == kind} for kind in ("regime", "strategy", "pair")}


@pytest.mark.parametrize(("fee", "currency"), [(D("0.3"), "USDT"), (D("0.0011"), "A")])
def test_all_parts_sum_to_pnl_and_fees_exactly(fee, currency):
    found, pnl, paid = run(fee, currency)
    for kind, rows in groups(found, pnl, paid).items():
        assert UNATTRIBUTED not in rows
        assert sum(D(r.pnl_quote) for r in rows.values()) == pnl, kind
        assert sum(D(r.fees_quote) for r in rows.values()) == paid, kind


def test_who_wanted_the_other_side_owns_nothing_of_it():
    rows = groups(*run())["strategy"]
    # 0.5·1.0 against 0.3·0.5: ten to three; the third wished to be short and has no part
    assert float(rows["one"].pnl_quote) / float(rows["two"].pnl_quote) == pytest.approx(10 / 3)
    assert (D(rows["three"].pnl_quote), rows["three"].bars) == (0, 0)


def test_a_bar_belongs_to_the_regime_known_when_it_began():
    rows = groups(*run())["regime"]
    assert set(rows) == {"unknown", "bull"}
    # bar 2 began before any label: fill and fee are the unknown's, the rest came under the bull's label
    assert float(rows["unknown"].pnl_quote) == pytest.approx(1.1 * (110 - 101.37) - 0.3)
    assert float(rows["bull"].pnl_quote) == pytest.approx(1.1 * (120 - 110))
    assert (rows["unknown"].bars, rows["bull"].bars) == (2, 2)


def test_what_nobody_earned_is_a_part_of_its_own():
    found, pnl, paid = run()
    rows = groups(found, pnl + 5, paid)
    for kind, parts in rows.items():
        assert D(parts[UNATTRIBUTED].pnl_quote) == pytest.approx(D(5), abs=D("1e-7")), kind
        assert sum(D(r.pnl_quote) for r in parts.values()) == pnl + 5, kind


def test_a_protective_exit_is_paid_for_by_those_whose_position_it_left():
    found = run()[0]
    stop = OrderFilled(
        ts_event_ns=3 * HOUR, source="venue", instrument_id="A/USDT", client_order_id="s",
        intent_id="exit:stop:execution-exits:2:0", fill_id="s-1", ts_fill_ns=3 * HOUR, side=-1, quantity=D("1.1"),
        price=D(104), fee=D("0.2"), fee_currency="USDT", liquidity="taker", leaves_quantity=D(0),
    )  # fmt: skip
    found.add([("venue", (stop,))])
    rows = groups(found, D("1.1") * (104 - D("101.37")) - D("0.5"), D("0.5"))["strategy"]
    assert D(rows["three"].fees_quote) == 0
    assert float(rows["one"].fees_quote) / float(rows["two"].fees_quote) == pytest.approx(10 / 3)
