"""A table of orders against bars, run by the event-driven venue, the native simulator and its twin.

A case says what it shows, its bars, its orders and the fills that follow by hand; all three must make exactly these.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.execution import (
    CancelOrder,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import BarClosed, BarDetailed
from actors.domain.kernels import sim as native
from actors.domain.kernels import twins
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import normal_str
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

PAIR, BUY, SELL = "X/Q", 1, -1
STEP_NS = 60
Row = tuple[float, ...]


@dataclass(frozen=True)
class Order:
    """One order, sent before bar `at`."""

    id: str
    kind: str
    side: int
    quantity: str
    limit: str | None = None
    stop: str | None = None
    trail: str | None = None
    percent: bool = False
    force: str = "GTC"
    last: int | None = None
    post_only: bool = False
    reduce_only: bool = False
    oco: int = 0
    parent: str = ""
    at: int = 0


def market(id: str, side: int, quantity: str, **more: Any) -> Order:  # noqa: A002 - reads well in the table
    return Order(id, "market", side, quantity, **more)


def limit(id: str, side: int, quantity: str, price: str, **more: Any) -> Order:  # noqa: A002
    return Order(id, "limit", side, quantity, limit=price, **more)


def stop(id: str, side: int, quantity: str, price: str, **more: Any) -> Order:  # noqa: A002
    return Order(id, "stop_limit" if "limit" in more else "stop", side, quantity, stop=price, **more)


def take(id: str, side: int, quantity: str, price: str, **more: Any) -> Order:  # noqa: A002
    return Order(
        id, "take_profit_limit" if "limit" in more else "take_profit", side, quantity, stop=price, **more
    )


def trail(id: str, side: int, quantity: str, offset: str, **more: Any) -> Order:  # noqa: A002
    return Order(id, "trailing_stop", side, quantity, trail=offset, **more)


@dataclass(frozen=True)
class Cancel:
    """A cancel, sent before bar `at`."""

    id: str
    at: int


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes
    ----------
    what : str
        The rule and, where it takes more than a look, the arithmetic.
    bars : sequence
        (open, high, low, close[, volume]) each, or a list of finer bars.
    fills : sequence of str
        ``step id side quantity @ price liquidity [fee]``.
    ends : mapping id → how and why, of orders that end without being filled
    """

    what: str
    bars: Sequence[Row | list[Row]]
    orders: Sequence[Order | Cancel]
    fills: Sequence[str]
    ends: dict[str, str] = field(default_factory=dict)
    cash: str = "1000"
    coins: str = "0"
    maker: float = 0.0
    taker: float = 0.0
    received: bool = False
    spread: float = 0.0
    slippage: tuple[str, dict[str, float]] = ("none", {})
    share: float | None = None
    through: int = 1
    latency: int = 0
    min_notional: str = "0"


Outcome = tuple[list[str], dict[str, str], str, str]


def played_by_venue(case: Case) -> Outcome:
    """Return fills, endings and both balances."""
    venue = SimulatedVenue(
        "venue", {PAIR: _instrument(case)}, {"X": Decimal(case.coins), "Q": Decimal(case.cash)},
        registry.build("actors.domain.simulation.fees", "maker_taker", {
            "maker_bps": case.maker, "taker_bps": case.taker,
            "fee_currency": "received" if case.received else "quote",
        }),
        registry.build("actors.domain.simulation.slippage", *case.slippage),
        registry.build("actors.domain.simulation.latency", "fixed", {
            "latency_steps": case.latency, "cancel_latency_steps": case.latency,
        }),
        VenueParams(max_volume_share=case.share, through_ticks=case.through),
        registry.build("actors.domain.simulation.spread", "fixed_bps", {"half_spread_bps": case.spread}),
    )  # fmt: skip
    fills: list[str] = []
    ends: dict[str, str] = {}
    for k, rows in enumerate(case.bars):
        finer = _finer(rows)
        whole = _whole(rows)
        begin = k * STEP_NS
        bar = BarClosed(
            ts_event_ns=begin + STEP_NS, source="t", instrument_id=PAIR, open_ns=begin, close_ns=begin + STEP_NS,
            open=whole[0], high=whole[1], low=whole[2], close=whole[3], volume=whole[4],
        )  # fmt: skip
        details = {PAIR: _detailed(finer, begin)} if finer else {}
        submits = [_submit(o) for o in case.orders if isinstance(o, Order) and o.at == k]
        cancels = [
            CancelOrder(ts_event_ns=0, source="t", client_order_id=c.id, reason="REQUESTED")
            for c in case.orders
            if isinstance(c, Cancel) and c.at == k
        ]
        for event in venue.advance(k, begin + STEP_NS, submits, cancels, {PAIR: bar}, details=details):
            _note(event, k, fills, ends)
    return fills, ends, normal_str(venue.balances["X"]), normal_str(venue.balances["Q"])


