"""The fleet's graph in stages: agents of one kind and order together, edges that a longer way implies left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from actors.runtime.graph import FEED, AgentSpec, FleetGraph

_TITLES: Mapping[str, str] = {
    "regime": "regime detectors",
    "predict": "predictors",
    "strategy": "strategies",
    "risk": "risk measures",
    "execution": "execution algorithms",
}


@dataclass(frozen=True)
class Stage:
    """Agents that stand side by side.

    Attributes
    ----------
    title : str
        What a person calls them; the agent's own name if it stands alone.
    agents : tuple of str
    family : str
        First part of their kind, e.g. ``regime``.
    loop : bool
        They read fills.
    """

    title: str
    agents: tuple[str, ...]
    family: str
    loop: bool


@dataclass(frozen=True)
class Edge:
    """`target` hears `source`, `delay` steps later (stages by index)."""

    source: int
    target: int
    delay: int


def stages(graph: FleetGraph) -> tuple[list[Stage], list[Edge]]:
    """Return stages in order of computation, and what they hear of each other.

    Edges without delay are the transitive reduction: a stage that is also heard through others has no arrow.
    """
    groups: dict[tuple[str, bool, bool], list[AgentSpec]] = {}
    for spec in graph.specs:
        groups.setdefault(_key(spec, graph), []).append(spec)
    made = [
        Stage(
            _TITLES.get(family, family) if len(specs) > 1 else specs[0].name,
            tuple(s.name for s in specs), family, loop,
        )
        for (family, loop, _), specs in groups.items()
    ]  # fmt: skip
    at = {name: i for i, stage in enumerate(made) for name in stage.agents}
    found: dict[tuple[int, int, int], None] = {}
    for spec in graph.specs:
        for heard in spec.inputs:
            if heard.source != FEED and at[heard.source] != at[spec.name]:
                found[at[heard.source], at[spec.name], heard.delay] = None
    edges = [Edge(*key) for key in sorted(found)]
    return made, [e for e in edges if e.delay or not _implied(e, edges)]


def _key(spec: AgentSpec, graph: FleetGraph) -> tuple[str, bool, bool]:
    family, sep, _ = spec.kind.partition(":")
    if not sep or family in ("coordinator", "meta"):
        return spec.name, spec.loop, False
    # who hears its own family (the ensemble hears the detectors) stands behind it
    kin = {s.name for s in graph.specs if s.kind.partition(":")[0] == family}
    return family, spec.loop, any(i.source in kin for i in spec.inputs)


def _implied(edge: Edge, edges: Sequence[Edge]) -> bool:
    """Tell whether the target is also reached by a way of several edges without delay."""
    reached = [e.target for e in edges if e.source == edge.source and not e.delay and e != edge]
    seen: dict[int, None] = {}
    while reached:
        here = reached.pop()
        if here == edge.target:
            return True
        if here not in seen:
            seen[here] = None
            reached += [e.target for e in edges if e.source == here and not e.delay]
    return False
