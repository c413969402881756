"""One run as the verbs see it: folders, a plan, a host, a progress bar, the result; interruptible and resumable."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.adapters.feeds.data_args import split_data
from actors.adapters.feeds.files import LoadedBars
from actors.domain import kernels
from actors.domain.errors import ConfigError, JournalUnavailableError, TradingError
from actors.domain.events.system import KernelBackendSelected
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import BarDetail
from actors.domain.model.timerange import TimeRange
from actors.runtime.environment import prepare_environment
from cluster.cli.common import Outcome, add_common, make_userdir, own_code, userdir
from cluster.local import join
from cluster.runs.costs import cost_notes, cost_words
from cluster.runs.execute import Finished, close_run, open_run, run_local, run_ray
from cluster.runs.perpetual import NONE, Perpetuals
from cluster.runs.plan import RunPlan, build_plan
from cluster.runs.result import IMPLAUSIBLE, head, lost_notes, report_model, run_result, store
from cluster.runs.view import progress_view
from config.load import ResolvedConfig

RESUMABLE = ("trade",)
"""Verbs of `execute` that have ``--resume``."""


@dataclass
class Market:
    """Bars of a run and what is known about them."""

    frames: dict[str, BarFrame]
    loaded: dict[str, list[LoadedBars]]
    notes: list[str]
    truth: dict[str, dict[int, str]] | None = None
    details: dict[str, BarDetail] = field(default_factory=dict)
    perpetuals: Perpetuals = NONE


def new_run_id() -> str:
    """Return a readable id that sorts by time."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def run_folder(args: argparse.Namespace, run_id: str) -> Path:
    """Folder of a run's journal, snapshots and decision log."""
    return userdir(args) / "journal" / run_id


def newest_interrupted(args: argparse.Namespace, verb: str) -> tuple[str, dict[str, Any]]:
    """Return id and arguments of the newest run of a verb that did not end.

    Raises
    ------
    ConfigError
        If there is none, or a note is damaged.
    """
    root = userdir(args) / "journal"
    for path in sorted(root.glob("*/run.json"), reverse=True):
        try:
            note = json.loads(path.read_text(encoding="utf-8"))
            found, status, kept = note["verb"], note["status"], dict(note["args"])
        except (ValueError, TypeError, KeyError) as e:
            raise ConfigError(
                "RUN_NOTE",
                f"--resume: expected the note of a run in {path}, found {type(e).__name__}: {e}; move its folder away "
                "to go on with an older run",
            ) from e
        if found == verb and status != "done":
            return path.parent.name, kept
    raise ConfigError(
        "NOTHING_TO_RESUME", f"--resume: expected an unfinished run of {verb} in {root}, found none"
    )


def without_effect(
    args: argparse.Namespace, kept: Mapping[str, Any], names: Iterable[str],
    add_arguments: Callable[[argparse.ArgumentParser], None],
) -> list[str]:  # fmt: skip
    """Return what to say of flags beside ``--resume``: a run goes on as it was begun.

    Parameters
    ----------
    args : Namespace
    kept : mapping
        What the run was begun with, by the names of its flags.
    names : iterable of str
        Flags that ``--resume`` ignores.
    add_arguments : callable
        Gives a parser the verb's flags, for their defaults.
    """
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    add_common(parser)
    given = {n: getattr(args, n) for n in names if getattr(args, n) != parser.get_default(n)}
    for name in ("data", "funding", "mark"):
        if given.get(name):
            given[name] = absolute_data(given[name])
    if "config" in given:
        given["config"] = [absolute(c) for c in given["config"]]
    return [
        f"--{name.replace('_', '-')} {value}: ignored, the run goes on with {kept[name]}"
        for name, value in given.items()
        if name in kept and value != kept[name]
    ]


