"""Fleets of small talkers on the conductor's Ray in one process (`inline_ray`), and on the local host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import inline_ray
import pytest
import small

from actors.domain.errors import AgentError
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.system import AlertRaised
from actors.domain.processor import Agent, AgentContext, Step
from actors.runtime.build import RunSettings
from actors.runtime.conductor import Conductor
from actors.runtime.graph import FEED, AgentSpec, FleetGraph, Input
from actors.runtime.local import LocalHost
from actors.runtime.slices import SliceFeed
from actors.runtime.wire import encode_block

HERE = __name__
STEPS = 260


class Speaks(Agent):
    """Speaks in some steps, which ones depends on all it has heard; says how often it was called and what it heard."""

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, AlertRaised)
    STATE: ClassVar[tuple[str, ...]] = ("calls", "heard")
    can_take_back: ClassVar[bool] = True

    def __init__(self, ctx: AgentContext, *, every: int = 1) -> None:
        super().__init__(ctx)
        self.calls = self.heard = 0
        self._every = every

    def process(self, step: Step) -> Sequence[Event]:
        """Count, and speak or not."""
        self.calls += 1
        for e in step.inbox:
            if isinstance(e, AlertRaised):
                self.heard = (self.heard * 31 + int(e.code)) % 1_000_003
        if (self.heard + 7 * self.calls) % self._every:
            return ()
        return (
            AlertRaised(
                ts_event_ns=step.ts_event_ns, source=self.name, severity="info",
                code=str(self.heard + self.calls), message=" ".join(e.source for e in step.inbox),
            ),
        )  # fmt: skip


class Outward(Speaks):
    """As the journal: what it does cannot be taken back."""

    speaks_on: ClassVar[tuple[type[Event], ...] | None] = (AlertRaised,)

    def attach(self, port: list[int]) -> None:
        """Take where to write."""
        self._port = port

    def process(self, step: Step) -> Sequence[Event]:
        """Write, and pass on."""
        self._port.append(step.number)
        return super().process(step)


class Fragile(Speaks):
    """Fails where `outward` has not answered one step after it spoke, as nobody does in a trial."""

    STATE: ClassVar[tuple[str, ...]] = ("alarmed",)
    can_take_back: ClassVar[bool] = True

    def __init__(self, ctx: AgentContext, *, every: int = 1) -> None:
        super().__init__(ctx, every=every)
        self.alarmed = -1

    def process(self, step: Step) -> Sequence[Event]:
        """Speak like the others; fail where no answer came one step after it spoke."""
        if 0 <= self.alarmed < step.number - 1:
            raise AgentError("NO_ANSWER", f"step {step.number}: nobody answered step {self.alarmed}")
        if any(e.source == "outward" for e in step.inbox):
            self.alarmed = -1
        said = super().process(step)
        if said:
            self.alarmed = step.number
        return said


def graph(every: Mapping[str, int], first: str = "Speaks") -> FleetGraph:
    """Agents ahead, an order path with four kinds of feedback, one with effects outside, and a follower."""

    def spec(name: str, *inputs: Input, loop: bool = False, cls: str = "Speaks") -> AgentSpec:
        return AgentSpec(
            name=name, kind=name, factory=f"{HERE}:{cls}", inputs=inputs, loop=loop,
            params={"every": every.get(name, 1)},
        )  # fmt: skip

    return FleetGraph([
        spec("bars", Input(FEED)),
        spec("model", Input("bars"), Input("model", 40)),
        spec("x", Input("bars"), Input("outward", 1), Input("y", 2), loop=True, cls=first),
        spec("y", Input("x"), Input("model"), Input("bars"), Input("x", 3), loop=True),
        spec("z", Input("y"), Input("x"), Input("bars"), loop=True),
        spec("outward", Input("z"), loop=True, cls="Outward"),
        spec("follower", Input("x"), Input("outward"), loop=True),
    ])  # fmt: skip


def settings(folder: Path) -> RunSettings:
    plan = small.plan(folder / "plan", market=small.frames(340))
    return RunSettings(
        "inline", 7, plan.settings.timeframe_ns, plan.settings.instruments,
        snapshot_dir=str(folder / "snapshots"), key_path=str(folder / "key"),
    )  # fmt: skip


Said = dict[int, list[tuple[str, bytes]]]


def local(g: FleetGraph, run: RunSettings, feed: SliceFeed, steps: int) -> Said:
    host = LocalHost(g, run)
    for agent in host.agents:
        if hasattr(agent, "attach"):
            agent.attach([])
    return {item.step: tidy(host.step(item)) for item in feed.block(0, steps)}


def tidy(outputs: Sequence[tuple[str, Sequence[Event]]]) -> list[tuple[str, bytes]]:
    return sorted((name, encode_block([events])) for name, events in outputs if events)


class Run:
    """A run of the conductor over shells in this process; `resumed` goes on with another's snapshots of a step."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, g: FleetGraph, run: RunSettings, block: int, every: int = 32,
        feed: SliceFeed | None = None, resumed: int | None = None,
    ) -> None:  # fmt: skip
        self.said: Said = {}
        self.announced: list[int] = []
        self.written: list[int] = []
        self.feed = feed or SliceFeed(small.frames(340))
        root, self.handles = inline_ray.fleet(monkeypatch, g, run, self.written, resumed)
        self.conductor = Conductor(
            g, self.feed, root, dict(self.handles), block_steps=block, snapshot_every_steps=every,
            on_step=lambda item, outputs: self.said.__setitem__(item.step, tidy(outputs)),
            on_submit=self.announced.append,
        )  # fmt: skip
        if resumed is not None:
            kept = {n: h.me.outputs_since(resumed - g.max_delay) for n, h in self.handles.items()}
            self.conductor.resume(resumed, kept)
