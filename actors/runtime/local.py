"""The local host: the whole fleet in one process, one logical-time priority queue.

An entry of the queue is ``(step, position, agent)``: the earliest step first, inside a step the order of the
graph. An agent is entered when something is put into its inbox for that step, so an agent without input does
not run. This is the referee of the Ray host: both compute the same law.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
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


class TimedFits(InlineFits):
    """Inline fits that add up their own wall time, so that refits can be counted apart."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0
        self.count = 0

    def submit(self, key: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        """Compute now and count the time."""
        t0 = time.perf_counter()
        super().submit(key, fn, args)
        self.seconds += time.perf_counter() - t0
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
        Measure the time inside each agent (`agent_seconds`).
    """

    def __init__(
        self, graph: FleetGraph, run: RunSettings, fits: FitRunner | None = None, *, profile: bool = False
    ) -> None:
        self.graph = graph
        self.run = run
        self.fits = fits if fits is not None else TimedFits()
        self.agents: list[Agent] = [build_agent(s, run, self.fits) for s in graph.specs]
        self.agent_seconds = [0.0] * len(self.agents) if profile else None
        # routes[position][event type] -> [(destination, input number, delay), …]
        self._routes: list[dict[type[Event], list[tuple[int, int, int]]]] = [{} for _ in graph.specs]
        self._feed: dict[type[Event], list[tuple[int, int, int]]] = {}
        for dst, spec in enumerate(graph.specs):
            for number, edge in enumerate(spec.inputs):
                table = self._feed if edge.source == FEED else self._routes[graph.index[edge.source]]
                for cls in self.agents[dst].consumes:
                    table.setdefault(cls, []).append((dst, number, edge.delay))
        self._widths = [len(s.inputs) for s in graph.specs]
        self._queue: list[tuple[int, int]] = []
        self._inbox: dict[tuple[int, int], list[list[Event]]] = {}

    def step(self, item: Slice) -> Outputs:
        """Compute one step; return ``(agent, events)`` of the agents that ran, in order."""
        number, warmup, ts = item.step, item.warmup, item.ts_event_ns
        self._deliver(number, item.events, self._feed)
        queue, inboxes, agents, routes = self._queue, self._inbox, self.agents, self._routes
        seconds = self.agent_seconds
        out: Outputs = []
        names = self.graph.names
        while queue and queue[0][0] == number:
            key = heappop(queue)
            position = key[1]
            buckets = inboxes.pop(key)
            inbox = buckets[0] if len(buckets) == 1 else [e for b in buckets for e in b]
            if len(inbox) > 1:
                inbox.sort(key=_priority)
            message = Step(number, ts, tuple(inbox), warmup)
            if seconds is None:
                events = agents[position].process(message)
            else:
                t0 = time.perf_counter()
                events = agents[position].process(message)
                seconds[position] += time.perf_counter() - t0
            if events:
                self._deliver(number, events, routes[position])
            out.append((names[position], events))
        return out

    def _deliver(
        self, number: int, events: Iterable[Event], table: dict[type[Event], list[tuple[int, int, int]]]
    ) -> None:
        inboxes = self._inbox
        for event in events:
            for dst, slot, delay in table.get(type(event), ()):
                key = (number + delay, dst)
                buckets = inboxes.get(key)
                if buckets is None:
                    buckets = inboxes[key] = [[] for _ in range(self._widths[dst])]
                    heappush(self._queue, key)
                buckets[slot].append(event)

    def snapshot(self) -> dict[str, bytes]:
        """Return each agent's state (tests and resume of local runs)."""
        return {s.name: a.snapshot() for s, a in zip(self.graph.specs, self.agents, strict=True)}

    def pending(self) -> list[tuple[int, int, list[list[Event]]]]:
        """Return undelivered feedback: ``(step, position, buckets)``."""
        return [(k[0], k[1], self._inbox[k]) for k in sorted(self._queue)]

    def restore(
        self, states: dict[str, bytes], pending: Iterable[tuple[int, int, list[list[Event]]]] = ()
    ) -> None:
        """Load states and undelivered feedback."""
        for spec, agent in zip(self.graph.specs, self.agents, strict=True):
            agent.restore(states[spec.name])
        self._queue, self._inbox = [], {}
        for step, position, buckets in pending:
            self._inbox[(step, position)] = [list(b) for b in buckets]
            heappush(self._queue, (step, position))
