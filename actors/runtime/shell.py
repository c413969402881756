"""The shell: one Ray actor around one processor. It receives, calls `process`, keeps outputs, snapshots.

Steps arrive as calls ``compute(head, *payloads)``: a block for agents that run ahead, one step or several on
trial (`actors.runtime.order_path`) for agents on the order path. The call carries each upstream block once; the
shell files its events under the step in which they count. A step that was computed before is answered from the
kept outputs, so a repeated call changes nothing. The class is plain: `ray.remote` is applied where it is created,
tests use it directly.
"""

from __future__ import annotations

import os
import time
import uuid
import warnings
from collections.abc import Sequence
from typing import Any

import ray

from actors.adapters.storage.snapshots import SnapshotStore
from actors.domain import kernels
from actors.domain import state as state_codec
from actors.domain.errors import AgentError
from actors.domain.events.base import Event
from actors.domain.events.evaluation import WeightsRevised
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.events.prediction import DriftDetected, ModelTrained
from actors.domain.events.regime import RegimeChanged
from actors.domain.events.risk import CircuitBreakerReset, CircuitBreakerTripped
from actors.domain.events.system import AlertRaised
from actors.domain.processor import Step
from actors.runtime import names
from actors.runtime.build import RunSettings, build_agent
from actors.runtime.fits import RayFits
from actors.runtime.graph import AgentSpec
from actors.runtime.telemetry import ShellMetrics
from actors.runtime.trial import Inbox, Trial
from actors.runtime.wire import Feed, Kept, decode_block, decode_head, encode_block

CONTROL_EVENTS: tuple[type[Event], ...] = (
    RegimeChanged, CircuitBreakerTripped, CircuitBreakerReset, ModelTrained, DriftDetected, WeightsRevised,
    AlertRaised,
)  # fmt: skip
"""What a shell also tells the bus (control plane); bars and signals go from handle to handle."""


