"""Finer bars inside a bar: what they change at the venue, worked by hand, and latency in nanoseconds among them."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from actors.domain import registry, state
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, OrderCanceled, OrderExpired, OrderFilled, SubmitOrder
from actors.domain.events.market import BarClosed, BarDetailed
from actors.domain.model.instrument import Instrument
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

A, B = "A/USDT", "B/USDT"
MINUTE = 60
Rows = list[tuple[float, float, float, float, float]]


def make(latency: Any = ("fixed", {}), **params: Any) -> SimulatedVenue:
    free = {p: registry.build(f"actors.domain.simulation.{p}", "none") for p in ("fees", "slippage")}
    return SimulatedVenue(
        "venue", {p: Instrument(pair=p, tick=D("0.01"), lot=D("0.001"), min_notional=D(0)) for p in (A, B)},
        {"USDT": D(1000), "A": D(2), "B": D(0)}, free["fees"], free["slippage"],
        registry.build("actors.domain.simulation.latency", *latency),
        VenueParams(**{"max_volume_share": None, **params}),
    )  # fmt: skip


def bar(k: int, rows: Rows, pair: str = A, whole: bool = False) -> tuple[BarClosed, BarDetailed | None]:
    """The bar that these parts of 60 ns make, three or fewer of a bar of 180 ns; `whole` leaves the parts out."""
    o, h, low, c, v = zip(*rows, strict=True)
    begin = k * 3 * MINUTE
    coarse = BarClosed(
        ts_event_ns=begin + 3 * MINUTE, source="m", instrument_id=pair, open_ns=begin, close_ns=begin + 3 * MINUTE,
        open=o[0], high=max(h), low=min(low), close=c[-1], volume=sum(v),
    )  # fmt: skip
    finer = BarDetailed(
        ts_event_ns=coarse.close_ns, source="m", instrument_id=pair, step_ns=MINUTE, open=o, high=h, low=low, close=c,
        volume=v, open_ns=tuple(begin + i * MINUTE for i in range(len(rows))),
    )  # fmt: skip
    return coarse, None if whole else finer


def order(cid: str, side: int, kind: str, qty: str = "1", at: int = 0, **extra: Any) -> SubmitOrder:
    for name in ("limit_price", "stop_price", "trailing_offset"):
        if name in extra:
            extra[name] = D(extra[name])
    return SubmitOrder(
        ts_event_ns=at, source="e", instrument_id=extra.pop("pair", A), client_order_id=cid, intent_id=cid,
        side=side, order_type=kind, quantity=D(qty), **extra,
    )  # fmt: skip


def step(venue: SimulatedVenue, k: int, *commands: Event, bars: list[Any]) -> list[Event]:
    return venue.advance(
        k, (k + 1) * 3 * MINUTE, [c for c in commands if isinstance(c, SubmitOrder)],
        [c for c in commands if isinstance(c, CancelOrder)], {b.instrument_id: b for b, _ in bars},
        details={b.instrument_id: d for b, d in bars if d is not None},
    )  # fmt: skip


def filled(events: list[Event]) -> list[tuple[str, str, int]]:
    return [(e.client_order_id, f"{e.price:.2f}", e.ts_fill_ns) for e in events if isinstance(e, OrderFilled)]


UP_FIRST: Rows = [(100, 106, 100, 105, 10), (105, 105, 96, 97, 10), (97, 99, 97, 98, 10)]
DOWN_FIRST: Rows = [(100, 101, 96, 97, 10), (97, 106, 97, 105, 10), (105, 105, 104, 104, 10)]


def bracket() -> list[SubmitOrder]:
    """A stop at 97 and a target at 105 on the same coin, one cancels the other."""
    return [
        order("stop", -1, "stop", stop_price="97.00", order_list_id="l"),
        order("target", -1, "limit", limit_price="105.00", order_list_id="l"),
    ]


@pytest.mark.parametrize(
    ("rows", "whole", "expected"),
    [
        # one bar of 100, 106, 96: which came first is unknown, so the stop did
        (UP_FIRST, True, ("stop", "97.00", 180)),
        # the first finer bar trades through 105, the second one is too late for the stop
        (UP_FIRST, False, ("target", "105.00", 60)),
        # the first finer bar falls to 96: the stop, at its level, by its own close at the latest
        (DOWN_FIRST, False, ("stop", "97.00", 60)),
        # both levels inside one finer bar: the rule is in force there
        ([(100, 106, 96, 100, 5), (100, 101, 99, 100, 5)], False, ("stop", "97.00", 60)),
        # the second finer bar opens beyond the stop: a gap fills at that open
        ([(100, 101, 99, 99, 5), (95, 96, 94, 95, 5)], False, ("stop", "95.00", 60)),
    ],
)
def test_the_finer_bars_say_which_touch_came_first(
    rows: Rows, whole: bool, expected: tuple[str, str, int]
) -> None:
    venue = make()
    assert filled(step(venue, 0, *bracket(), bars=[bar(0, rows, whole=whole)])) == [expected]
    assert venue.open_orders() == ()


def test_an_entry_inside_the_bar_is_protected_for_the_rest_of_it_only() -> None:
    """Down to 96, then up through 103, where we buy: the stop at 97 was broken before it existed.

    Of the whole bar nobody knows: the worse way is assumed, up to 103 and then down to 96.
    """
    rows: Rows = [(100, 100, 96, 99, 10), (99, 104, 99, 103.5, 10), (103, 104, 102, 103, 10)]
    orders = [
        order("in", 1, "stop", stop_price="103.00"),
        order("out", -1, "stop", stop_price="97.00", parent_id="in"),
    ]
    assert filled(step(make(), 0, *orders, bars=[bar(0, rows)])) == [("in", "103.00", 120)]
    assert filled(step(make(), 0, *orders, bars=[bar(0, rows, whole=True)])) == [
        ("in", "103.00", 180), ("out", "97.00", 180),
    ]  # fmt: skip


def test_a_trailing_stop_follows_the_finer_bars() -> None:
    """From 100 to 110 and back to 104: 5 below the best is 105, which the second part falls through."""
    rows: Rows = [(100, 110, 100, 109, 10), (109, 109, 104, 104, 10), (104, 104, 104, 104, 10)]
    trail = order("t", -1, "trailing_stop", trailing_offset="5", trailing_kind="absolute")
    assert filled(step(make(), 0, trail, bars=[bar(0, rows)])) == [("t", "105.00", 120)]
    venue = make()
    # whole, its high may have come after its low: the watermark is the open's, 95 is not reached
    assert filled(step(venue, 0, trail, bars=[bar(0, rows, whole=True)])) == []
    assert filled(step(venue, 1, bars=[bar(1, [(104, 104, 103, 103, 1)], whole=True)])) == [
        ("t", "104.00", 180)
    ]


def test_volume_is_taken_part_by_part() -> None:
    """A tenth of 10, 0 and 30 is 1, nothing and 3; an order that does not rest gets the first part's only."""
    rows: Rows = [(100, 100, 100, 100, 10), (101, 101, 101, 101, 0), (102, 103, 102, 102, 30)]
    venue = make(max_volume_share=0.1)
    events = step(venue, 0, order("m", 1, "market", "3"), bars=[bar(0, rows)])
    assert [(f"{e.quantity:.3f}", f"{e.price:.2f}") for e in events if isinstance(e, OrderFilled)] == [
        ("1.000", "100.00"), ("2.000", "102.00"),
    ]  # fmt: skip
    venue = make(max_volume_share=0.1)
    ioc = order("i", 1, "limit", "3", limit_price="200.00", time_in_force="IOC")
    events = step(venue, 0, ioc, bars=[bar(0, rows)])
    assert [f"{e.filled_quantity:.3f}" for e in events if isinstance(e, OrderExpired)] == ["1.000"]


