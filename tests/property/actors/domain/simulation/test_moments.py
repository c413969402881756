"""Laws of finer bars: one finer bar per bar changes nothing, money is kept, no fill lies outside of its finer bar."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled, SubmitOrder
from actors.domain.events.market import BarClosed, BarDetailed
from actors.domain.model.instrument import Instrument
from actors.domain.portfolio.ledger import Ledger
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

PAIRS = ("A/Q", "B/Q")
SIM = "actors.domain.simulation"
WIDTH, PARTS = 60, 4

paths = st.lists(st.tuples(*(st.integers(-40, 40),) * 3), min_size=1, max_size=PARTS)
orders = st.fixed_dictionaries(
    {
        "pair": st.sampled_from(PAIRS),
        "side": st.sampled_from([1, -1]),
        "kind": st.sampled_from(["market", "limit", "stop", "take_profit", "trailing_stop"]),
        "at": st.integers(-30, 30),
        "size": st.integers(1, 9),
        "force": st.sampled_from(["GTC", "GTC", "IOC"]),
        "list": st.sampled_from([None, "x"]),
        "parent": st.booleans(),
    }
)
flows = st.lists(
    st.tuples(paths, paths, st.sampled_from([0.0, 3.0, 40.0]), st.lists(orders, max_size=3)),
    min_size=1,
    max_size=7,
)
rules = st.fixed_dictionaries(
    {
        "max_volume_share": st.sampled_from([None, 0.1]),
        "queue_ahead_frac": st.sampled_from([None, 0.01]),
        "fill_at": st.just("next_open"),
    }
)


def venue(params: dict[str, Any], latency_ns: int = 0) -> SimulatedVenue:
    return SimulatedVenue(
        "venue", {p: Instrument(pair=p, tick=D("0.01"), lot=D("0.1"), min_notional=D(0)) for p in PAIRS},
        {"Q": D(5000), "A": D(3), "B": D(0)}, registry.build(f"{SIM}.fees", "tiered"),
        registry.build(f"{SIM}.slippage", "square_root"),
        registry.build(f"{SIM}.latency", "ns", {"latency_ns": latency_ns}), VenueParams(**params),
        registry.build(f"{SIM}.spread", "bar_range"),
    )  # fmt: skip


def rows_of(path: list[tuple[int, int, int]], last: float, volume: float) -> list[tuple[float, ...]]:
    """Finer bars that follow each other from a last price, in permille moves."""
    out = []
    for gap, up, down in path:
        open_ = last * (1 + gap / 4000)
        high, low = open_ * (1 + abs(up) / 1000), open_ * (1 - abs(down) / 1000)
        close = high if up > down else low
        out.append((open_, high, low, close, volume))
        last = close
    return out


def bar_of(pair: str, k: int, rows: list[tuple[float, ...]]) -> tuple[BarClosed, BarDetailed]:
    o, h, low, c, v = zip(*rows, strict=True)
    begin, each = k * WIDTH, WIDTH // len(rows)
    coarse = BarClosed(
        ts_event_ns=begin + WIDTH, source="m", instrument_id=pair, open_ns=begin, close_ns=begin + WIDTH, open=o[0],
        high=max(h), low=min(low), close=c[-1], volume=sum(v),
    )  # fmt: skip
    finer = BarDetailed(
        ts_event_ns=begin + WIDTH, source="m", instrument_id=pair, step_ns=each, open=o, high=h, low=low, close=c,
        volume=v, open_ns=tuple(begin + i * each for i in range(len(rows))),
    )  # fmt: skip
    return coarse, finer


def commands(asked: list[dict[str, Any]], k: int, made: int, price: dict[str, float]) -> list[SubmitOrder]:
    out = []
    for i, a in enumerate(asked):
        at = Instrument(pair=a["pair"]).price(price[a["pair"]] * (1 + a["at"] / 1000))
        extra: dict[str, Any] = {}
        if a["kind"] == "limit":
            extra["limit_price"] = at
        elif a["kind"] == "trailing_stop":
            extra |= {"trailing_offset": D("0.01"), "trailing_kind": "percent"}
        elif a["kind"] != "market":
            extra["stop_price"] = at
        if a["parent"] and made + i:
            extra["parent_id"] = str(made + i - 1)
        out.append(
            SubmitOrder(
                ts_event_ns=k * WIDTH, source="e", instrument_id=a["pair"], client_order_id=str(made + i),
                intent_id="", side=a["side"], order_type=a["kind"], quantity=D(a["size"]),
                time_in_force=a["force"], order_list_id=a["list"], **extra,
            )
        )  # fmt: skip
    return out


def play(target: SimulatedVenue, flow: list[Any], *, detail: str) -> list[tuple[int, Event, list[Any]]]:
    """Return every report with its step and the step's bars; `detail`: "parts", "whole" (one part a bar), "none"."""
    price, made, out = dict.fromkeys(PAIRS, 100.0), 0, []
    for k, (first, second, volume, asked) in enumerate(flow):
        bars = {}
        for pair, path in zip(PAIRS, (first, second), strict=True):
            rows = rows_of(path, price[pair], volume)
            coarse, finer = bar_of(pair, k, rows)
            if detail == "whole":
                row = (coarse.open, coarse.high, coarse.low, coarse.close, coarse.volume)
                _, finer = bar_of(pair, k, [row])
            bars[pair] = (coarse, finer)
        told = target.advance(
            k, (k + 1) * WIDTH, commands(asked, k, made, price), [], {p: b for p, (b, _) in bars.items()},
            details={p: d for p, (_, d) in bars.items()} if detail != "none" else {},
        )  # fmt: skip
        made += len(asked)
        price = {p: b.close for p, (b, _) in bars.items()}
        out += [(k, e, [d for _, d in bars.values()]) for e in told]
    return out


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=flows, params=rules)
def test_one_finer_bar_per_bar_changes_nothing(flow: list[Any], params: dict[str, Any]) -> None:
    whole = play(venue(params), flow, detail="whole")
    none = play(venue(params), flow, detail="none")
    assert [(k, e) for k, e, _ in whole] == [(k, e) for k, e, _ in none]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(flow=flows, params=rules, latency_ns=st.sampled_from([0, 7, 30, 61]))
