"""Orders beside a position: children priced from a fill, stops that hold nothing, trailing with a worst level."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, OrderCanceled, OrderFilled, OrderRejected, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.model.instrument import Instrument
from actors.domain.simulation.latency.base import LatencyModel
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

PAIR = "BTC/USDT"
INSTRUMENT = Instrument(pair=PAIR, tick=D("0.01"), lot=D("0.001"), min_notional=D("10"))


def make(
    cash: str = "10000",
    coins: str = "0",
    cost_bps: float = 0.0,
    latency: Any = None,
    share: float | None = None,
) -> SimulatedVenue:
    return SimulatedVenue(
        "venue", {PAIR: INSTRUMENT}, {"USDT": D(cash), "BTC": D(coins)},
        registry.build("actors.domain.simulation.fees", "none"),
        registry.build("actors.domain.simulation.slippage", "fixed_bps", {"cost_bps": cost_bps}),
        latency or registry.build("actors.domain.simulation.latency", "fixed"),
        VenueParams(max_volume_share=share),
    )  # fmt: skip


def bar(k: int, o: float = 100.0, h: float = 101.0, low: float = 99.0, c: float = 100.0) -> BarClosed:
    return BarClosed(
        ts_event_ns=k + 1, source="feed", instrument_id=PAIR, open_ns=k, close_ns=k + 1, open=o, high=h, low=low,
        close=c, volume=10.0,
    )  # fmt: skip


def order(cid: str, side: int, qty: str = "1", kind: str = "market", **terms: Any) -> SubmitOrder:
    prices = {k: D(v) if isinstance(v, str) and k not in TEXTS else v for k, v in terms.items()}
    return SubmitOrder(
        ts_event_ns=0, source="x", instrument_id=PAIR, client_order_id=cid, intent_id=cid, side=side,
        order_type=kind, quantity=D(qty), **prices,
    )  # fmt: skip


TEXTS = ("parent_id", "order_list_id", "parent_offset_kind", "trailing_kind", "time_in_force")
STOP = {"kind": "stop", "reduce_only": True, "parent_id": "in", "order_list_id": "l"}
TAKE = {"kind": "limit", "reduce_only": True, "parent_id": "in", "order_list_id": "l"}


def go(venue: SimulatedVenue, k: int, *commands: Event, at: BarClosed | None = None) -> list[Event]:
    submits = [c for c in commands if isinstance(c, SubmitOrder)]
    cancels = [c for c in commands if isinstance(c, CancelOrder)]
    return venue.advance(k, k + 1, submits, cancels, {PAIR: at or bar(k)})


def fills(events: list[Event]) -> list[tuple[str, D, D]]:
    return [(e.client_order_id, e.quantity, e.price) for e in events if isinstance(e, OrderFilled)]


def endings(events: list[Event]) -> list[tuple[str, str]]:
    ended = [(e.client_order_id, e.reason) for e in events if isinstance(e, OrderCanceled)]
    return ended + [(e.client_order_id, e.code) for e in events if isinstance(e, OrderRejected)]


def test_children_are_priced_from_the_average_fill_of_their_parent() -> None:
    venue = make(cost_bps=10.0)
    stop = order("s", -1, parent_offset="-0.02", parent_offset_kind="percent", **STOP)
    take = order("t", -1, parent_offset="4", parent_offset_kind="absolute", **TAKE)
    assert fills(go(venue, 0, order("in", 1), stop, take)) == [("in", D(1), D("100.10"))]
    # 100.10 x 0.98 = 98.098, for a sell up to the next tick; 100.10 + 4
    book = {o.client_order_id: (o.stop_price, o.limit_price, o.quantity) for o in venue.open_orders()}
    assert book == {"s": (D("98.10"), None, D(1)), "t": (None, D("104.10"), D(1))}
    told = go(venue, 1, at=bar(1, h=104.11))
    assert fills(told) == [("t", D(1), D("104.10"))]
    assert endings(told) == [("s", "OCO")]


def test_a_child_can_be_stopped_in_the_bar_that_filled_its_parent() -> None:
    venue = make()
    stop = order("s", -1, parent_offset="-0.02", parent_offset_kind="percent", **STOP)
    assert fills(go(venue, 0, order("in", 1), stop, at=bar(0, low=97.0))) == [
        ("in", D(1), D("100.00")), ("s", D(1), D("98.00")),
    ]  # fmt: skip


def test_the_anchor_follows_a_parent_that_is_filled_in_parts() -> None:
    venue = make(share=0.04)
    stop = order("s", -1, parent_offset="-10", parent_offset_kind="absolute", **STOP)
    go(venue, 0, order("in", 1), stop)
    assert [(o.stop_price, o.quantity) for o in venue.open_orders() if o.client_order_id == "s"] == [
        (D("90.00"), D("0.4"))
    ]
    go(venue, 1, at=bar(1, o=106.0, h=107.0, low=105.0, c=106.0))
    # 0.4 at 100 and 0.4 at 106
    assert [(o.stop_price, o.quantity) for o in venue.open_orders() if o.client_order_id == "s"] == [
        (D("93.00"), D("0.8"))
    ]


def test_a_stop_holds_nothing_so_an_exit_stands_beside_it_and_nothing_is_sold_twice() -> None:
    venue = make(coins="1")
    stop = order("s", -1, kind="stop", stop_price="95", reduce_only=True)
    assert endings(go(venue, 0, stop)) == []
    assert venue.available("BTC") == D(1)
    resting = order("out", -1, kind="limit", limit_price="105", reduce_only=True)
    assert endings(go(venue, 1, resting)) == []
    assert fills(go(venue, 2, at=bar(2, low=94.0))) == [("s", D(1), D("95.00"))]
    told = go(venue, 3, at=bar(3, h=106.0))
    assert fills(told) == []
    assert endings(told) == [("out", "REDUCE_ONLY_NO_POSITION")]
    assert venue.balances["BTC"] == 0


def test_a_plain_order_holds_and_a_stop_cannot_take_what_it_holds() -> None:
    venue = make(coins="1")
    go(venue, 0, order("s", -1, kind="stop", stop_price="95", reduce_only=True),
       order("out", -1, kind="limit", limit_price="105"))  # fmt: skip
    told = go(venue, 1, at=bar(1, low=94.0))
    assert fills(told) == []
    assert endings(told) == [("s", "INSUFFICIENT_BALANCE")]


@pytest.mark.parametrize(("kind", "offset"), [("absolute", "3"), ("percent", "0.03")])
def test_a_trailing_stop_starts_at_its_worst_level_and_goes_on_from_there(kind: str, offset: str) -> None:
    venue = make(coins="1")
    trailing = order("s", -1, kind="trailing_stop", trailing_offset=offset, trailing_kind=kind, stop_price="98.5",
                     reduce_only=True)  # fmt: skip
    go(venue, 0, trailing)
    assert fills(go(venue, 1, at=bar(1, low=98.6))) == []
    # the watermark passes 101.5: the distance counts again
    assert fills(go(venue, 2, at=bar(2, h=110.0, c=108.0))) == []
    level = D("107.00") if kind == "absolute" else D("106.70")
    assert fills(go(venue, 3, at=bar(3, o=108.0, h=109.0, low=100.0))) == [("s", D(1), level)]


def test_without_a_new_high_the_worst_level_is_the_trigger() -> None:
    venue = make(coins="1")
    go(venue, 0, order("s", -1, kind="trailing_stop", trailing_offset="3", trailing_kind="absolute",
                       stop_price="98.5", reduce_only=True))  # fmt: skip
    assert fills(go(venue, 1, at=bar(1, low=98.0))) == [("s", D(1), D("98.50"))]


class _Later(LatencyModel):
    """Parents arrive a bar after their children."""

    def submit_steps(self, cid: str) -> int:
        return 1 if cid == "in" else 0

    def cancel_steps(self, cid: str) -> int:
        return 0


def test_children_end_with_a_parent_that_is_refused_after_them() -> None:
    venue = make(cash="5", latency=_Later())
    stop = order("s", -1, parent_offset="-0.02", parent_offset_kind="percent", **STOP)
    assert endings(go(venue, 0, order("in", 1), stop)) == []
    assert sorted(endings(go(venue, 1))) == [("in", "INSUFFICIENT_BALANCE"), ("s", "PARENT")]
    assert venue.open_orders() == ()


def test_a_child_that_comes_after_the_fill_is_priced_from_it() -> None:
    venue = make(cost_bps=10.0)
    go(venue, 0, order("in", 1))
    go(venue, 1, order("t", -1, parent_offset="0.04", parent_offset_kind="percent", **TAKE))
    (take,) = venue.open_orders()
    assert (take.limit_price, take.status) == (D("104.11"), "working")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"kind": "stop", "parent_offset": "-1", "parent_offset_kind": "absolute"}, "PARENT_OFFSET_INVALID"),
        ({**STOP, "parent_offset": "-1", "parent_offset_kind": "ticks"}, "PARENT_OFFSET_INVALID"),
        ({**STOP, "parent_offset": "-1", "parent_offset_kind": "percent"}, "PARENT_OFFSET_INVALID"),
        (
            {**STOP, "parent_offset": "-1", "parent_offset_kind": "absolute", "stop_price": "5"},
            "PARENT_OFFSET_INVALID",
        ),
        ({**STOP, "kind": "trailing_stop", "parent_offset": "-1", "parent_offset_kind": "absolute"},
         "PARENT_OFFSET_INVALID"),
        (
            {"kind": "trailing_stop", "trailing_offset": "3", "trailing_kind": "absolute", "stop_price": "9.005"},
            "TICK_SIZE",
        ),
    ],
)  # fmt: skip
def test_contradictory_terms_are_refused_with_a_code(terms: dict[str, Any], code: str) -> None:
    told = go(make(coins="1"), 0, order("in", 1), order("s", -1, **terms))
    assert endings(told) == [("s", code)]


def test_a_repeated_child_is_answered_and_not_made_again() -> None:
    venue = make()
    stop = order("s", -1, parent_offset="-0.02", parent_offset_kind="percent", **STOP)
    go(venue, 0, order("in", 1), stop)
    assert endings(go(venue, 1, stop)) == []
    assert len(venue.open_orders()) == 1