class AgentShell:
    """Hosts one agent in one process.

    Parameters
    ----------
    spec, run
        What to build.
    resume_step : int or None
        Load the snapshot of this step before anything else (a resumed run).
    recover : bool
        Load the newest snapshot of this agent, if there is one (a restart by the supervisor).
    keep_steps : int
        Longest feedback of the fleet: outputs younger than this stay in the snapshot.
    """

    def __init__(
        self,
        spec: AgentSpec,
        run: RunSettings,
        *,
        resume_step: int | None = None,
        recover: bool = False,
        keep_steps: int = 0,
    ) -> None:
        started = time.monotonic()
        os.environ.update(run.env)
        self.spec, self.run = spec, run
        self.backend = kernels.select_backend(run.kernel_backend, require_native=run.require_native)
        self.agent = build_agent(spec, run, RayFits())
        self._consumes = set(self.agent.consumes)
        # what it may be told of by a trial that stands; it must not speak without, nobody would be taken back
        self._wakes = None if self.agent.speaks_on is None else frozenset(self.agent.speaks_on)
        self.last_step = self._saved = -1
        self.incarnation = uuid.uuid4().hex
        self._keep = keep_steps
        self._width = len(spec.inputs)
        self._inbox: Inbox = {}
        self._outputs: dict[int, tuple[int, bytes]] = {}
        self._trial: Trial | None = None
        self._store = SnapshotStore(run.snapshot_dir, run.key_path) if run.snapshot_dir else None
        restarted = reconstructed()
        self.restored_step = -1
        if self._store is not None:
            if restarted or recover:
                newest = self._store.latest(spec.name)
                resume_step = newest if newest is not None else resume_step
            if resume_step is not None:
                self._load(resume_step)
        self.restarted = restarted or recover
        self.metrics = ShellMetrics(spec.name)
        self._bus: Any = None
        self.started_s = time.monotonic() - started

    def __repr__(self) -> str:
        """What Ray's state interface and log lines call this actor."""
        return self.spec.kind

    # -- life ---------------------------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return who this is and how far it has come; of its last steps some may be on trial."""
        return {
            "name": self.spec.name,
            "kind": self.spec.kind,
            "pid": os.getpid(),
            "node": ray.get_runtime_context().get_node_id() if _in_actor() else "",
            "incarnation": self.incarnation,
            "last_step": self.last_step,
            "restored_step": self.restored_step,
            "restarted": self.restarted,
            "kernel_backend": self.backend.name,
            "kernel_reason": self.backend.reason,
            "kernel_version": self.backend.version,
        }

    # -- work ---------------------------------------------------------------------------------------------

    def compute(self, head: bytes, *payloads: bytes) -> bytes:
        """Do as `run_steps` or `try_steps`; all but the payloads comes as one argument, see `encode_head`."""
        first, times, warmups, feeds, on_trial, kept = decode_head(head)
        if self._trial is not None:
            self._end_trial(kept, first)
        if on_trial is not None:
            return self.try_steps(first, times, warmups, feeds, *payloads, on_trial=on_trial)
        return self.run_steps(first, times, warmups, feeds, *payloads)

    def run_steps(
        self,
        first: int,
        times: Sequence[int],
        warmups: Sequence[bool],
        feeds: Sequence[Feed],
        *payloads: bytes,
    ) -> bytes:
        """Compute steps ``first .. first + len(times) - 1`` and return their events as one block.

        Raises
        ------
        AgentError
            If a step would be skipped.
        """
        last = first + len(times) - 1
        if last <= self.last_step:
            known = self._outputs.get(first)
            if known is None or known[0] != len(times):
                raise AgentError(
                    "STEP_FORGOTTEN", f"{self.spec.name}: steps {first}..{last} were computed and dropped"
                )
            return known[1]
        self._refuse_gap(first)
        self._absorb(feeds, payloads)
        started = time.perf_counter()
        outputs: list[Sequence[Event]] = []
        self._process(first, times, warmups, outputs)
        self.last_step = last
        return self._say(first, outputs, (time.perf_counter() - started) * 1e3)

    def try_steps(
        self,
        first: int,
        times: Sequence[int],
        warmups: Sequence[bool],
        feeds: Sequence[Feed],
        *payloads: bytes,
        on_trial: Sequence[int] = (),
    ) -> bytes:
        """Compute steps of which only the first is sure to stand; return their events as one block.

        A later call tells how many stand, or `confirm` does. Nobody else hears of them before.
        An agent that cannot go on in a step behind the first says less: it may have been led astray, and if not
        it will fail there again, in a step that is sure.

        Parameters
        ----------
        on_trial : sequence of int
            Which of the feeds are on trial themselves.

        Raises
        ------
        AgentError
            If a step would be skipped.
        """
        self._refuse_gap(first)
        self._absorb(feeds, payloads)
        slots = [(feeds[i][0], feeds[i][2]) for i in on_trial]
        trial = Trial(first, times, warmups, self.agent.snapshot(), slots)
        started = time.perf_counter()
        try:
            self._process(first, times, warmups, trial.outputs, trial.taken)
        except Exception:
            if not trial.outputs:
                raise
        trial.ms = (time.perf_counter() - started) * 1e3
        self._trial, self.last_step = trial, trial.last
        return encode_block(trial.outputs)

    def confirm(self, kept: Kept | None) -> None:
        """Learn how many steps of the last trial stand."""
        self._end_trial(kept)

    def _refuse_gap(self, first: int) -> None:
        if first != self.last_step + 1:
            raise AgentError(
                "STEP_GAP", f"{self.spec.name}: expected step {self.last_step + 1}, found {first}"
            )

    def _process(
        self,
        first: int,
        times: Sequence[int],
        warmups: Sequence[bool],
        outputs: list[Sequence[Event]],
        taken: Inbox | None = None,
    ) -> None:
        """Compute steps from the inbox, append what is said to `outputs`, keep what was heard in `taken`."""
        process, inbox = self.agent.process, self._inbox
        for step, (ts, warmup) in enumerate(zip(times, warmups, strict=True), first):
            buckets = inbox.pop(step, None)
            if buckets is not None and taken is not None:
                taken[step] = buckets
            events = [e for b in buckets for e in b] if buckets is not None else []
            if not events:
                outputs.append(())
                continue
            if len(events) > 1:
                events.sort(key=_priority)
            said = process(Step(step, ts, tuple(events), warmup))
            if said and self._wakes is not None and not any(type(e) in self._wakes for e in events):
                raise AgentError(
                    "SPOKE_UNASKED",
                    f"{self.spec.name}: step {step}: expected silence where nothing of `speaks_on` was heard, found "
                    f"{type(said[0]).__name__}; the class must name all that it speaks on",
                )
            outputs.append(said)

    def _say(self, first: int, outputs: Sequence[Sequence[Event]], ms: float) -> bytes:
        """Keep and tell what was said in steps that stand; return it as one block."""
        payload = encode_block(outputs)
        self._outputs[first] = (len(outputs), payload)
        self._tell(outputs)
        self.metrics.observe(len(outputs), sum(map(len, outputs)), ms, len(self._inbox))
        return payload

    def _end_trial(self, kept: Kept | None, first: int | None = None) -> None:
        """End the open trial if `kept` is about it, or if the call that begins at `first` repeats it.

        Whoever went further than what stands goes back to there. Other calls, repeated from before the trial, say
        nothing about it.
        """
        trial = self._trial
        if trial is None:
            return
        if kept is not None and kept[0] == trial.first:
            stood = kept[1]
        elif first == trial.first:
            stood = 0
        else:
            return
        self._trial = None
        outputs = trial.outputs
        if stood < len(trial.times):
            self.agent.restore(trial.before)
            self.last_step = trial.first + stood - 1
            trial.give_back(self._inbox, self.last_step)
            outputs = []
            self._process(trial.first, trial.times[:stood], trial.warmups[:stood], outputs)
            if encode_block(outputs) != encode_block(trial.outputs[:stood]):
                raise AgentError(
                    "REPLAY_DIVERGED",
                    f"{self.spec.name}: expected the same output for steps {trial.first}..{self.last_step} when they "
                    "were computed again, found another; its state is not in its snapshot",
                )
        if stood:
            self._say(trial.first, outputs, trial.ms * stood / len(trial.times))

    def _absorb(self, feeds: Sequence[Feed], payloads: Sequence[bytes]) -> None:
        consumes, inbox, last = self._consumes, self._inbox, self.last_step
        for (slot, begin, delay), payload in zip(feeds, payloads, strict=True):
            for offset, events in enumerate(decode_block(payload)):
                step = begin + offset + delay
                if step <= last:
                    continue
                mine = [e for e in events if type(e) in consumes]
                # silence replaces what was heard: the words of an agent that was given up were taken back
                if mine or step in inbox:
                    buckets = inbox.setdefault(step, [[] for _ in range(self._width)])
                    buckets[slot] = mine

    def _tell(self, outputs: Sequence[Sequence[Event]]) -> None:
        told = [e for events in outputs for e in events if isinstance(e, CONTROL_EVENTS)]
        if self.spec.name == "ledger" and outputs:
            account = next((e for e in reversed(outputs[-1]) if isinstance(e, AccountUpdated)), None)
            if account is not None:
                self.metrics.equity(float(account.equity))
        if told and self._bus is None and _in_actor():
            try:
                self._bus = ray.get_actor(names.BUS, namespace=names.namespace(self.run.run_id))
            except ValueError:  # a fleet without a bus: benchmarks of single agents
                return
        if told and self._bus is not None:
            self._bus.publish.remote(encode_block([told]))

    # -- memory -------------------------------------------------------------------------------------------

    def save(self, step: int, kept: Kept | None = None) -> int:
        """Write the snapshot of `step` (the step just computed); return the step.

        Parameters
        ----------
        step : int
        kept : (int, int) or None
            The last trial that has ended.

        Raises
        ------
        AgentError
            If the agent is not exactly there.
        """
        if self._store is None:
            return step
        self._end_trial(kept)
        if step < self.last_step and (self._saved == step or self.restored_step >= step):
            return step  # written before; or restored from this very snapshot or a later one
        if step != self.last_step or self._trial is not None:
            raise AgentError(
                "SNAPSHOT_STEP", f"{self.spec.name}: expected to stand at {step}, found {self.last_step}"
            )
        outputs = {f: v for f, v in self._outputs.items() if f + v[0] - 1 > step - self._keep}
        tree = {
            "last_step": self.last_step,
            "agent": self.agent.snapshot(),
            "inbox": [[k, encode_block(self._inbox[k])] for k in sorted(self._inbox)],
            "outputs": [[f, n, payload] for f, (n, payload) in sorted(outputs.items())],
        }
        self._store.save(self.spec.name, step, state_codec.dumps(tree), self.run.config_hash)
        self._saved = step
        return step

    def forget(self, step: int) -> None:
        """Drop outputs that every snapshot has passed."""
        self._outputs = {f: v for f, v in self._outputs.items() if f + v[0] - 1 > step - self._keep}

    def outputs_since(self, step: int) -> list[tuple[int, int, bytes]]:
        """Return kept blocks that reach beyond `step` (for a resumed run)."""
        return [(f, n, p) for f, (n, p) in sorted(self._outputs.items()) if f + n - 1 > step]

    def _load(self, step: int) -> None:
        assert self._store is not None
        tree = state_codec.loads(
            self._store.load(self.spec.name, step, self.run.config_hash), allow_opaque=True
        )
        self.agent.restore(tree["agent"])
        self.last_step = self.restored_step = tree["last_step"]
        self._inbox = {k: decode_block(p) for k, p in tree["inbox"]}
        self._outputs = {f: (n, p) for f, n, p in tree["outputs"]}


def _priority(event: Event) -> int:
    return event.priority


def reconstructed() -> bool:
    """True in an actor that Ray has restarted."""
    if not _in_actor():
        return False
    with warnings.catch_warnings():
        # Ray's property calls a deprecated one of its own
        warnings.simplefilter("ignore")
        return bool(ray.get_runtime_context().was_current_actor_reconstructed)


def _in_actor() -> bool:
    return ray.is_initialized() and ray.get_runtime_context().get_actor_id() is not None
