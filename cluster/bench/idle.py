"""An agent that hears and says nothing: the same graph without its work, to be timed beside the real fleet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.processor import Agent, AgentContext, Step
from actors.runtime.graph import FleetGraph


class Idle(Agent):
    """Takes whatever parameters the real agent takes and returns nothing, ever."""

    STATE: ClassVar[tuple[str, ...]] = ()
    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed,)
    can_take_back: ClassVar[bool] = True

    def __init__(self, ctx: AgentContext, **_: Any) -> None:
        super().__init__(ctx)

    def process(self, step: Step) -> Sequence[Event]:
        """Return nothing."""
        return ()

    def attach(self, journal: object) -> None:
        """Take the journal's port, as the journal agent does, and leave it alone."""


def idle_graph(graph: FleetGraph) -> FleetGraph:
    """Return the same graph with every agent idle; names, kinds, edges and groups stay.

    Examples
    --------
    >>> from actors.runtime.graph import FEED, AgentSpec, Input
    >>> one = FleetGraph([AgentSpec(name="a", kind="k", factory="m:C", inputs=(Input(FEED),), loop=True)])
    >>> [(s.name, s.factory, s.loop) for s in idle_graph(one).specs]
    [('a', 'cluster.bench.idle:Idle', True)]
    """
    return FleetGraph(replace(s, factory=f"{__name__}:{Idle.__name__}", params={}) for s in graph.specs)
