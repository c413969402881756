"""One fold of walk-forward: a study on its train, a run of what it chose on its test, and the way out at its end.

At a fold's border nothing is carried over. Each test begins in cash, its indicators warmed up by the bars before it, so
its first order can be filled at its second bar; what is still held at its last close is left there, at the mean cost
per traded notional that the fold itself had, and that cost is part of the fold's last return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.evaluation.run_record import RunRecord
from actors.domain.model.timerange import TimeRange
from actors.domain.search.space import Space
from actors.domain.search.study.by_regime import LearnRule, learn
from actors.domain.search.study.trial import Ask, Trial
from cluster.runs.backtest_fast import FastRun, obstacle
from cluster.runs.backtest_recorder import BacktestRecorder
from cluster.runs.execute import run_local
from cluster.runs.study import StudyResult, StudySpec, reasons, run_study
from cluster.runs.study_trial import (
    Question,
    context_of,
    evaluate,
    metrics_of,
    returns_of_periods,
)

FloatArray = NDArray[np.float64]
_ALL = 1 << 60


@dataclass(frozen=True)
class WalkQuestion:
    """What all folds share: market and configuration, what is varied, how it is searched, and whether per regime."""

    question: Question
    space: Space
    spec: StudySpec
    learn: LearnRule | None = None


@dataclass(frozen=True)
class FoldSpan:
    """A fold in time: opening times, ends excluded."""

    number: int
    train: TimeRange
    test: TimeRange


@dataclass(frozen=True)
class FoldResult:
    """What came of a fold.

    Attributes
    ----------
    params : dict or None
        Chosen on the train; None where no trial was feasible: then nothing is traded.
    reason : str or None
        Why nothing was chosen.
    train : dict
        ``value`` of the objective, ``trials``, ``failed``, ``study_hash`` and the chosen trial's metrics; ``regimes``
        of `learnt_map` where parameters were learnt per regime.
    metrics : dict
        Of the run over the test, before the way out.
    returns : array, shape (n_bars,)
        Per bar of the test, the way out included.
    times : int array, shape (n_bars,)
        Closing times of those bars.
    held : dict pair → str
        What was held at the last close.
    exit_cost_frac : float
        Of the equity, for leaving it.
    """

    number: int
    params: dict[str, Any] | None
    reason: str | None
    train: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)
    returns: FloatArray = field(default_factory=lambda: np.zeros(0))
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    held: dict[str, str] = field(default_factory=dict)
    exit_cost_frac: float = 0.0


def do_fold(shared: WalkQuestion, span: FoldSpan, _rng: np.random.Generator) -> FoldResult:
    """Optimise on the train of a fold, run what was chosen on its test."""
    q = shared.question
    study = run_study(
        q.config, q.frames, span.train, shared.space, shared.spec, details=q.details, perpetuals=q.perpetuals,
        by_regime=shared.learn is not None,
    )  # fmt: skip
    best = study.best
    train: dict[str, Any] = {
        "value": None if best is None else best.result.values[0],
        "trials": len(study.trials),
        "failed": sum(not t.result.feasible for t in study.trials),
        "study_hash": study.study_hash,
        "metrics": {} if best is None else {n: best.result.metrics.get(n) for n in _TRAIN_METRICS},
    }
    test = replace(q, span=span.test)
    learnt: dict[str, Any] = {}
    if best is not None and shared.learn is not None:
        learnt, train["regimes"] = learnt_map(replace(q, span=span.train), study, best, shared.learn)
    if best is None:
        plan = test.plan({})
        times = plan.feed.times[plan.feed.warmup_steps :]
        return FoldResult(
            span.number, None, reasons(study.trials), train, {}, np.zeros(len(times)), np.array(times)
        )
    params = {**best.params, **learnt}
    found = tested(test, params)
    return FoldResult(
        span.number,
        params,
        None,
        train,
        found.metrics,
        found.returns,
        found.times,
        found.held,
        found.exit_cost_frac,
    )


@dataclass(frozen=True)
class Tested:
    """A run of chosen parameters over a test, left at its end; fields as in `FoldResult`."""

    metrics: dict[str, Any]
    returns: FloatArray
    times: NDArray[np.int64]
    held: dict[str, str]
    exit_cost_frac: float


def tested(test: Question, params: Mapping[str, Any]) -> Tested:
    """Run parameters over a test and leave what is held at its last close."""
    record, times = run_of(test, params)
    returns = returns_of_periods(record, most=_ALL)
    cost = exit_cost(record)
    if len(returns) and cost:
        returns[-1] = (1.0 + returns[-1]) * (1.0 - cost) - 1.0
    held = {p: format(q, "f") for p, q in record.positions.items() if q}
    return Tested(metrics_of(record), returns, times, held, cost)


def learnt_map(
    train: Question, study: StudyResult, best: Trial, rule: LearnRule
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters per regime that a fold's trials teach, and what is to be told of them.

    The whole map is run once over the same train; unless it does better there than the global parameters alone, nothing
    is taken from it. Neither the test nor anything behind the train is read.
    """
    found = learn(study.trials, best, study.directions[0], rule)
    told: dict[str, Any] = {
        "choices": [asdict(c) for c in found.choices], "searched": found.searched, "value": None, "used": False,
        "notes": list(found.notes),
    }  # fmt: skip
    if not found.values:
        return {}, told
    rng = np.random.default_rng(0)  # a trial draws nothing
    again = evaluate(train, Ask(len(study.trials), {**best.params, **found.values}), rng)
    sign = -1.0 if study.directions[0] == "minimize" else 1.0
    told["value"] = again.values[0] if again.values else None
    if not again.feasible:
        told["notes"].append(f"the map is not used: {again.reason or 'a constraint is broken'}")
    elif sign * (again.values[0] - best.result.values[0]) <= 0.0:
        told["notes"].append(
            f"the map is not used: {again.values[0]:.4g} over the train, without it {best.result.values[0]:.4g}"
        )
    else:
        told["used"] = True
        return dict(found.values), told
    return {}, told


_TRAIN_METRICS = ("cagr_frac", "total_return_frac", "sharpe_ann", "max_drawdown_frac", "trade_count")


def run_of(question: Question, values: Mapping[str, Any]) -> tuple[RunRecord, NDArray[np.int64]]:
    """Run a configuration with some values over a question's span; the record, and the closing times of its bars."""
    plan = question.plan(values)
    kernels.select_backend(plan.settings.kernel_backend, require_native=plan.settings.require_native)
    recorder = BacktestRecorder(plan, None)
    if obstacle(plan) is None:
        FastRun(plan, recorder, context_of(plan)).run()
    else:
        run_local(plan, recorder=recorder)
    return recorder.record, np.array(recorder.record.curves[1].ts_ns, dtype=np.int64)


def exit_cost(record: RunRecord) -> float:
    """Return what leaving all that is held at the last close costs, as a share of the equity.

    By the mean cost per traded notional of the run itself: fees and slippage over all fills.
    """
    series, account = record.curves
    traded = float(record.traded_quote)
    if not account.equity or traded <= 0.0:
        return 0.0
    held = sum(abs(float(q)) * series[p].close[-1] for p, q in record.positions.items() if q)
    equity = account.equity[-1]
    rate = (float(account.fees_quote[-1]) + float(account.slippage_quote[-1])) / traded
    return min(1.0, held * rate / equity) if equity > 0.0 else 0.0