def test_an_order_expires_with_the_step_not_with_a_part_of_it() -> None:
    venue = make()
    last = order("l", 1, "limit", limit_price="97.00", time_in_force="GTD", expire_step=0)
    events = step(venue, 0, last, bars=[bar(0, UP_FIRST)])
    assert filled(events) == [("l", "97.00", 120)]
    venue = make()
    late = order("l", 1, "limit", limit_price="90.00", time_in_force="GTD", expire_step=0)
    assert [type(e) for e in step(venue, 0, late, bars=[bar(0, UP_FIRST)])][1:] == [OrderExpired]


def test_pairs_share_the_money_in_order_of_time() -> None:
    """B's limit is served in the first part, A's in the second: the 1000 go to B, though A comes first by name."""
    a: Rows = [(100, 100, 100, 100, 9), (100, 100, 89, 100, 9), (100, 100, 100, 100, 9)]
    b: Rows = [(100, 100, 89, 100, 9), (100, 100, 100, 100, 9), (100, 100, 100, 100, 9)]
    venue = make()
    orders = [
        order("a", 1, "market", "2", pair=A), order("b", 1, "limit", "8", pair=B, limit_price="90.00"),
    ]  # fmt: skip
    assert filled(step(venue, 0, *orders, bars=[bar(0, a), bar(0, b, B)])) == [
        ("a", "100.00", 0), ("b", "90.00", 60),
    ]  # fmt: skip


LATE = ("ns", {"latency_ns": 70})


