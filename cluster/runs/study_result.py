"""From the trials of a study to its JSON result and to what a person reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from actors.adapters.studies.importance import LEAST, importance
from actors.domain.search.space import Space
from actors.domain.search.study.luck import overfitting
from actors.domain.search.study.sensitivity import heat_maps, slices
from actors.domain.search.study.stability import plateau
from actors.domain.search.study.trial import Trial
from cluster.runs.study import StudyResult, StudySpec, reasons

SHOWN = (
    "bars", "trade_count", "total_return_frac", "sharpe_ann", "sortino_ann", "calmar", "max_drawdown_frac",
    "profit_factor", "win_rate_frac", "exposure_frac",
)  # fmt: skip
"""Metrics that each trial tells in the result."""


def trial_row(trial: Trial) -> dict[str, Any]:
    """Return a trial under the names of the JSON result: no times, paths or ids."""
    return {"number": trial.number, "params": dict(trial.params), "values": list(trial.result.values)}


def study_result(
    found: StudyResult, space: Space, spec: StudySpec, bars_per_year: float, *, engine: str, earlier: int = 0
) -> dict[str, Any]:
    """Return the result of a study; it is the same whoever computed the trials and how often it was interrupted.

    `earlier`: trials of the studies that this one goes on from; they count in what is luck.
    """
    trials, best = found.trials, found.best
    direction = found.directions[0]
    states = Counter(t.result.state for t in trials)
    shares = importance(trials, space, seed=spec.seed)
    order = list(shares) if shares else list(space.paths)
    stable = plateau(trials, space, direction)
    return {
        "study_hash": found.study_hash,
        "engine": engine,
        "sampler": spec.sampler,
        "pruner": spec.pruner,
        "objectives": [
            {"name": name, "params": dict(params), "direction": d}
            for (name, params), d in zip(spec.objectives, found.directions, strict=True)
        ],
        "constraints": [*map(str, space.constraints), *spec.rules],
        "space": {d.path: str(d.range) for d in space.dimensions},
        "epochs": spec.epochs,
        "states": {name: states.get(name, 0) for name in ("complete", "pruned", "fail")},
        "feasible": sum(t.result.feasible for t in trials),
        "trials": [
            trial_row(t)
            | {
                "state": t.result.state, "reason": t.result.reason, "feasible": t.result.feasible,
                "metrics": {k: t.result.metrics[k] for k in SHOWN if k in t.result.metrics},
            }
            for t in trials
        ],
        "best": None if best is None else trial_row(best),
        "best_metrics": None if best is None else dict(best.result.metrics),
        "stable": None
        if stable is None
        else trial_row(stable.trial)
        | {
            "smoothed": stable.smoothed, "neighbours": stable.neighbours, "spread": stable.spread,
            "best_smoothed": stable.best_smoothed,
        },
        "pareto": [trial_row(t) for t in found.pareto],
        "sensitivity": {
            "importance": shares,
            "method": "fANOVA, share of the variance of the first objective"
            if shares
            else f"expected at least {LEAST} complete trials that differ",
            "slices": slices(trials, space, direction),
            "heat_maps": heat_maps(trials, space, order),
        },
        "overfitting": overfitting(trials, best, bars_per_year, earlier=earlier),
    }  # fmt: skip


def summary(result: Mapping[str, Any], trials: Sequence[Trial]) -> str:
    """Return what a person reads at the end of a study."""
    states, best, stable, luck = (result[k] for k in ("states", "best", "stable", "overfitting"))
    names = ", ".join(f"{o['name']} ({o['direction']})" for o in result["objectives"])
    lines = [
        (
            f"study:    {result['study']}: {len(trials)} trials by {result['sampler']} on the {result['engine']} path: "
            f"{states['complete']} complete ({result['feasible']} keep the constraints), {states['pruned']} pruned, "
            f"{states['fail']} failed"
        ),
        f"asked:    {names}" + (f"; {', '.join(result['constraints'])}" if result["constraints"] else ""),
    ]
    if states["fail"] or states["complete"] > result["feasible"]:
        lines.append(f"left out: {reasons(trials)}")
    if best is None:
        lines.append("best:     none: no trial is complete and keeps the constraints")
    else:
        lines.append(
            f"best:     trial {best['number']}: {_values(best['values'])} at {_params(best['params'])}"
        )
        m = result["best_metrics"]
        lines.append(
            f"          return {_percent(m.get('total_return_frac'))}, Sharpe {_number(m.get('sharpe_ann'))}, max "
            f"drawdown {_depth(m.get('max_drawdown_frac'))}, {m.get('trade_count')} round trips, after costs"
        )
    if stable is not None and best is not None:
        same = "the best itself" if stable["number"] == best["number"] else f"trial {stable['number']}"
        lines.append(
            f"stable:   {same}: {_number(stable['smoothed'])} around it (around the best "
            f"{_number(stable['best_smoothed'])})"
            + ("" if same == "the best itself" else f" at {_params(stable['params'])}")
        )
    if len(result["objectives"]) > 1:
        lines.append(f"front:    {len(result['pareto'])} trials that no other beats in all objectives")
    shares = result["sensitivity"]["importance"]
    if shares:
        lines.append("matters:  " + ", ".join(f"{_short(p)} {s:.0%}" for p, s in list(shares.items())[:5]))
    effective = "" if luck["effective_trials"] is None else f" ({luck['effective_trials']} different ones)"
    lines.append(
        f"luck:     deflated Sharpe {_number(luck['dsr'])} after {luck['trials']} trials{effective}; probability of "
        f"overfitting {_number(luck['pbo'])}; the best of as many worthless ones would show a Sharpe of "
        f"{_number(luck['luck_sharpe_ann'])}"
    )
    lines += [f"note:     {n}" for n in result["notes"]]
    lines += [f"hash:     {result['study_hash']}", f"report:   {result['report']}"]
    if result.get("preset"):
        lines.append(
            f"preset:   {result['preset']}; run it with: tradewind backtesting -c {result['preset']}"
        )
    return "\n".join(lines)


def _values(values: Sequence[float]) -> str:
    return ", ".join(f"{v:.4g}" for v in values)


def _params(params: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{_short(k)}={v:.4g}" if isinstance(v, float) else f"{_short(k)}={v}" for k, v in params.items()
    )


def _short(path: str) -> str:
    return path.removeprefix("strategies.").replace(".params.", ".")


def _number(x: float | None) -> str:
    return "undefined" if x is None else f"{x:.2f}"


def _percent(x: float | None) -> str:
    return "undefined" if x is None else f"{x:+.2%}"


def _depth(x: float | None) -> str:
    return "undefined" if x is None else f"{x:.2%}"
