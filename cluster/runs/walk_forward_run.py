"""The run of ``walk-forward`` from flags to outcome: folds, a fan-out over them, one stitched record, a report."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from actors.domain import kernels
from actors.domain.errors import ConfigError, InsufficientDataError
from actors.domain.evaluation.metrics.growth import cagr, returns_of
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.model.timerange import TimeRange, format_ns
from actors.domain.search.study.by_regime import LearnRule, adaptive_path
from actors.domain.validation.splits import Fold, walk_forward_folds
from actors.domain.validation.stitching import FoldFigures, Stitched, stitch
from actors.runtime.fanout_items import FanOutError, Progress
from cluster.cli import common
from cluster.cli.common import Outcome
from cluster.runs import searched, session
from cluster.runs.costs import entry_fee_frac
from cluster.runs.pools import pools
from cluster.runs.searched import Searched, bars_of
from cluster.runs.walk_forward import FloatArray, FoldResult, FoldSpan, WalkQuestion, do_fold
from cluster.runs.walk_forward_memory import begin, keep, question_key, remembered
from cluster.runs.walk_forward_words import summary

YEAR_NS = 365 * 86_400 * 10**9
DEFAULT_FOLDS, DEFAULT_RATIO = 6, 3


@dataclass
class Job:
    """A walk-forward about to run."""

    search: Searched
    folds: list[Fold]
    spans: list[FoldSpan]
    embargo_bars: int
    folder: Path
    key: str
    known: dict[int, FoldResult] = field(default_factory=dict)
    learn: LearnRule | None = None


def prepare(args: argparse.Namespace) -> Job:
    """Return the walk-forward that the flags describe.

    Raises
    ------
    ConfigError, DataError
        Before anything is computed.
    """
    run_id = session.new_run_id()
    search = searched.prepare(args, run_id)
    folds, embargo = cut_folds(args, len(search.times), search.config.model.timeframe)
    times = [*search.times.tolist(), int(search.times[-1]) + search.timeframe_ns]
    spans = [
        FoldSpan(
            k, TimeRange(times[f.train_begin], times[f.train_end]), TimeRange(times[f.test_begin], times[f.test_end])
        )
        for k, f in enumerate(folds)
    ]  # fmt: skip
    root = common.userdir(args) / "walk-forward"
    learn = learn_rule(args, search)
    key = question_key(search, spans, learn)
    folder = root / run_id
    job = Job(search, folds, spans, embargo, folder, key, learn=learn)
    if args.resume:
        job.known = remembered(root, key)
    return job


def learn_rule(args: argparse.Namespace, search: Searched) -> LearnRule | None:
    """Return what a regime needs to have parameters of its own; None where they are not asked for.

    Raises
    ------
    ConfigError
        If no detectors run, or no strategy's parameter is varied.
    """
    if not args.learn_regimes:
        return None
    if not search.config.model.regime.detectors:
        raise ConfigError(
            "LEARN_DETECTORS",
            "--learn-regimes: expected regime.detectors, whose regime the parameters follow, found none; name some",
        )
    if not any(adaptive_path(p, "bull") for p in search.space.paths):
        raise ConfigError(
            "LEARN_SPACE",
            "--learn-regimes: expected a parameter of a strategy among what is varied, found "
            f"{', '.join(search.space.paths)}",
        )
    return LearnRule(args.regime_bars, args.regime_trades)


def cut_folds(args: argparse.Namespace, bars: int, timeframe: str) -> tuple[list[Fold], int]:
    """Return the folds that the flags ask for, and the embargo in bars."""
    embargo = bars_of(args.embargo, timeframe, "--embargo")
    train = None if args.train is None else bars_of(args.train, timeframe, "--train")
    test = None if args.test is None else bars_of(args.test, timeframe, "--test")
    count = args.folds
    if count is not None and count < 1:
        raise ConfigError("FOLDS_COUNT", f"--folds: expected 1 or more, found {count}")
    if test is None:
        wanted = count or DEFAULT_FOLDS
        left = bars - embargo - (train or 0)
        test = left // (wanted + (DEFAULT_RATIO if train is None else 0))
        if test < 1:
            raise InsufficientDataError(
                "FOLDS_TOO_LONG",
                f"walk-forward: expected bars for {wanted} tests after train ({args.train or '3 tests'}) and embargo "
                f"({embargo}), found {bars} bars; take fewer folds, a shorter train, or more bars",
            )
        count = wanted
    if train is None:
        train = DEFAULT_RATIO * test
    folds = walk_forward_folds(
        bars, train_bars=train, test_bars=test, embargo_bars=embargo, anchored=args.anchored
    )
    if count is not None and len(folds) < count:
        raise InsufficientDataError(
            "FOLDS_TOO_LONG",
            f"--folds {count}: expected as many tests of {test} bars after a train of {train}, found room for "
            f"{len(folds)} in {bars} bars; take fewer or shorter ones",
        )
    return (folds if count is None else folds[-count:]), embargo


def execute(job: Job) -> list[FoldResult]:
    """Compute the folds that are not known yet; each finished one is kept, whatever happens to the others."""
    search = job.search
    settings = search.plan.settings
    kernels.select_backend(settings.kernel_backend, require_native=settings.require_native)
    shared = WalkQuestion(search.question, search.space, search.spec, job.learn)
    missing = [s for s in job.spans if s.number not in job.known]
    begin(job.folder, job.key)
    for done in job.known.values():
        keep(job.folder, done)
    found = dict(job.known)
    if missing:
        with pools(search.args, search.config, _teller(search.args)) as make:
            pool = make(shared)
            try:
                for outcome in pool.ordered(do_fold, missing):
                    result = outcome.result()
                    found[result.number] = result
                    keep(job.folder, result)
            except FanOutError as e:
                raise ConfigError(
                    "FOLD_FAILED",
                    f"walk-forward: fold {missing[e.context.get('number', 0)].number + 1}: {e.message}",
                ) from e
            except KeyboardInterrupt:
                raise KeyboardInterrupt(
                    f"Go on with the same command and --resume; {len(found)} of {len(job.spans)} folds are kept"
                ) from None
            finally:
                pool.close()
    return [found[s.number] for s in job.spans]


def conclude(job: Job, results: list[FoldResult]) -> Outcome:
    """Write result and report; return the verb's outcome."""
    from actors.ops.report.walk_forward import build_walk_forward_report

    search, plan = job.search, job.search.plan
    year = YEAR_NS / search.timeframe_ns
    times = np.concatenate([r.times for r in results])
    held = market_returns(search, times)
    figures = [
        FoldFigures(r.returns, r.train["metrics"].get("cagr_frac"), r.metrics.get("trade_count") or 0) for r in results
    ]  # fmt: skip
    stitched = stitch(figures, held, periods_per_year=year, seed=search.config.model.seed)
    rows = [_row(job, r, year) for r in results]
    result = {
        "run_id": job.folder.name, "verdict": verdict_row(stitched),
        "metrics": stitched.metrics
        | {"bars": len(stitched.returns), "trade_count": sum(f.trade_count for f in figures)},
        "intervals": {"sharpe_ann": msgspec.to_builtins(stitched.sharpe_interval)},
        "benchmark": dict(ratios_of(kernels.return_statistics(held), year)),
        "efficiency": stitched.efficiency, "folds_won_frac": stitched.folds_won_frac, "folds": rows,
        "anchored": bool(search.args.anchored), "embargo_bars": job.embargo_bars,
        "unused_bars": job.folds[0].train_begin, "objective": search.spec.objectives[0][0],
        "trials": sum(_trials(r) for r in results), "learn_regimes": job.learn is not None, "pairs": list(plan.pairs),
        "timeframe": search.config.model.timeframe,
        "strategies": [s.kind for s in search.config.model.strategies],
        "oos_hash": hashlib.sha256(np.round(stitched.returns, 12).tobytes() + times.tobytes()).hexdigest(),
        "notes": [*_notes(job, results), *plan.notes], "report": str(job.folder / "report.html"),
    }  # fmt: skip
    plain = common.plain(result)
    (job.folder / "result.json").write_text(json.dumps(plain, allow_nan=False, indent=1), encoding="utf-8")
    build_walk_forward_report(plain, [r.returns for r in results], times, held, job.folder / "report.html")
    head = {
        "seed": search.config.model.seed, "config_hash": search.config.content_hash, "data_hash": plan.data_hash,
        "kernel_backend": kernels.backend().name,
    }  # fmt: skip
    return Outcome(result, text=summary(plain), head=head)


