"""Executing a plan on one of the two hosts: the same steps, the same record, the same snapshots."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actors.adapters.journal.entries import RunInfo
from actors.adapters.journal.patient import PatientJournal
from actors.adapters.journal.store import Journal
from actors.adapters.storage.snapshots import SnapshotStore
from actors.domain import kernels
from actors.domain import state as state_codec
from actors.domain.errors import ConfigError, DataError, JournalError, TradingError
from actors.domain.events.base import EventRecord
from actors.domain.events.system import AgentGaveUp
from actors.runtime.local import LocalHost, TimedFits
from actors.runtime.names import SUPERVISOR
from actors.runtime.recorder import Recorder
from actors.runtime.slices import Slice
from actors.runtime.wire import decode_block, encode_block
from cluster import __version__
from cluster.runs.costs import entry_fee_frac
from cluster.runs.plan import RunPlan, stay_probability

RECORDER, PENDING = "recorder", "pending"
_BLOCK = 64
"""Steps that the local host takes at once."""
Progress = Callable[[int, Recorder], None]


@dataclass
class Finished:
    """A run that came to its end.

    Attributes
    ----------
    recorder : Recorder
    host : str
    agents : list of dict
        ``name kind pid``.
    wall_s, fit_s : float
        Time of the steps, and the part of it inside fits (local host).
    extra : dict
        What the host has to tell beside (platform, recoveries, plumbing share).
    """

    plan: RunPlan
    recorder: Recorder
    host: str
    agents: list[dict[str, Any]]
    wall_s: float
    fit_s: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)


def open_run(plan: RunPlan, args: dict[str, Any]) -> None:
    """Note the run in its journal before anything starts; the same run again is a no-op.

    Raises
    ------
    ConfigError, DataError
        If the journal holds this run with another configuration, or over other bars.
    """
    if not plan.journal_url:
        return
    with Journal(plan.journal_url, plan.run_id) as journal, _same_run(plan.run_id):
        journal.create_run(
            RunInfo(
                run_id=plan.run_id, created_ns=time.time_ns(), config_hash=plan.config.content_hash,
                data_hash=plan.data_hash, seed=plan.settings.seed, mode=plan.config.model.mode, args=args,
                code_version=__version__,
            )
        )  # fmt: skip
        journal.set_status("running")


@contextlib.contextmanager
def _same_run(run_id: str) -> Iterator[None]:
    """Say what differs as a person knows it: the journal knows hashes."""
    try:
        yield
    except JournalError as e:
        if e.code != "JOURNAL_OTHER_RUN":
            raise
        if e.context["differs"] == "data_hash":
            raise DataError(
                "RESUME_DATA",
                f"run {run_id}: expected the bars it was begun with, found others in the same files; bring those back, "
                "or begin a new run without --resume",
            ) from e
        raise ConfigError(
            "RESUME_CONFIG",
            f"run {run_id}: expected the configuration, host and release it was begun with, found another "
            f"{e.context['differs']}; undo what changed since (a file of -c, a TRADEWIND__ variable, an update), or "
            "begin a new run without --resume",
        ) from e


def close_run(plan: RunPlan, status: str) -> None:
    """Note how the run ended."""
    if plan.journal_url:
        with Journal(plan.journal_url, plan.run_id) as journal:
            journal.set_status(status)


def snapshot_store(plan: RunPlan) -> SnapshotStore | None:
    """The run's snapshots, if it keeps any."""
    if not plan.settings.snapshot_dir:
        return None
    return SnapshotStore(plan.settings.snapshot_dir, plan.settings.key_path)


def new_recorder(plan: RunPlan, *, resume: bool = False) -> Recorder:
    """A recorder with its log in the run's folder (or in memory where the run keeps nothing).

    With `resume` the log stays until `Recorder.load_state` cuts it back; a run that begins at its first step
    writes it anew, whatever an earlier attempt left.
    """
    cash = plan.config.model.account.initial_cash_quote
    settings, fee = plan.settings, entry_fee_frac(plan.config.model)
    stay = stay_probability(plan.config.model)
    if not settings.snapshot_dir:
        return Recorder(
            plan.pairs, settings.timeframe_ns, cash, benchmark_fee_frac=fee, stay_probability=stay
        )
    path = Path(plan.run_dir) / "decisions.jsonl"
    return Recorder(
        plan.pairs,
        settings.timeframe_ns,
        cash,
        path,
        resume=resume,
        benchmark_fee_frac=fee,
        stay_probability=stay,
    )


def _members(plan: RunPlan, extra: Sequence[str]) -> list[str]:
    return [*plan.graph.names, *extra]


