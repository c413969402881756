"""One trial of a study: a backtest with the values that were asked, judged; what it raises is a failed trial."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import UnknownComponentError
from actors.domain.evaluation.metrics.growth import lost_at
from actors.domain.evaluation.run_metrics import BAR_FIGURES, METRICS, ratios_of_equity
from actors.domain.evaluation.run_record import RunRecord
from actors.domain.events.regime import REGIMES
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import BarDetail
from actors.domain.model.timerange import TimeRange
from actors.domain.search.objectives.base import Objective, judge, load
from actors.domain.search.study.by_regime import regime_metrics
from actors.domain.search.study.pruning import pruned_at
from actors.domain.search.study.rules import Rule
from actors.domain.search.study.trial import Ask, TrialResult
from cluster.runs.backtest_context import MEASURED, MarketContext, market_context
from cluster.runs.backtest_fast import FastRun, obstacle
from cluster.runs.backtest_recorder import BacktestRecorder
from cluster.runs.backtest_regimes_ahead import members
from cluster.runs.execute import run_local
from cluster.runs.perpetual import NONE, Perpetuals
from cluster.runs.plan import RunPlan, build_plan
from cluster.runs.search_space import applied
from config.load import ResolvedConfig

KNOWN_METRICS = (*METRICS, *BAR_FIGURES)
"""What rules and objectives may read."""
PERIODS = 4096
"""Returns of a trial that are kept at most."""
_KEPT = 4
_contexts: OrderedDict[str, MarketContext] = OrderedDict()
"""Of this process, by what they depend on: trials share their market."""


@dataclass(frozen=True)
class Question:
    """What all trials of a study share.

    Attributes
    ----------
    config : ResolvedConfig
        Before any value is put in.
    frames : mapping pair → BarFrame
    span : TimeRange
        Of the decisions; earlier bars warm up.
    objectives : tuple of (name, parameters)
    rules : tuple of Rule
    slices : int
        Time slices at whose ends a trial may be pruned.
    details, perpetuals
        See `plan.build_plan`.
    by_regime : bool
        Judge each trial by its bars of each regime as well; see `actors.domain.search.study.by_regime`.
    """

    config: ResolvedConfig
    frames: Mapping[str, BarFrame]
    span: TimeRange
    objectives: tuple[tuple[str, Mapping[str, Any]], ...] = (("sharpe", {}),)
    rules: tuple[Rule, ...] = ()
    slices: int = 1
    details: Mapping[str, BarDetail] = field(default_factory=dict)
    perpetuals: Perpetuals = NONE
    by_regime: bool = False

    def plan(self, values: Mapping[str, Any]) -> RunPlan:
        """Return the plan of a backtest with these values.

        Raises
        ------
        ConfigError, DataError
        """
        return build_plan(
            applied(self.config, dict(values)), self.frames, self.span, run_id="trial", run_dir=Path(),
            key_path=Path("unused"), journal=False, details=self.details or None, perpetuals=self.perpetuals,
        )  # fmt: skip


class _Pruned(Exception):  # noqa: N818 - ends a run, and is no defect
    pass


def evaluate(shared: Question, ask: Ask, _rng: np.random.Generator) -> TrialResult:
    """Compute a trial; anything that its strategy or a user's function raises is its reason to have failed."""
    objectives = []
    try:
        objectives = [load(name, params) for name, params in shared.objectives]
        plan = shared.plan(ask.values)
        return _backtest(shared, ask, plan, objectives)
    except (ImportError, UnknownComponentError) as e:
        # the driver could import it: this machine lacks something, and so would every trial here
        return TrialResult(
            "refused", reason=f"node {os.uname().nodename}: expected all that the driver has, found {e}"
        )
    except MemoryError:
        return TrialResult.failed(
            "MemoryError: the worker was out of memory; use fewer workers or a memory budget"
        )
    except Exception as e:  # noqa: BLE001 - the study goes on
        return TrialResult.failed(f"{type(e).__name__}: {e}")