def market_returns(search: Searched, times: Any) -> FloatArray:
    """Return the returns of equal shares of the pairs, bought at the first of these closes for a fee and held."""
    fee = float(entry_fee_frac(search.config.model))
    value = np.zeros(len(times))
    for frame in search.question.frames.values():
        at = np.searchsorted(frame.close_ns, times, side="right") - 1
        close = np.where(at >= 0, frame.close[np.maximum(at, 0)], np.nan)
        known = ~np.isnan(close)
        entry = close[int(np.argmax(known))] if known.any() else np.nan
        value += np.where(known, (1.0 - fee) * close / entry, 1.0)
    return returns_of(np.concatenate([[float(len(search.question.frames))], value]))


def verdict_row(found: Stitched) -> dict[str, Any]:
    """Return the verdict as plain values."""
    return {
        "words": found.words, "checks": [msgspec.to_builtins(c) for c in found.checks],
        "would_change": list(found.would_change), "benchmark_p": found.benchmark_p,
    }  # fmt: skip


def _row(job: Job, r: FoldResult, year: float) -> dict[str, Any]:
    span, fold = job.spans[r.number], job.folds[r.number]
    ratios = ratios_of(kernels.return_statistics(np.ascontiguousarray(r.returns)), year)
    test: dict[str, Any] = {
        n: ratios[n] if r.params is not None else None
        for n in ("total_return_frac", "cagr_frac", "sharpe_ann", "max_drawdown_frac")
    }
    test["trade_count"] = r.metrics.get("trade_count", 0)
    test["bars"] = len(r.returns)
    trained = r.train["metrics"].get("cagr_frac")
    kept = cagr(r.returns, year) if r.params is not None else None
    return {
        "number": r.number,
        "train_from": format_ns(span.train.start_ns or 0), "train_to": format_ns(span.train.end_ns or 0),
        "test_from": format_ns(span.test.start_ns or 0), "test_to": format_ns(span.test.end_ns or 0),
        "train_bars": fold.train_end - fold.train_begin, "params": r.params, "reason": r.reason, "train": r.train,
        "test": test, "held": r.held, "exit_cost_frac": r.exit_cost_frac,
        "efficiency": kept / trained if kept is not None and trained is not None and trained > 0.0 else None,
    }  # fmt: skip


