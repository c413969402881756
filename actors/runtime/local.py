"""The local host: the whole fleet in one process, one logical-time queue.

The queue is a calendar: per step one slot for each agent, in the order of the graph, holding what was said to
it. Popping it in order ``(step, position)`` is the priority queue of logical time; inside an inbox the more
urgent event comes first. An agent whose slot is empty does not run. This is the referee of the Ray host: both
compute the same law.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any

from actors.domain.events.base import Event
from actors.domain.fitting import FitRunner, InlineFits
from actors.domain.processor import Agent, Step
from actors.runtime.build import RunSettings, build_agent
from actors.runtime.graph import FEED, FleetGraph
from actors.runtime.slices import Slice

_priority = attrgetter("priority")
Outputs = list[tuple[str, Sequence[Event]]]
Routes = dict[type[Event], tuple[list[int], list[tuple[int, int]]]]
"""By event type: destinations in this step, and (destination, delay) in later ones."""


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
    """

    def __init__(
        self, graph: FleetGraph, run: RunSettings, fits: FitRunner | None = None, *, profile: bool = False
    ) -> None:
        self.graph = graph
        self.run = run
        self.fits = fits if fits is not None else TimedFits()
        self.agents: list[Agent] = [build_agent(s, run, self.fits) for s in graph.specs]
        self.agent_seconds = [0.0] * len(self.agents) if profile else None
        self._routes: list[Routes] = [{} for _ in graph.specs]
        self._feed: dict[type[Event], list[int]] = {}
        for dst, spec in enumerate(graph.specs):
            for edge in spec.inputs:
                for cls in self.agents[dst].consumes:
                    if edge.source == FEED:
                        self._feed.setdefault(cls, []).append(dst)
                        continue
                    now, later = self._routes[graph.index[edge.source]].setdefault(cls, ([], []))
                    if edge.delay == 0:
                        now.append(dst)
                    else:
                        later.append((dst, edge.delay))
        # an agent that hears one priority only needs no sorting
        self._sorted = [len({c.priority for c in a.consumes}) > 1 for a in self.agents]
        self._size = len(graph.specs)
        self._calendar: dict[int, list[list[Event] | None]] = {}

    def step(self, item: Slice) -> Outputs:
        """Compute one step; return ``(agent, events)`` of the agents that ran, in order."""
        number, warmup, ts = item.step, item.warmup, item.ts_event_ns
        boxes = self._calendar.pop(number, None) or [None] * self._size
        for bar in item.events:
            for dst in self._feed.get(type(bar), ()):
                box = boxes[dst]
                if box is None:
                    boxes[dst] = [bar]
                else:
                    box.append(bar)
        seconds = self.agent_seconds
        out: Outputs = []
        for position, (name, agent, routes, sort) in enumerate(self._plan):
            inbox = boxes[position]
            if inbox is None:
                continue
            if sort and len(inbox) > 1:
                inbox.sort(key=_priority)
            message = Step(number, ts, tuple(inbox), warmup)
            if seconds is None:
                events = agent.process(message)
            else:
                t0 = time.process_time()
                events = agent.process(message)
                seconds[position] += time.process_time() - t0
            for event in events:
                targets = routes.get(type(event))
                if targets is None:
                    continue
                now, later = targets
                for dst in now:
                    box = boxes[dst]
                    if box is None:
                        boxes[dst] = [event]
                    else:
                        box.append(event)
                for dst, delay in later:
                    self._post(number + delay, dst, event)
            out.append((name, events))
        return out

    @cached_property
    def _plan(self) -> list[tuple[str, Agent, Routes, bool]]:
        return list(zip(self.graph.names, self.agents, self._routes, self._sorted, strict=True))

    def _post(self, step: int, dst: int, event: Event) -> None:
        boxes = self._calendar.get(step)
        if boxes is None:
            boxes = self._calendar[step] = [None] * self._size
        box = boxes[dst]
        if box is None:
            boxes[dst] = [event]
        else:
            box.append(event)

    def snapshot(self) -> dict[str, bytes]:
        """Return each agent's state (tests and resume of local runs)."""
        return {s.name: a.snapshot() for s, a in zip(self.graph.specs, self.agents, strict=True)}

    def pending(self) -> list[tuple[int, int, list[Event]]]:
        """Return undelivered feedback: ``(step, position, events)``."""
        return [
            (step, position, box)
            for step in sorted(self._calendar)
            for position, box in enumerate(self._calendar[step])
            if box is not None
        ]

    def restore(self, states: dict[str, bytes], pending: Iterable[tuple[int, int, list[Event]]] = ()) -> None:
        """Load states and undelivered feedback."""
        for spec, agent in zip(self.graph.specs, self.agents, strict=True):
            agent.restore(states[spec.name])
        self._calendar = {}
        for step, position, events in pending:
            for event in events:
                self._post(step, position, event)
