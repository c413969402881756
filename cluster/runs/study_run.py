"""The run of ``hyperopt`` from flags to outcome: configuration, bars, space, storage, workers, result, files."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.adapters.studies.samplers import GridSampler
from actors.adapters.studies.store import StudyStore, study_url
from actors.domain import kernels
from actors.domain.errors import ConfigError, TradingError
from actors.domain.evaluation.run_metrics import YEAR_NS
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.search.space import Space
from actors.domain.search.study.engine import LOOK_AHEAD
from actors.domain.search.study.trial import Ask, Trial, TrialResult
from cluster.cli import common
from cluster.cli.common import Outcome
from cluster.runs import perpetual, session
from cluster.runs.detail import load_details
from cluster.runs.own_code import own_code_hash
from cluster.runs.plan import RunPlan
from cluster.runs.pools import check_workers, pools
from cluster.runs.study import StudyResult, StudySpec, reasons, run_study
from cluster.runs.study_args import about, space_of, spec_of, split_constraints
from cluster.runs.study_preset import write_preset
from cluster.runs.study_result import study_result, summary
from cluster.runs.study_sweep import sweep_obstacle, sweep_study
from cluster.runs.study_trial import Question, evaluate
from cluster.runs.study_view import StudyView
from config.load import ResolvedConfig

NOTE = "study.json"
_KEPT = (
    "data", "pairs", "timeframe", "timerange", "strategy", "fleet", "timeframe_detail", "funding", "mark", "fee",
    "config", "set", "seed", "epochs", "sampler", "objective", "constraint", "min_trades", "pruner", "slices",
    "early_stop", "space", "grid_points", "storage", "study", "engine",
)  # fmt: skip
_NAME = re.compile(r"^(?!\.+$)[\w.-]{1,80}$")
_SIZE = 100


@dataclass
class Job:
    """A study about to run."""

    args: argparse.Namespace
    config: ResolvedConfig
    market: session.Market
    space: Space
    spec: StudySpec
    question: Question
    plan: RunPlan
    folder: Path
    engine: str
    notes: list[str]


def prepare(args: argparse.Namespace) -> Job:
    """Return the study that the flags describe.

    Raises
    ------
    ConfigError, DataError
        Before anything is computed.
    """
    root = common.make_userdir(common.userdir(args)) / "studies"
    if args.study is not None and not _NAME.match(args.study):
        raise ConfigError(
            "STUDY_NAME", f"--study: expected letters, digits, dots, dashes, found {args.study!r}"
        )
    if args.resume:
        args = _remembered(args, root)
    if args.study is None:
        args.study = session.new_run_id()
    check_workers(args)
    if args.storage is not None:
        study_url(args.storage)  # before it is noted anywhere: it may hold a password
    config = common.configuration(args, "backtest")
    kinds = [s.kind for s in config.model.strategies] if args.strategy else []
    of_space, _ = split_constraints(args.constraint)
    space = space_of(config.model, args.space, of_space, kinds)
    if args.epochs is None:
        args.epochs = 1 << 40 if args.sampler == "grid" else _SIZE
    spec = spec_of(args, config.model.seed)
    spec.law()  # numbers that are none are told before a study of that name is begun
    frames, loaded, notes = common.load_frames(args, config)
    market = session.Market(
        frames, loaded, notes, details=load_details(args.data, config.model, frames),
        perpetuals=perpetual.load(args, config.model),
    )  # fmt: skip
    question = Question(
        config, frames, common.timerange(args), spec.objectives, (), 1, market.details, market.perpetuals
    )
    # what any trial would refuse is told before the first
    plan = session.make_plan(args, config, market, question.span, args.study, journal=False)
    why = sweep_obstacle(config, question, space, spec)
    if args.engine == "sweep" and why is not None:
        raise ConfigError(
            "STUDY_SWEEP", f"--engine sweep: expected a grid that a kernel sweeps, found: {why}"
        )
    swept = args.engine == "sweep" or (args.engine == "auto" and spec.sampler == "grid" and why is None)
    if not swept and spec.sampler == "grid" and spec.epochs > 1 << 30:
        spec = dataclasses.replace(spec, epochs=GridSampler(space, spec.epochs, spec.grid_points).size)
    told = list(plan.notes)
    if (args.workers or 0) > LOOK_AHEAD and not swept:
        common.tell(
            [
                (
                    f"--workers {args.workers}: {LOOK_AHEAD} trials are under way at most, so that the result does "
                    "not depend on the number of workers; more find nothing to do"
                )
            ]
        )
    return Job(
        args,
        config,
        market,
        space,
        spec,
        question,
        plan,
        root / args.study,
        "sweep" if swept else "fleet",
        told,
    )


def execute(job: Job) -> StudyResult:
    """Compute the study; an interrupt leaves it resumable."""
    args, spec = job.args, job.spec
    kernels.select_backend(job.plan.settings.kernel_backend, require_native=job.plan.settings.require_native)
    terminal = session.note_terminal()
    with StudyView(spec.epochs, spec.directions, shown=not args.no_progress, terminal=terminal) as view:
        if job.engine == "sweep":
            _note(job, "running")
            with pools(args, job.config, memory_budget_mib=args.memory_budget) as pool:
                found, notes = sweep_study(job.question, job.space, spec, pool=pool)
            job.notes += notes
            _note(job, "done")
            return found
        with _store(job) as store:
            _note(job, "running")
            try:
                with pools(args, job.config, memory_budget_mib=args.memory_budget) as pool:
                    found = run_study(
                        job.config, job.question.frames, job.question.span, job.space, spec, pool=pool, store=store,
                        heard=view.hear, details=job.market.details, perpetuals=job.market.perpetuals,
                    )  # fmt: skip
                    found = _whole(job, found, pool)
            except KeyboardInterrupt:
                _note(job, "interrupted")
                raise KeyboardInterrupt(
                    f"Go on with: tradewind hyperopt --resume --study {args.study} --userdir {args.userdir}"
                ) from None
            except (TradingError, OSError):
                with contextlib.suppress(OSError):
                    _note(job, "failed")
                raise
            _note(job, "done")
    return found


def conclude(job: Job, found: StudyResult) -> Outcome:
    """Write result, report and preset of a study; return the verb's outcome."""
    from actors.ops.report.study import build_study_report

    args, folder = job.args, job.folder
    year = YEAR_NS / parse_timeframe(job.config.model.timeframe)
    before = job.config.model.provenance
    result = study_result(
        found, job.space, job.spec, year, engine=job.engine, earlier=0 if before is None else before.trials
    )
    if before is not None:
        job.notes.append(
            f"{before.trials} trials of study {before.study}, whose choice this began with, count too"
        )
    result["study"] = args.study
    result["notes"] = list(dict.fromkeys(job.notes))
    result["preset"] = None
    if args.write_preset is not None:
        if found.best is None:
            result["notes"].append("no preset was written, since there is no best trial")
        else:
            path = write_preset(
                found, job.config, args.study, year, name=args.write_preset, into=args.preset_into,
                userdir=common.userdir(args), facts=_facts(job, result),
            )  # fmt: skip
            result["preset"] = str(path)
    result["report"] = str(folder / "report.html")
    (folder / "result.json").write_text(
        json.dumps(common.plain(result), allow_nan=False, indent=1), encoding="utf-8"
    )
    build_study_report(common.plain(result), _facts(job, result), folder / "report.html")
    ok = result["states"]["complete"] + result["states"]["pruned"] > 0
    if not ok:
        result["notes"].append(f"ALL TRIALS FAILED: {reasons(found.trials)}")
    head = {
        "seed": job.config.model.seed, "config_hash": job.config.content_hash, "data_hash": job.plan.data_hash,
        "kernel_backend": kernels.backend().name,
    }  # fmt: skip
    return Outcome(result, ok=ok, text=summary(result, found.trials), head=head)