def resume_point(plan: RunPlan, extra: Sequence[str]) -> int | None:
    """Return the newest step at which everybody holds a snapshot, or None (start again from the beginning).

    Who was given up before a step needs none there.
    """
    store = snapshot_store(plan)
    if store is None:
        return None
    whole = store.latest_complete(_members(plan, extra))
    missing = plan.feed.missing_from()
    rest = store.latest_complete([n for n in _members(plan, extra) if n not in missing])
    return rest if missing and rest is not None and rest + 1 >= max(missing.values()) else whole


def load_losses(plan: RunPlan) -> None:
    """Read from the journal which agents the run went on without: inputs like its bars."""
    if plan.journal_url:
        with Journal(plan.journal_url, plan.run_id) as journal:
            for record in journal.inputs(source=SUPERVISOR):
                if isinstance(record.event, AgentGaveUp):
                    plan.feed.lose(record.step, record.event)


@contextlib.contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for reference cycles rarely while a fleet runs: its events make none, and a search costs 5 %."""
    before = gc.get_threshold()
    gc.set_threshold(20_000, 50, 100)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def _flushed(recorder: Recorder) -> Iterator[None]:
    """Flush the decision log at the end; what ended a run early is not hidden by a disk that is full."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(TradingError):
            recorder.flush()
        raise
    recorder.flush()


