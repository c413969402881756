"""The conductor: turns the graph into calls, block by block, and keeps what a restart needs.

Data goes from handle to handle: a call's arguments are the object references of its upstreams' replies, so Ray
starts it the moment they exist. Agents that read no fills run one block ahead of the order path, and the order
path itself takes many steps at once while nobody sends an order (`actors.runtime.order_path`). Measured
alternatives (actors awaiting actors, everything through the bus) cost 20-75 % more latency; compiled graphs are
faster but busy-wait and die as a whole.

Recovery: calls since the last complete snapshot are kept. When replies are lost with a process, the conductor
lets everything in flight settle, asks the supervisor until every agent answers, and repeats exactly the calls
that have no good reply, plus, for an agent that came back from its snapshot, the calls since then. Agents
answer repeated steps from memory, so nothing happens twice; the repeated replies are compared with the first
ones, and a difference stops the run.

An agent that only advises and is given up by the supervisor ends nothing: that it is missing, and since which
step, becomes an input of the next block, journalled like any other, on which the risk coordinator trips its
breaker. The same input log gives the same decisions on either host.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayTaskError

from actors.domain.errors import AgentError, FleetUnavailableError, SupervisionError
from actors.domain.events.base import Event
from actors.domain.events.system import AgentGaveUp
from actors.runtime import names
from actors.runtime.call_book import CallBook
from actors.runtime.calls import LOST, Call, is_lost, root_of, settle
from actors.runtime.graph import FEED, FleetGraph
from actors.runtime.order_path import OrderPath
from actors.runtime.slices import Slice, SliceFeed
from actors.runtime.wire import decode_block, encode_block, encode_head

Outputs = list[tuple[str, Sequence[Event]]]


class Conductor:
    """Runs a fleet of Ray actors over a feed.

    Parameters
    ----------
    graph : FleetGraph
    feed : SliceFeed
    supervisor : actor handle
    handles : dict name → actor handle
    block_steps : int
        Steps per call of agents that run ahead, and most steps that the order path takes at once; at most the
        shortest feedback among the former. 1 computes every step by itself.
    snapshot_every_steps : int
        Multiple of `block_steps`; 0 takes none.
    on_step : callable (slice, outputs)
        Hears each finished step in order.
    on_submit : callable (step), optional
        Hears each step once, before or while its order path is first computed (chaos strikes here).
    on_saved : callable (step), optional
        Hears when all agents hold the snapshot of `step`.
    may_lose : collection of str
        Agents that the run may go on without; the loss of any other ends it with its state saved.
    """

    def __init__(
        self,
        graph: FleetGraph,
        feed: SliceFeed,
        supervisor: Any,
        handles: dict[str, Any],
        *,
        block_steps: int,
        snapshot_every_steps: int,
        on_step: Callable[[Slice, Outputs], None],
        on_submit: Callable[[int], None] | None = None,
        on_saved: Callable[[int], None] | None = None,
        on_recovered: Callable[[dict[str, dict[str, Any]], float], None] | None = None,
        recovery_deadline_s: float = 180.0,
        may_lose: Collection[str] = (),
    ) -> None:
        self.graph, self.feed = graph, feed
        self.supervisor, self.handles = supervisor, handles
        self.block = min(block_steps, graph.max_block)
        self.every = (
            max(1, round(snapshot_every_steps / self.block)) * self.block if snapshot_every_steps else 0
        )
        self._on_step, self._on_saved = on_step, on_saved
        self._handed_on = 0
        self._on_recovered = on_recovered
        self._deadline = recovery_deadline_s
        self._ahead = [s for s in graph.specs if not s.loop]
        heard = {e.source for s in graph.specs for e in s.inputs}
        self._loop = [s for s in graph.specs if s.loop and s.name in heard]
        # what reads fills but is heard by nobody keeps nobody waiting: it follows in blocks
        self._behind = [s for s in graph.specs if s.loop and s.name not in heard]
        self._has_journal = "journal" in graph.index
        self._book = CallBook(graph)
        self.path = OrderPath(
            graph, self._loop, self._book, submit=self._submit, recover=self._recover,
            announce=on_submit or (lambda step: None), longest=self.block,
        )  # fmt: skip
        self._incarnations: dict[str, str] = {}
        self.pids: dict[str, int] = {}
        """Process of each agent as of the last recovery."""
        self._verify: list[tuple[Call, bytes]] = []
        self._saving: dict[int, list[Call]] = {}
        self.recoveries = 0
        self._idle_recoveries = 0
        self._may_lose = frozenset(may_lose)
        self._missing = feed.missing_from()
        """Agents that were given up, and the first step of each that is missing."""
        self._fed = self._stop = 0
        """First step whose inputs have not been handed out, and the end of the run."""

    # -- the run ------------------------------------------------------------------------------------------

    def resume(self, step: int, kept: dict[str, list[tuple[int, int, bytes]]]) -> None:
        """Start behind `step`: `kept` are the blocks that feedback still needs, by agent."""
        self._book.resume(
            step,
            {
                agent: [Call(agent, n, count, ref=ray.put(data), reply=data) for n, count, data in blocks]
                for agent, blocks in kept.items()
            },
        )

    def run(self, begin: int = 0, end: int | None = None) -> None:
        """Compute steps ``begin <= step < end``; `begin` is on a block boundary."""
        stop = len(self.feed) if end is None else min(end, len(self.feed))
        self._fed, self._stop = begin, stop
        self._note(self._ensure())
        blocks = [(k, min(k + self.block, stop)) for k in range(begin, stop, self.block)]
        slices: dict[int, list[Slice]] = {}
        for number in range(len(blocks) + 1):
            if number < len(blocks):
                slices[number] = self._run_ahead(*blocks[number])
            if number > 0:
                first, last = blocks[number - 1]
                self._order_path(slices[number - 1])
                if self.every and last % self.every == 0:
                    self._save(last - 1, [*self._loop, *self._behind])
                self._collect(slices.pop(number - 1), first, last)
        self._finish_saves(wait=True)
        self._confirm()

    def _run_ahead(self, begin: int, end: int) -> list[Slice]:
        block = self.feed.block(begin, end)
        self._fed = end
        inputs = Call(FEED, begin, end - begin, payload=encode_block([s.events for s in block]))
        self._submit(inputs, block)
        for spec in self._ahead:
            count = min(end, self._missing.get(spec.name, end)) - begin
            if count > 0:
                self._submit(self._book.plan(spec.name, begin, count), block)
        if self.every and end % self.every == 0:
            self._save(end - 1, self._ahead)
        return block

    def _order_path(self, block: list[Slice]) -> None:
        self.path.run(block)
        for spec in self._behind:
            self._submit(self._book.plan(spec.name, block[0].step, len(block)), block)

    def _confirm(self) -> None:
        """Tell agents how much of the last trial stands; a later call would have told them."""
        if not self.path.untold:
            return
        for told in [self.handles[n].confirm.remote(self.path.kept) for n in self.path.tried]:
            try:
                ray.get(told)
            except LOST:
                continue  # who is gone holds no trial, and comes back with the next call that needs it
            except RayTaskError as e:
                raise root_of(e) from e

    # -- calls --------------------------------------------------------------------------------------------

    def _submit(self, call: Call, block: Sequence[Slice]) -> None:
        self._send(call, block)
        self._book.add(call)

    def _send(self, call: Call, block: Sequence[Slice] | None = None) -> None:
        if call.agent == FEED:
            assert call.payload is not None
            if self._has_journal:
                times = [int(t) for t in self.feed.times[call.first : call.last + 1]]
                call.ref = self.handles["journal"].commit_inputs.remote(call.first, times, call.payload)
            else:
                call.ref = ray.put(call.payload)
            return
        handle = self.handles[call.agent]
        if call.count == 0:
            call.ref = handle.save.remote(call.first, self.path.kept)
            return
        times = [int(t) for t in self.feed.times[call.first : call.last + 1]]
        warm = [k < self.feed.warmup_steps for k in range(call.first, call.last + 1)]
        feeds = [(slot, source.first, delay) for slot, source, delay in call.feeds]
        on_trial = [i for i, (_, s, _) in enumerate(call.feeds) if s.trial] if call.trial else None
        head = encode_head(call.first, times, warm, feeds, on_trial, self.path.kept)
        call.ref = handle.compute.remote(head, *[s.data() for _, s, _ in call.feeds])

    def _collect(self, block: list[Slice], begin: int, end: int) -> None:
        """Wait for a block's replies, recovering as often as needed, and hand its steps on."""
        while True:
            try:
                outputs = self._read(begin, end)
                self._check_repeated()
                self._idle_recoveries = 0
                break
            except LOST as e:
                self._recover(e)
            except RayTaskError as e:
                self._recover(root_of(e))
        for item in block:
            self._on_step(item, outputs[item.step - begin])
        self._handed_on = end
        self._finish_saves(wait=False)

    def _read(self, begin: int, end: int) -> list[Outputs]:
        calls = [
            c
            for name in self.graph.names
            for c in self._book.since(name, begin)
            if c.first < end
        ]  # fmt: skip
        missing = [c for c in calls if c.reply is None]
        for call, reply in zip(missing, ray.get([c.ref for c in missing]), strict=True):
            call.reply = reply
        out: list[Outputs] = [[] for _ in range(end - begin)]
        for call in calls:
            assert call.reply is not None
            for offset, events in enumerate(decode_block(call.reply)):
                if events and begin <= call.first + offset < end:
                    out[call.first + offset - begin].append((call.agent, events))
        return out

    # -- snapshots ----------------------------------------------------------------------------------------

    def _save(self, step: int, specs: Sequence[Any]) -> None:
        for spec in specs:
            if step >= self._missing.get(spec.name, step + 1):
                continue
            call = Call(spec.name, step, 0)
            self._submit(call, [])
            self._saving.setdefault(step, []).append(call)

    def _finish_saves(self, *, wait: bool) -> None:
        """When all agents hold a snapshot, forget what lies before it."""
        for step in sorted(self._saving):
            if not wait and step >= self._handed_on:
                # agents may be ahead of us: what lies before their snapshot is still to be handed on
                return
            calls = self._saving[step]
            present = sum(step < self._missing.get(n, step + 1) for n in self.graph.names)
            if len(calls) < present:
                continue
            while True:
                refs = [c.ref for c in calls]
                if not wait and len(ray.wait(refs, num_returns=len(refs), timeout=0)[0]) < len(refs):
                    return
                try:
                    ray.get(refs)
                    for call in calls:
                        call.reply = b""
                    break
                except LOST as e:
                    self._recover(e)
                except RayTaskError as e:
                    self._recover(root_of(e))
            del self._saving[step]
            self._forget(step)
            if self._on_saved is not None:
                self._on_saved(step)

    def _forget(self, step: int) -> None:
        self._book.forget(step)
        for name in self.graph.names:
            if name not in self._missing:
                self.handles[name].forget.remote(step)

    # -- recovery -----------------------------------------------------------------------------------------

    def _ensure(self) -> dict[str, dict[str, Any]]:
        """Ask the supervisor (which may itself be coming back) until every agent answers."""
        end = time.monotonic() + self._deadline
        while True:
            gone = [n for n, first in self._missing.items() if first <= self._fed]
            try:
                rows: dict[str, dict[str, Any]] = ray.get(
                    self.supervisor.ensure.remote(self._deadline, gone), timeout=self._deadline + 30
                )
                return rows
            except LOST as e:
                if time.monotonic() > end:
                    raise FleetUnavailableError(
                        "SUPERVISOR_MISSING",
                        f"supervisor: expected an answer within {self._deadline:g} s, found {e}",
                    ) from e
                time.sleep(0.1)
            except GetTimeoutError as e:
                raise FleetUnavailableError(
                    "SUPERVISOR_MISSING",
                    f"supervisor: expected an answer within {self._deadline:g} s, found none",
                ) from e
            except RayTaskError as e:
                root = root_of(e)
                if not isinstance(root, SupervisionError) or not self._go_on_without(root):
                    raise root from e

    def _go_on_without(self, error: SupervisionError) -> bool:
        """Take it as an input of the next block that an agent was given up; False if that cannot be.

        The steps that it has not answered stay empty. Nothing that was computed is touched, so all that has been
        decided stands.
        """
        name = str(error.context.get("agent", ""))
        if error.code != "AGENT_GAVE_UP" or name not in self._may_lose or self._fed >= self._stop:
            return False
        calls = [c for c in self._book.window if c.agent == name]
        unknown = {id(c) for c in calls if c.reply is None}
        if any(c.reply is not None and id(s) in unknown for c in self._book.window for _, s, _ in c.feeds):
            return False  # somebody acted on an answer that is lost: it cannot be called missing
        planned = self._book.end(name, self._fed)
        first = min((c.first for c in calls if c.count and c.reply is None), default=planned)
        for call in calls:
            if call.reply is None:
                call.reply = encode_block([()] * call.count) if call.count else b""
            call.ref = ray.put(call.reply)
        self._verify = [(c, v) for c, v in self._verify if c.agent != name]
        self._missing[name] = first
        self.feed.lose(
            self._fed,
            AgentGaveUp(
                ts_event_ns=int(self.feed.times[self._fed]), source=names.SUPERVISOR, agent=name,
                restarts=int(error.context["restarts"]), window_s=float(error.context["window_s"]),
                missing_from_step=first,
            ),
        )  # fmt: skip
        return True

    def _note(self, rows: dict[str, dict[str, Any]]) -> list[str]:
        """Take over handles; return the agents that are new incarnations since last time."""
        fresh = []
        for name, row in rows.items():
            self.handles[name] = row["handle"]
            if self._incarnations.get(name, row["incarnation"]) != row["incarnation"]:
                fresh.append(name)
            self._incarnations[name] = row["incarnation"]
            self.pids[name] = row["pid"]
        return fresh

    def _recover(self, cause: BaseException) -> None:
        if not is_lost(cause):
            raise cause
        started = time.monotonic()
        self.recoveries += 1
        settle(self._book.window, [v for v, _ in self._verify], self._deadline)
        self._book.drop_trial()
        rows = self._ensure()
        fresh = self._note(rows)
        self._idle_recoveries = 0 if fresh else self._idle_recoveries + 1
        if self._idle_recoveries > 3 and isinstance(cause, AgentError):
            raise cause  # nobody was restarted: it is no echo of a crash
        self._verify.clear()
        for call in self._book.window:
            if call.count == 0:
                if call.reply is None:
                    self._send(call)
                continue
            behind = call.agent in rows and call.first > rows[call.agent]["last_step"]
            if behind and call.reply is not None:
                self._verify.append((call, call.reply))
            if behind or call.reply is None:
                self._send(call)
        if self._on_recovered is not None:
            self._on_recovered({n: rows[n] for n in fresh}, time.monotonic() - started)

    def _check_repeated(self) -> None:
        """Repeated steps must give the very bytes they gave before the crash."""
        pending, self._verify = self._verify, []
        for position, (call, expected) in enumerate(pending):
            try:
                found = ray.get(call.ref)
            except (*LOST, RayTaskError):
                self._verify.extend(pending[position:])
                raise
            if found != expected:
                raise SupervisionError(
                    "REPLAY_DIVERGED",
                    f"agent {call.agent}: expected the same output for steps {call.first}..{call.last} after its "
                    "restart, found another; its state is not in its snapshot",
                )
