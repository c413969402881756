"""The fast path decides what the event path decides: any strategies, parameters, gaps, limits and costs."""

from __future__ import annotations

import argparse
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import small
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from actors.domain.errors import ConfigError
from actors.domain.evaluation.attribution import UNATTRIBUTED
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import detail_of
from actors.domain.model.funding import FundingSeries
from actors.domain.model.timerange import TimeRange
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.runs.backtest import Backtest, run_events, run_fast
from cluster.runs.perpetual import Perpetuals
from cluster.runs.plan import RunPlan, build_plan
from config.load import resolve

QUIET = argparse.Namespace(no_progress=True)
BARS, WARMUP = 420, 120
EIGHT_HOURS = 8 * 3600 * 10**9
LEAN = ["regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]"]

MEMBERS = st.sampled_from(
    [
        "{kind: ma_crossover, params: {fast_bars: 3, slow_bars: 9}}",
        "{kind: ma_crossover, params: {fast_bars: 10, slow_bars: 50, band_frac: 0.0}}",
        "{kind: rsi}",
        "{kind: macd}",
    ]
)
SETTINGS = st.sampled_from(
    [
        [],
        ["risk.breakers.drawdown.limit_frac=0.003", "risk.breakers.drawdown.cooldown_steps=5"],
        ["risk.breakers.daily_loss.limit_frac=0.002"],
        ["venue.latency.params.latency_steps=2", "venue.latency.params.cancel_latency_steps=1"],
        ["venue.fill_at=intrabar", "venue.max_volume_share=0.0001"],
        ["venue.fees={kind: none}", "venue.slippage={kind: fixed_bps}"],
        ["venue.fees={kind: tiered, params: {update: hour}}", "venue.spread={kind: bar_range}"],
        ["venue.latency={kind: ns, params: {latency_ns: 1000000000}}", "venue.queue_ahead_frac=0.001"],
        ["risk.params.rebalance_band_frac=0.0", "execution.patient_to=0.5"],
        ["account.initial_cash_quote=25", "risk.rules=[{kind: min_notional}]"],
        ["risk.sizing={kind: fixed_fraction}", "coordination.weights_lag_steps=7"],
    ]
)

BOLD = [
    "risk.sizing={kind: fixed_fraction, params: {fraction: 1.0}}", "risk.rules=[{kind: min_notional}]",
    "risk.breakers.drawdown.limit_frac=0.99", "risk.breakers.daily_loss.limit_frac=0.99",
]  # fmt: skip
LEVERAGED = st.sampled_from(
    [
        ["account.mode=margin", "account.leverage=3", *BOLD, "coordination.max_target_frac=3"],
        ["account.mode=margin", "account.leverage=2", "venue.margin.borrow_quote_ann_frac=0"],
        ["account.mode=margin", "account.leverage=3", *BOLD, "coordination.max_target_frac=2",
         "venue.fees={kind: maker_taker, params: {fee_currency: received}}"],
        ["account.mode=perpetual", "account.leverage=20", *BOLD, "coordination.max_target_frac=19"],
        ["account.mode=perpetual", "account.leverage=20", *BOLD, "coordination.max_target_frac=200",
         "venue.perpetual.maintenance_frac=0.04", "venue.perpetual.liquidation_fee_bps=0"],
        ["account.mode=perpetual", "account.leverage=10", *BOLD, "coordination.max_target_frac=9",
         "venue.latency.params.latency_steps=1", "venue.max_volume_share=0.001"],
        ["account.mode=perpetual", "account.leverage=5", "coordination.allow_short=false"],
    ]
)  # fmt: skip


def with_gaps(frame: BarFrame, seed: int, late: int, early: int) -> BarFrame:
    """Return bars that begin `late`, end `early` and miss a few."""
    rng = np.random.default_rng(seed)
    kept = np.ones(len(frame), dtype=bool)
    kept[:late] = False
    kept[len(frame) - early :] = False
    kept[rng.integers(0, len(frame), 5)] = False
    names = ("open_ns", "open", "high", "low", "close", "volume", "flags")
    columns = {name: getattr(frame, name)[kept] for name in names}
    return BarFrame.from_columns(frame.pair, frame.timeframe_ns, columns, source=frame.source, synthetic=True)


