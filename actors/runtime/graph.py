"""The fleet as a graph: who hears whom, in which order a step is computed, what may run ahead.

Edges have a delay in steps. Delay 0 edges form an acyclic graph (one step is computed along it); feedback
has delay ≥ 1. Agents that depend on fills inside a step are `loop` agents, the order path: step k + 1 needs step k;
all others may be computed in blocks ahead of them. Both hosts schedule this one graph.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from actors.domain.errors import ConfigError

FEED = "feed"
"""Name of the external source of bars."""


@dataclass(frozen=True)
class Input:
    """One edge: hear `source` with `delay` steps."""

    source: str
    delay: int = 0


@dataclass(frozen=True)
class AgentSpec:
    """All that is needed to build one agent, on any host.

    Attributes
    ----------
    name : str
        Unique, readable: it is the name of the actor.
    kind : str
        What a person calls it, e.g. ``regime:hmm``.
    factory : str
        ``module:Class`` of the processor; called as ``Class(ctx, **params)``.
    params : mapping
        Plain values only.
    inputs : tuple of Input
        Whom it hears; `FleetGraph` puts them into the order in which their events stand in the inbox.
    loop : bool
        Depends on fills: its step needs the orders of the step before.
    tier : int
        0 starts first (platform and order path), 1 after.
    group : str
        Agents of a non-empty group are restarted together (one-for-all).
    parent : str
        Name of the coordinator that answers for it.
    """

    name: str
    kind: str
    factory: str
    params: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Input, ...] = ()
    loop: bool = False
    tier: int = 1
    group: str = ""
    parent: str = ""


class FleetGraph:
    """A validated fleet in its order of computation.

    Raises
    ------
    ConfigError
        On duplicate names, unknown sources, a cycle without delay, or an ahead agent that hears a loop agent.
    """

    def __init__(self, specs: Iterable[AgentSpec]) -> None:
        given = list(specs)
        names = [s.name for s in given]
        problems = [f"agent {n!r}: defined twice" for n in sorted({n for n in names if names.count(n) > 1})]
        by_name = {s.name: s for s in given}
        for s in given:
            for e in s.inputs:
                if e.source != FEED and e.source not in by_name:
                    problems.append(f"agent {s.name!r}: hears unknown agent {e.source!r}")
                elif e.source != FEED and by_name[e.source].loop and not s.loop:
                    problems.append(f"agent {s.name!r}: runs ahead but hears {e.source!r}, which reads fills")
                if e.delay < 0:
                    problems.append(f"agent {s.name!r}: delay of {e.source!r} must be >= 0, found {e.delay}")
        if problems:
            raise ConfigError("FLEET_INVALID", "fleet: " + "; ".join(problems))
        ordered = _topological(given)
        self.index: dict[str, int] = {s.name: i for i, s in enumerate(ordered)}
        place = {FEED: -1, **self.index}
        # the canonical order of an inbox: what was said longest ago first, then the order of computation
        self.specs: tuple[AgentSpec, ...] = tuple(
            replace(s, inputs=tuple(sorted(s.inputs, key=lambda e: (-e.delay, place[e.source]))))
            for s in ordered
        )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Agents in order of computation."""
        return tuple(s.name for s in self.specs)

    @cached_property
    def max_delay(self) -> int:
        """Longest feedback in steps."""
        return max((e.delay for s in self.specs for e in s.inputs), default=0)

    @cached_property
    def max_block(self) -> int:
        """Largest block that ahead agents may take at once: the shortest feedback among them."""
        ahead = [e.delay for s in self.specs if not s.loop for e in s.inputs if e.delay > 0]
        return min(ahead, default=1 << 30)


def _topological(specs: list[AgentSpec]) -> list[AgentSpec]:
    """Kahn's algorithm over delay-0 edges; ties keep the configured order."""
    order = {s.name: i for i, s in enumerate(specs)}
    waiting = {s.name: sum(e.delay == 0 and e.source != FEED for e in s.inputs) for s in specs}
    listeners: dict[str, list[str]] = {s.name: [] for s in specs}
    for s in specs:
        for e in s.inputs:
            if e.delay == 0 and e.source != FEED:
                listeners[e.source].append(s.name)
    ready = [order[n] for n, w in waiting.items() if w == 0]
    heapq.heapify(ready)
    out: list[AgentSpec] = []
    while ready:
        spec = specs[heapq.heappop(ready)]
        out.append(spec)
        for name in listeners[spec.name]:
            waiting[name] -= 1
            if waiting[name] == 0:
                heapq.heappush(ready, order[name])
    if len(out) < len(specs):
        stuck = [s.name for s in specs if waiting[s.name] > 0]
        raise ConfigError("FLEET_CYCLE", f"fleet: cycle without delay among {', '.join(stuck)}")
    return out
