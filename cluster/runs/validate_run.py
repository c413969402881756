"""The run of ``validate`` from flags to outcome: trials, evidence of their record, reruns of the best, one page."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from actors.domain import kernels
from actors.domain.errors import ConfigError, InsufficientDataError
from actors.domain.processor import derive_seed
from actors.domain.validation.evidence import EvidenceSettings, law_row, record_evidence
from actors.domain.validation.monte_carlo import shuffled_trades
from actors.domain.validation.record import FEWEST_PERIODS, TrialRecord
from actors.domain.validation.verdict import Verdict, verdict_of
from actors.runtime.fanout_items import FanOut, Progress
from cluster.cli import common
from cluster.cli.common import Outcome
from cluster.runs import searched, session
from cluster.runs.pools import pools
from cluster.runs.rerun import Rerun, RerunSettings, compared, rerun, reruns
from cluster.runs.searched import Searched
from cluster.runs.study import StudyResult, reasons, run_study
from cluster.runs.study_trial import PERIODS
from cluster.runs.validate_words import summary
from cluster.runs.walk_forward import run_of
from cluster.runs.walk_forward_run import YEAR_NS, market_returns


@dataclass
class Job:
    """A validation about to run."""

    search: Searched
    settings: EvidenceSettings
    again: RerunSettings
    folder: Path


@dataclass
class Found:
    """All that was computed."""

    study: StudyResult
    record: TrialRecord
    evidence: dict[str, Any]
    reruns: dict[str, dict[str, Any]] | None
    reshuffle: dict[str, Any]
    verdict: Verdict


def prepare(args: argparse.Namespace) -> Job:
    """Return the validation that the flags describe.

    Raises
    ------
    ConfigError, DataError
        Before anything is computed.
    """
    run_id = session.new_run_id()
    for name, least in (("reruns", 0), ("paths", 100), ("epochs", 2), ("trials_before", 0)):
        found = getattr(args, name)
        if found is not None and found < least:
            raise ConfigError(
                "VALIDATE_NUMBERS", f"--{name.replace('_', '-')}: expected {least} or more, found {found}"
            )
    if not 0.0 < args.ruin <= 1.0 or not args.noise >= 0.0:
        raise ConfigError(
            "VALIDATE_NUMBERS",
            f"--ruin, --noise: expected (0, 1] and 0 or more, found {args.ruin}, {args.noise}",
        )
    if args.blocks < 2 or args.blocks > 20 or args.blocks % 2:
        raise ConfigError(
            "PBO_BLOCKS", f"--blocks: expected an even number from 2 to 20, found {args.blocks}"
        )
    search = searched.prepare(args, run_id)
    if len(search.times) < FEWEST_PERIODS:
        raise InsufficientDataError(
            "RECORD_TOO_SMALL",
            f"validate: expected at least {FEWEST_PERIODS} bars to decide on, found {len(search.times)}; bring more",
        )
    seed = search.config.model.seed
    settings = EvidenceSettings(blocks=args.blocks, paths=args.paths, ruin_frac=args.ruin, seed=seed)
    again = RerunSettings(count=args.reruns, noise=args.noise)
    return Job(search, settings, again, common.userdir(args) / "validation" / run_id)


def execute(job: Job) -> Found:
    """Compute trials, evidence and reruns, all by one pool."""
    search = job.search
    q = search.question
    kernels.select_backend(
        search.plan.settings.kernel_backend, require_native=search.plan.settings.require_native
    )
    with pools(search.args, search.config, _teller(search.args)) as make, contextlib.closing(make(q)) as pool:
        study = run_study(
            q.config, q.frames, q.span, search.space, search.spec, pool=lambda _shared: _Kept(pool),
            details=q.details, perpetuals=q.perpetuals,
        )  # fmt: skip
        if study.best is None:
            raise InsufficientDataError(
                "VALIDATE_NOTHING",
                f"validate: expected a trial that can be judged, found none; {reasons(study.trials)}",
            )
        record = trial_record(search, study)
        evidence = record_evidence(record, job.settings)
        found = _reruns(job, study, pool) if job.again.count else None
    return Found(
        study,
        record,
        evidence,
        found,
        _reshuffle(search, study, job.settings),
        verdict_of(evidence, found, rerun_count=job.again.count),
    )


def trial_record(search: Searched, study: StudyResult) -> TrialRecord:
    """Return the record of all trials of a study; those that failed earned nothing.

    Raises
    ------
    InsufficientDataError
        If there are fewer than two trials or too few periods.
    """
    best = study.best
    assert best is not None, "asked before"
    own = best.result.returns
    assert own is not None, "a complete trial has returns"
    columns = [np.zeros(len(own)) if t.result.returns is None else t.result.returns for t in study.trials]
    bars = len(search.times)
    width = max(1, -(-bars // PERIODS))
    held = market_returns(search, search.times + search.timeframe_ns)
    curve = np.concatenate([[1.0], np.cumprod(1.0 + held)])[::width]
    metrics = best.result.metrics
    return TrialRecord(
        np.column_stack(columns), next(k for k, t in enumerate(study.trials) if t.number == best.number),
        curve[1:] / curve[:-1] - 1.0, YEAR_NS / (search.timeframe_ns * width), width,
        int(metrics.get("trade_count") or 0), metrics.get("avg_trade_duration_bars"), earlier_trials(search),
    )  # fmt: skip


def earlier_trials(search: Searched) -> int:
    """Return how many trials were made before this search: as told, else those of the study that the preset names."""
    told: int | None = search.args.trials_before
    if told is not None:
        return told
    provenance = search.config.model.provenance
    return 0 if provenance is None else provenance.trials


def _reruns(job: Job, study: StudyResult, pool: FanOut) -> dict[str, dict[str, Any]]:
    best = study.best
    assert best is not None, "asked before"
    rng = np.random.default_rng(derive_seed(job.settings.seed, "validate", "neighbours"))
    items: list[Rerun] = reruns(job.search.space, dict(best.params), job.again, rng)
    return compared(items, pool.map(rerun, items))


def _reshuffle(search: Searched, study: StudyResult, settings: EvidenceSettings) -> dict[str, Any]:
    """Return the laws of the chosen run's round trips in another order."""
    assert study.best is not None, "asked before"
    record, _ = run_of(search.question, dict(study.best.params))
    equity = float(record.initial_equity)
    shares = []
    for trade in record.trades:
        gain = float(trade.pnl_quote)
        shares.append(max(gain / equity, -1.0) if equity > 0.0 else -1.0)
        equity += gain
    try:
        law = shuffled_trades(
            np.array(shares), paths=2 * settings.paths, ruin_frac=settings.ruin_frac,
            seed=derive_seed(settings.seed, "validate", "reshuffle") % 2**63,
        )  # fmt: skip
    except InsufficientDataError as e:
        return {"undefined": e.message}
    return law_row(law)


