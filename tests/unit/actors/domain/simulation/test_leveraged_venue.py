"""Margin and perpetual accounts at the simulated venue, worked by hand; a ledger books along and must agree."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from actors.domain import registry, state
from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderCanceled, OrderFilled, OrderRejected, SubmitOrder
from actors.domain.events.market import BarClosed, FundingRateUpdated, MarkPriceUpdated
from actors.domain.events.portfolio import AccountCharged
from actors.domain.model.account import AccountTerms
from actors.domain.model.instrument import Instrument
from actors.domain.portfolio.ledger import Ledger
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

BTC, ETH = "BTC/USDT", "ETH/USDT"
SIM = "actors.domain.simulation"
INSTRUMENTS = {p: Instrument(pair=p, tick=D("0.01"), lot=D("0.001"), min_notional=D("1")) for p in (BTC, ETH)}
HOUR = 3600
Prices = tuple[float, float, float, float]


class World:
    """A venue and a ledger; bars are an hour, step k closes at (k + 1) hours."""

    def __init__(
        self, mode: str = "perpetual", cash: str = "1000", leverage: str = "5", maintenance: str = "0.1",
        liquidation_fee: str = "0", borrow: tuple[str, str] = ("0", "0"), fee_bps: float = 0.0,
        slippage: float = 0.0, pairs: tuple[str, ...] = (BTC,), **params: Any,
    ) -> None:  # fmt: skip
        instruments = {p: INSTRUMENTS[p] for p in pairs}
        self.venue = SimulatedVenue(
            "venue", instruments, {"USDT": D(cash)},
            registry.build(f"{SIM}.fees", "maker_taker", {"maker_bps": fee_bps, "taker_bps": fee_bps}),
            registry.build(f"{SIM}.slippage", "fixed_bps", {"cost_bps": slippage}),
            registry.build(f"{SIM}.latency", "fixed", {}),
            VenueParams(**{"max_volume_share": None, **params}),
            account=AccountTerms(
                mode=mode, leverage=D(leverage), maintenance_frac=D(maintenance),  # type: ignore[arg-type]
                liquidation_fee_frac=D(liquidation_fee), borrow_base_frac=D(borrow[0]),
                borrow_quote_frac=D(borrow[1]),
            ),
        )  # fmt: skip
        self.ledger = Ledger(instruments, D(cash), "USDT")
        self.pairs, self.number, self.hour = pairs, -1, 0

    def step(
        self,
        prices: Prices | dict[str, Prices],
        *orders: SubmitOrder,
        funding: dict[str, float] | float | None = None,
        mark: Prices | None = None,
        skip: int = 0,
        assumed: bool = False,
        due: int | None = None,
    ) -> list[Event]:
        """Take one bar per pair (open, high, low, close), `skip` hours after the last one closed."""
        self.number += 1
        self.hour += skip
        begin, end = self.hour * HOUR, (self.hour + 1) * HOUR
        self.hour += 1
        bars = {}
        for pair, (o, h, low, c) in (prices if isinstance(prices, dict) else {BTC: prices}).items():
            bars[pair] = BarClosed(
                ts_event_ns=end, source="feed", instrument_id=pair, open_ns=begin, close_ns=end, open=o, high=h,
                low=low, close=c, volume=1000.0,
            )  # fmt: skip
        rates = funding if isinstance(funding, dict) else {} if funding is None else {BTC: funding}
        events = [
            FundingRateUpdated(
                ts_event_ns=end, source="feed", instrument_id=p, rate=r, assumed=assumed,
                funding_ns=end if due is None else due,
            )
            for p, r in rates.items()
        ]  # fmt: skip
        marks = {}
        if mark is not None:
            o, h, low, c = mark
            marks[BTC] = MarkPriceUpdated(
                ts_event_ns=end, source="feed", instrument_id=BTC, open_ns=begin, close_ns=end, open=o, high=h,
                low=low, close=c,
            )  # fmt: skip
        out = self.venue.advance(self.number, end, orders, [], bars, events, marks)
        for event in out:
            if isinstance(event, OrderFilled):
                self.ledger.apply(event, self.number)
            elif isinstance(event, AccountCharged):
                self.ledger.charge(event)
        for pair, bar in bars.items():
            self.ledger.mark(pair, bar.close)
        self.ledger.check()
        assert self.ledger.cash == self.venue.balances["USDT"]
        for pair in self.pairs:
            assert self.ledger.position(pair).quantity == self.venue.balances[INSTRUMENTS[pair].base]
        return out

    @property
    def held(self) -> D:
        return self.ledger.position(BTC).quantity


def order(cid: str, side: int, qty: str, pair: str = BTC, **extra: Any) -> SubmitOrder:
    return SubmitOrder(
        ts_event_ns=0, source="execution", instrument_id=pair, client_order_id=cid, intent_id=f"i-{cid}",
        side=side, order_type=extra.pop("order_type", "market"), quantity=D(qty), **extra,
    )  # fmt: skip


def flat(price: float) -> Prices:
    return (price, price, price, price)


def of(events: list[Event], kind: type[Any]) -> list[Any]:
    return [e for e in events if type(e) is kind]


def only(events: list[Event], kind: type[Any]) -> Any:
    (found,) = of(events, kind)
    return found


# -- positions -------------------------------------------------------------------------------------------------


def test_a_perpetual_is_opened_added_to_reduced_and_turned() -> None:
    w = World(fee_bps=10.0)
    w.step(flat(100.0), order("a", -1, "4"))
    assert (w.held, w.venue.balances["USDT"]) == (D(-4), D(1000) + 400 - D("0.4"))
    w.step(flat(110.0), order("b", -1, "2"))
    # entry (4 x 100 + 2 x 110) / 6
    assert w.ledger.position(BTC).average_price.quantize(D("0.0001")) == D("103.3333")
    w.step(flat(90.0), order("c", 1, "3"))
    assert w.held == -3
    w.step(flat(80.0), order("d", 1, "5"))
    assert w.held == 2
    # fees: 0.4 + 0.22 + 0.27 + 0.4; realised: 6 sold for 620, 3 bought at 90, 3 at 80
    assert w.ledger.fees_quote == D("1.29")
    assert w.ledger.realised == D(620) - 270 - 240 - D("1.29")
    w.step(flat(85.0))
    assert w.ledger.equity == D(1000) + 110 - D("1.29") + 2 * 5


def test_what_exceeds_the_leverage_is_rejected_and_what_fits_is_not() -> None:
    w = World(leverage="5")
    no = only(w.step(flat(100.0), order("a", 1, "50.001")), OrderRejected)
    assert (no.code, w.held) == ("INSUFFICIENT_MARGIN", 0)
    assert "at most 5000" in no.message
    assert "found 5000.1" in no.message
    w.step(flat(100.0), order("b", 1, "50"))
    assert w.held == 50
    # at 110 equity is 1500 and carries 7500, of which 5500 are used; 2000 / 110 = 18.18
    no = only(w.step(flat(110.0), order("c", 1, "18.182")), OrderRejected)
    assert no.code == "INSUFFICIENT_MARGIN"
    w.step(flat(110.0), order("d", 1, "18.181"))
    assert w.held == D("68.181")


def test_the_fee_counts_against_the_margin() -> None:
    # x * 100 * (1 + 5 * 0.001) <= 5000
    w = World(leverage="5", fee_bps=10.0)
    no = only(w.step(flat(100.0), order("a", -1, "49.752")), OrderRejected)
    assert no.code == "INSUFFICIENT_MARGIN"
    w.step(flat(100.0), order("b", -1, "49.751"))
    assert w.held == D("-49.751")


def test_open_orders_count_once_on_the_larger_side() -> None:
    w = World(leverage="2")
    bid = order("bid", 1, "10", order_type="limit", limit_price=D(90))
    ask = order("ask", -1, "10", order_type="limit", limit_price=D(110))
    more = order("more", -1, "10", order_type="limit", limit_price=D(105))
    out = w.step(flat(100.0), bid, ask, more)
    # bids 900, asks 1100 + 1050 = 2150 > 2000
    assert only(out, OrderRejected).client_order_id == "more"
    assert [o.client_order_id for o in w.venue.open_orders()] == ["bid", "ask"]


def test_of_a_list_the_largest_counts() -> None:
    w = World(leverage="2")
    both = {"order_type": "limit", "order_list_id": "l"}
    one = order("one", 1, "20", limit_price=D(90), **both)
    two = order("two", 1, "20", limit_price=D(95), **both)
    assert not of(w.step(flat(100.0), one, two), OrderRejected)


def test_an_order_that_reduces_needs_no_margin_and_one_that_turns_needs_it_for_the_rest() -> None:
    w = World(leverage="2")
    w.step(flat(100.0), order("a", 1, "20"))
    # at 60 equity is 200 and carries 400; the position is worth 1200
    assert only(w.step(flat(60.0), order("b", 1, "0.1")), OrderRejected).code == "INSUFFICIENT_MARGIN"
    no = only(w.step(flat(60.0), order("c", -1, "26.667")), OrderRejected)
    assert no.code == "INSUFFICIENT_MARGIN"
    w.step(flat(60.0), order("d", -1, "26.666"))
    assert w.held == D("-6.666")


def test_slippage_cuts_a_fill_to_what_the_margin_carries() -> None:
    w = World(leverage="5", slippage=100.0)
    out = w.step(flat(100.0), order("a", 1, "50"))
    # filled at 101: 1000 * 5 / 101 = 49.504
    assert only(out, OrderFilled).quantity == D("49.504")
    ended = only(out, OrderCanceled)
    assert (ended.reason, ended.filled_quantity) == ("INSUFFICIENT_MARGIN", D("49.504"))


def test_reduce_only_reduces_either_side_and_never_opens() -> None:
    w = World()
    no = only(w.step(flat(100.0), order("a", 1, "1", reduce_only=True)), OrderRejected)
    assert no.code == "REDUCE_ONLY_NO_POSITION"
    w.step(flat(100.0), order("b", -1, "2"))
    assert only(w.step(flat(100.0), order("c", -1, "1", reduce_only=True)), OrderRejected).code == no.code
    w.step(flat(100.0), order("d", 1, "5", reduce_only=True))
    assert w.held == 0


def test_the_account_is_one_over_its_pairs() -> None:
    w = World(leverage="2", pairs=(BTC, ETH))
    prices = {BTC: flat(100.0), ETH: flat(10.0)}
    w.step(prices, order("a", 1, "10"), order("b", -1, "100", pair=ETH))
    assert w.ledger.position(ETH).quantity == -100
    # 1000 long and 1000 short are gross 2000 = 2 x equity: not one more
    assert only(w.step(prices, order("c", 1, "0.01")), OrderRejected).code == "INSUFFICIENT_MARGIN"


# -- carry -----------------------------------------------------------------------------------------------------


def test_funding_is_paid_by_longs_and_received_by_shorts() -> None:
    for side, expected in ((1, "0.16"), (-1, "-0.16")):
        w = World()
        w.step(flat(100.0), order("a", side, "2"))
        charge = only(w.step((100.0, 101.0, 79.0, 80.0), funding=0.001), AccountCharged)
        # on the position at the close
        assert (charge.kind, charge.amount, charge.basis) == ("funding", D(expected), side * D(160))
        assert w.ledger.charged_quote["funding"] == D(expected)
        assert w.ledger.equity == 1000 - side * 40 - D(expected)
        w.step(flat(80.0), order("b", -side, "2"))
        assert not w.step(flat(80.0), funding=0.001)


def test_funding_is_rounded_against_the_account() -> None:
    for side, expected in ((1, "0.00000101"), (-1, "-0.00000100")):
        w = World()
        w.step(flat(100.0), order("a", side, "0.01"))
        assert only(w.step(flat(100.0), funding=0.000001001), AccountCharged).amount == D(expected)


def test_an_assumed_rate_is_paid_by_either_side() -> None:
    for side in (1, -1):
        w = World()
        w.step(flat(100.0), order("a", side, "1"))
        assert only(w.step(flat(100.0), funding=-0.001, assumed=True), AccountCharged).amount == D("0.1")


def test_funding_is_on_the_mark_where_there_is_one() -> None:
    w = World()
    w.step(flat(100.0), order("a", 1, "1"))
    charge = only(w.step(flat(100.0), funding=0.001, mark=(100.0, 100.0, 90.0, 90.0)), AccountCharged)
    assert charge.amount == D("0.09")


def test_funding_due_in_a_gap_is_on_what_was_carried_into_it() -> None:
    w = World()
    w.step(flat(100.0), order("a", 1, "1"))
    out = w.step(flat(200.0), order("b", -1, "1"), funding=0.001, skip=4, due=3 * HOUR)
    assert (only(out, AccountCharged).amount, w.held) == (D("0.1"), D(0))
    # due at the close, the position is gone
    w.step(flat(100.0), order("c", 1, "1"))
    assert not of(w.step(flat(100.0), order("d", -1, "1"), funding=0.001), AccountCharged)


def test_only_perpetuals_know_funding() -> None:
    w = World("margin")
    w.step(flat(100.0), order("a", 1, "1"))
    assert not w.step(flat(100.0), funding=0.01)


def test_interest_runs_on_borrowed_base_and_on_borrowed_quote() -> None:
    w = World("margin", leverage="3", borrow=("0.001", "0.0001"))
    out = w.step(flat(100.0), order("a", -1, "5"))
    # 5 base owed, worth 500 at the close
    charge = only(out, AccountCharged)
    assert (charge.kind, charge.amount, charge.basis) == ("borrow", D("0.5"), D(500))
    assert only(w.step((100.0, 100.0, 80.0, 80.0)), AccountCharged).amount == D("0.4")
    out = w.step(flat(80.0), order("b", 1, "20"))
    # 15 long for 1000 + 500 - 0.9 - 1600 = -100.9: 100.9 quote owed
    assert w.held == 15
    charge = only(out, AccountCharged)
    assert (charge.amount, charge.basis) == (D("0.01009"), D("100.9"))
    assert w.ledger.charged_quote["borrow"] == D("0.91009")
    assert not w.step(flat(80.0), order("c", -1, "15"))[2:]


def test_interest_of_missing_bars_is_on_what_was_carried() -> None:
    w = World("margin", borrow=("0.001", "0"))
    w.step(flat(100.0), order("a", -1, "1"))
    out = w.step(flat(200.0), order("b", 1, "1"), skip=3)
    # three bars at the last close known, and none for this one: it was closed at its open
    assert [c.amount for c in of(out, AccountCharged)] == [D("0.3")]


def test_borrowed_quote_is_shared_by_the_longs_it_pays_for() -> None:
    w = World("margin", leverage="3", borrow=("0", "0.001"), pairs=(BTC, ETH))
    out = w.step({BTC: flat(100.0), ETH: flat(10.0)}, order("a", 1, "10"), order("b", 1, "30", pair=ETH))
    parts = {c.instrument_id: c.amount for c in of(out, AccountCharged)}
    assert parts == {BTC: D("0.23076923"), ETH: D("0.06923077")}
    assert sum(parts.values()) == D("0.3")


# -- liquidation -----------------------------------------------------------------------------------------------


def test_a_long_is_liquidated_where_equity_meets_its_maintenance() -> None:
    w = World(leverage="5", fee_bps=10.0, liquidation_fee="0.01")
    w.step(flat(100.0), order("a", 1, "40"))
    # cash 1000 - 4000 - 4 = -3004; q p - 3004 = 0.1 q p at 3004 / (40 * 0.9) = 83.444
    rests = order("tp", -1, "40", order_type="limit", limit_price=D(120))
    assert not of(w.step((100.0, 101.0, 83.45, 90.0), rests), OrderFilled)
    out = w.step((90.0, 95.0, 80.0, 82.0))
    fill, charge, ended = only(out, OrderFilled), only(out, AccountCharged), only(out, OrderCanceled)
    assert (fill.price, fill.quantity, fill.side) == (D("83.44"), D(40), -1)
    assert (fill.intent_id, fill.liquidity) == ("venue:liquidation", "taker")
    # fee 1 % of 3337.6 is 33.376
    assert (charge.kind, charge.amount) == ("liquidation", D("33.376"))
    assert (ended.client_order_id, ended.reason) == ("tp", "LIQUIDATED")
    assert w.ledger.equity == D("-3004") + D("3337.6") - D("3.3376") - D("33.376")
    assert w.held == 0
    assert out.index(charge) < out.index(fill)


def test_a_short_is_liquidated_at_the_high() -> None:
    w = World(leverage="5")
    w.step(flat(100.0), order("a", -1, "40"))
    # 5000 - 40 p = 0.1 * 40 p at 5000 / 44 = 113.636…
    assert not w.step((100.0, 113.63, 90.0, 100.0))
    fill = only(w.step((100.0, 113.64, 90.0, 100.0)), OrderFilled)
    assert (fill.side, fill.price) == (1, D("113.64"))


def test_a_gap_through_the_level_is_closed_at_the_open_and_the_rest_is_owed() -> None:
    w = World(leverage="5", liquidation_fee="0.01")
    w.step(flat(100.0), order("a", 1, "50"))
    out = w.step((70.0, 99.0, 60.0, 99.0))
    assert only(out, OrderFilled).price == 70
    # nothing is left to take a fee of
    assert not of(out, AccountCharged)
    assert w.ledger.equity == -500
    assert only(w.step(flat(99.0), order("b", 1, "1")), OrderRejected).code == "INSUFFICIENT_MARGIN"


def test_the_liquidation_fee_takes_at_most_what_is_left() -> None:
    w = World(leverage="5", maintenance="0.01", liquidation_fee="0.05")
    w.step(flat(100.0), order("a", 1, "50"))
    out = w.step((100.0, 100.0, 70.0, 75.0))
    # level 4000 / (50 * 0.99) = 80.808 -> 80.80: 40 are left, 5 % would be 202
    assert only(out, AccountCharged).amount == 40
    assert w.ledger.equity == 0


def test_slippage_of_a_liquidation_is_paid() -> None:
    w = World(leverage="5", slippage=50.0)
    w.step(flat(100.0), order("a", 1, "40"))
    fill = only(w.step((100.0, 100.0, 70.0, 75.0)), OrderFilled)
    # bought at 100.5: cash -3020, level 83.888 -> 83.88, less 0.5 % -> 83.4606 -> 83.46
    assert (fill.price, fill.slippage_quote) == (D("83.46"), D("0.42") * 40)


def test_a_stop_nearer_to_the_open_saves_the_position() -> None:
    w = World(leverage="5")
    stop = order("s", -1, "40", order_type="stop", stop_price=D(90), reduce_only=True)
    w.step(flat(100.0), order("a", 1, "40"))
    out = w.step((100.0, 100.0, 70.0, 75.0), stop)
    fill = only(out, OrderFilled)
    assert (fill.client_order_id, fill.price) == ("s", D(90))
    assert not of(out, OrderCanceled)


def test_a_stop_beyond_the_level_comes_too_late() -> None:
    w = World(leverage="5")
    stop = order("s", -1, "40", order_type="stop", stop_price=D(80), reduce_only=True)
    w.step(flat(100.0), order("a", 1, "40"))
    out = w.step((100.0, 100.0, 70.0, 75.0), stop)
    assert only(out, OrderFilled).price == D("83.33")
    assert only(out, OrderCanceled).reason == "LIQUIDATED"


def test_the_worst_comes_first_a_target_in_the_same_bar_is_not_reached() -> None:
    w = World(leverage="5")
    target = order("t", -1, "40", order_type="limit", limit_price=D(110))
    w.step(flat(100.0), order("a", 1, "40"), target)
    out = w.step((100.0, 120.0, 80.0, 100.0))
    assert only(out, OrderFilled).intent_id == "venue:liquidation"


def test_a_position_opened_inside_the_bar_may_be_liquidated_in_it() -> None:
    w = World(leverage="5")
    bid = order("b", 1, "50", order_type="limit", limit_price=D(90))
    out = w.step((100.0, 100.0, 75.0, 99.0), bid)
    entry, end = of(out, OrderFilled)
    # cash 1000 - 4500 = -3500, level 3500 / 45 = 77.777
    assert (entry.price, end.price) == (D(90), D("77.77"))


def test_the_mark_liquidates_where_there_is_one() -> None:
    w = World(leverage="5")
    w.step(flat(100.0), order("a", 1, "40"))
    # level 83.33: the market's wick goes through, the mark does not
    assert not w.step((100.0, 100.0, 70.0, 100.0), mark=(100.0, 100.0, 84.0, 100.0))
    # the mark goes through, the market does not: closed at the worst it traded
    fill = only(w.step((100.0, 101.0, 95.0, 100.0), mark=(100.0, 100.0, 83.0, 99.0)), OrderFilled)
    assert fill.price == 95


def test_a_mark_of_another_span_does_not_liquidate() -> None:
    w = World(leverage="5")
    w.step(flat(100.0), order("a", 1, "40"))
    w.hour -= 1
    w.venue._mark_bars = {}
    mark = MarkPriceUpdated(
        ts_event_ns=2 * HOUR, source="feed", instrument_id=BTC, open_ns=0, close_ns=2 * HOUR, open=100.0,
        high=100.0, low=50.0, close=100.0,
    )  # fmt: skip
    bar = BarClosed(
        ts_event_ns=2 * HOUR, source="feed", instrument_id=BTC, open_ns=HOUR, close_ns=2 * HOUR, open=100.0,
        high=100.0, low=99.0, close=100.0, volume=10.0,
    )  # fmt: skip
    assert w.venue.advance(1, 2 * HOUR, [], [], {BTC: bar}, (), {BTC: mark}) == []


def test_two_pairs_fall_together() -> None:
    w = World(leverage="5", pairs=(BTC, ETH), liquidation_fee="0.01")
    first = {BTC: flat(100.0), ETH: flat(10.0)}
    w.step(first, order("a", 1, "20"), order("b", 1, "200", pair=ETH))
    # each alone loses 400 of 1000 and stays above its maintenance; both at once do not
    assert not w.step({BTC: (100.0, 100.0, 80.0, 100.0), ETH: flat(10.0)})
    out = w.step({BTC: (100.0, 100.0, 80.0, 100.0), ETH: (10.0, 10.0, 8.0, 10.0)})
    fills = {f.instrument_id: f.price for f in of(out, OrderFilled)}
    # -3000 + 4000 (1 - x) = 400 (1 - x) at x = 1/6
    assert fills == {BTC: D("83.33"), ETH: D("8.33")}
    fees = {c.instrument_id: c.amount for c in of(out, AccountCharged)}
    assert fees == {BTC: D("16.666"), ETH: D("16.66")}


def test_a_gap_over_two_pairs_closes_both_at_their_opens() -> None:
    w = World(leverage="5", pairs=(BTC, ETH))
    w.step({BTC: flat(100.0), ETH: flat(10.0)}, order("a", 1, "20"), order("b", 1, "200", pair=ETH))
    out = w.step({BTC: (80.0, 90.0, 79.0, 90.0), ETH: (8.0, 9.0, 7.9, 9.0)})
    assert {f.instrument_id: f.price for f in of(out, OrderFilled)} == {BTC: D(80), ETH: D(8)}


def test_an_unlevered_long_is_never_liquidated_and_costs_no_interest() -> None:
    w = World("margin", leverage="2", maintenance="0.1", borrow=("0.01", "0.01"))
    w.step(flat(100.0), order("a", 1, "10"))
    for price in (50.0, 5.0, 0.05):
        assert not w.step(flat(price))


def test_a_margin_long_is_liquidated_and_its_debt_costs_interest_on() -> None:
    w = World("margin", leverage="3", borrow=("0", "0.001"))
    w.step(flat(100.0), order("a", 1, "30"))
    out = w.step((60.0, 61.0, 60.0, 60.0))
    assert only(out, OrderFilled).price == 60
    # 1000 - 3000 - interest 2 + 1800 = -202
    assert w.ledger.cash == D("-202") - D("0.202")
    assert only(out, AccountCharged).instrument_id is None
    w.ledger.check()


def test_a_bar_without_trades_liquidates_nobody() -> None:
    w = World(leverage="5", max_volume_share=0.1)
    w.step(flat(100.0), order("a", 1, "40"))
    still = BarClosed(
        ts_event_ns=7200, source="feed", instrument_id=BTC, open_ns=3600, close_ns=7200, open=50.0, high=50.0,
        low=50.0, close=50.0, volume=0.0,
    )  # fmt: skip
    assert w.venue.advance(1, 7200, [], [], {BTC: still}) == []


# -- the rest --------------------------------------------------------------------------------------------------


def test_a_restored_venue_goes_on_alike() -> None:
    one, other = (World(leverage="5", liquidation_fee="0.01") for _ in range(2))
    one.step(flat(100.0), order("a", 1, "40"))
    one.step(flat(99.0), funding=0.001)
    other.venue.load_state(state.loads(state.dumps(one.venue.state())))
    bar = BarClosed(
        ts_event_ns=3 * HOUR, source="feed", instrument_id=BTC, open_ns=2 * HOUR, close_ns=3 * HOUR, open=99.0,
        high=99.0, low=60.0, close=90.0, volume=10.0,
    )  # fmt: skip
    told = [w.venue.advance(2, 3 * HOUR, [], [], {BTC: bar}) for w in (one, other)]
    assert told[0] == told[1]
    assert len(told[0]) == 2


def test_fills_inside_the_bar_and_fees_in_base_do_not_go_with_it() -> None:
    with pytest.raises(InvalidParamsError, match="ACCOUNT_UNSUPPORTED"):
        World(fill_at="intrabar")
    w = World()
    w.venue._fees = registry.build(f"{SIM}.fees", "maker_taker", {"fee_currency": "received"})
    with pytest.raises(InvalidParamsError, match="FEE_CURRENCY"):
        w.step(flat(100.0), order("a", 1, "1"))
