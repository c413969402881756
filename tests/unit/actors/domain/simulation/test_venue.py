"""The simulated venue: checks, holds, matching, idempotency, cancels, expiry, snapshots."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from actors.domain import registry, state
from actors.domain.events.base import Event
from actors.domain.events.execution import (
    CancelOrder,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import FLAG_FORWARD_FILLED, BarClosed
from actors.domain.model.instrument import Instrument
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

PAIR = "BTC/USDT"
SIM = "actors.domain.simulation"
INSTRUMENT = Instrument(pair=PAIR, tick=D("0.01"), lot=D("0.001"), min_notional=D("10"))


def make(
    cash: str = "10000",
    coins: str = "0",
    slippage: float = 0.0,
    spread: float = 0.0,
    fee_bps: float = 10.0,
    latency: int = 0,
    fee_currency: str = "quote",
    **params: Any,
) -> SimulatedVenue:
    return SimulatedVenue(
        "venue",
        {PAIR: INSTRUMENT},
        {"USDT": D(cash), "BTC": D(coins)},
        registry.build(
            f"{SIM}.fees",
            "maker_taker",
            {"maker_bps": fee_bps / 2, "taker_bps": fee_bps, "fee_currency": fee_currency},
        ),
        registry.build(f"{SIM}.slippage", "fixed_bps", {"cost_bps": slippage}),
        registry.build(f"{SIM}.latency", "fixed", {"latency_steps": latency}),
        VenueParams(**{"max_volume_share": None, **params}),
        registry.build(f"{SIM}.spread", "fixed_bps", {"half_spread_bps": spread}),
    )


def bar(
    k: int,
    o: float = 100.0,
    h: float = 101.0,
    low: float = 99.0,
    c: float = 100.5,
    volume: float = 1000.0,
    flags: int = 0,
) -> dict[str, BarClosed]:
    return {
        PAIR: BarClosed(
            ts_event_ns=(k + 1) * 100, source="feed", instrument_id=PAIR, open_ns=k * 100,
            close_ns=(k + 1) * 100, open=o, high=h, low=low, close=c, volume=volume, flags=flags,
        )
    }  # fmt: skip


def order(
    cid: str = "a", side: int = 1, qty: str = "1", limit: str | None = None, **extra: Any
) -> SubmitOrder:
    return SubmitOrder(
        ts_event_ns=0, source="execution", instrument_id=extra.pop("pair", PAIR), client_order_id=cid,
        intent_id=f"i-{cid}", side=side, order_type=extra.pop("order_type", "limit" if limit else "market"),
        quantity=D(qty), limit_price=None if limit is None else D(limit), **extra,
    )  # fmt: skip


def cancel(cid: str = "a") -> CancelOrder:
    return CancelOrder(
        ts_event_ns=0, source="execution", instrument_id=PAIR, client_order_id=cid, reason="test"
    )


def step(
    venue: SimulatedVenue, k: int, *commands: Event, bars: dict[str, BarClosed] | None = None
) -> list[Event]:
    return venue.advance(
        k,
        (k + 1) * 100,
        [c for c in commands if isinstance(c, SubmitOrder)],
        [c for c in commands if isinstance(c, CancelOrder)],
        bar(k) if bars is None else bars,
    )


def only(events: list[Event], kind: type[Event]) -> Any:
    found = [e for e in events if type(e) is kind]
    assert len(found) == 1, events
    return found[0]


def test_market_order_fills_at_the_next_open_with_fee_and_slippage() -> None:
    venue = make(slippage=10.0)
    events = step(venue, 1, order(arrival_price=D("99")), bars=bar(1, o=100.0))
    assert [type(e) for e in events] == [OrderAccepted, OrderFilled]
    fill = events[1]
    assert isinstance(fill, OrderFilled)
    assert (fill.price, fill.quantity, fill.fee, fill.fee_currency) == (
        D("100.10"),
        D(1),
        D("0.1001"),
        "USDT",
    )
    assert (fill.liquidity, fill.fill_id, fill.ts_fill_ns, fill.leaves_quantity) == ("taker", "a-1", 100, 0)
    assert fill.slippage_quote == D("1.10")
    assert venue.balances == {"USDT": D(10000) - D("100.10") - D("0.1001"), "BTC": D(1)}


def test_a_fill_says_how_much_of_its_price_was_spread_and_impact() -> None:
    """Two coins from 100.00: half spread 5 bps and impact 10 bps make 100.15; decided at 99.00."""
    venue = make(slippage=10.0, spread=5.0)
    fill = only(step(venue, 1, order(qty="2", arrival_price=D("99"))), OrderFilled)
    assert fill.price == D("100.15")
    assert (fill.spread_quote, fill.impact_quote) == (D("0.10"), D("0.20"))
    assert fill.slippage_quote == D("2.30")
    limit = only(
        step(venue, 2, order("b", side=-1, qty="2", limit="101.00"), bars=bar(2, h=101.5)), OrderFilled
    )
    assert (limit.liquidity, limit.spread_quote, limit.impact_quote) == ("maker", 0, 0)


def test_a_limit_that_caps_the_price_caps_the_spread_it_paid() -> None:
    """The limit leaves 2 of the 5 ticks of half spread, and nothing for the impact."""
    fill = only(step(make(slippage=10.0, spread=5.0), 1, order(limit="100.02")), OrderFilled)
    assert (fill.price, fill.spread_quote, fill.impact_quote) == (D("100.02"), D("0.02"), 0)


def test_slippage_goes_against_a_sell_and_off_tick_prices_round_against_us() -> None:
    sell = only(step(make(coins="1", slippage=10.0), 1, order(side=-1)), OrderFilled)
    assert sell.price == D("99.90")
    buy = only(step(make(), 1, order(), bars=bar(1, o=100.001)), OrderFilled)
    assert buy.price == D("100.01")


def test_intrabar_fills_at_the_average_of_the_bar() -> None:
    fill = only(step(make(fill_at="intrabar"), 1, order(), bars=bar(1, 100, 104, 98, 102)), OrderFilled)
    assert (fill.price, fill.ts_fill_ns) == (D("101.00"), 150)


@pytest.mark.parametrize(
    ("low", "filled"), [(99.0, True), (98.99, True), (99.005, False), (99.01, False), (100.0, False)]
)
def test_a_limit_buy_needs_the_market_to_trade_through_it(low: float, filled: bool) -> None:
    venue = make()
    events = step(venue, 1, order(limit="99.01"), bars=bar(1, low=low))
    assert any(isinstance(e, OrderFilled) for e in events) is filled
    if filled:
        fill = only(events, OrderFilled)
        assert (fill.price, fill.liquidity, fill.fee) == (D("99.01"), "maker", D("0.049505"))


def test_a_limit_sell_needs_the_market_to_trade_through_it() -> None:
    venue = make(coins="1")
    assert not any(isinstance(e, OrderFilled) for e in step(venue, 1, order(side=-1, limit="101.00")))
    assert only(step(venue, 2, bars=bar(2, h=101.01)), OrderFilled).price == D("101.00")


def test_a_resting_limit_order_fills_at_the_open_when_the_market_gaps_over_it() -> None:
    venue = make()
    step(venue, 1, order(limit="95.00"))
    fill = only(step(venue, 2, bars=bar(2, o=90.0, h=92.0, low=89.0, c=91.0)), OrderFilled)
    assert (fill.price, fill.liquidity) == (D("90.00"), "maker")


def test_a_marketable_limit_order_takes_at_the_open_but_never_beyond_its_limit() -> None:
    fill = only(step(make(slippage=100.0), 1, order(limit="100.50")), OrderFilled)
    assert (fill.price, fill.liquidity) == (D("100.50"), "taker")


def test_an_intrabar_arrival_cannot_use_the_extreme_of_its_first_bar() -> None:
    venue = make(fill_at="intrabar")
    assert not any(isinstance(e, OrderFilled) for e in step(venue, 1, order(limit="99.50")))
    assert only(step(venue, 2), OrderFilled).price == D("99.50")


def test_volume_share_gives_partial_fills_and_the_market_remainder_goes_on_at_the_next_open() -> None:
    venue = make(max_volume_share=0.1)
    first = only(step(venue, 1, order(qty="1"), bars=bar(1, volume=4.0)), OrderFilled)
    assert (first.quantity, first.leaves_quantity) == (D("0.4"), D("0.6"))
    second = only(step(venue, 2, bars=bar(2, o=110.0, volume=100.0)), OrderFilled)
    assert (second.quantity, second.price, second.fill_id) == (D("0.6"), D("110.00"), "a-2")
    assert venue.open_orders() == ()


def test_orders_share_the_volume_in_price_time_priority() -> None:
    venue = make(max_volume_share=0.1)
    book = [order("low", limit="98.00"), order("first", limit="98.50"), order("second", limit="98.50")]
    step(venue, 1, *book, bars=bar(1))
    fills = [
        e
        for e in step(venue, 2, order("market"), bars=bar(2, low=97.0, volume=25.0))
        if isinstance(e, OrderFilled)
    ]
    assert [(f.client_order_id, f.quantity) for f in fills] == [
        ("market", D(1)), ("first", D(1)), ("second", D("0.5")),
    ]  # fmt: skip


def test_bars_without_trading_fill_nothing() -> None:
    venue = make(max_volume_share=0.5)
    for k, bars in ((1, {}), (2, bar(2, volume=0.0)), (3, bar(3, flags=FLAG_FORWARD_FILLED))):
        events = step(venue, k, *([order(arrival_price=D(100))] if k == 1 else []), bars=bars)
        assert not any(isinstance(e, OrderFilled) for e in events)
    assert only(step(venue, 4), OrderFilled).price == D("100.00")


def test_a_repeated_submission_is_answered_and_not_executed_again() -> None:
    venue = make()
    step(venue, 1, order())
    before = dict(venue.balances)
    again = step(venue, 2, order())
    assert [type(e) for e in again] == [OrderAccepted]
    assert venue.balances == before
    resting = step(venue, 3, order("b", limit="90.00"), order("b", limit="90.00"))
    assert len(venue.open_orders()) == 1
    assert {e.venue_order_id for e in resting if isinstance(e, OrderAccepted)} == {"venue-2"}


def test_a_repeated_submission_of_a_finished_order_gets_its_final_report() -> None:
    venue = make()
    no = only(step(venue, 1, order("tiny", qty="0.001")), OrderRejected)
    assert only(step(venue, 2, order("tiny", qty="0.001")), OrderRejected).code == no.code == "MIN_NOTIONAL"
    step(venue, 3, order("b", limit="90.00"))
    step(venue, 4, cancel("b"))
    assert only(step(venue, 5, order("b", limit="90.00")), OrderCanceled).reason == "test"


def test_an_id_in_use_for_other_terms_is_rejected() -> None:
    venue = make()
    step(venue, 1, order("b", limit="90.00"))
    assert only(step(venue, 2, order("b", limit="91.00")), OrderRejected).code == "CLIENT_ORDER_ID_REUSED"
    assert venue.open_orders()[0].limit_price == D("90.00")


def test_cancels_come_before_matching() -> None:
    venue = make()
    step(venue, 1, order(limit="95.00"))
    events = step(venue, 2, cancel(), bars=bar(2, low=90.0))
    assert [type(e) for e in events] == [OrderCanceled]
    assert venue.available("USDT") == D(10000)


def test_cancel_of_finished_and_of_unknown_orders_is_answered() -> None:
    venue = make()
    step(venue, 1, order())
    assert [type(e) for e in step(venue, 2, cancel())] == [OrderAccepted]
    assert only(step(venue, 3, cancel("nobody")), OrderRejected).code == "ORDER_UNKNOWN"


def test_latency_delays_the_order_by_whole_bars() -> None:
    venue = make(latency=2)
    assert step(venue, 1, order()) == []
    assert venue.open_orders()[0].status == "in_flight"
    assert step(venue, 2) == []
    assert only(step(venue, 3, bars=bar(3, o=103.0)), OrderFilled).price == D("103.00")


def test_ioc_takes_what_is_there_and_expires() -> None:
    venue = make(max_volume_share=0.1)
    events = step(venue, 1, order(limit="100.00", time_in_force="IOC"), bars=bar(1, volume=4.0))
    assert [type(e) for e in events] == [OrderAccepted, OrderFilled, OrderExpired]
    assert only(events, OrderExpired).filled_quantity == D("0.4")
    passive = step(venue, 2, order("b", limit="99.90", time_in_force="IOC"), bars=bar(2, low=90.0))
    assert [type(e) for e in passive] == [OrderAccepted, OrderExpired]


def test_expire_step_is_the_last_step_in_which_it_can_fill() -> None:
    venue = make()
    step(venue, 1, order(limit="95.00", expire_step=2))
    events = step(venue, 2, bars=bar(2, low=96.0))
    assert [type(e) for e in events] == [OrderExpired]
    assert step(venue, 3, bars=bar(3, low=80.0)) == []


@pytest.mark.parametrize(
    ("submit", "code"),
    [
        (order(pair="DOGE/USDT"), "UNKNOWN_PAIR"),
        (order(order_type="iceberg"), "ORDER_TYPE_UNSUPPORTED"),
        (order(order_type="stop"), "STOP_PRICE_INVALID"),
        (order(order_type="trailing_stop"), "TRAILING_OFFSET_INVALID"),
        (order(time_in_force="DAY"), "TIME_IN_FORCE_UNSUPPORTED"),
        (order(time_in_force="GTD"), "EXPIRE_MISSING"),
        (order(side=2), "SIDE_INVALID"),
        (order(qty="0"), "QUANTITY_INVALID"),
        (order(qty="-1"), "QUANTITY_INVALID"),
        (order(qty="NaN"), "QUANTITY_INVALID"),
        (order(qty="1.0005"), "LOT_SIZE"),
        (order(limit="99.001"), "TICK_SIZE"),
        (order(order_type="limit"), "LIMIT_PRICE_MISSING"),
        (order(qty="0.01"), "MIN_NOTIONAL"),
        (order(qty="1000"), "INSUFFICIENT_BALANCE"),
        (order(side=-1), "INSUFFICIENT_BALANCE"),
    ],
)
def test_refusals_have_typed_codes(submit: SubmitOrder, code: str) -> None:
    venue = make()
    events = step(venue, 1, submit)
    assert only(events, OrderRejected).code == code
    assert venue.balances == {"USDT": D(10000), "BTC": D(0)}
    assert venue.open_orders() == ()


def test_a_market_order_without_any_price_is_refused() -> None:
    assert only(step(make(), 1, order(), bars={}), OrderRejected).code == "NO_REFERENCE_PRICE"


def test_holds_count_against_later_orders_and_are_released() -> None:
    venue = make(cash="150")
    step(venue, 1, order("a", limit="90.00"))
    assert venue.available("USDT") == D(150) - D(90) * D("1.001")
    assert only(step(venue, 2, order("b", limit="90.00")), OrderRejected).code == "INSUFFICIENT_BALANCE"
    step(venue, 3, cancel("a"))
    assert any(isinstance(e, OrderAccepted) for e in step(venue, 4, order("c", limit="90.00")))


def test_a_price_that_ran_away_cuts_the_order_to_what_the_balance_pays() -> None:
    venue = make(cash="100.2", slippage=100.0)
    events = step(venue, 1, order())
    assert [type(e) for e in events] == [OrderAccepted, OrderFilled, OrderCanceled]
    assert only(events, OrderFilled).quantity == D("0.991")
    assert only(events, OrderCanceled).reason == "INSUFFICIENT_BALANCE"
    assert venue.balances["USDT"] >= 0
    assert venue.available("USDT") == venue.balances["USDT"]


def test_a_fee_in_the_received_currency_leaves_less_base() -> None:
    venue = make(fee_currency="received")
    fill = only(step(venue, 1, order()), OrderFilled)
    assert (fill.fee, fill.fee_currency) == (D("0.001"), "BTC")
    assert venue.balances == {"USDT": D(9900), "BTC": D("0.999")}


def test_finished_orders_are_forgotten_only_beyond_the_stated_number() -> None:
    venue = make(remember_orders=2)
    for i in range(3):
        step(venue, i + 1, order(f"o{i}", qty="0.2"))
    assert venue.order("o0") is None
    assert venue.order("o1") is not None


def test_snapshot_restores_live_orders_and_the_same_future() -> None:
    def fresh() -> SimulatedVenue:
        return make(max_volume_share=0.1, latency=1)

    venue = fresh()
    step(venue, 1, order("a", limit="99.50", qty="2"), order("b", qty="0.5"), bars=bar(1, volume=5.0))
    step(venue, 2, order("c"), bars=bar(2, volume=5.0))
    other = fresh()
    other.load_state(state.loads(state.dumps(venue.state())))
    for k in range(3, 7):
        command = [cancel("a")] if k == 5 else []
        bars = bar(k, low=99.0, volume=5.0)
        assert step(venue, k, *command, bars=bars) == step(other, k, *command, bars=bars)
    assert state.dumps(venue.state()) == state.dumps(other.state())
