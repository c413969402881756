"""Studies over small markets: a trial is a backtest, failures are told, slices prune, time ranges bound."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

from actors.domain.errors import ConfigError
from actors.domain.model.timerange import TimeRange
from actors.domain.search.space import Space
from actors.domain.search.study.trial import Ask
from cluster.runs.backtest_fast import FastRun
from cluster.runs.backtest_recorder import BacktestRecorder
from cluster.runs.execute import run_local
from cluster.runs.search_space import config_space
from cluster.runs.study import StudySpec, reasons, run_study
from cluster.runs.study_trial import Question, evaluate, metrics_of
from config.load import ResolvedConfig, resolve

FAST, SLOW = "strategies.ma_crossover.params.fast_bars", "strategies.ma_crossover.params.slow_bars"
LEAN = [
    "regime.detectors=[]",
    "learning.predictors=[]",
    "features.indicators=[]",
    "data.max_warmup_bars=null",
]


@pytest.fixture(scope="module")
def market() -> Any:
    frames = small.frames(600)
    return dict(list(frames.items())[:1])


def config(market: Any, *sets: str, kind: str = "ma_crossover") -> ResolvedConfig:
    pairs = ", ".join(market)
    return resolve("backtest", sets=[f"strategies=[{{kind: {kind}}}]", f"pairs=[{pairs}]", *LEAN, *sets])


def space(found: ResolvedConfig) -> Space:
    return config_space(found.model).only([FAST, SLOW])


def span(market: Any, first: int, last: int) -> TimeRange:
    frame = next(iter(market.values()))
    return TimeRange(int(frame.open_ns[first]), int(frame.open_ns[last]))


def test_a_trial_is_the_backtest_of_its_values(market: Any) -> None:
    base = config(market)
    question = Question(base, market, span(market, 150, 600 - 1))
    values = {FAST: 7, SLOW: 31}
    found = evaluate(question, Ask(0, values), np.random.default_rng(0))
    plan = question.plan(values)
    assert plan.config.model.strategies[0].params == {"fast_bars": 7, "slow_bars": 31}
    record = run_local(plan).recorder.record
    assert found.metrics == metrics_of(record)
    assert found.values == (record.metrics()["sharpe_ann"],)
    assert found.returns is not None
    growth = float(np.prod(1.0 + found.returns)) - 1.0
    assert growth == pytest.approx(record.metrics()["total_return_frac"], abs=1e-12)


def test_marks_change_nothing(market: Any, tmp_path: Path) -> None:
    plan = Question(config(market), market, span(market, 150, 599)).plan({FAST: 5, SLOW: 25})
    whole, cut = BacktestRecorder(plan, None), BacktestRecorder(plan, None)
    FastRun(plan, whole).run()
    seen: list[tuple[int, int]] = []
    FastRun(plan, cut).run(marks=[200, 201, 400], at_mark=lambda k: seen.append((k, cut.record.bars)))
    assert seen == [(200, 50), (201, 51), (400, 250)]
    assert cut.log.digest() == whole.log.digest()
    assert cut.record.metrics() == whole.record.metrics()


def test_it_reads_no_bar_behind_its_range(market: Any) -> None:
    base = config(market)
    frame = next(iter(market.values()))
    spec = StudySpec(epochs=12, sampler="random")
    short = {frame.pair: frame.slice_time(None, int(frame.open_ns[400]))}
    a = run_study(base, market, span(market, 150, 400), space(base), spec)
    b = run_study(base, short, span(market, 150, 400), space(base), spec)
    c = run_study(base, market, span(market, 150, 450), space(base), spec)
    assert a.study_hash == b.study_hash != c.study_hash
    assert a.best is not None
    assert a.best.result.values[0] == max(t.result.values[0] for t in a.trials if t.result.values)
    chosen = a.best_config(base).model.strategies[0].params
    assert chosen == {p.rpartition(".")[2]: v for p, v in a.best.params.items()}


def test_slices_prune_what_lags_behind(market: Any) -> None:
    base = config(market)
    spec = StudySpec(epochs=30, sampler="random", pruner="median", slices=3)
    found = run_study(base, market, span(market, 150, 599), space(base), spec)
    states = [t.result.state for t in found.trials]
    assert states[:5] == ["complete"] * 5 or "fail" in states[:5]
    assert "pruned" in states
    pruned = next(t for t in found.trials if t.result.state == "pruned")
    assert pruned.result.values == ()
    assert "slice 1 of 3: found" in str(pruned.result.reason) or "slice 2 of 3" in str(pruned.result.reason)
    unpruned = run_study(
        base, market, span(market, 150, 599), space(base), dataclasses.replace(spec, pruner="none")
    )
    for a, b in zip(found.trials, unpruned.trials, strict=True):
        assert a.params == b.params
        if a.result.state == "complete":
            assert a.result.values == b.result.values


def undecided(metrics: Any) -> float:
    trades = metrics["trade_count"]
    if trades % 3 == 0:
        raise RuntimeError("three")
    return float("nan") if trades % 3 == 1 else float(trades)


def test_an_objective_that_raises_or_is_not_a_number_fails_its_trial(market: Any, monkeypatch: Any) -> None:
    import sys
    import types

    module = types.ModuleType("my_objective")
    module.undecided = undecided  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_objective", module)
    base = config(market)
    spec = StudySpec(epochs=30, objectives=(("my_objective:undecided", {}),))
    found = run_study(base, market, span(market, 150, 599), space(base), spec)
    why = {t.result.reason for t in found.trials if t.result.state == "fail"}
    assert "my_objective:undecided: RuntimeError: three" in why
    assert "my_objective:undecided: expected a finite number, found nan" in why
    assert found.best is not None
    assert "three" in reasons(found.trials)


def test_rules_decide_who_may_be_best(market: Any) -> None:
    base = config(market)
    free = run_study(base, market, span(market, 150, 599), space(base), StudySpec(epochs=25))
    assert free.best is not None
    most = max(t.result.metrics["trade_count"] for t in free.trials if t.result.metrics)
    rule = f"trade_count>={most}"
    bound = run_study(base, market, span(market, 150, 599), space(base), StudySpec(epochs=25, rules=(rule,)))
    assert bound.best is not None
    assert bound.best.result.metrics["trade_count"] >= most
    none = run_study(
        base, market, span(market, 150, 599), space(base), StudySpec(epochs=5, rules=("trade_count>9999",))
    )
    assert none.best is None
    assert none.pareto == []
    with pytest.raises(ConfigError, match="a constraint is broken"):
        none.best_config(base)


def test_values_that_the_configuration_refuses_are_told_before(market: Any) -> None:
    base = config(market)
    with pytest.raises(ConfigError, match="STUDY_PRUNER"):
        StudySpec(objectives=(("sharpe", {}), ("ulcer", {})), pruner="median")
    with pytest.raises(ConfigError, match="RULE_METRIC"):
        run_study(base, market, TimeRange(None, None), space(base), StudySpec(rules=("trades>3",)))


def test_a_node_without_a_package_is_named(market: Any) -> None:
    base = config(market)
    question = Question(base, market, span(market, 150, 599), objectives=(("not_here:score", {}),))
    found = evaluate(question, Ask(0, {FAST: 7, SLOW: 31}), np.random.default_rng(0))
    assert found.state == "refused"
    assert "not_here" in str(found.reason)
