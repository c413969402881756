"""The local host: the whole fleet in one process, one logical-time queue.

The queue is a calendar: per step one slot for each agent, in the order of the graph, holding what was said to
it. Popping it in order ``(step, position)`` is the priority queue of logical time; inside an inbox the more
urgent event comes first. An agent whose slot is empty does not run. This is the referee of the Ray host: both
compute the same law.

Agents that read no fills may take a block of steps at once, as on the Ray host: nobody can tell the difference
(feedback among them is at least a block long), and an agent that finds its code and data still in the cache
needs about half the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import attrgetter, itemgetter
from typing import Any

from actors.domain.events.base import Event
from actors.domain.fitting import FitRunner, InlineFits
from actors.domain.processor import Agent, Step
from actors.runtime.build import RunSettings, build_agent
from actors.runtime.graph import FEED, FleetGraph
from actors.runtime.slices import Slice

_priority = attrgetter("priority")
_when_and_who = itemgetter(0, 1)
Outputs = list[tuple[str, Sequence[Event]]]
Routes = dict[type[Event], list[int]]
"""By event type: destinations in this step."""
Delayed = dict[type[Event], list[tuple[int, int]]]
"""By event type: (destination, delay) in later steps; empty for most agents."""
Posted = tuple[int, int, Event]
Boxes = list[list[Event]]
Row = tuple[int, int, bool, Boxes, Outputs]
"""A step as all its agents see it: number, time, warm-up, inboxes by position, what was said."""
Plan = list[tuple[int, str, Agent, Routes, Delayed, bool, bool]]


class TimedFits(InlineFits):
    """Inline fits that add up their own wall and CPU time, so that refits can be counted apart."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self.count = 0

    def submit(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Compute now and count the time."""
        t0, c0 = time.perf_counter(), time.process_time()
        super().submit(key, fn, args)
        self.seconds += time.perf_counter() - t0
        self.cpu_seconds += time.process_time() - c0
        self.count += 1


class LocalHost:
    """Computes a fleet step after step.

    Parameters
    ----------
    graph : FleetGraph
    run : RunSettings
    fits : FitRunner, optional
        Inline by default.
    profile : bool
        Measure the CPU time inside each agent (`agent_seconds`).
    missing_from : mapping agent → step
        Agents that a run on the other host had to go on without, and the first step each of them missed.
    """

    def __init__(
        self,
        graph: FleetGraph,
        run: RunSettings,
        fits: FitRunner | None = None,
        *,
        profile: bool = False,
        missing_from: Mapping[str, int] | None = None,
    ) -> None:
        self.graph = graph
        self.run = run
        self.fits = fits if fits is not None else TimedFits()
        self.agents: list[Agent] = [build_agent(s, run, self.fits) for s in graph.specs]
        self.agent_seconds = [0.0] * len(self.agents) if profile else None
        self._routes: list[Routes] = [{} for _ in graph.specs]
        self._delayed: list[Delayed] = [{} for _ in graph.specs]
        self._feed: dict[type[Event], list[int]] = {}
        for dst, spec in enumerate(graph.specs):
            for edge in spec.inputs:
                for cls in self.agents[dst].consumes:
                    if edge.source == FEED:
                        self._feed.setdefault(cls, []).append(dst)
                        continue
                    source = graph.index[edge.source]
                    if edge.delay == 0:
                        self._routes[source].setdefault(cls, []).append(dst)
                    else:
                        self._delayed[source].setdefault(cls, []).append((dst, edge.delay))
        # an agent that hears one priority only needs no sorting
        self._sorted = [len({c.priority for c in a.consumes}) > 1 for a in self.agents]
        # and one that hears nothing late need not ask the calendar
        self._late = [any(edge.delay for edge in spec.inputs) for spec in graph.specs]
        self._size = len(graph.specs)
        self._missing_from = {graph.index[name]: step for name, step in (missing_from or {}).items()}
        # step → position → what was said to it in earlier steps: (step said, position of who said it, event)
        self._calendar: dict[int, dict[int, list[Posted]]] = {}

    def step(self, item: Slice) -> Outputs:
        """Compute one step; return ``(agent, events)`` of the agents that ran, in order."""
        return self.block((item,))[0]

    def block(self, items: Sequence[Slice]) -> list[Outputs]:
        """Compute consecutive steps; return the outputs of each. Any cut into blocks gives the same."""
        width = self.graph.max_block
        if len(items) > width:
            return [out for k in range(0, len(items), width) for out in self.block(items[k : k + width])]
        said: list[Outputs] = [[] for _ in items]
        rows: list[Row] = []
        for item, out in zip(items, said, strict=True):
            boxes: Boxes = [[] for _ in range(self._size)]
            for bar in item.events:
                for dst in self._feed.get(type(bar), ()):
                    boxes[dst].append(bar)
            rows.append((item.step, item.ts_event_ns, item.warmup, boxes, out))
        ahead, rest = self._plan
        self._compute(ahead, rows)
        rows.reverse()
        while rows:
            row = rows.pop()  # its inboxes go while they are still in the cache
            self._compute(rest, (row,))
            self._calendar.pop(row[0], None)
        return said

    def _compute(self, plan: Plan, rows: Sequence[Row]) -> None:
        """Let each agent of `plan` in turn take all steps of `rows`."""
        calendar, seconds, missing = self._calendar, self.agent_seconds, self._missing_from
        for position, name, agent, routes, delayed, sort, late in plan:
            process = agent.process
            if position in missing:
                first = missing[position]
                taken: Sequence[Row] = [row for row in rows if row[0] < first]
            else:
                taken = rows
            started = 0.0 if seconds is None else time.process_time()
            for number, ts_ns, warmup, boxes, out in taken:
                inbox = boxes[position]
                if late and number in calendar:
                    inbox = self._with_posted(number, position, inbox)
                if not inbox:
                    continue
                if sort and len(inbox) > 1:
                    inbox.sort(key=_priority)
                events = process(Step(number, ts_ns, tuple(inbox), warmup))
                out.append((name, events))
                for event in events:
                    for dst in routes.get(type(event), ()):
                        boxes[dst].append(event)
                if delayed:
                    for event in events:
                        for dst, delay in delayed.get(type(event), ()):
                            self._post(number + delay, dst, (number, position, event))
            if seconds is not None:
                seconds[position] += time.process_time() - started

    @cached_property
    def _plan(self) -> tuple[Plan, Plan]:
        """The agents that come before the first one that reads fills, and the rest."""
        columns = (
            self.graph.names, self.agents, self._routes, self._delayed, self._sorted, self._late,
        )  # fmt: skip
        plan = [(i, *row) for i, row in enumerate(zip(*columns, strict=True))]
        first = next((i for i, spec in enumerate(self.graph.specs) if spec.loop), len(plan))
        return plan[:first], plan[first:]

    def _post(self, step: int, dst: int, posted: Posted) -> None:
        self._calendar.setdefault(step, {}).setdefault(dst, []).append(posted)

    def _with_posted(self, step: int, dst: int, inbox: list[Event]) -> list[Event]:
        """Return an inbox with what was said in earlier steps in front: longest ago first, then by place."""
        posted = self._calendar[step].pop(dst, None)
        if posted is None:
            return inbox
        posted.sort(key=_when_and_who)
        return [event for _, _, event in posted] + inbox

    def snapshot(self) -> dict[str, bytes]:
        """Return each agent's state (tests and resume of local runs)."""
        return {s.name: a.snapshot() for s, a in zip(self.graph.specs, self.agents, strict=True)}

    def pending(self) -> list[tuple[int, int, list[Event]]]:
        """Return undelivered feedback: ``(step, position, events)``."""
        return [
            (step, dst, [event for _, _, event in sorted(boxes[dst], key=_when_and_who)])
            for step, boxes in sorted(self._calendar.items())
            for dst in sorted(boxes)
        ]

    def restore(self, states: dict[str, bytes], pending: Iterable[tuple[int, int, list[Event]]] = ()) -> None:
        """Load states and undelivered feedback."""
        for spec, agent in zip(self.graph.specs, self.agents, strict=True):
            agent.restore(states[spec.name])
        self._calendar = {}
        for step, dst, events in pending:
            for place, event in enumerate(events):
                # older than anything that is still to be said, and in the order it was saved in
                self._post(step, dst, (-1, place, event))
