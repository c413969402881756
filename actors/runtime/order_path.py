"""The order path: step by step where something happens, many steps at once where nothing does.

Step k + 1 of the order path needs what left it in step k: orders reach the venue one step later. Sent one by
one, every step costs a chain of calls from process to process, although in most steps nobody sends an order.
So the path is tried for several steps at once, as if nothing were fed back. Who then reads the replies knows
the first step in which something was, if any: up to there all inputs were complete, so these steps stand; what
was computed behind it is taken back. Agents keep their state of before a trial and go back to it when the next
call begins earlier than they stand.

Nothing acts on a step that may be taken back. An agent whose effects no snapshot undoes (the journal: it makes
order intents durable before the venue sees them) is never part of a trial: it is called with the steps that
stand. Nor is code of the user's own: a class of another's may keep what its snapshot does not hold. Where such
an agent or component sits on the order path, every step is a step by itself. What a step *is* does not depend
on how many were tried with it, so decisions are those of the local host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ray
from ray.exceptions import RayTaskError

from actors.domain.events.base import Event
from actors.domain.processor import Agent
from actors.domain.registry import foreign_kinds
from actors.runtime.build import agent_class
from actors.runtime.call_book import CallBook
from actors.runtime.calls import LOST, Call, root_of
from actors.runtime.graph import AgentSpec, FleetGraph
from actors.runtime.slices import Slice
from actors.runtime.wire import Kept, decode_block

FIRST = 16
"""Steps of a trial after one that did not stand as a whole."""
_IN_VAIN = 3


class Stride:
    """How many steps to take next.

    Trials double while they stand. Even one that stands for three steps costs half of what the steps cost by
    themselves (each takes a snapshot of who is tried: 0.4 ms in a young account, 3.5 ms after 500 orders); so plain
    steps, which need nobody to read replies in between, come only after three trials of which a single step stood
    each, and more of them the longer that goes on.

    Examples
    --------
    >>> stride = Stride(32)
    >>> stride.next(99)
    (16, True)
    >>> stride.report(16, 16)
    >>> stride.next(99), stride.next(20), stride.next(1)
    ((32, True), (20, True), (1, False))
    >>> for _ in range(3):
    ...     stride.report(1, 32)
    >>> stride.next(99), stride.next(99)
    ((2, False), (16, True))
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._trial = min(FIRST, longest)
        self._plain = self._in_vain = 0

    def next(self, room: int) -> tuple[int, bool]:
        """Return how many of `room` steps to take, and whether on trial."""
        if self._longest < 2 or room < 2:
            self._plain = max(0, self._plain - room)
            return room, False
        if self._plain:
            count = min(self._plain, room)
            self._plain -= count
            return count, False
        return min(self._trial, room), True

    def report(self, stood: int, tried: int) -> None:
        """Learn how a trial went."""
        if stood == tried:
            self._in_vain = 0
            self._trial = min(max(self._trial, 2 * tried), self._longest)
            return
        self._trial = min(FIRST, self._longest)
        self._in_vain = self._in_vain + 1 if stood == 1 else 0
        if self._in_vain >= _IN_VAIN:
            self._plain = min(2 << min(self._in_vain - _IN_VAIN, 10), self._longest)


@dataclass(frozen=True)
class _Edge:
    """What ends a trial: one of `types` said by `source`; `delay` steps later it would be heard."""

    source: str
    types: frozenset[type[Event]]
    delay: int


class Feedback:
    """What of the order path can be tried, and which of its words would have changed what was tried.

    Parameters
    ----------
    graph : FleetGraph
    loop : sequence of AgentSpec
        The order path in its order of computation.
    class_of : callable (spec) → class, optional

    Attributes
    ----------
    tried : list of AgentSpec
        Take part in trials.
    held : list of AgentSpec
        Are called with the steps that stand: within a step nobody waits for them.
    refuses : list of str
        Agents that would have to be tried and must not be; nothing is tried then.
    """

    def __init__(
        self,
        graph: FleetGraph,
        loop: Sequence[AgentSpec],
        class_of: Callable[[AgentSpec], type[Agent]] = agent_class,
    ) -> None:
        classes = {s.name: class_of(s) for s in loop}
        waited_for = {e.source for s in loop for e in s.inputs if e.delay == 0}
        self.held = [s for s in loop if s.name not in waited_for and all(e.delay == 0 for e in s.inputs)]
        held = {s.name for s in self.held}
        self.tried = [s for s in loop if s.name not in held]
        self.refuses = [s.name for s in self.tried if not _can_take_back(s, classes[s.name])]
        inputs = {s.name: s.inputs for s in self.held}
        self._edges: list[_Edge] = []
        for s in self.tried:
            for e in s.inputs:
                if e.delay == 0 or e.source not in classes:
                    continue
                if e.source in held:
                    speaker = classes[e.source]
                    wakes = speaker.consumes if speaker.speaks_on is None else speaker.speaks_on
                    self._edges += [_Edge(i.source, frozenset(wakes), e.delay) for i in inputs[e.source]]
                elif graph.index[e.source] >= graph.index[s.name]:
                    self._edges.append(_Edge(e.source, frozenset(classes[s.name].consumes), e.delay))
        self.sources = tuple(dict.fromkeys(e.source for e in self._edges))

    def stands(self, steps: int, said: Callable[[str], Sequence[Sequence[Event]]]) -> int:
        """Return how many of the steps tried stand.

        Parameters
        ----------
        steps : int
            How many were tried and answered.
        said : callable (agent) → events of each of these steps
        """
        stood = steps
        for edge in self._edges:
            for offset, events in enumerate(said(edge.source)[:stood]):
                if events and any(type(e) in edge.types for e in events):
                    stood = min(stood, offset + edge.delay)
                    break
        return stood