def _backtest(shared: Question, ask: Ask, plan: RunPlan, objectives: Sequence[Objective]) -> TrialResult:
    kernels.select_backend(plan.settings.kernel_backend, require_native=plan.settings.require_native)
    recorder = BacktestRecorder(plan, None)
    first, size = plan.feed.warmup_steps, len(plan.feed)
    marks = [first + (size - first) * k // shared.slices for k in range(1, shared.slices)]
    reached: list[float | None] = []

    def at_mark(_step: int) -> None:
        reached.append(judge(objectives[0], metrics_of(recorder.record)).value)
        if pruned_at(ask.cuts, reached, maximize=objectives[0].direction == "maximize"):
            raise _Pruned

    def on_progress(steps: int, _recorder: Any) -> None:
        while len(reached) < len(marks) and steps >= marks[len(reached)]:
            at_mark(steps)

    try:
        if obstacle(plan) is None:
            FastRun(plan, recorder, context_of(plan)).run(marks=marks, at_mark=at_mark)
        else:
            run_local(plan, recorder=recorder, progress=on_progress)
    except _Pruned:
        k = len(reached)
        return TrialResult(
            "pruned", reason=f"slice {k} of {shared.slices}: found {reached[-1]:.6g}, expected {ask.cuts[k - 1]:.6g}",
            intermediate=tuple(reached),
        )  # fmt: skip
    metrics = metrics_of(recorder.record)
    if shared.by_regime:
        metrics |= _of_regimes(plan, recorder, objectives[0])
    violations = tuple(rule.violation(metrics) for rule in shared.rules)
    known: dict[str, Any] = {
        "intermediate": tuple(reached),
        "metrics": metrics,
        "returns": returns_of_periods(recorder.record),
    }
    said = [judge(o, metrics) for o in objectives]
    for (name, _), judgement in zip(shared.objectives, said, strict=True):
        if judgement.value is None:
            return TrialResult.failed(f"{name}: {judgement.reason}", **known)
    values = tuple(j.value for j in said if j.value is not None)
    return TrialResult("complete", values, violations=violations, **known)


def _of_regimes(plan: RunPlan, recorder: BacktestRecorder, objective: Objective) -> dict[str, Any]:
    """Return what the first objective says of each regime's bars, with how many they are."""
    record = recorder.record
    series, account = record.curves
    groups = recorder.attribution.groups(
        series, account, plan.settings.timeframe_ns, total_pnl_quote=record.total_pnl_quote,
        fees_quote=record.costs.fees_quote,
    )  # fmt: skip
    out: dict[str, Any] = {}
    for row in groups:
        if row.kind == "regime" and row.name in REGIMES:
            known = {n: float(v) if isinstance(v, str) else v for n, v in row.metrics.items()}
            out |= regime_metrics(row.name, judge(objective, known).value, row.bars or 0, row.trade_count)
    return out


def metrics_of(record: RunRecord) -> dict[str, float | int | None]:
    """Return the metrics of a run as numbers, with those of its bars; undefined is None."""
    curve = np.array([record.curves[1].initial_equity, *record.curves[1].equity])
    ratios = ratios_of_equity(curve, 365 * 86_400_000_000_000 / record.timeframe_ns)
    found = {**record.metrics(), **{name: ratios.get(name) for name in BAR_FIGURES}}
    return {name: float(v) if isinstance(v, str) else v for name, v in found.items()}


def returns_of_periods(record: RunRecord, most: int = PERIODS) -> NDArray[np.float64]:
    """Return the returns of equity over equal periods of whole bars, at most `most`; 0 once an account is lost."""
    account = record.curves[1]
    curve = np.array([account.initial_equity, *account.equity])
    width = max(1, -(-(len(curve) - 1) // most))
    end = lost_at(curve)
    if end is not None:
        curve[end:] = np.nan
    points = curve[::width]
    with np.errstate(invalid="ignore"):
        returns: NDArray[np.float64] = points[1:] / points[:-1] - 1.0
    lost = np.isnan(returns)
    returns[lost] = 0.0
    if lost.any():
        returns[int(np.argmax(lost))] = -1.0
    return returns


def context_of(plan: RunPlan) -> MarketContext:
    """Return the context of a plan, made once per process for all plans over the same market."""
    names = ("market-data", "health", *MEASURED, *members(plan))
    parts = [(n, dict(plan.graph.specs[plan.graph.index[n]].params)) for n in names if n in plan.graph.index]
    key = json.dumps([plan.data_hash, plan.feed.warmup_steps, plan.settings.seed, parts], default=str)
    if key not in _contexts:
        _contexts[key] = market_context(plan)
        while len(_contexts) > _KEPT:
            _contexts.popitem(last=False)
    return _contexts[key]