def _facts(job: Job, result: Mapping[str, Any]) -> dict[str, str]:
    """Return what a reader of a preset or report must know of the study."""
    feed = job.plan.feed
    first, last = int(feed.times[feed.warmup_steps]), int(feed.times[-1])
    from actors.domain.model.timerange import format_ns

    return {
        "study": job.args.study,
        "study_hash": result["study_hash"],
        "objective": ", ".join(f"{o['name']} ({o['direction']})" for o in result["objectives"]),
        "constraints": ", ".join(result["constraints"]) or "none",
        "trials": str(len(result["trials"])),
        "pairs": " ".join(job.plan.pairs),
        "timeframe": job.config.model.timeframe,
        "range": f"{format_ns(first)} to {format_ns(last)} (closes of the first and last bar decided on)",
        "data_hash": job.plan.data_hash,
        "config_hash": job.config.content_hash,
        "seed": str(job.config.model.seed),
        "sampler": result["sampler"],
        "engine": result["engine"],
    }


# -- storage, workers ---------------------------------------------------------------------------------------------


def _store(job: Job) -> StudyStore:
    args = job.args
    url = args.storage or f"sqlite:///{job.folder / 'study.sqlite'}"
    hashes = {"configuration": job.config.content_hash, "data": job.plan.data_hash}
    own = own_code_hash(job.config.model, (name for name, _ in job.spec.objectives))
    if own is not None:
        hashes["own code"] = own
    return StudyStore(
        url, args.study, job.space, job.spec.directions, about(job.space, job.spec, hashes), resume=args.resume,
        folder=job.folder / "returns",
    )  # fmt: skip


