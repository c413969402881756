"""The root supervisor: creates every actor, notices what died or hangs, restarts it, and gives up in time.

Two layers that do not fight over a child. A leaf has ``max_restarts=-1``: Ray restarts a crash (handle and
name stay), the supervisor counts it and breaks hangs. A one-for-all group has ``max_restarts=0``: when one of
it dies, the supervisor alone ends the rest and creates all of it anew. All actors are detached, so the death
of the supervisor takes nobody with it; restarted, it finds its children by name. Coordinators watch their own
agents and report here.

In replay nothing of this enters a decision: a missing agent is waited for. Beyond the restart budget the
supervisor stops restarting and says so (`AgentGaveUp`). The host then makes that fact an input of the run, on
which the risk coordinator trips its breaker, or, if nothing could be sold without that agent, halts the run with
its state saved.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError

from actors.domain.errors import FleetUnavailableError, SupervisionError
from actors.domain.events.system import (
    AgentGaveUp,
    AgentRestarted,
    AgentStarted,
)
from actors.runtime import names
from actors.runtime.build import RunSettings
from actors.runtime.bus import EventBus
from actors.runtime.coordinator_shell import CoordinatorShell
from actors.runtime.directory import (
    DEGRADED,
    FAULTED,
    INITIALIZED,
    RUNNING,
    AgentRegistry,
)
from actors.runtime.graph import AgentSpec
from actors.runtime.journal_shell import JournalShell
from actors.runtime.knowledge import TOPICS, KnowledgeRepository
from actors.runtime.roster import Roster
from actors.runtime.shell import AgentShell, reconstructed
from actors.runtime.supervision import SupervisionPolicy
from actors.runtime.telemetry import SupervisorMetrics


def _shell_of(spec: AgentSpec) -> type[AgentShell]:
    if spec.name == names.JOURNAL:
        return JournalShell
    return CoordinatorShell if spec.kind.startswith("coordinator:") else AgentShell


class Supervisor:
    """Asyncio actor; there is one per run."""

    def __init__(
        self,
        specs: Sequence[AgentSpec],
        run: RunSettings,
        policy: SupervisionPolicy,
        *,
        resume_step: int | None = None,
        keep_steps: int = 0,
        without: Sequence[str] = (),
    ) -> None:
        self._specs = {s.name: s for s in specs}
        self._run, self._policy = run, policy
        self._resume, self._keep = resume_step, keep_steps
        self._space = names.namespace(run.run_id)
        self._handles: dict[str, Any] = {}
        self._roster = Roster(self._specs, self._handles)
        self._seen: dict[str, str] = {}
        self._restarts: dict[str, deque[float]] = {s.name: deque() for s in specs}
        self._counts: Counter[str] = Counter()
        self._given_up: list[str] = []
        self._without = set(without)
        self._missed: Counter[str] = Counter()
        self._starting: dict[str, float] = {}
        self._watcher: asyncio.Task[None] | None = None
        self._lease = time.monotonic()
        self._asking = 0
        self._metrics = SupervisorMetrics()
        self._group_lock = asyncio.Lock()
        self._groups_made = 0
        self._created = reconstructed()

    # -- start --------------------------------------------------------------------------------------------

    async def start(self) -> dict[str, Any]:
        """Create the platform and all agents, critical ones first; return their handles.

        After a restart of the supervisor itself the children are found by name.
        """
        mailbox = {"mailbox": self._policy.mailbox}
        for name, cls, options in (
            (names.REGISTRY, AgentRegistry, {}),
            (names.BUS, EventBus, mailbox),
            (names.KNOWLEDGE, KnowledgeRepository, {}),
        ):
            self._handles[name] = self._create_platform(name, cls, options)
        for spec in sorted(self._members(), key=lambda s: s.tier):
            self._adopt(spec) or self._create(spec, recover=self._created)
        await self._handles[names.BUS].ready.remote()
        await self._connect_knowledge()
        if self._watcher is None:
            self._watcher = asyncio.ensure_future(self._watch())
        self._created = True
        self._lease = time.monotonic()
        return dict(self._handles)

    async def _connect_knowledge(self) -> None:
        """Let the shared repository hear the bus, and write down what holds for the whole run."""
        knowledge = self._handles[names.KNOWLEDGE]
        await self._handles[names.BUS].subscribe.remote(names.KNOWLEDGE, knowledge, list(TOPICS))
        for spec in self._specs.values():
            limits = {k: spec.params[k] for k in ("rules", "breakers") if k in spec.params}
            if limits:
                await knowledge.put.remote(spec.name, "limits", 0, limits)

    def _members(self) -> list[AgentSpec]:
        """The agents that the fleet has not been told to go on without."""
        return [s for s in self._specs.values() if s.name not in self._without]

    def _create_platform(self, name: str, cls: type[Any], options: dict[str, Any]) -> Any:
        return ray.remote(cls).options(
            name=name, namespace=self._space, lifetime="detached", get_if_exists=True, num_cpus=0,
            max_restarts=-1, max_task_retries=-1 if name == names.REGISTRY else 0,
        ).remote(**options)  # fmt: skip

    def _create(self, spec: AgentSpec, *, recover: bool) -> Any:
        grouped = bool(spec.group)
        self._starting[spec.name] = time.monotonic() + self._policy.start_deadline_s
        handle = ray.remote(_shell_of(spec)).options(
            name=spec.name, namespace=self._space, lifetime="detached", num_cpus=0,
            max_restarts=0 if grouped else -1, max_task_retries=0,
        ).remote(
            spec, self._run, resume_step=self._resume, recover=recover, keep_steps=self._keep,
            **self._shell_extras(spec),
        )  # fmt: skip
        self._handles[spec.name] = handle
        self._roster.state(spec.name, INITIALIZED)
        return handle

    def _shell_extras(self, spec: AgentSpec) -> dict[str, Any]:
        if not spec.kind.startswith("coordinator:"):
            return {}
        return {
            "children": [s.name for s in self._members() if s.parent == spec.name],
            "heartbeat_s": self._policy.heartbeat_s,
            "misses": self._policy.misses,
        }

    def _adopt(self, spec: AgentSpec) -> bool:
        if not self._created:
            return False
        with contextlib.suppress(ValueError):
            self._handles[spec.name] = ray.get_actor(spec.name, namespace=self._space)
            return True
        return False

    # -- health -------------------------------------------------------------------------------------------

    async def ensure(self, deadline_s: float, without: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
        """Wait until every agent answers; restart what has to be; return status rows with handles.

        `without` names agents that the run goes on without; they are not asked for and not started again.

        Raises
        ------
        SupervisionError
            If an agent is given up or does not come back in time.
        """
        self._without.update(without)
        self._asking += 1  # whoever waits for the answer is alive until the deadline
        try:
            if not self._handles:
                await self.start()
            end = time.monotonic() + deadline_s
            while True:
                groups = self._groups_made
                rows = await asyncio.gather(*(self._until_up(s.name, end) for s in self._members()))
                if groups == self._groups_made:
                    break  # else some answers are of processes that were ended since, with the rest of their group
        finally:
            self._asking -= 1
            self._lease = time.monotonic()
        return {row["name"]: {**row, "handle": self._handles[row["name"]]} for row in rows}

    async def _until_up(self, name: str, end: float) -> dict[str, Any]:
        reason = "no answer"
        while time.monotonic() < end:
            if name in self._given_up:
                raise FleetUnavailableError(
                    "AGENT_GAVE_UP",
                    f"agent {name}: expected at most {self._policy.restart_budget} restarts in "
                    f"{self._policy.restart_window_s:g} s, found more; read its log, then resume the run",
                    agent=name,
                    restarts=len(self._restarts[name]),
                    window_s=self._policy.restart_window_s,
                )
            row, reason = await self._ask(name, 20.0)
            if name in self._given_up:
                continue  # this very answer was of one restart too many
            if row is not None:
                return row
            await asyncio.sleep(0.05)
        raise FleetUnavailableError(
            "AGENT_MISSING",
            f"agent {name}: expected an answer before the deadline, found: {reason}",
            agent=name,
        )

    async def _ask(self, name: str, timeout_s: float) -> tuple[dict[str, Any] | None, str]:
        try:
            row = await asyncio.wait_for(self._handles[name].status.remote(), timeout_s)
        except TimeoutError:
            return None, "timed out"
        except RayActorError as e:
            text = str(e)
            if "creation task" in text:
                # a constructor that raises is not restarted: the same arguments would fail again
                cause = [line for line in text.splitlines() if line.strip()][-1].strip()
                raise SupervisionError(
                    "AGENT_START", f"agent {name}: expected its process to start, found: {cause}", agent=name
                ) from e
            self._roster.fails(name, text.splitlines()[0])
            await self._died(name)
            return None, text.splitlines()[0]
        await self._note(name, row)
        return row, ""

    async def _note(self, name: str, row: dict[str, Any]) -> None:
        """Count a new incarnation and put it into the registry."""
        if self._seen.get(name) == row["incarnation"]:
            return
        first = name not in self._seen and not row["restarted"]
        self._seen[name] = row["incarnation"]
        self._starting.pop(name, None)
        known = {k: row[k] for k in ("kind", "pid", "node", "incarnation")}
        self._roster.state(name, RUNNING, **known)
        self._roster.announce_kernels(row)
        now = time.time_ns()
        lost_ms = self._roster.back(name)
        if first:
            event: Any = AgentStarted(
                ts_event_ns=now, source=names.SUPERVISOR, agent=name, pid=row["pid"], incarnation=1
            )
        else:
            self._counts[name] += 1
            self._metrics.restarted(name)
            event = AgentRestarted(
                ts_event_ns=now, source=names.SUPERVISOR, agent=name, pid=row["pid"],
                incarnation=self._counts[name] + 1, snapshot_step=row["restored_step"], recovery_ms=lost_ms,
            )  # fmt: skip
            self._spend(name)
        self._roster.say(event)

    def _spend(self, name: str) -> None:
        window = self._restarts[name]
        now = time.monotonic()
        window.append(now)
        while window and window[0] < now - self._policy.restart_window_s:
            window.popleft()
        if len(window) > self._policy.restart_budget and name not in self._given_up:
            self._given_up.append(name)
            ray.kill(self._handles[name], no_restart=True)
            self._roster.state(name, FAULTED)
            self._roster.say(
                AgentGaveUp(
                    ts_event_ns=time.time_ns(), source=names.SUPERVISOR, agent=name, restarts=len(window),
                    window_s=self._policy.restart_window_s,
                )
            )  # fmt: skip

    async def _died(self, name: str) -> None:
        """A leaf comes back by itself; a group is ended and created anew, once."""
        spec = self._specs[name]
        if not spec.group:
            return
        async with self._group_lock:
            try:  # another waiter may have restarted the group meanwhile
                await asyncio.wait_for(self._handles[name].status.remote(), 20.0)
                return
            except (RayActorError, TimeoutError):
                pass
            await asyncio.sleep(self._policy.pause_s(len(self._restarts[name])))
            members = [s for s in self._members() if s.group == spec.group]
            for member in members:
                with contextlib.suppress(RayError, ValueError):
                    ray.kill(self._handles[member.name], no_restart=True)
            for member in members:
                await self._recreate(member)
            self._groups_made += 1

    async def _recreate(self, spec: AgentSpec) -> None:
        # the name of a killed actor is free only a moment later
        for _ in range(400):
            try:
                self._create(spec, recover=True)
                return
            except ValueError:
                await asyncio.sleep(0.025)
        raise FleetUnavailableError("NAME_TAKEN", f"agent {spec.name}: its name was not released within 10 s")

    async def restart(self, name: str, reason: str) -> None:
        """A coordinator's wish: end a hung agent; Ray (or the group rule) brings it back."""
        if time.monotonic() >= self._starting.get(name, 0.0):
            self._missed.pop(name, None)
            self._roster.fails(name, reason)
            self._starting[name] = time.monotonic() + self._policy.start_deadline_s
            ray.kill(self._handles[name], no_restart=bool(self._specs[name].group))

    async def renew(self) -> None:
        """A sign of life from the driver."""
        self._lease = time.monotonic()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._policy.heartbeat_s)
            if (
                self._policy.lease_s
                and not self._asking
                and time.monotonic() - self._lease > self._policy.lease_s
            ):
                await self.stop()
                return
            await self._roster.refill(self._policy.heartbeat_s)
            await self._reconnect_knowledge()
            watched = [s.name for s in self._members() if not s.parent]
            asked = (self._ask(n, self._policy.heartbeat_s) for n in watched)
            answers = await asyncio.gather(*asked, return_exceptions=True)
            for name, answer in zip(watched, answers, strict=True):
                if isinstance(answer, BaseException):
                    continue  # whoever asks for the fleet hears it
                row, why = answer
                if row is not None or why != "timed out" or time.monotonic() < self._starting.get(name, 0.0):
                    if self._missed.pop(name, 0) and row is not None:
                        self._roster.state(name, RUNNING)
                    continue
                self._missed[name] += 1
                self._roster.state(name, DEGRADED)
                if self._missed[name] >= self._policy.misses:
                    await self.restart(name, "no heartbeat")

    async def _reconnect_knowledge(self) -> None:
        """A bus that was restarted has no subscribers, a repository that was restarted has no facts."""
        with contextlib.suppress(RayError, TimeoutError):
            wait = self._policy.heartbeat_s
            stats = await asyncio.wait_for(self._handles[names.BUS].stats.remote(), wait)
            version = await asyncio.wait_for(self._handles[names.KNOWLEDGE].version.remote(), wait)
            if names.KNOWLEDGE not in stats["subscribers"] or version == 0:
                await asyncio.wait_for(self._connect_knowledge(), wait)

    async def report(self) -> dict[str, Any]:
        """Return restarts by agent, who was given up, and who has never answered."""
        return {
            "restarts": dict(self._counts),
            "given_up": list(self._given_up),
            "silent": [s.name for s in self._members() if s.name not in self._seen],
        }

    async def whoami(self) -> dict[str, Any]:
        """Return this process."""
        import os

        return {"name": names.SUPERVISOR, "kind": "supervisor", "pid": os.getpid()}

    async def stop(self) -> None:
        """End every child; the caller ends the supervisor."""
        if self._watcher is not None and self._watcher is not asyncio.current_task():
            self._watcher.cancel()
        for name in (*self._specs, *names.PLATFORM):
            with contextlib.suppress(RayError, ValueError, KeyError):
                ray.kill(self._handles[name], no_restart=True)
        if self._watcher is asyncio.current_task():
            ray.actor.exit_actor()
