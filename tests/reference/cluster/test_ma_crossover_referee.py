"""Moving-average crossover on real bars: fast path, event path and an independent referee make the same trades."""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import pytest
from backtest_referee import Referee, Trade

from actors.adapters.feeds.files import load_bars
from actors.domain.events.portfolio import TradeClosed
from actors.domain.model.timerange import parse_timerange
from cluster.runs.backtest import Backtest, run_events, run_fast
from cluster.runs.plan import RunPlan, build_plan
from config.load import resolve

QUIET = argparse.Namespace(no_progress=True)
LEAN = ["regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]"]
MEMBER = "strategies=[{kind: ma_crossover, params: {fast_bars: 10, slow_bars: 50}}]"


def plan_of(shared_data: Path, span: str) -> RunPlan:
    """Return the plan of ``backtesting -s ma_crossover --set strategy.fast_bars=10 --set strategy.slow_bars=50``."""
    frame = load_bars(shared_data / "ohlcv" / "binance_spot" / "BTCUSDT_1h.parquet", "BTC/USDT", "1h")
    config = resolve("backtest", sets=["pairs=[BTC/USDT]", MEMBER, *LEAN])
    return build_plan(
        config, {"BTC/USDT": frame}, parse_timerange(span), run_id="r", run_dir=Path(), key_path=Path(),
        journal=False,
    )  # fmt: skip


def judged(plan: RunPlan) -> tuple[list[Trade], Referee]:
    """Return the referee's trades over a plan's bars."""
    frame = plan.feed.frames["BTC/USDT"]
    referee = Referee(10, 50)
    o, h, low, c, v = (x.tolist() for x in (frame.open, frame.high, frame.low, frame.close, frame.volume))
    return referee.run(frame.open_ns.tolist(), o, h, low, c, v, plan.feed.warmup_steps), referee


def assert_same(trades: list[TradeClosed], expected: list[Trade]) -> None:
    """Times, quantity, fees and PnL exactly; average prices to the digits that a Decimal keeps."""
    assert len(trades) == len(expected)
    for found, wanted in zip(trades, expected, strict=True):
        assert (found.opened_ns, found.closed_ns) == (wanted.opened_ns, wanted.closed_ns)
        assert Fraction(found.quantity) == wanted.quantity
        assert Fraction(found.fees_quote) == wanted.fees
        assert Fraction(found.pnl_quote) == wanted.pnl
        for price, exactly in (
            (found.entry_price, wanted.entry_price),
            (found.exit_price, wanted.exit_price),
        ):
            assert abs(Fraction(price) - exactly) < Fraction(1, 10**20)


def trades_of(run: Backtest) -> list[TradeClosed]:
    return run.finished.recorder.record.trades


@pytest.mark.shared_data
def test_the_referee_agrees_over_all_bars_of_bitcoin(shared_data: Path) -> None:
    plan = plan_of(shared_data, "-")
    run = run_fast(QUIET, plan, None)
    expected, referee = judged(plan)
    assert run.path == "fast"
    assert run.finished.recorder.record.counts["fills"] == referee.fills > 3000
    assert_same(trades_of(run), expected)


@pytest.mark.shared_data
def test_both_paths_and_the_referee_agree_through_march_2020(shared_data: Path) -> None:
    plan = plan_of(shared_data, "20200201-20200501")
    event, fast = run_events(QUIET, plan, None), run_fast(QUIET, plan, None)
    assert event.finished.recorder.log.digest() == fast.finished.recorder.log.digest()
    assert trades_of(event) == trades_of(fast)
    expected, _ = judged(plan)
    assert len(expected) > 10
    assert_same(trades_of(event), expected)
