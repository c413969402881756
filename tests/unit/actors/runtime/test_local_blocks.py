"""The local host computes the same, however its steps are cut into blocks, and wherever it is restored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.system import AlertRaised
from actors.domain.processor import Agent, AgentContext, Step
from actors.runtime.build import RunSettings
from actors.runtime.graph import FEED, AgentSpec, FleetGraph, Input
from actors.runtime.local import LocalHost
from actors.runtime.slices import Slice


class Echo(Agent):
    """Says in each step what it heard, in which order, and how often it was called."""

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, AlertRaised)
    STATE: ClassVar[tuple[str, ...]] = ("calls",)

    def __init__(self, ctx: AgentContext, **_: Any) -> None:
        super().__init__(ctx)
        self.calls = 0

    def process(self, step: Step) -> Sequence[Event]:
        self.calls += 1
        heard = " ".join(
            f"{e.source}@{e.ts_event_ns}" if isinstance(e, AlertRaised) else "bar" for e in step.inbox
        )
        return (
            AlertRaised(
                ts_event_ns=step.ts_event_ns, source=self.name, severity="info", code=str(self.calls),
                message=heard,
            ),
        )  # fmt: skip


def _graph() -> FleetGraph:
    def spec(name: str, *inputs: Input, loop: bool = False) -> AgentSpec:
        return AgentSpec(name=name, kind=name, factory=f"{__name__}:Echo", inputs=inputs, loop=loop)

    return FleetGraph([
        spec("a", Input(FEED), Input("c", 5)),
        spec("b", Input("a"), Input("c", 7), Input("a", 6)),
        spec("c", Input("a"), Input("b"), Input("b", 9)),
        spec("x", Input("b"), Input("y", 1), Input("a", 2), Input("z", 3), loop=True),
        spec("y", Input("x"), Input("c"), loop=True),
        spec("z", Input("y"), Input("x", 1), loop=True),
    ])  # fmt: skip


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Any:
    import sys
    import types

    module = types.ModuleType(__name__)
    module.Echo = Echo  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, __name__, module)  # test files are not on the path
    run = RunSettings(run_id="t", seed=1, timeframe_ns=60, instruments={})
    return lambda: LocalHost(_graph(), run)


def _slices(n: int) -> list[Slice]:
    def bar(k: int) -> BarClosed:
        return BarClosed(
            ts_event_ns=k, source=FEED, instrument_id="BTC/USDT", open_ns=k - 1, close_ns=k, open=1.0,
            high=1.0, low=1.0, close=1.0, volume=1.0,
        )  # fmt: skip

    return [Slice(k, k, False, (bar(k),) if k % 4 != 3 else ()) for k in range(n)]


def _run(host: LocalHost, items: Sequence[Slice], width: int) -> list[Any]:
    return [out for k in range(0, len(items), width) for out in host.block(items[k : k + width])]


@pytest.mark.parametrize("width", [2, 3, 5, 40])
def test_any_cut_gives_the_same(host: Any, width: int) -> None:
    one, other, items = host(), host(), _slices(40)
    expected = [one.step(item) for item in items]
    assert _run(other, items, width) == expected
    assert other.pending() == one.pending()
    assert one.graph.max_block == 5


def test_inbox_is_in_the_canonical_order(host: Any) -> None:
    last = dict(host().block(_slices(31))[30])
    # longest ago first, then the order of computation; sources a and b of the same step
    assert last["c"][0].message == "b@21 a@30 b@30"
    assert last["b"][0].message == "c@23 a@24 a@30"
    assert last["x"][0].message == "z@27 a@28 y@29 b@30"


@pytest.mark.parametrize("at", [7, 20])
def test_restored_host_goes_on_alike(host: Any, at: int) -> None:
    one, other, items = host(), host(), _slices(40)
    one.block(items[:at])
    other.restore(one.snapshot(), one.pending())
    assert _run(other, items[at:], 4) == one.block(items[at:])