def _trials(r: FoldResult) -> int:
    """Return how much was tried in a fold: its trials, the map that they taught, and one more search per regime."""
    own: int = r.train["trials"]
    regimes = r.train.get("regimes")
    return own if regimes is None else own * (1 + regimes["searched"]) + (regimes["searched"] > 0)


def _notes(job: Job, results: list[FoldResult]) -> list[str]:
    out = [
        (
            "each test begins in cash; what is held at its last close is left there at the fold's own mean cost per "
            "traded notional, which its last return contains"
        )
    ]
    if job.folds[0].train_begin:
        out.append(f"{job.folds[0].train_begin} bars at the beginning make up no whole test and are not used")
    for r in results:
        if r.params is None:
            out.append(f"fold {r.number + 1}: nothing could be chosen ({r.reason}), so nothing was traded")
        out += [f"fold {r.number + 1}, {n}" for n in r.train.get("regimes", {}).get("notes", ())]
        if r.params is not None and not r.metrics.get("trade_count"):
            out.append(f"fold {r.number + 1}: no round trip was closed in the test")
    return out


def _teller(args: argparse.Namespace) -> Any:
    def tell(p: Progress) -> None:
        sys.stderr.write(f"walk-forward: {p.done} of {p.total} folds\n")

    return None if args.no_progress else tell