def _can_take_back(spec: AgentSpec, cls: type[Agent]) -> bool:
    return bool(vars(cls).get("can_take_back", False)) and not foreign_kinds(spec.params)


class OrderPath:
    """Sends the calls of the order path.

    Parameters
    ----------
    graph : FleetGraph
    loop : sequence of AgentSpec
        In their order of computation.
    book : CallBook
    submit : callable (call, slices)
        Sends and books a call.
    recover : callable (error)
        Brings the fleet back after a loss, drops what was on trial, or raises.
    announce : callable (step)
        Hears each step once, before or while it is first computed.
    longest : int
        Most steps of a trial; 1 takes plain steps only.
    """

    def __init__(
        self,
        graph: FleetGraph,
        loop: Sequence[AgentSpec],
        book: CallBook,
        *,
        submit: Callable[[Call, Sequence[Slice]], None],
        recover: Callable[[BaseException], None],
        announce: Callable[[int], None],
        longest: int,
    ) -> None:
        self._loop, self._book = list(loop), book
        self._submit, self._recover, self._announce = submit, recover, announce
        self.feedback = Feedback(graph, loop) if longest > 1 else None
        possible = self.feedback is not None and bool(self.feedback.tried) and not self.feedback.refuses
        self.stride = Stride(longest if possible else 1)
        self._announced = -1
        self.kept: Kept | None = None
        """The last trial that has ended; every call tells it to agents that may hold it."""
        self.untold = False
        """True until a call of each agent has told it."""
        self.trials = self.broken = 0
        """Trials so far, and those that did not stand as a whole."""

    @property
    def tried(self) -> list[str]:
        """Agents that may hold steps on trial."""
        return [s.name for s in self.feedback.tried] if self.feedback is not None else []

    def run(self, block: Sequence[Slice]) -> None:
        """Compute consecutive steps; what was submitted last may still be under way."""
        at = 0
        while at < len(block):
            count, on_trial = self.stride.next(len(block) - at)
            part = block[at : at + count]
            if on_trial:
                count = self._try(part)
            else:
                self.untold = False
                for item in part:
                    self._tell([item])
                    for spec in self._loop:
                        self._submit(self._book.plan(spec.name, item.step, 1), [item])
            at += count

    def _try(self, part: Sequence[Slice]) -> int:
        """Try steps; return how many stand, at least one."""
        assert self.feedback is not None
        first, count = part[0].step, len(part)
        answers = self._answered(part)
        # an agent that could not go on says less: whether it was led astray shows when it stands there again
        steps = min(len(answer) for answer in answers.values())
        stood = self.feedback.stands(steps, answers.__getitem__)
        self._book.keep_trial(stood)
        self.kept, self.untold = (first, stood), True
        for spec in self.feedback.held:
            self._submit(self._book.plan(spec.name, first, stood), part[:stood])
        self.trials += 1
        self.broken += stood < count
        self.stride.report(stood, count)
        return stood

    def _answered(self, part: Sequence[Slice]) -> dict[str, list[list[Event]]]:
        """Return what was said on trial, by agent, recovering as often as needed."""
        assert self.feedback is not None
        first, count = part[0].step, len(part)
        while True:
            self._book.begin_trial()
            calls: list[Call] = []
            try:
                for spec in self.feedback.tried:
                    call = self._book.plan(spec.name, first, count)
                    call.trial = True
                    self._submit(call, part)
                    calls.append(call)
                self._tell(part)
                replies = ray.get([c.ref for c in calls])
                said = {n: self._said(n, first, count) for n in self.feedback.sources if n not in self.tried}
            except LOST as e:
                self._recover(e)
                continue
            except RayTaskError as e:
                self._recover(root_of(e))
                continue
            for call, reply in zip(calls, replies, strict=True):
                call.reply = reply
                said[call.agent] = decode_block(reply)
            return said

    def _said(self, name: str, first: int, count: int) -> list[list[Event]]:
        """Return what an agent that runs ahead said in consecutive steps."""
        said: list[list[Event]] = [[] for _ in range(count)]
        for call in self._book.since(name, first):
            payload = call.reply if call.reply is not None else ray.get(call.ref)
            for offset, events in enumerate(decode_block(payload), call.first - first):
                if 0 <= offset < count:
                    said[offset] = events
        return said

    def _tell(self, part: Sequence[Slice]) -> None:
        for item in part:
            if item.step > self._announced:
                self._announced = item.step
                self._announce(item.step)