def note_run(folder: Path, verb: str, args: Mapping[str, Any], status: str) -> None:
    """Write what a resume needs, atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "run.json.partial"
    partial.write_text(json.dumps({"verb": verb, "status": status, "args": dict(args)}, indent=1), "utf-8")
    partial.replace(folder / "run.json")


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a run's folder: two processes that resume one run would cut each other's decision log.

    The journal's own lock comes later, with the first write, which on Ray is half a minute after the start.

    Raises
    ------
    JournalUnavailableError
        If another process runs this run.
    """
    with (folder / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalUnavailableError(
                "RUN_BUSY",
                f"run {folder.name}: expected nobody else to compute it, found a process that does; wait for its end",
            ) from None
        yield  # closing the file lets go, and so does the end of a killed process


def make_plan(
    args: argparse.Namespace,
    config: ResolvedConfig,
    market: Market,
    span: TimeRange,
    run_id: str,
    *,
    journal: bool = True,
) -> RunPlan:
    """Return the plan of a run in the user's folder."""
    make_userdir(userdir(args))
    folder = run_folder(args, run_id)
    if journal:
        folder.mkdir(parents=True, exist_ok=True)
    return build_plan(
        config, market.frames, span, run_id=run_id, run_dir=folder,
        key_path=userdir(args) / "keys" / "snapshot.key", journal=journal,
        notes=[*config.notes, *market.notes], details=market.details, perpetuals=market.perpetuals,
    )  # fmt: skip


@contextlib.contextmanager
def ray_for(args: argparse.Namespace, plan: RunPlan) -> Iterator[None]:
    """Hold the Ray session a run asked for."""
    address = getattr(args, "address", None)
    if address is not None:
        address = join(userdir(args), address)
    prepare_environment(userdir(args))
    from actors.runtime.session import ray_session  # reads the environment when it is loaded

    runtime = plan.config.model.runtime
    with ray_session(
        address=address, num_cpus=runtime.num_cpus,
        object_store_mb=runtime.object_store_mb, quiet=not args.verbose, code_paths=own_code(args),
    ):  # fmt: skip
        yield


def execute(
    args: argparse.Namespace,
    plan: RunPlan,
    *,
    verb: str,
    host: str,
    resume: bool = False,
    profile: bool = False,
    note: Mapping[str, Any] | None = None,
    **more: Any,
) -> Finished:
    """Run a plan on its host with a progress view; an interrupt leaves it resumable.

    Raises
    ------
    KeyboardInterrupt
        After the state is noted; its text says how to go on, where that can be.
    JournalUnavailableError
        If another process computes this very run.
    """
    keeps = bool(plan.settings.snapshot_dir)
    with alone(plan.run_dir) if keeps else contextlib.nullcontext():
        return _execute(
            args, plan, verb, host, resume=resume, profile=profile, note=note, keeps=keeps, **more
        )


def _execute(
    args: argparse.Namespace, plan: RunPlan, verb: str, host: str, *, resume: bool, profile: bool,
    note: Mapping[str, Any] | None, keeps: bool, **more: Any,
) -> Finished:  # fmt: skip
    if keeps:
        note_run(plan.run_dir, verb, note or {}, "running")
        open_run(plan, {"verb": verb, "host": host})
    try:
        with progress_view(args, plan, verb, host) as view:
            view.announce(chosen_kernels(plan))
            if host == "local":
                finished = run_local(plan, progress=view.update, resume=resume, profile=profile)
            else:
                with ray_for(args, plan):
                    hooks = {"on_ready": view.ready, "on_recovered": view.recovered, **more}
                    finished = run_ray(plan, progress=view.update, resume=resume, **hooks)
    except KeyboardInterrupt:
        _end(plan, verb, note, "interrupted", keeps)
        if verb not in RESUMABLE:
            raise
        raise KeyboardInterrupt(f"Go on with: tradewind {verb} --resume --userdir {args.userdir}") from None
    except (TradingError, OSError):
        # the disk that ended the run may refuse this note too; without it the run counts as unfinished all the same
        with contextlib.suppress(TradingError, OSError):
            _end(plan, verb, note, "failed", keeps)
        raise
    _end(plan, verb, note, "done", keeps)
    return finished


@contextlib.contextmanager
def unfinished_without_report(
    args: argparse.Namespace, plan: RunPlan, verb: str, note: Mapping[str, Any]
) -> Iterator[None]:
    """Let a run whose report was not written be resumed, though all its steps are computed.

    Raises
    ------
    KeyboardInterrupt
        With how to go on.
    """
    try:
        yield
    except BaseException as e:
        with contextlib.suppress(OSError):  # the disk that took no report may refuse this note too
            note_run(
                plan.run_dir, verb, note, "interrupted" if isinstance(e, KeyboardInterrupt) else "failed"
            )
        if not isinstance(e, KeyboardInterrupt):
            raise
        raise KeyboardInterrupt(f"Go on with: tradewind {verb} --resume --userdir {args.userdir}") from None


def chosen_kernels(plan: RunPlan) -> KernelBackendSelected:
    """Choose the kernels of this process, as the run asks for, and say which they are.

    Raises
    ------
    KernelUnavailableError
        If native ones are required and missing.
    """
    info = kernels.select_backend(plan.settings.kernel_backend, require_native=plan.settings.require_native)
    return KernelBackendSelected(
        ts_event_ns=time.time_ns(),
        source="driver",
        backend=info.name,
        version=info.version,
        reason=info.reason,
    )


def _end(plan: RunPlan, verb: str, note: Mapping[str, Any] | None, status: str, keeps: bool) -> None:
    if keeps:
        note_run(plan.run_dir, verb, note or {}, status)
        close_run(plan, status)


def finish(
    args: argparse.Namespace,
    finished: Finished,
    market: Market,
    *,
    verb: str,
    title: str,
    mode: str,
    started_s: float,
    extra: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> Outcome:
    """Write report and result of a run; return the verb's outcome."""
    model = report_model(
        finished, title=title, mode=mode, started_s=started_s, loaded=market.loaded, truth=market.truth,
        notes=[*cost_notes(finished.plan.config.model), *notes],
    )  # fmt: skip
    result = run_result(finished) | dict(extra or {})
    folder = userdir(args) / "results" / finished.plan.run_id
    result["report"] = str(folder / "report.html")
    if finished.plan.settings.snapshot_dir:
        result["journal"] = str(finished.plan.run_dir)
    lost = result["agents_lost"] = sorted(finished.extra.get("missing_from", {}))
    store(finished, model, result, folder)
    loud = [note for note in model.notes if note.startswith(IMPLAUSIBLE)]
    return Outcome(
        result,
        ok=not lost,
        text="\n".join([*loud, summary(result, finished, market)]),
        head=head(finished.plan),
    )


def summary(result: Mapping[str, Any], finished: Finished, market: Market) -> str:
    """Return what a person reads at the end of a run."""
    m = result["metrics"]
    synthetic = any(f.synthetic for f in market.frames.values())

    def percent(x: float | None) -> str:
        return "undefined" if x is None else f"{x:+.2%}"

    def number(x: float | None) -> str:
        return "undefined" if x is None else f"{x:.2f}"

    lines = [
        (
            f"{'SYNTHETIC market' if synthetic else 'Market'}: {', '.join(finished.plan.pairs)}, "
            f"{result['bars']} bars, {result['warmup_bars']} of the slices warm-up"
        ),
        (
            f"fleet:    {len(result['agents'])} agents on {result['host']}, "
            f"{len({a['pid'] for a in result['agents']})} processes, {finished.wall_s:.1f} s"
        ),
        (
            f"decided:  {result['decisions']} decisions, {result['orders']} orders, {result['fills']} fills, "
            f"{result['trade_count']} round trips"
        ),
        (
            f"result:   {percent(m['total_return_frac'])} after costs ({cost_words(m)}), max drawdown "
            f"{percent(m['max_drawdown_frac'])}, Sharpe {number(m['sharpe_ann'])} over {m['bars']} bars"
        ),
    ]
    if "regimes" in result:
        r = result["regimes"]
        lines.append(
            f"regimes:  accuracy {r['accuracy_frac']:.1%}, balanced {r['balanced_accuracy_frac']:.1%} against planted "
            f"truth (most frequent regime alone: {r['majority_frac']:.1%}), {r['observations']} bars"
        )
    lines += lost_notes(finished)
    lines += [f"hash:     {result['decision_hash']}", f"report:   {result['report']}"]
    return "\n".join(lines)


def started() -> float:
    """Wall clock at the start of a verb."""
    return time.time()


def note_terminal() -> bool:
    """True if stderr is a terminal."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def absolute(path: str) -> str:
    """Return a path that still holds when the working directory changes; presets keep their name."""
    return path if path.startswith("preset:") else str(Path(path).resolve())


def absolute_data(data: Sequence[str]) -> list[str]:
    """Return ``[PAIR=]PATH`` arguments with absolute paths."""
    return [head + absolute(path) for head, path in map(split_data, data)]