@_rare_collections()
def run_local(
    plan: RunPlan,
    *,
    progress: Progress | None = None,
    resume: bool = False,
    profile: bool = False,
    recorder: Recorder | None = None,
    single_from: int | None = None,
) -> Finished:
    """Compute a plan in this process.

    Parameters
    ----------
    progress : callable (steps done, recorder), optional
    resume : bool
        Go on behind the newest complete snapshot.
    profile : bool
        Measure the time inside agents; ``extra["plumbing_frac"]`` is the rest.
    recorder : Recorder, optional
        The caller's own, so that it still has what was recorded when the run ends in an error.
    single_from : int, optional
        Take the steps from this one on one by one, so that an error leaves all steps before it recorded.
    """
    settings = plan.settings
    info = kernels.select_backend(settings.kernel_backend, require_native=settings.require_native)
    if resume:
        load_losses(plan)
    host = LocalHost(plan.graph, settings, profile=profile, missing_from=plan.feed.missing_from())
    store = snapshot_store(plan)
    step = resume_point(plan, (RECORDER, PENDING)) if resume else None
    if resume and store is not None:
        store.drop_after(-1 if step is None else step)
    recorder = new_recorder(plan, resume=step is not None) if recorder is None else recorder
    journal = PatientJournal(Journal(plan.journal_url, plan.run_id)) if plan.journal_url else None
    runtime = plan.config.model.runtime
    begin = 0
    if store is not None and step is not None:
        _restore_local(host, recorder, store, plan, step)
        begin = step + 1
    if journal is not None:
        host.agents[plan.graph.index["journal"]].attach(journal)  # type: ignore[attr-defined]
    every = runtime.snapshot_every_steps
    started, cpu = time.perf_counter(), time.process_time()
    with _flushed(recorder), contextlib.nullcontext() if journal is None else contextlib.closing(journal):
        first = begin
        while first < len(plan.feed):
            # a block ends where a snapshot is due
            width = _BLOCK if single_from is None or first + _BLOCK <= single_from else 1
            block = plan.feed.block(first, min(first + width, (first // every + 1) * every))
            if journal is not None:
                journal.commit_inputs(_records(block))
            said = host.block(block)
            said.reverse()
            for item in block:
                # let go of one by one, while they are still in the cache
                recorder.on_step(item, said.pop())
            first += len(block)
            if store is not None and first % every == 0:
                _save_local(host, recorder, store, plan, first - 1)
            if progress is not None:
                progress(recorder.steps, recorder)
    wall, cpu = time.perf_counter() - started, time.process_time() - cpu
    fits = host.fits if isinstance(host.fits, TimedFits) else None
    extra: dict[str, Any] = {
        "kernel": info,
        "fit_count": fits.count if fits else 0,
        "cpu_s": cpu,
        "fit_cpu_s": fits.cpu_seconds if fits else 0.0,
        "journal_repeats": journal.repeats if journal is not None else 0,
    }
    if host.agent_seconds is not None:
        extra["agent_seconds"] = dict(zip(plan.graph.names, host.agent_seconds, strict=True))
    import os

    agents = [{"name": s.name, "kind": s.kind, "pid": os.getpid()} for s in plan.graph.specs]
    return Finished(plan, recorder, "local", agents, wall, fits.seconds if fits else 0.0, extra)


def _records(block: Sequence[Slice]) -> list[EventRecord]:
    return [
        EventRecord(step=s.step, source=e.source, seq=i, event=e)
        for s in block
        for i, e in enumerate(s.events)
    ]


def _save_local(host: LocalHost, recorder: Recorder, store: SnapshotStore, plan: RunPlan, step: int) -> None:
    config_hash = plan.config.content_hash
    for name, state in host.snapshot().items():
        store.save(name, step, state_codec.dumps({"agent": state}), config_hash)
    pending = [[k, position, encode_block([events])] for k, position, events in host.pending()]
    store.save(PENDING, step, state_codec.dumps(pending), config_hash)
    store.save(RECORDER, step, state_codec.dumps(recorder.state()), config_hash)
    store.prune(_members(plan, (RECORDER, PENDING)))


def _restore_local(
    host: LocalHost, recorder: Recorder, store: SnapshotStore, plan: RunPlan, step: int
) -> None:
    config_hash = plan.config.content_hash
    states = {
        n: state_codec.loads(store.load(n, step, config_hash), allow_opaque=True)["agent"]
        for n in plan.graph.names
    }
    pending = [
        (k, position, decode_block(payload)[0])
        for k, position, payload in state_codec.loads(store.load(PENDING, step, config_hash))
    ]
    host.restore(states, pending)
    recorder.load_state(state_codec.loads(store.load(RECORDER, step, config_hash), allow_opaque=True))


def run_ray(
    plan: RunPlan,
    *,
    progress: Progress | None = None,
    resume: bool = False,
    on_submit: Callable[[int, Any], None] | None = None,
    on_recovered: Callable[[dict[str, dict[str, Any]], float], None] | None = None,
    restart_budget: int | None = None,
    on_ready: Callable[[Any], None] | None = None,
    block_steps: int | None = None,
) -> Finished:
    """Compute a plan on a fleet of Ray actors; a Ray session must be there.

    Parameters
    ----------
    on_submit : callable (step, host), optional
        Hears each step once, before or while its order path is first computed.
    restart_budget : int, optional
        Instead of the configured one (chaos needs more).
    on_ready : callable (host), optional
        Hears when all agents answer.
    """
    from actors.runtime.ray_host import RayHost
    from actors.runtime.supervision import SupervisionPolicy, dispensable

    runtime = plan.config.model.runtime
    kernels.select_backend(plan.settings.kernel_backend, require_native=plan.settings.require_native)
    policy = SupervisionPolicy(
        restart_budget=runtime.restart_budget if restart_budget is None else restart_budget,
        restart_window_s=runtime.restart_window_s,
        backoff_s=runtime.restart_backoff_s,
        heartbeat_s=runtime.heartbeat_interval_s,
        misses=runtime.heartbeat_misses,
        mailbox=runtime.mailbox_size,
    )
    if resume:
        load_losses(plan)
    store = snapshot_store(plan)
    step = resume_point(plan, (RECORDER,)) if resume else None
    if resume and store is not None:
        store.drop_after(-1 if step is None else step)
    recorder = new_recorder(plan, resume=step is not None)
    if step is not None:
        assert store is not None
        tree = state_codec.loads(store.load(RECORDER, step, plan.config.content_hash), allow_opaque=True)
        recorder.load_state(tree)
    gone = [n for n, first in plan.feed.missing_from().items() if step is not None and first <= step + 1]
    host = RayHost(
        plan.graph, plan.settings, policy, resume_step=step, without=gone,
        ready_deadline_s=runtime.ready_deadline_s,
    )  # fmt: skip
    with host:
        if on_ready is not None:
            on_ready(host)
        every = 0

        def on_step(item: Slice, outputs: Any) -> None:
            recorder.on_step(item, outputs)
            if store is not None and every and (item.step + 1) % every == 0:
                tree = state_codec.dumps(recorder.state())
                store.save(RECORDER, item.step, tree, plan.config.content_hash)
            if progress is not None and (recorder.steps % 16 == 0 or recorder.steps == len(plan.feed)):
                progress(recorder.steps, recorder)

        def on_saved(_: int) -> None:
            if store is not None:
                store.prune(_members(plan, (RECORDER,)))

        conductor = host.conductor(
            plan.feed, block_steps=block_steps or runtime.block_steps,
            snapshot_every_steps=runtime.snapshot_every_steps if store is not None else 0, on_step=on_step,
            on_submit=None if on_submit is None else (lambda k: on_submit(k, host)), on_saved=on_saved,
            on_recovered=on_recovered,
            may_lose=dispensable(plan.graph.specs) if "agent_lost" in plan.config.model.risk.breakers else (),
        )  # fmt: skip
        every = conductor.every
        started = time.perf_counter()
        with _flushed(recorder):
            conductor.run(0 if step is None else step + 1)
        wall = time.perf_counter() - started
        agents = host.agents()
        extra = {"platform": host.platform(), "recoveries": conductor.recoveries, "rows": host.rows,
                 "kernel": kernels.backend(), "missing_from": plan.feed.missing_from()}  # fmt: skip
    return Finished(plan, recorder, "ray", agents, wall, extra=extra)
