"""The fleet's graph: its order, its blocks, and what it refuses."""

from __future__ import annotations

import pytest

from actors.domain.errors import ConfigError
from actors.runtime.graph import FEED, AgentSpec, FleetGraph, Input
from actors.runtime.supervision import dispensable


def spec(name: str, *inputs: Input, loop: bool = False) -> AgentSpec:
    return AgentSpec(name, name, "m:C", inputs=inputs, loop=loop)


def test_order_follows_the_data_and_ties_the_configuration() -> None:
    graph = FleetGraph([
        spec("risk", Input("strategy"), Input("ledger"), loop=True), spec("ledger", Input("bars"), loop=True),
        spec("strategy", Input("model"), Input("weights", 8)), spec("model", Input("bars")),
        spec("weights", Input("strategy")), spec("bars", Input(FEED)),
    ])  # fmt: skip
    assert graph.names == ("bars", "ledger", "model", "strategy", "risk", "weights")
    assert (graph.max_delay, graph.max_block) == (8, 8)
    # an inbox holds what was said longest ago first, then follows the order of computation
    strategy = graph.specs[graph.index["strategy"]]
    assert [e.source for e in strategy.inputs] == ["weights", "model"]
    # an order path and a gate cannot be missed, advice can
    assert dispensable(graph.specs) == {"strategy", "model", "weights"}


@pytest.mark.parametrize(
    ("specs", "named"),
    [
        ([spec("a", Input(FEED)), spec("a", Input(FEED))], "'a': defined twice"),
        ([spec("a", Input("b"))], "hears unknown agent 'b'"),
        ([spec("a", Input("b")), spec("b", Input("a"))], "cycle without delay among a, b"),
        ([spec("a", Input("b")), spec("b", Input(FEED), loop=True)], "runs ahead but hears 'b'"),
        ([spec("a", Input(FEED, -1))], "must be >= 0, found -1"),
    ],
)
def test_what_cannot_be_computed_is_refused(specs: list[AgentSpec], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        FleetGraph(specs)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        FleetGraph([spec("a", Input("nobody")), spec("b", Input("nothing"))])
    assert "nobody" in str(caught.value)
    assert "nothing" in str(caught.value)