def played_by_simulator(case: Case, backend: Any) -> Outcome:
    """Return the same from the exact simulator on a backend: the native module or its twin."""
    before, native.impl = native.impl, lambda: backend
    try:
        sim = native.OrderSim(
            _instrument(case), Decimal(case.cash), Decimal(case.coins),
            native.SimRules(
                maker_bps=case.maker, taker_bps=case.taker, fee_received=case.received,
                half_spread_bps=case.spread, slippage=native.Slippage(case.slippage[0], **case.slippage[1]),  # type: ignore[arg-type]
                max_volume_share=case.share, through_ticks=case.through, latency_steps=case.latency,
            ),
        )  # fmt: skip
    finally:
        native.impl = before
    ids: dict[str, int] = {}
    fills: list[str] = []
    ends: dict[str, str] = {}
    for k, rows in enumerate(case.bars):
        for o in case.orders:
            if o.at != k:
                continue
            if isinstance(o, Cancel):
                sim.cancel(ids[o.id])
                continue
            ids[o.id] = sim.submit(
                o.kind, o.side, Decimal(o.quantity),  # type: ignore[arg-type]
                limit_price=None if o.limit is None else Decimal(o.limit),
                stop_price=None if o.stop is None else Decimal(o.stop), trailing_offset=float(o.trail or 0),
                trailing_kind="percent" if o.percent else "absolute",
                # good till date is good till canceled with a last step
                time_in_force="GTC" if o.force == "GTD" else o.force,  # type: ignore[arg-type]
                expire_step=o.last, post_only=o.post_only, reduce_only=o.reduce_only, order_list=o.oco,
                parent=ids.get(o.parent, 0),
            )  # fmt: skip
        names = {number: name for name, number in ids.items()}
        for r in sim.advance(*_whole(rows), finer=_finer(rows)):
            if r.event == "filled":
                fills.append(_line(k, names[r.order], r.side, r.quantity, r.price, r.liquidity, r.fee))
            elif r.event != "accepted":
                ends[names[r.order]] = r.event if r.event == "expired" else f"{r.event} {r.code}"
    base, quote = sim.balances
    return fills, ends, normal_str(base), normal_str(quote)


def backends() -> list[Any]:
    """Return what the exact simulator can run on here."""
    found: list[Any] = [twins]
    if importlib.util.find_spec("_tradecore"):
        found.append(importlib.import_module("_tradecore"))
    return found


def _instrument(case: Case) -> Instrument:
    return Instrument(
        pair=PAIR, tick=Decimal("0.01"), lot=Decimal("0.001"), min_notional=Decimal(case.min_notional)
    )


def _finer(rows: Row | list[Row]) -> list[Row]:
    return [(*r, 1000.0)[:5] for r in rows] if isinstance(rows, list) else []


def _whole(rows: Row | list[Row]) -> tuple[float, float, float, float, float]:
    finer = _finer(rows) or [(*rows, 1000.0)[:5]]  # type: ignore[misc]
    o, h, low, c, v = zip(*finer, strict=True)
    return o[0], max(h), min(low), c[-1], sum(v)


def _detailed(finer: list[Row], begin: int) -> BarDetailed:
    o, h, low, c, v = zip(*finer, strict=True)
    each = STEP_NS // len(finer)
    return BarDetailed(
        ts_event_ns=begin + STEP_NS, source="t", instrument_id=PAIR, step_ns=each, open=o, high=h, low=low, close=c,
        volume=v, open_ns=tuple(begin + i * each for i in range(len(finer))),
    )  # fmt: skip


def _submit(o: Order) -> SubmitOrder:
    return SubmitOrder(
        ts_event_ns=0, source="t", instrument_id=PAIR, client_order_id=o.id, intent_id=o.id, side=o.side,
        order_type=o.kind, quantity=Decimal(o.quantity), time_in_force=o.force,
        limit_price=None if o.limit is None else Decimal(o.limit),
        stop_price=None if o.stop is None else Decimal(o.stop),
        trailing_offset=None if o.trail is None else Decimal(o.trail),
        trailing_kind=None if o.trail is None else "percent" if o.percent else "absolute",
        expire_step=o.last, post_only=o.post_only or None, reduce_only=o.reduce_only or None,
        order_list_id=str(o.oco) if o.oco else None, parent_id=o.parent or None,
    )  # fmt: skip


def _line(
    k: int, name: str, side: int, quantity: Decimal, price: Decimal, liquidity: str, fee: Decimal
) -> str:
    text = (
        f"{k} {name} {'buy' if side > 0 else 'sell'} {normal_str(quantity)} @ {normal_str(price)} {liquidity}"
    )
    return f"{text} fee {normal_str(fee)}" if fee else text


def _note(event: Event, k: int, fills: list[str], ends: dict[str, str]) -> None:
    if isinstance(event, OrderFilled):
        e = event
        fills.append(_line(k, e.client_order_id, e.side, e.quantity, e.price, e.liquidity, e.fee))
    elif isinstance(event, OrderCanceled):
        ends[event.client_order_id] = f"canceled {event.reason}"
    elif isinstance(event, OrderRejected):
        ends[event.client_order_id] = f"rejected {event.code}"
    elif isinstance(event, OrderExpired):
        ends[event.client_order_id] = "expired"