def recorded(frames: dict[str, BarFrame], seed: int, *, rates: bool, marks: bool) -> Perpetuals:
    """Return drawn funding rates of all pairs, of either sign, and marks of the first that are calmer than its bars."""
    rng = np.random.default_rng(seed)
    funding, mark = {}, {}
    for pair, frame in frames.items():
        due = np.arange(frame.start_ns // EIGHT_HOURS, frame.end_ns // EIGHT_HOURS + 1) * EIGHT_HOURS
        funding[pair] = FundingSeries(pair, due, np.round(rng.normal(0.0001, 0.0005, due.size), 8))
    first = next(iter(frames.values()))
    middle = (first.high + first.low) / 2.0
    columns = {
        name: middle + 0.7 * (getattr(first, name) - middle) for name in ("open", "high", "low", "close")
    }
    columns |= {"open_ns": first.open_ns, "volume": np.zeros(len(first)), "flags": first.flags}
    mark[first.pair] = BarFrame.from_columns(
        first.pair, first.timeframe_ns, columns, source="mark", synthetic=True
    )
    return Perpetuals(funding if rates else {}, mark if marks else {})


def plan_of(
    pairs: int,
    members: list[str],
    sets: list[str],
    seed: int,
    gaps: bool,
    finer: bool = False,
    rates: bool = False,
    marks: bool = False,
) -> RunPlan:
    """Return the plan of a small run over synthetic bars."""
    frames = dict(list(generate(SyntheticParams(n_bars=BARS), seed).frames.items())[:pairs])
    details = small.finer(frames)
    start = int(next(iter(frames.values())).open_ns[WARMUP])
    if gaps:
        frames = {p: with_gaps(f, seed + i, 150 * i, 90 * i) for i, (p, f) in enumerate(frames.items())}
    distinct = list(dict.fromkeys(members))
    config = resolve(
        "backtest",
        sets=[
            f"pairs=[{', '.join(frames)}]",
            f"seed={seed}",
            f"strategies=[{', '.join(distinct)}]",
            *LEAN,
            *sets,
            *(["timeframe_detail=30m"] if finer else []),
        ],
    )
    return build_plan(
        config, frames, TimeRange(start, None), run_id="p", run_dir=Path(), key_path=Path(), journal=False,
        details={p: detail_of(f, details[p]) for p, f in frames.items()} if finer else None,
        perpetuals=recorded(frames, seed, rates=rates, marks=marks),
    )  # fmt: skip


def told(run: Backtest) -> dict[str, Any]:
    """Return everything that both paths must agree on."""
    recorder = run.finished.recorder
    series, account = recorder.record.curves
    pnl, fees = recorder.record.total_pnl_quote, recorder.record.costs.fees_quote
    groups = run.attribution.groups(
        series, account, run.finished.plan.settings.timeframe_ns, total_pnl_quote=pnl, fees_quote=fees
    )
    for kind in ("strategy", "pair"):
        parts = [row for row in groups if row.kind == kind]
        assert sum(Decimal(row.pnl_quote) for row in parts) == pnl
        assert sum(Decimal(row.fees_quote) for row in parts) == fees
        assert UNATTRIBUTED not in [row.name for row in parts]
    return {
        "lines": recorder.lines,
        "hash": recorder.log.digest(),
        "count": recorder.log.count,
        "steps": recorder.steps,
        "trades": recorder.record.trade_rows(),
        "metrics": recorder.record.metrics(),
        "positions": recorder.record.positions,
        "counts": recorder.record.counts,
        "equity": account.equity,
        "benchmark": account.benchmark,
        "drawdown": account.drawdown,
        "exposures": account.exposures,
        "fees": account.fees_quote,
        "charged": account.charged,
        "risk events": [
            e for e in recorder.record._sayings.risk_events if e.what == "liquidated by the venue"
        ],
        "targets": {p: s.targets for p, s in series.items()},
        "fills": {p: s.fills for p, s in series.items()},
        "bars": {p: (s.ts_ns, s.close, s.high, s.low) for p, s in series.items()},
        "groups": groups,
        "leaders": run.attribution.leaders,
        "open": recorder.record.open_positions(),
    }


@settings(max_examples=14, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pairs=st.integers(1, 2),
    members=st.lists(MEMBERS, min_size=1, max_size=2),
    sets=SETTINGS,
    seed=st.integers(0, 50),
    gaps=st.booleans(),
    finer=st.booleans(),
)
def test_both_paths_agree_on_everything(
    pairs: int, members: list[str], sets: list[str], seed: int, gaps: bool, finer: bool
) -> None:
    plan = plan_of(pairs, members, sets, seed, gaps, finer)
    event = told(run_events(QUIET, plan, None))
    fast = run_fast(QUIET, plan, None)
    assert fast.path == "fast"
    found = told(fast)
    for key, value in event.items():
        assert found[key] == value, key


def distance(*measures: str) -> st.SearchStrategy[str | None]:
    """Draw an exit by one of its measures, or none."""
    sizes = {"frac": [0.004, 0.015, 0.05], "atr": [0.5, 1.5, 4.0], "quote": [40.0, 900.0], "r": [0.7, 2.0]}
    one = [st.sampled_from(sizes[m]).map(lambda x, m=m: f"{{{m}: {x}}}") for m in measures]
    return st.none() | st.one_of(*one)


EXITS = st.fixed_dictionaries(
    {
        "stop": distance("frac", "atr"),
        "target": distance("frac", "atr", "r"),
        "trailing": distance("frac", "atr", "quote"),
        "time": st.none() | st.sampled_from([1, 4, 25]).map(lambda n: f"{{bars: {n}}}"),
    }
)
SIZES = st.sampled_from(
    [
        "{kind: volatility_target}",
        "{kind: fixed_quote, params: {quote: 700}}",
        "{kind: fixed_quote, params: {quote: 70000}}",
        "{kind: risk_per_trade, params: {risk_frac: 0.01}}",
        "{kind: kelly, params: {min_trades: 3, window_trades: 9, min_frac: 0.02, shrink_trades: 2}}",
    ]
)
MARKETS = st.sampled_from(
    [
        [],
        ["venue.latency.params.latency_steps=2", "venue.latency.params.cancel_latency_steps=1"],
        ["venue.latency={kind: uniform, params: {max_latency_steps: 3}}"],
        ["venue.max_volume_share=0.00005"],
        ["venue.fees={kind: maker_taker, params: {fee_currency: received}}"],
        ["risk.breakers.drawdown.limit_frac=0.003", "risk.breakers.drawdown.cooldown_steps=5"],
        ["risk.rules=[{kind: cooldown}, {kind: pyramiding, params: {max_entries: 3, min_gain_frac: 0.002}}]",
         "risk.params.rebalance_band_frac=0.0"],
        ["execution.twap_above_share=0.0000001", "account.initial_cash_quote=1000000"],
    ]
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pairs=st.integers(1, 2),
    members=st.lists(MEMBERS, min_size=1, max_size=2),
    exits=EXITS,
    size=SIZES,
    market=MARKETS | LEVERAGED,
    seed=st.integers(0, 50),
    gaps=st.booleans(),
)
def test_both_paths_agree_with_exits_and_sizes_that_follow_the_account(
    pairs: int,
    members: list[str],
    exits: dict[str, str | None],
    size: str,
    market: list[str],
    seed: int,
    gaps: bool,
) -> None:
    sets = [f"exits.{name}={value}" for name, value in exits.items() if value is not None]
    sets += [f"risk.sizing={size}", *market]
    try:
        plan = plan_of(pairs, members, sets, seed, gaps)
    except ConfigError:
        assume(False)  # distances that contradict each other
    event = told(run_events(QUIET, plan, None))
    found = told(run_fast(QUIET, plan, None))
    for key, value in event.items():
        assert found[key] == value, key


@settings(max_examples=14, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pairs=st.integers(1, 2),
    members=st.lists(MEMBERS, min_size=1, max_size=2),
    sets=LEVERAGED,
    seed=st.integers(0, 50),
    gaps=st.booleans(),
    rates=st.booleans(),
    marks=st.booleans(),
    finer=st.booleans(),
)
def test_both_paths_agree_on_leveraged_accounts(
    pairs: int,
    members: list[str],
    sets: list[str],
    seed: int,
    gaps: bool,
    rates: bool,
    marks: bool,
    finer: bool,
) -> None:
    plan = plan_of(pairs, members, sets, seed, gaps, finer, rates and not gaps, marks and not gaps)
    event = told(run_events(QUIET, plan, None))
    fast = run_fast(QUIET, plan, None)
    assert fast.path == "fast"
    found = told(fast)
    for key, value in event.items():
        assert found[key] == value, key


def test_what_is_drawn_above_shorts_pays_funding_and_is_liquidated() -> None:
    """The property would say little about runs in which nothing of it happens."""
    sets = ["account.mode=perpetual", "account.leverage=20", *BOLD, "coordination.max_target_frac=200",
            "venue.perpetual.maintenance_frac=0.04"]  # fmt: skip
    member = "{kind: ma_crossover, params: {fast_bars: 3, slow_bars: 9}}"
    run = told(run_fast(QUIET, plan_of(1, [member], sets, 3, False, rates=True), None))
    assert run["risk events"]
    assert {t["side"] for t in run["trades"]} == {"long", "short"}
    assert {kind for _, kind, _ in run["charged"]} == {"funding", "liquidation"}
    assert any(amount < 0 for _, kind, amount in run["charged"] if kind == "funding")
    assert any(t["exit_reason"] == "liquidation" for t in run["trades"])
    margin = ["account.mode=margin", "account.leverage=3", *BOLD, "coordination.max_target_frac=3"]
    run = told(run_fast(QUIET, plan_of(1, [member], margin, 3, False), None))
    assert {t["side"] for t in run["trades"]} == {"long", "short"}
    assert {kind for _, kind, _ in run["charged"]} >= {"borrow"}
