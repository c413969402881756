"""Protective exits on real bars: each trade is ended where, when and why a referee that knows only its bars says."""

from __future__ import annotations

import argparse
import math
from collections import Counter
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.adapters.feeds.files import load_bars
from actors.domain.events.portfolio import TradeClosed
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import parse_timerange
from cluster.runs.backtest import run_events, run_fast
from cluster.runs.plan import RunPlan, build_plan
from config.load import resolve

QUIET = argparse.Namespace(no_progress=True)
TICK = Decimal("0.01")
STOP, TARGET, TRAILING, BARS = Decimal("0.03"), Decimal("0.045"), Decimal("0.05"), 72
LEAN = ["regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]"]
MEMBER = "strategies=[{kind: ma_crossover, params: {fast_bars: 10, slow_bars: 50}}]"
ONE_ORDER = [
    "execution.algos=[{kind: market}]", "venue.max_volume_share=null", "venue.fees={kind: none}",
    "venue.slippage={kind: none}", "venue.spread={kind: none}", "risk.rules=[{kind: min_notional}]",
    "risk.breakers={}", "risk.sizing={kind: fixed_quote, params: {quote: 10000}}",
]  # fmt: skip
EXITS = ["exits.stop.frac=0.03", "exits.target.r=1.5", "exits.trailing.frac=0.05", f"exits.time.bars={BARS}"]


def plan_of(shared_data: Path, span: str, *sets: str) -> RunPlan:
    frame = load_bars(shared_data / "ohlcv" / "binance_spot" / "BTCUSDT_1h.parquet", "BTC/USDT", "1h")
    config = resolve("backtest", sets=["pairs=[BTC/USDT]", MEMBER, *LEAN, *sets])
    return build_plan(
        config, {"BTC/USDT": frame}, parse_timerange(span), run_id="r", run_dir=Path(), key_path=Path(),
        journal=False,
    )  # fmt: skip


def on_tick(price: Decimal, rounding: str) -> Decimal:
    return (price / TICK).to_integral_value(rounding) * TICK


def judge(frame: BarFrame, entry: int, price: Decimal, last: int) -> tuple[int, Decimal, str] | None:
    """Return bar, price and reason of the exit of a long opened at the open of bar `entry`; None up to `last`."""
    stop = on_tick(price * (1 - STOP), ROUND_CEILING)
    target = on_tick(price * (1 + TARGET), ROUND_CEILING)
    best = float(frame.open[entry])
    for k in range(entry, last + 1):
        if frame.volume[k] <= 0.0 or frame.flags[k]:
            continue
        o, high, low = float(frame.open[k]), float(frame.high[k]), float(frame.low[k])
        trail = best + -1 * (best * float(TRAILING))
        if k > entry:
            for level, reason in ((float(stop), "stop"), (trail, "trailing")):
                if o <= level:
                    return k, on_tick(Decimal(repr(o)), ROUND_FLOOR), reason
            if k - entry == BARS:
                return k, on_tick(Decimal(repr(o)), ROUND_FLOOR), "time"
            if o >= float(target) and high >= float(target + TICK):
                return k, on_tick(Decimal(repr(o)), ROUND_FLOOR), "target"
        touched = [(lv, why) for lv, why in ((float(stop), "stop"), (trail, "trailing")) if low <= lv]
        if touched:
            level, reason = max(touched, key=lambda t: t[0])
            return k, on_tick(Decimal(repr(level)), ROUND_FLOOR), reason
        if high >= float(target + TICK):
            return k, target, "target"
        best = max(best, high)
    return None


def check(trade: TradeClosed, frame: BarFrame, row: dict[int, int]) -> str:
    entry, left = row[trade.opened_ns], trade.closed_ns
    last = len(frame) - 1
    found = judge(frame, entry, trade.entry_price, last)
    if trade.exit_reason == "signal":
        closed = row[left]
        assert found is None or found[0] >= closed, (trade, found)
        assert trade.exit_price == Decimal(repr(float(frame.open[closed])))
        return "signal"
    assert found is not None
    k, price, reason = found
    assert (trade.exit_reason, trade.exit_price) == (reason, price), trade
    assert frame.open_ns[k] <= left <= frame.close_ns[k], trade
    return reason


@pytest.mark.shared_data
def test_a_referee_of_single_trades_agrees_over_all_bars_of_bitcoin(shared_data: Path) -> None:
    plan = plan_of(shared_data, "-", *ONE_ORDER, *EXITS)
    run = run_fast(QUIET, plan, None)
    assert run.path == "fast"
    frame = plan.feed.frames["BTC/USDT"]
    row = {int(t): k for k, t in enumerate(frame.open_ns)}
    trades = run.finished.recorder.record.trades
    assert all(
        t.side == "long" and math.isclose(float(t.quantity * t.entry_price), 1e4, rel_tol=0.05)
        for t in trades
    )
    reasons = Counter(check(t, frame, row) for t in trades)
    assert sum(reasons.values()) > 600
    assert all(reasons[r] > 10 for r in ("stop", "target", "trailing", "signal")), reasons
    assert reasons["time"] > 0, reasons


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "sets",
    [
        ["exits.stop.atr=2", "exits.target.r=2", "risk.sizing={kind: risk_per_trade}"],
        ["exits.trailing.atr=3", "exits.time.bars=48",
         "risk.sizing={kind: kelly, params: {min_trades: 10, min_frac: 0.05}}"],
        ["exits.stop.frac=0.02", "exits.target.frac=0.03", "venue.latency.params.latency_steps=1"],
    ],
)  # fmt: skip
def test_both_paths_decide_the_same_through_march_2020(shared_data: Path, sets: list[str]) -> None:
    plan = plan_of(shared_data, "20200201-20200501", *sets)
    event, fast = run_events(QUIET, plan, None), run_fast(QUIET, plan, None)
    assert fast.path == "fast"
    assert event.finished.recorder.log.digest() == fast.finished.recorder.log.digest()
    told: list[list[dict[str, Any]]] = [r.finished.recorder.record.trade_rows() for r in (event, fast)]
    assert told[0] == told[1]
    assert {t["exit_reason"] for t in told[0]} & {"stop", "trailing"}