def _whole(job: Job, found: StudyResult, pool: Callable[[Any], Any]) -> StudyResult:
    """Compute again what trials are compared by, where it lies on another machine or was lost."""
    missing = [t for t in found.trials if t.result.state == "complete" and t.result.returns is None]
    if not missing:
        return found
    made = pool(job.question)
    try:
        again = made.map(evaluate, [Ask(t.number, t.params) for t in missing])
    finally:
        made.close()
    trials = list(found.trials)
    for t, result in zip(missing, again, strict=True):
        if result.values != t.result.values:
            raise ConfigError(
                "STUDY_OTHER",
                f"study: expected trial {t.number} to give {t.result.values} again, found {result.values}: code or "
                "machine differ from those that began it; begin a new study",
            )
        trials[t.number] = Trial(t.number, t.params, _with_returns(t.result, result))
    return dataclasses.replace(found, trials=trials)


def _with_returns(result: TrialResult, again: TrialResult) -> TrialResult:
    return dataclasses.replace(result, returns=again.returns)


# -- what is remembered of a study --------------------------------------------------------------------------------


def _note(job: Job, status: str) -> None:
    """Write what a resume needs, atomically."""
    args = job.args
    kept: dict[str, Any] = {name: getattr(args, name) for name in _KEPT}
    for name in ("data", "funding", "mark"):
        kept[name] = session.absolute_data(getattr(args, name))
    kept["config"] = [session.absolute(c) for c in args.config]
    kept["epochs"] = job.spec.epochs
    job.folder.mkdir(parents=True, exist_ok=True)
    partial = job.folder / f"{NOTE}.partial"
    partial.write_text(json.dumps({"verb": "hyperopt", "status": status, "args": kept}, indent=1), "utf-8")
    partial.replace(job.folder / NOTE)


def _remembered(args: argparse.Namespace, root: Path) -> argparse.Namespace:
    """Return the flags of the study to go on with: those that it began with, and more epochs where some are given."""
    from cluster.cli.hyperopt import add_arguments  # which imports us to run

    notes = sorted(root.glob(f"{args.study or '*'}/{NOTE}"), key=lambda p: p.stat().st_mtime_ns, reverse=True)
    for path in notes:
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            status, kept = note["status"], dict(note["args"])
        except (ValueError, TypeError, KeyError) as e:
            raise ConfigError(
                "STUDY_NOTE",
                f"--resume: expected the note of a study in {path}, found {type(e).__name__}: {e}; name another by "
                "--study, or move this folder away",
            ) from e
        if args.study is not None or status != "done":
            fixed = [name for name in _KEPT if name not in ("epochs", "data", "study")]
            common.tell(session.without_effect(args, kept, fixed, add_arguments))
            if args.epochs is not None:
                kept["epochs"] = args.epochs
            if args.data:  # the files have moved
                kept["data"] = args.data
            return argparse.Namespace(**{**vars(args), **kept})
    if args.study is not None and args.storage is not None and args.data:
        return args  # begun on another machine: its flags are given, its trials are in the database
    raise ConfigError(
        "NOTHING_TO_RESUME",
        f"--resume: expected {'an unfinished study' if args.study is None else f'study {args.study}'} in {root}, found "
        "none; of one that another machine began give --study, --storage and its flags",
    )