def test_money_is_kept_and_no_fill_lies_outside_of_its_finer_bar(
    flow: list[Any], params: dict[str, Any], latency_ns: int
) -> None:
    target = venue(params, latency_ns)
    before = dict(target.balances)
    told = play(target, flow, detail="parts")
    change: dict[str, D] = dict.fromkeys(before, D(0))
    books = Ledger(target.instruments, D(5000), "Q")
    for k, fill, details in told:
        if not isinstance(fill, OrderFilled):
            continue
        base, _, quote = (fill.instrument_id or "").partition("/")
        change[base] += fill.side * fill.quantity
        change[quote] -= fill.side * fill.quantity * fill.price
        change[fill.fee_currency] -= fill.fee
        books.apply(fill, k)
        books.check()
        # never before its decision was known, and with latency not before it arrived
        assert fill.ts_fill_ns >= k * WIDTH
        (finer,) = (d for d in details if d.instrument_id == fill.instrument_id)
        inside = [
            i
            for i, t in enumerate(finer.open_ns)
            if t <= fill.ts_fill_ns <= t + finer.step_ns and finer.volume[i] > 0
        ]
        least = min(finer.low[i] for i in inside) if inside else min(finer.low)
        most = max(finer.high[i] for i in inside) if inside else max(finer.high)
        # a price off the bar is only ever the worse for it: buys not below the low, sells not above the high
        assert (
            fill.price >= D(repr(least)) - D("0.01")
            if fill.side > 0
            else fill.price <= D(repr(most)) + D("0.01")
        )
    assert {c: b - before[c] for c, b in target.balances.items()} == change
    assert all(b >= 0 for b in target.balances.values())
