"""An exhaustive grid of one strategy by the sweep kernel: all combinations at once, in seconds.

The kernel trades the sign of a signal with the whole account at fixed costs: it ranks combinations, and its figures are
not those of a fleet with sizing and risk rules. The best one is therefore run through the fleet as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from actors.domain import registry
from actors.domain.errors import ConfigError
from actors.domain.evaluation.metrics.growth import returns_until_lost
from actors.domain.search.families import family_of
from actors.domain.search.objectives.base import judge, load
from actors.domain.search.plan import SweepPlan
from actors.domain.search.result import RECORD_METRICS, run_one
from actors.domain.search.space import Space
from actors.domain.search.study.rules import parse_rules
from actors.domain.search.study.trial import Ask, Trial, TrialResult
from actors.domain.search.sweep import enough, sweep
from actors.domain.search.terms import Terms
from cluster.runs.study import StudyResult, StudySpec
from cluster.runs.study_trial import PERIODS, Question, evaluate
from config.load import ResolvedConfig
from config.schema import Config

COMPARED = 400
"""Combinations at most whose returns are compared for the probability of overfitting: evenly spread over the grid."""


def sweep_obstacle(config: ResolvedConfig, question: Question, space: Space, spec: StudySpec) -> str | None:
    """Return why a study is not a grid that a kernel sweeps, None if it is."""
    model = config.model
    if spec.sampler != "grid":
        return f"the sampler is {spec.sampler}"
    if len(model.strategies) != 1 or len(question.frames) != 1:
        return f"{len(model.strategies)} strategies and {len(question.frames)} pairs, not one of each"
    if model.account.mode != "spot" or model.exits or model.strategies[0].exits:
        return "a leveraged account, or exits"
    if model.strategies[0].adaptive:
        return "parameters that follow the regime"
    if not all(enough(load(name, params)) for name, params in spec.objectives):
        return "an objective that reads more than the kernel's records"
    if unknown := [str(r) for r in spec.rules if r.split("<")[0].split(">")[0].strip() not in RECORD_METRICS]:
        return f"constraint {unknown[0]} reads more than the kernel's records"
    if spec.pruner != "none" or spec.patience is not None:
        return "a pruner or an early stop"
    names = {path.rpartition(".")[2]: () for path in space.paths}
    if family_of(model.strategies[0].kind, names) is None:
        return "no kernel sweeps these parameters"
    try:
        plan = _plan(model, space, spec)
    except ConfigError as e:
        return e.message
    return None if spec.epochs >= len(plan) else f"{spec.epochs} epochs for a grid of {len(plan)}"


def terms_of(model: Config) -> Terms:
    """Return the costs of a configuration as the kernel knows them: the taker's fee, and half of a fixed spread.

    Fees in tiers and spreads that follow the market have no single number: the kernel's defaults stand for them.

    Examples
    --------
    >>> from config.load import resolve
    >>> found = terms_of(resolve("backtest", sets=["venue.fees.params.taker_bps=20"]).model)
    >>> found.fee_frac, found.slippage_frac, found.cash_quote
    (0.002, 0.0001, 100000.0)
    """
    fees, spread, usual = model.venue.fees, model.venue.spread, Terms()
    charged, half = usual.fee_frac, usual.slippage_frac
    if fees.kind in ("maker_taker", "none"):
        p: Any = registry.validate("actors.domain.simulation.fees", fees.kind, fees.params)
        charged = p.taker_bps * (1.0 - p.discount_frac) / 1e4 if fees.kind == "maker_taker" else 0.0
    if spread.kind in ("fixed_bps", "none"):
        q: Any = registry.validate("actors.domain.simulation.spread", spread.kind, spread.params)
        half = q.half_spread_bps / 1e4 if spread.kind == "fixed_bps" else 0.0
    short = bool((model.coordination.model_extra or {}).get("allow_short", False))
    return Terms(float(model.account.initial_cash_quote), charged, half, 1.0, short)


def sweep_study(
    question: Question, space: Space, spec: StudySpec, *, pool: Callable[[Any], Any]
) -> tuple[StudyResult, list[str]]:
    """Return the trials of the whole grid, in its order, and what a reader must know of them."""
    model = question.config.model
    plan = _plan(model, space, spec)
    ((pair, frame),) = question.frames.items()
    piece = frame.slice_time(question.span.start_ns, question.span.end_ns)
    at = space.paths[0].rpartition(".")[0]
    rules = parse_rules(spec.rules, RECORD_METRICS)
    objectives = [load(name, params) for name, params in spec.objectives]
    swept = sweep(plan, {pair: piece}, objective=objectives[0], pool=pool)[pair]
    trials = []
    for k in range(len(plan)):
        metrics = {**swept.metrics(k), "bars": len(piece)}
        said = [judge(o, metrics) for o in objectives]
        params = {f"{at}.{name}": value for name, value in plan.params(k).items()}
        pairs = zip(spec.objectives, said, strict=True)
        wrong = next((f"{name}: {j.reason}" for (name, _), j in pairs if j.value is None), None)
        result = (
            TrialResult.failed(wrong, metrics=metrics)
            if wrong is not None
            else TrialResult(
                "complete", tuple(j.value for j in said if j.value is not None),
                violations=tuple(r.violation(metrics) for r in rules), metrics=metrics,
            )
        )  # fmt: skip
        trials.append(Trial(k, params, result))
    found = StudyResult(trials, spec.directions)
    best = found.best
    step = max(1, -(-len(trials) // COMPARED))
    chosen = {*range(0, len(trials), step)} | ({best.number} if best is not None else set())
    for k in sorted(chosen):
        trials[k] = _compared(trials[k], plan, piece)
    notes = [
        (
            "computed by the sweep kernel: the sign of the signal with the whole account, fee "
            f"{plan.terms.fee_frac:.4%} and slippage {plan.terms.slippage_frac:.4%} per fill; --engine fleet runs "
            "every combination through sizing and risk"
        )
    ]
    if len(chosen) < len(trials):
        notes.append(
            f"probability of overfitting over {len(chosen)} of {len(trials)} combinations, evenly spread"
        )
    if best is not None:
        again = evaluate(replace(question, rules=()), Ask(best.number, best.params), np.random.default_rng(0))
        told = ", ".join(f"{v:.4g}" for v in again.values) or str(again.reason)
        notes.append(
            f"the best one through the fleet, with sizing and risk rules: {told} "
            f"({again.metrics.get('trade_count')} round trips)"
        )
    return StudyResult(trials, spec.directions), notes


def _compared(trial: Trial, plan: SweepPlan, frame: Any) -> Trial:
    run, figures = run_one(plan.kind, plan.all_params(trial.number), plan.terms, frame)
    curve = np.concatenate([[plan.terms.cash_quote], run.equity])
    returns = np.zeros(len(curve) - 1)
    known = returns_until_lost(curve)
    returns[: len(known)] = known
    metrics = dict(trial.result.metrics)
    if figures is not None and figures.bars is not None:
        from actors.domain.evaluation.metrics.summary import ratios_of

        ratios = ratios_of(figures.bars, 365 * 86_400_000_000_000 / frame.timeframe_ns)
        metrics |= {name: ratios[name] for name in ("skew", "kurtosis", "psr")}
    width = max(1, -(-len(returns) // PERIODS))
    growth = np.concatenate([[1.0], np.cumprod(1.0 + returns)])[::width]
    with np.errstate(invalid="ignore", divide="ignore"):
        periods = np.nan_to_num(growth[1:] / growth[:-1] - 1.0, nan=0.0)
    return Trial(trial.number, trial.params, replace(trial.result, returns=periods, metrics=metrics))


def _plan(model: Config, space: Space, spec: StudySpec) -> SweepPlan:
    strategy = model.strategies[0]
    at = space.paths[0].rpartition(".")[0]
    if not at.startswith("strategies.") or not at.endswith(".params"):
        raise ConfigError("SWEEP_SPACE", f"{space.paths[0]} is no parameter of the strategy")
    names = [p.removeprefix(f"{at}.") for p in space.paths]
    fixed = {k: v for k, v in strategy.params.items() if k not in names}
    return SweepPlan.of_space(
        strategy.kind, space, at=at, points=spec.grid_points, fixed=fixed, terms=terms_of(model)
    )