@pytest.mark.parametrize(
    ("latency_ns", "whole", "expected"),
    [
        (0, False, [("m", "100.00", 0)]),
        (1, False, [("m", "105.00", 60)]),
        (60, False, [("m", "105.00", 60)]),
        (61, False, [("m", "97.00", 120)]),
        (120, False, [("m", "97.00", 120)]),
        (121, False, []),
        (1, True, []),
    ],
)
def test_an_order_meets_the_next_opening_after_its_arrival(
    latency_ns: int, whole: bool, expected: list[tuple[str, str, int]]
) -> None:
    """Decided at 0, the open of a bar of three parts at 0, 60 and 120; what comes too late meets the next bar."""
    venue = make(("ns", {"latency_ns": latency_ns}))
    events = step(venue, 0, order("m", 1, "market"), bars=[bar(0, UP_FIRST, whole=whole)])
    assert filled(events) == expected
    if not expected:
        assert filled(step(venue, 1, bars=[bar(1, [(98, 99, 97, 98, 5)], whole=whole)])) == [
            ("m", "98.00", 180)
        ]


def test_a_cancel_travels_too() -> None:
    """The cancel of a resting buy arrives in the second part: what the first part served is bought."""
    venue = make(("ns", {"latency_ns": 0, "cancel_latency_ns": 60}))
    step(venue, 0, order("l", 1, "limit", "1", limit_price="96.50"), bars=[bar(0, [(100, 100, 99, 99, 1)])])
    cancel = CancelOrder(ts_event_ns=180, source="e", instrument_id=A, client_order_id="l", reason="r")
    served: Rows = [(99, 99, 96, 97, 5), (97, 98, 97, 98, 5)]
    assert filled(step(venue, 1, cancel, bars=[bar(1, served)])) == [("l", "96.50", 240)]
    venue = make(("ns", {"latency_ns": 0, "cancel_latency_ns": 60}))
    step(venue, 0, order("l", 1, "limit", "1", limit_price="96.50"), bars=[bar(0, [(100, 100, 99, 99, 1)])])
    late: Rows = [(99, 99, 98, 98, 5), (98, 98, 96, 97, 5)]
    events = step(venue, 1, cancel, bars=[bar(1, late)])
    assert [type(e) for e in events] == [OrderCanceled]


def test_commands_on_their_way_survive_a_snapshot() -> None:
    one, other = make(LATE), make(LATE)
    step(one, 0, order("m", 1, "market"), order("l", 1, "limit", limit_price="97.50"), bars=[])
    other.load_state(state.loads(state.dumps(one.state())))
    cancel = CancelOrder(ts_event_ns=180, source="e", instrument_id=A, client_order_id="l", reason="r")
    for k, commands in ((1, [cancel]), (2, [])):
        bars = [bar(k, DOWN_FIRST)]
        assert step(one, k, *commands, bars=bars) == step(other, k, *commands, bars=bars)
    assert state.dumps(one.state()) == state.dumps(other.state())


def test_a_touch_serves_behind_the_queue() -> None:
    """Ahead: 0.02 of 1000 = 20. A touch of a bar of 100 ticks trades 1000 / 100 = 10 at the level: two are for them,
    the third is ours; at the fourth bar, which trades through, the rest goes at once."""
    venue = make(queue_ahead_frac=0.02)
    touching: Rows = [(100.0, 100.99, 100.0, 100.5, 1000)]
    buy = order("l", 1, "limit", "3", limit_price="100.00", post_only=True)
    step(venue, 0, buy, bars=[bar(0, [(100.5, 100.99, 100.01, 100.5, 1000)], whole=True)])
    away: Rows = [(100.5, 100.99, 100.0, 100.5, 1000)]
    assert filled(step(venue, 1, bars=[bar(1, away, whole=True)])) == []
    assert filled(step(venue, 2, bars=[bar(2, touching, whole=True)])) == []
    third = step(venue, 3, bars=[bar(3, [(100.5, 100.99, 100.0, 100.5, 200)], whole=True)])
    assert [(f"{e.quantity:.3f}", f"{e.price:.2f}") for e in third if isinstance(e, OrderFilled)] == [
        ("2.000", "100.00")
    ]
    fourth = step(venue, 4, bars=[bar(4, [(100.5, 100.99, 99.99, 100.5, 100)], whole=True)])
    assert [f"{e.quantity:.3f}" for e in fourth if isinstance(e, OrderFilled)] == ["1.000"]


def test_a_touch_is_enough_where_the_market_need_not_go_through() -> None:
    touch = [bar(0, [(100.5, 101, 100.0, 100.5, 1)], whole=True)]
    buy = order("l", 1, "limit", limit_price="100.00")
    assert filled(step(make(through_ticks=0), 0, buy, bars=touch)) == [("l", "100.00", 180)]
    assert filled(step(make(), 0, buy, bars=touch)) == []
    with pytest.raises(ValueError, match="queue_ahead_frac"):
        VenueParams(through_ticks=0, queue_ahead_frac=0.1)
