"""Hours settled by their five minutes, on real bars: each trade ends where a referee that knows only those says."""

from __future__ import annotations

import argparse
from collections import Counter
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path

import pytest

from actors.adapters.feeds.files import load_bars
from actors.domain.events.portfolio import TradeClosed
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import detail_of
from actors.domain.model.timerange import parse_timerange
from cluster.runs.backtest import Backtest, run_events, run_fast
from cluster.runs.plan import RunPlan, build_plan
from config.load import resolve

QUIET = argparse.Namespace(no_progress=True)
TICK, LEVEL = Decimal("0.01"), Decimal("0.006")
SETS = [
    "pairs=[BTC/USDT]", "strategies=[{kind: ma_crossover, params: {fast_bars: 5, slow_bars: 20}}]",
    "regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]", "execution.algos=[{kind: market}]",
    "venue.max_volume_share=null", "venue.fees={kind: none}", "venue.slippage={kind: none}",
    "venue.spread={kind: none}", "risk.rules=[{kind: min_notional}]", "risk.breakers={}",
    "risk.sizing={kind: fixed_quote, params: {quote: 10000}}", "exits.stop.frac=0.006", "exits.target.frac=0.006",
]  # fmt: skip


def frame(shared_data: Path, timeframe: str) -> BarFrame:
    path = shared_data / "ohlcv" / "binance_usdm_perp" / f"BTCUSDT_{timeframe}.parquet"
    return load_bars(path, "BTC/USDT", timeframe)


def plan_of(shared_data: Path, span: str, *sets: str, finer: bool = True) -> RunPlan:
    hours = frame(shared_data, "1h")
    config = resolve("backtest", sets=[*SETS, *sets, *(["timeframe_detail=5m"] if finer else [])])
    return build_plan(
        config, {"BTC/USDT": hours}, parse_timerange(span), run_id="r", run_dir=Path(), key_path=Path(),
        journal=False,
        details={"BTC/USDT": detail_of(hours, frame(shared_data, "5m"))} if finer else None,
    )  # fmt: skip


def on_tick(price: Decimal, rounding: str) -> Decimal:
    return (price / TICK).to_integral_value(rounding) * TICK


def judge(bars: BarFrame, entry: int, price: Decimal) -> tuple[int, Decimal, str] | None:
    """Return row, price and reason of the exit of a long bought at the open of a row."""
    stop = on_tick(price * (1 - LEVEL), ROUND_CEILING)
    target = on_tick(price * (1 + LEVEL), ROUND_CEILING)
    for k in range(entry, len(bars)):
        if bars.volume[k] <= 0.0:
            continue
        o, high, low = (Decimal(repr(float(x[k]))) for x in (bars.open, bars.high, bars.low))
        if k > entry and o <= stop:
            return k, on_tick(o, ROUND_FLOOR), "stop"
        if k > entry and o >= target and high >= target + TICK:
            return k, on_tick(o, ROUND_FLOOR), "target"
        if low <= stop:
            return k, stop, "stop"
        if high >= target + TICK:
            return k, target, "target"
    return None


def check(trade: TradeClosed, bars: BarFrame, row: dict[int, int]) -> str:
    found = judge(bars, row[trade.opened_ns], trade.entry_price)
    if trade.exit_reason == "signal":
        closed = row[trade.closed_ns]
        assert found is None or found[0] >= closed
        assert trade.exit_price == Decimal(repr(float(bars.open[closed])))
        # decided at the close of an hour, like everything that is decided
        assert trade.closed_ns % 3_600_000_000_000 == 0
        return "signal"
    assert found is not None
    k, price, reason = found
    assert (trade.exit_reason, trade.exit_price) == (reason, price), trade
    assert bars.open_ns[k] <= trade.closed_ns <= bars.close_ns[k], trade
    return reason


def trades_of(run: Backtest) -> list[TradeClosed]:
    return run.finished.recorder.record.trades


@pytest.mark.shared_data
def test_a_referee_of_five_minutes_agrees_over_all_of_2023(shared_data: Path) -> None:
    plan = plan_of(shared_data, "-")
    run = run_fast(QUIET, plan, None)
    assert run.path == "fast"
    bars = frame(shared_data, "5m")
    row = {int(t): k for k, t in enumerate(bars.open_ns)}
    reasons = Counter(check(t, bars, row) for t in trades_of(run))
    assert reasons["stop"] > 50, reasons
    assert reasons["target"] > 50, reasons
    # the hours alone let a stop come first in some bars in which it did not
    whole = Counter(
        t.exit_reason for t in trades_of(run_fast(QUIET, plan_of(shared_data, "-", finer=False), None))
    )
    assert whole["stop"] > reasons["stop"]
    assert whole["target"] < reasons["target"]


@pytest.mark.shared_data
@pytest.mark.parametrize("sets", [[], ["venue.latency={kind: ns, params: {latency_ns: 400000000000}}"]])
def test_both_paths_decide_the_same_by_finer_bars(shared_data: Path, sets: list[str]) -> None:
    """With 400 s of latency an order decided at the hour is filled at its tenth minute: the next five-minute open."""
    plan = plan_of(shared_data, "20230301-20230501", *sets)
    event, fast = run_events(QUIET, plan, None), run_fast(QUIET, plan, None)
    assert (fast.path, event.finished.recorder.log.digest()) == ("fast", fast.finished.recorder.log.digest())
    assert trades_of(event) == trades_of(fast)
    late = {t.opened_ns // 60_000_000_000 % 60 for t in trades_of(event)}
    assert late == ({10} if sets else {0})
