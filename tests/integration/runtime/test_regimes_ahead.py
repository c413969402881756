"""A fleet with regimes on the fast path: the same decisions, record and attribution as step by step."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import small

from actors.runtime.graph import FleetGraph, Input
from cluster.runs.backtest_context import market_context
from cluster.runs.backtest_fast import FastRun, obstacle
from cluster.runs.backtest_recorder import BacktestRecorder
from cluster.runs.backtest_regimes_ahead import regime_obstacle
from cluster.runs.execute import run_local
from cluster.runs.plan import RunPlan

pytestmark = pytest.mark.native
BARE = ("learning.predictors=[]", "features.indicators=[]")
MAP = ("{min_dwell_bars: 4, confirm_bars: 1, min_confidence: 0.1, by_regime: {sideways: {window_bars: 7}, "
       "high_volatility: {window_bars: 21}, bull: {window_bars: 28}}}")  # fmt: skip
FLEETS = {
    "default": (),
    "adaptive": (
        f"strategies=[{{kind: rsi, adaptive: {MAP}}}, {{kind: ma_crossover}}, {{kind: regime_aware}}]",
    ),
    "adaptive alone": (f"strategies=[{{kind: rsi, adaptive: {MAP}}}]",),
    "enhanced": ("regime.ensemble={kind: enhanced}",),
    "longer frames": ("regime.timeframes=['4h']", "regime.detectors=[{kind: volatility}, {kind: trend}]"),
    "exits": ("exits={stop: {frac: 0.02}, target: {frac: 0.03}}", "regime.detectors=[{kind: volatility}]"),
}


def _both(plan: RunPlan) -> tuple[BacktestRecorder, BacktestRecorder]:
    assert obstacle(plan) is None
    slow, fast = BacktestRecorder(plan, None), BacktestRecorder(plan, None)
    run_local(plan, recorder=slow)
    FastRun(plan, fast).run()
    return slow, fast


@pytest.mark.parametrize("fleet", FLEETS)
def test_both_paths_decide_alike(fleet: str, tmp_path: Path) -> None:
    plan = small.plan(tmp_path, market=small.frames(700), sets=(*BARE, *FLEETS[fleet]))
    slow, fast = _both(plan)
    assert fast.lines == slow.lines
    assert fast.log.digest() == slow.log.digest()
    assert fast.record.metrics() == slow.record.metrics()
    assert fast.record.switches == slow.record.switches
    assert bool(slow.record.switches) == fleet.startswith("adaptive")
    (one, account), (two, other) = slow.record.curves, fast.record.curves
    assert {p: s.detected for p, s in two.items()} == {p: s.detected for p, s in one.items()}
    assert len({label for s in one.values() for label in s.detected}) > 2
    assert other.equity == account.equity
    views = [
        r.record.regimes.views(series, timeframe_ns=r.record.timeframe_ns, seed=7)
        for r, series in ((slow, one), (fast, two))
    ]
    assert views[0] == views[1]
    assert [v.pair for v in views[0]] == list(plan.pairs)
    assert all(len(v.members) >= 1 and v.known_bars["score"] > 300 for v in views[0])

    def parts(recorder: BacktestRecorder) -> list[tuple[str, str, str]]:
        series, money = recorder.record.curves
        groups = recorder.attribution.groups(
            series, money, plan.settings.timeframe_ns, total_pnl_quote=recorder.record.total_pnl_quote,
            fees_quote=recorder.record.costs.fees_quote,
        )  # fmt: skip
        return [(g.kind, g.name, g.pnl_quote) for g in groups]

    assert parts(fast) == parts(slow)


def test_one_context_serves_many_strategies(tmp_path: Path) -> None:
    market = small.frames(500)
    one = f"strategies=[{{kind: rsi, adaptive: {MAP}, params: {{oversold: %s}}}}]"
    plans = [small.plan(tmp_path, market=market, sets=(*BARE, one % x)) for x in (25.0, 40.0)]
    context = market_context(plans[0])
    digests = []
    for plan in plans:
        shared, own = BacktestRecorder(plan, None), BacktestRecorder(plan, None)
        FastRun(plan, shared, context).run()
        FastRun(plan, own).run()
        assert shared.log.digest() == own.log.digest()
        digests.append(own.log.digest())
    assert digests[0] != digests[1]


def test_who_else_hears_regimes_keeps_the_run_step_by_step(tmp_path: Path) -> None:
    plan = small.plan(tmp_path, sets=BARE)
    specs = list(plan.graph.specs)
    odd = next(k for k, s in enumerate(specs) if s.name == "coordinator-execution")
    assert regime_obstacle(plan) is None
    specs[odd] = dataclasses.replace(specs[odd], inputs=(*specs[odd].inputs, Input("regime-ensemble")))
    heard = dataclasses.replace(plan, graph=FleetGraph(specs))
    assert (
        obstacle(heard) == "regimes are not those of the default fleet: coordinator-execution hears regimes"
    )
    assert (
        obstacle(small.plan(tmp_path)) == "decisions depend on predictions, which are computed step by step"
    )