class _Kept:
    """A pool that outlives the study that is run by it."""

    def __init__(self, pool: FanOut) -> None:
        self._pool = pool

    def ordered(self, fn: Callable[..., Any], items: Iterable[Any], **how: Any) -> Any:
        """Hand on."""
        return self._pool.ordered(fn, items, **how)

    def map(self, fn: Callable[..., Any], items: Iterable[Any]) -> list[Any]:
        """Hand on."""
        return self._pool.map(fn, items)

    def close(self) -> None:
        """Nothing: it goes on."""


def conclude(job: Job, found: Found) -> Outcome:
    """Write result and page; return the verb's outcome."""
    from actors.ops.report.validation import build_validation_report

    search, best = job.search, found.study.best
    assert best is not None, "asked before"
    states = [t.result.state for t in found.study.trials]
    result: dict[str, Any] = {
        "run_id": job.folder.name, "verdict": msgspec.to_builtins(found.verdict),
        "best": {"number": best.number, "params": dict(best.params), "value": best.result.values[0]},
        "metrics": dict(best.result.metrics), "evidence": found.evidence, "reruns": found.reruns,
        "trade_reshuffle": found.reshuffle, "objective": search.spec.objectives[0][0],
        "sampler": search.spec.sampler, "study_hash": found.study.study_hash,
        "states": {s: states.count(s) for s in ("complete", "fail")}, "pairs": list(search.plan.pairs),
        "timeframe": search.config.model.timeframe,
        "strategies": [s.kind for s in search.config.model.strategies],
        "varied": [d.path for d in search.space.dimensions], "notes": list(search.plan.notes),
        "report": str(job.folder / "report.html"),
    }  # fmt: skip
    plain = common.plain(result)
    job.folder.mkdir(parents=True, exist_ok=True)
    (job.folder / "result.json").write_text(json.dumps(plain, allow_nan=False, indent=1), encoding="utf-8")
    build_validation_report(plain, found.record, job.folder / "report.html")
    head = {
        "seed": search.config.model.seed, "config_hash": search.config.content_hash,
        "data_hash": search.plan.data_hash, "kernel_backend": kernels.backend().name,
    }  # fmt: skip
    return Outcome(result, text=summary(plain), head=head)


def _teller(args: argparse.Namespace) -> Any:
    last: list[int] = [0]

    def tell(p: Progress) -> None:
        if p.done - last[0] >= 10 or p.done == p.total or p.done < last[0]:
            last[0] = p.done
            sys.stderr.write(f"validate: {p.done} of {p.total or '?'} runs\n")

    return None if args.no_progress else tell
