"""Random order flows give the same fills in the native simulator, in its twin and in the event-driven venue.

Compared for every fill: step, order, side, price, quantity, fee, maker or taker; for every order: how it ended and
with which code; and both balances, all exactly. The reports differ in form on purpose: the simulator is silent
when a finished order is canceled again, where the venue answers with the order's final state.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import event as hypothesis_event
from hypothesis import strategies as st

from actors.domain.events.execution import (
    CancelOrder,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
)
from actors.domain.events.market import (
    FLAG_FORWARD_FILLED,
    BarClosed,
    BarDetailed,
    FundingRateUpdated,
    MarkPriceUpdated,
)
from actors.domain.events.portfolio import AccountCharged
from actors.domain.kernels import sim as native
from actors.domain.kernels import twins
from actors.domain.model.account import AccountTerms
from actors.domain.model.instrument import Instrument
from actors.domain.simulation.fees.maker_taker import MakerTaker, MakerTakerParams
from actors.domain.simulation.latency.fixed import FixedLatency, FixedLatencyParams
from actors.domain.simulation.slippage.fixed_bps import FixedBps, FixedBpsParams
from actors.domain.simulation.slippage.none import NoSlippage, NoSlippageParams
from actors.domain.simulation.slippage.square_root import SquareRoot, SquareRootParams
from actors.domain.simulation.slippage.volume_share import VolumeShare, VolumeShareParams
from actors.domain.simulation.spread.fixed_bps import FixedSpread, FixedSpreadParams
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

PAIR = "X/Y"
WIDTH = 10
BACKENDS: list[Any] = [twins]
if importlib.util.find_spec("_tradecore"):
    BACKENDS.append(importlib.import_module("_tradecore"))

markets = st.fixed_dictionaries(
    {
        "tick": st.sampled_from(["1", "0.01", "0.05"]),
        "lot": st.sampled_from(["1", "0.001"]),
        "min_notional": st.sampled_from(["0", "150"]),
        "maker": st.sampled_from([0.0, 7.5, 10.0]),
        "taker": st.sampled_from([0.0, 10.0]),
        "received": st.booleans(),
        "half_spread": st.sampled_from([0.0, 1.5]),
        "slippage": st.sampled_from(["none", "fixed_bps", "square_root", "volume_share"]),
        "share": st.sampled_from([None, 0.1, 0.013]),
        "through": st.sampled_from([1, 3]),
        "latency": st.sampled_from([0, 0, 1]),
        "quote": st.sampled_from(["1000", "20000.5"]),
        "base": st.sampled_from(["0", "7"]),
        "finer": st.sampled_from([None, None, "high first", "low first"]),
    }
)
moves = st.tuples(*(st.integers(-40, 40) for _ in range(2)), *(st.integers(0, 25) for _ in range(2)))
volumes = st.sampled_from([0.0, 3.0, 20.0, 100.123456789, 1000.0])
orders = st.fixed_dictionaries(
    {
        "side": st.sampled_from([1, -1]),
        "kind": st.sampled_from(["market", "limit", "limit"]),
        "stop": st.integers(-25, 25),
        "trail": st.sampled_from([0.004, 0.02, 0.7]),
        "trail_kind": st.sampled_from(["absolute", "percent"]),
        "worst": st.just(False),
        "post_only": st.just(False),
        "reduce_only": st.just(False),
        "list": st.just(0),
        "parent": st.just(0),
        "size": st.integers(1, 15),
        "offset": st.integers(-20, 20),
        "force": st.sampled_from(["GTC", "GTC", "IOC"]),
        "last": st.sampled_from([None, 0, 2]),
    }
)
contingent = st.fixed_dictionaries(
    {
        "side": st.sampled_from([1, -1]),
        "kind": st.sampled_from(
            ["market", "limit", "stop", "stop_limit", "take_profit", "take_profit_limit", "trailing_stop"]
        ),
        "size": st.integers(1, 15),
        "offset": st.integers(-20, 20),
        "stop": st.integers(-25, 25),
        "trail": st.sampled_from([0.004, 0.02, 0.7]),
        "trail_kind": st.sampled_from(["absolute", "percent"]),
        "worst": st.booleans(),
        "force": st.sampled_from(["GTC", "GTC", "GTC", "IOC", "FOK"]),
        "last": st.sampled_from([None, None, 0, 2]),
        "post_only": st.sampled_from([False, False, True]),
        "reduce_only": st.sampled_from([False, False, False, True]),
        "list": st.integers(0, 2),
        "parent": st.sampled_from([0, 0, 1, 2]),
    }
)

accounts = st.sampled_from(
    [
        AccountTerms(
            mode="margin", leverage=Decimal(3), maintenance_frac=Decimal("0.1"),
            liquidation_fee_frac=Decimal("0.01"), borrow_base_frac=Decimal("0.0003"),
            borrow_quote_frac=Decimal("0.000700000001"),
        ),
        AccountTerms(mode="margin", leverage=Decimal("1.5"), maintenance_frac=Decimal("0.5")),
        AccountTerms(
            mode="perpetual", leverage=Decimal(10), maintenance_frac=Decimal("0.05"),
            liquidation_fee_frac=Decimal("0.0125"),
        ),
        AccountTerms(mode="perpetual", leverage=Decimal("2.5"), maintenance_frac=Decimal("0.333")),
        AccountTerms(mode="perpetual", leverage=Decimal(20)),
    ]
)  # fmt: skip
carries = st.fixed_dictionaries(
    {
        "funding": st.sampled_from([None, None, 0.0004, -0.0007, 1 / 3e4]),
        "assumed": st.booleans(),
        "mark": st.none() | st.none() | st.tuples(*(st.integers(-30, 30) for _ in range(4))),
        "missing": st.sampled_from([0, 0, 0, 2]),
    }
)
NOTHING: dict[str, Any] = {"funding": None, "assumed": False, "mark": None, "missing": 0}


def flows(kinds: Any) -> Any:
    return st.lists(
        st.tuples(moves, volumes, st.sampled_from([False] * 9 + [True]), st.lists(kinds, max_size=4),
                  st.none() | st.integers(1, 12)),
        min_size=2, max_size=14,
    )  # fmt: skip


def slippage(kind: str) -> Any:
    if kind == "none":
        return NoSlippage(NoSlippageParams())
    if kind == "fixed_bps":
        return FixedBps(FixedBpsParams(cost_bps=7.0))
    if kind == "volume_share":
        return VolumeShare(VolumeShareParams())
    return SquareRoot(SquareRootParams())


def parts(bar: tuple[float, ...], order: str | None, number: int) -> list[tuple[float, ...]]:
    """Finer bars along open, the one extreme, the other, close; some bars have none, some parts no volume."""
    open_, high, low, close, volume, _ = bar
    if order is None or number % 3 == 2:
        return []
    first, second = (high, low) if order == "high first" else (low, high)
    path = [open_, first, second, close]
    shares = ((1.0, 0.0, 0.0), (0.25, 0.5, 0.25))[number % 2]
    return [
        (a, max(a, b), min(a, b), b, volume * share)
        for a, b, share in zip(path[:-1], path[1:], shares, strict=True)
    ]


def detailed(rows: list[tuple[float, ...]], opened: int) -> BarDetailed:
    o, h, low, c, v = zip(*rows, strict=True)
    return BarDetailed(
        ts_event_ns=opened, source="t", instrument_id=PAIR, step_ns=1, open=o, high=h, low=low, close=c, volume=v,
        open_ns=tuple(opened + i for i in range(len(rows))),
    )  # fmt: skip


class Both:
    """The venue and one backend of the simulator, fed alike."""

    def __init__(self, market: dict[str, Any], backend: Any, account: AccountTerms | None = None) -> None:
        m = self.market = market
        self.account, self.clock = account, 0
        self.instrument = Instrument(
            pair=PAIR, tick=Decimal(m["tick"]), lot=Decimal(m["lot"]), min_notional=Decimal(m["min_notional"])
        )
        fees = MakerTakerParams(
            maker_bps=m["maker"], taker_bps=m["taker"], fee_currency="received" if m["received"] else "quote"
        )
        self.venue = SimulatedVenue(
            "venue", {PAIR: self.instrument}, {"X": Decimal(m["base"]), "Y": Decimal(m["quote"])},
            MakerTaker(fees), slippage(m["slippage"]),
            FixedLatency(FixedLatencyParams(latency_steps=m["latency"], cancel_latency_steps=m["latency"])),
            VenueParams(max_volume_share=m["share"], through_ticks=m["through"]),
            FixedSpread(FixedSpreadParams(half_spread_bps=m["half_spread"])), account,
        )  # fmt: skip
        before, native.impl = native.impl, lambda: backend
        try:
            self.sim = native.OrderSim(
                self.instrument, Decimal(m["quote"]), Decimal(m["base"]),
                native.SimRules(
                    maker_bps=m["maker"], taker_bps=m["taker"], fee_received=m["received"],
                    half_spread_bps=m["half_spread"], slippage=native.Slippage(m["slippage"], cost_bps=7.0),
                    max_volume_share=m["share"], through_ticks=m["through"], latency_steps=m["latency"],
                ),
                account,
            )  # fmt: skip
        finally:
            native.impl = before
        self.count = 0

    def step(
        self, number: int, bar: tuple[float, ...], commands: list[dict[str, Any]], cancel: int | None,
        carry: dict[str, Any],
    ) -> None:  # fmt: skip
        open_, high, low, close, volume, filled = bar
        submits, cancels = [], []
        for c in commands:
            self.count += 1
            size = c["size"] * (1 if self.account is None else 4)
            lots, kind = Decimal(size) * (1 if self.instrument.lot == 1 else Decimal("0.7")), c["kind"]
            limit = stop = None
            if kind.endswith("limit"):
                limit = self.instrument.price(open_ * (1 + c["offset"] / 1000), c["side"])
            if kind not in ("market", "limit", "trailing_stop") or (kind == "trailing_stop" and c["worst"]):
                stop = self.instrument.price(open_ * (1 + c["stop"] / 1000))
            last = None if c["last"] is None else number + c["last"]
            # a child follows an order sent before it; the numbers are drawn, so some parents have long ended
            parent = max(self.count - c["parent"], 0) if c["parent"] else 0
            trail = {} if kind != "trailing_stop" else {"trailing_kind": c["trail_kind"]}
            self.sim.submit(
                kind, c["side"], lots, limit_price=limit, stop_price=stop, time_in_force=c["force"],
                expire_step=last, post_only=c["post_only"], reduce_only=c["reduce_only"],
                order_list=c["list"], parent=parent, trailing_offset=c["trail"] if trail else 0.0, **trail,
            )  # fmt: skip
            submits.append(
                SubmitOrder(
                    ts_event_ns=0, source="t", client_order_id=str(self.count), intent_id="",
                    instrument_id=PAIR, side=c["side"], order_type=kind, quantity=lots, limit_price=limit,
                    stop_price=stop, time_in_force=c["force"], expire_step=last,
                    post_only=c["post_only"] or None, reduce_only=c["reduce_only"] or None,
                    order_list_id=str(c["list"]) if c["list"] else None,
                    parent_id=str(parent) if parent else None,
                    trailing_offset=Decimal(str(c["trail"])) if trail else None,
                    trailing_kind=trail.get("trailing_kind"),
                )
            )  # fmt: skip
        if cancel is not None and cancel <= self.count:
            self.sim.cancel(cancel)
            cancels.append(
                CancelOrder(ts_event_ns=0, source="t", client_order_id=str(cancel), reason="REQUESTED")
            )
        self.clock += carry["missing"] * WIDTH if number else 0
        span = {"open_ns": self.clock, "close_ns": self.clock + WIDTH}
        event = BarClosed(
            ts_event_ns=number, source="t", instrument_id=PAIR, **span, open=open_,
            high=high, low=low, close=close, volume=volume, flags=FLAG_FORWARD_FILLED if filled else 0,
        )  # fmt: skip
        finer = [] if filled else parts(bar, self.market["finer"], number)
        details = {PAIR: detailed(finer, self.clock)} if finer else {}
        funding, marks, brought = self.bring(number, bar, carry, span)
        told = self.venue.advance(
            number, number, submits, cancels, {PAIR: event}, funding, marks, details=details
        )
        found = self.sim.advance(open_, high, low, close, volume, bool(filled), finer=finer, carry=brought)
        self.clock += WIDTH
        self.compare(told, found)

    def bring(self, number: int, bar: tuple[float, ...], carry: dict[str, Any], span: dict[str, int]) -> Any:
        """Return what the bar brings, as events and for the simulator."""
        if self.account is None:
            return [], {}, None
        funding, marks, mark = [], {}, None
        if carry["funding"] is not None:
            funding.append(
                FundingRateUpdated(
                    ts_event_ns=number, source="t", instrument_id=PAIR, rate=carry["funding"],
                    funding_ns=span["close_ns"], assumed=carry["assumed"],
                )
            )  # fmt: skip
        if carry["mark"] is not None:
            prices = [p * (1 + x / 1000) for p, x in zip(bar[:4], carry["mark"], strict=True)]
            mark = (prices[0], max(prices), min(prices), prices[3])
            marks[PAIR] = MarkPriceUpdated(
                ts_event_ns=number, source="t", instrument_id=PAIR, **span, open=mark[0], high=mark[1], low=mark[2],
                close=mark[3],
            )  # fmt: skip
        missing = carry["missing"] if number else 0
        return funding, marks, native.Carry(carry["funding"], carry["assumed"], mark, missing)

    def compare(self, told: list[Any], found: list[native.SimReport]) -> None:
        theirs: list[Any] = [
            (number_of(e), e.side, e.price, e.quantity, e.fee, e.liquidity)
            if isinstance(e, OrderFilled)
            else (e.kind, e.amount)
            for e in told
            if isinstance(e, OrderFilled | AccountCharged)
        ]
        ours: list[Any] = [
            (r.order, r.side, r.price, r.quantity, r.fee, r.liquidity)
            if r.event == "filled"
            else (r.code.lower(), r.fee)
            for r in found
            if r.event in ("filled", "charged")
        ]
        assert ours == theirs
        for r in found:
            assert (r.order == 0) == (r.code in ("FUNDING", "BORROW", "LIQUIDATION"))
            if r.order == 0:
                hypothesis_event(r.code)
        endings = {OrderCanceled: "canceled", OrderExpired: "expired", OrderRejected: "rejected"}
        ended = {
            (int(e.client_order_id), endings[type(e)], getattr(e, "code", getattr(e, "reason", "")))
            for e in told
            if type(e) in endings
        }
        mine = {
            (r.order, r.event, "" if r.event == "expired" else r.code)
            for r in found
            if r.event in endings.values()
        }
        # the venue answers a cancel of a finished order with its final state once more
        assert mine <= ended
        assert {x for x in ended - mine if self.sim.is_live(x[0])} == set()
        base, quote = self.sim.balances
        assert (base, quote) == (self.venue.balances["X"], self.venue.balances["Y"])


def number_of(fill: OrderFilled) -> int:
    return 0 if fill.intent_id == "venue:liquidation" else int(fill.client_order_id)


def bars(flow: list[Any], tick: Decimal, wild: float = 1.0) -> list[tuple[float, ...]]:
    """Prices on a walk of permille moves; on the tick half the time, so that touches are exact."""
    made, last = [], 100.0
    for (gap, change, up, down), volume, filled, _, _ in flow:
        open_ = last * (1 + wild * gap / 2000)
        close = open_ * (1 + wild * change / 1500)
        if gap % 2 == 0:
            grid = float(tick)
            open_, close = (max(grid, round(x / grid) * grid) for x in (open_, close))
        high, low = max(open_, close) * (1 + up / 2000), min(open_, close) * (1 - down / 2000)
        made.append((open_, high, low, close, volume, filled))
        last = close
    return made


def run(
    backend: Any, market: dict[str, Any], flow: list[Any], account: AccountTerms | None = None,
    brought: list[dict[str, Any]] | None = None,
) -> None:  # fmt: skip
    both = Both(market, backend, account)
    made = bars(flow, both.instrument.tick, 1.0 if account is None else 5.0)
    for number, (bar, (_, _, _, commands, cancel)) in enumerate(zip(made, flow, strict=True)):
        assert all(math.isfinite(x) for x in bar)
        both.step(number, bar, commands, cancel, brought[number] if brought else NOTHING)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.__name__)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(market=markets, flow=flows(orders))
def test_same_fills_endings_and_balances(backend: Any, market: dict[str, Any], flow: list[Any]) -> None:
    run(backend, market, flow)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.__name__)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(market=markets, flow=flows(contingent))
def test_same_with_triggers_lists_parents_and_conditions(
    backend: Any, market: dict[str, Any], flow: list[Any]
) -> None:
    run(backend, market, flow)


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda b: b.__name__)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    market=markets,
    account=accounts,
    flow=flows(orders) | flows(contingent),
    brought=st.lists(carries, min_size=14, max_size=14),
)
def test_same_on_margin_and_perpetual_accounts(
    backend: Any, market: dict[str, Any], account: AccountTerms, flow: list[Any], brought: list[Any]
) -> None:
    market = {**market, "received": market["received"] and account.mode == "margin"}
    market |= {"quote": "1200.25" if market["base"] == "0" else "300", "base": "0"}
    market["share"] = None if market["share"] == 0.013 else market["share"]
    run(backend, market, flow, account, brought)
