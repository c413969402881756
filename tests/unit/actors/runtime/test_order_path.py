"""Many steps at once are the steps one by one: whatever is said, whoever dies, however long the trials."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from actors.runtime.order_path import Feedback
from actors.runtime.slices import SliceFeed
from actors.runtime.wire import encode_block

HERE = __name__
STEPS = 260


class Speaks(Agent):
    """Speaks in some steps, which ones depends on all it has heard; says how often it was called and what it heard."""

    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed, AlertRaised)
    STATE: ClassVar[tuple[str, ...]] = ("calls", "heard")

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

    acts_outside: ClassVar[bool] = True
    speaks_on: ClassVar[tuple[type[Event], ...] | None] = (AlertRaised,)

    def attach(self, port: list[int]) -> None:
        """Take where to write."""
        self._port = port

    def process(self, step: Step) -> Sequence[Event]:
        """Write, and pass on."""
        self._port.append(step.number)
        return super().process(step)


class Fragile(Speaks):
    """Cannot stand an alert from `foe` more than `gap` steps old, which only a trial that goes wrong brings about."""

    STATE: ClassVar[tuple[str, ...]] = ("alarmed",)

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
    """A run of the conductor over shells in this process."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, g: FleetGraph, run: RunSettings, block: int, every: int = 32
    ) -> None:
        self.said: Said = {}
        self.announced: list[int] = []
        self.written: list[int] = []
        self.feed = SliceFeed(small.frames(340))
        root, self.handles = inline_ray.fleet(monkeypatch, g, run, self.written)
        self.conductor = Conductor(
            g, self.feed, root, dict(self.handles), block_steps=block, snapshot_every_steps=every,
            on_step=lambda item, outputs: self.said.__setitem__(item.step, tidy(outputs)),
            on_submit=self.announced.append,
        )  # fmt: skip


@pytest.mark.parametrize("block", [1, 2, 5, 32])
@pytest.mark.parametrize("every", [1, 3, 40, 10**9])
def test_any_length_of_trial_gives_what_the_local_host_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, block: int, every: int
) -> None:
    g, run = graph(dict.fromkeys("xyz", every)), settings(tmp_path)
    mine = Run(monkeypatch, g, run, block)
    expected = local(g, run, mine.feed, STEPS)
    mine.conductor.run(0, STEPS)
    assert mine.said == expected
    assert mine.announced == list(range(STEPS)), "each step is told once, in order"
    assert mine.written == sorted(set(mine.written)), "what acts outside is called once per step"
    path = mine.conductor.path
    if block == 1:
        assert path.trials == 0
    elif every == 10**9:
        assert path.broken == 0
        assert path.trials <= STEPS / 2
    elif every == 40 and block == 32:
        assert 0 < path.broken < path.trials


@pytest.mark.parametrize("seed", range(40))
def test_whoever_dies_and_whenever_nothing_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int
) -> None:
    """Kills are drawn over all agents and calls, before and after the computation of a call, snapshots included."""
    rng = random.Random(seed)
    every = {n: rng.choice([1, 5, 23, 60]) for n in ("x", "y", "z", "model", "follower")}
    g, run = graph(every), settings(tmp_path)
    mine = Run(monkeypatch, g, run, rng.choice([4, 16, 32]))
    expected = local(g, run, mine.feed, STEPS)
    for handle in mine.handles.values():
        handle.die_at = set(rng.sample(range(2, 120), 3))
    mine.conductor.run(0, STEPS)
    assert mine.said == expected
    assert sum(h.births for h in mine.handles.values()) > len(mine.handles), "somebody died"
    assert mine.conductor.recoveries > 0


def test_an_agent_led_astray_by_a_trial_does_not_stop_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It fails where its word is not answered; in a trial nobody answers, in the true course somebody does."""
    g, run = graph({"x": 9, "y": 10**9, "z": 10**9, "outward": 1}, first="Fragile"), settings(tmp_path)
    g = FleetGraph([
        *[s for s in g.specs if s.name not in ("outward", "y")],
        AgentSpec("y", "y", f"{HERE}:Speaks", inputs=(Input("x"),), loop=True),
        AgentSpec("outward", "outward", f"{HERE}:Outward", inputs=(Input("y"), Input("z")), loop=True),
    ])  # fmt: skip
    mine = Run(monkeypatch, g, run, 32)
    expected = local(g, run, mine.feed, STEPS)
    mine.conductor.run(0, STEPS)
    assert mine.said == expected
    assert mine.conductor.path.broken > 0


def test_who_acts_outside_is_never_tried() -> None:
    g = graph({})
    loop = [s for s in g.specs if s.loop and s.name != "follower"]
    classes: dict[str, type[Agent]] = {s.name: Outward if s.name == "outward" else Speaks for s in loop}
    found = Feedback(g, loop, lambda s: classes[s.name])
    assert ([s.name for s in found.tried], [s.name for s in found.held]) == (["x", "y", "z"], ["outward"])
    assert found.possible
    classes["y"] = Outward
    assert not Feedback(g, loop, lambda s: classes[s.name]).possible


@pytest.mark.parametrize(
    ("who", "at", "stands"),
    [("z", 3, 4), ("y", 3, 5), ("x", 3, 9), ("z", 8, 9), ("y", 7, 9), (None, 0, 9)],
)
def test_a_trial_stands_up_to_the_step_whose_words_would_be_heard(
    who: str | None, at: int, stands: int
) -> None:
    """What `z` says reaches `x` one step later by way of `outward`, what `y` says two steps later.

    What `x` says is heard within the trial, by `y` three steps later too.
    """
    g = graph({})
    loop = [s for s in g.specs if s.loop and s.name != "follower"]
    classes: dict[str, type[Agent]] = {s.name: Outward if s.name == "outward" else Speaks for s in loop}
    found = Feedback(g, loop, lambda s: classes[s.name])
    alert = AlertRaised(ts_event_ns=1, source="t", severity="info", code="1", message="")
    said: dict[str, list[list[Event]]] = {n: [[] for _ in range(9)] for n in ("x", "y", "z")}
    if who is not None:
        said[who][at] = [alert]
    assert found.stands(9, said.__getitem__) == stands


def test_an_agent_that_truly_fails_still_stops_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    g, run = graph({"x": 50, "y": 10**9, "z": 10**9}, first="Fragile"), settings(tmp_path)
    mine = Run(monkeypatch, g, run, 32)
    with pytest.raises(AgentError, match="nobody answered"):
        local(g, run, mine.feed, STEPS)
    with pytest.raises(AgentError, match="nobody answered"):
        mine.conductor.run(0, STEPS)


ACTIVE = [
    "regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]",
    "strategies=[{kind: macd}, {kind: ma_crossover, params: {fast_bars: 5, slow_bars: 20}}]",
]  # fmt: skip
SWITCHES = (
    "{min_dwell_bars: 4, confirm_bars: 1, min_confidence: 0.1, "
    "by_regime: {sideways: {window_bars: 7}, high_volatility: {window_bars: 21}}}"
)
FLEETS: dict[str, list[str]] = {
    "default": [],
    "exits": [
        *ACTIVE, "exits.stop.atr=1", "exits.target.r=1.5", "exits.trailing.frac=0.1", "exits.time.bars=12",
    ],
    "margin": [*ACTIVE, "account.mode=margin", "account.leverage=2", "venue.margin.max_leverage=3"],
    "perpetual": [
        *ACTIVE, "account.mode=perpetual", "account.leverage=5", "venue.perpetual.max_leverage=20",
    ],
    "adaptive": [
        "learning.predictors=[]", "features.indicators=[]", "regime.detectors=[{kind: volatility}, {kind: trend}]",
        f"strategies=[{{kind: rsi, adaptive: {SWITCHES}}}, {{kind: ma_crossover}}]",
    ],
    "settled inside bars": [*ACTIVE, "venue.fill_at=intrabar", "venue.max_volume_share=0.0001"],
}  # fmt: skip


@pytest.mark.parametrize("kind", FLEETS)
@pytest.mark.parametrize("kills", [0, 12])
def test_a_real_fleet_trades_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, kills: int
) -> None:
    plan = small.plan(tmp_path / "run", journal=True, sets=FLEETS[kind])
    host = LocalHost(plan.graph, plan.settings)
    expected = {item.step: tidy(host.step(item)) for item in plan.feed.block(0, len(plan.feed))}
    root, handles = inline_ray.fleet(monkeypatch, plan.graph, replace(plan.settings, journal_url=""))
    said: Said = {}
    conductor = Conductor(
        plan.graph, plan.feed, root, dict(handles), block_steps=32, snapshot_every_steps=64 if kills else 0,
        on_step=lambda item, outputs: said.__setitem__(item.step, tidy(outputs)),
    )  # fmt: skip
    rng = random.Random(kills)
    for handle in rng.choices([handles[s.name] for s in plan.graph.specs if s.loop], k=kills):
        handle.die_at.add(rng.randrange(2, 60))
    conductor.run()
    assert sum(name == "journal" for outputs in expected.values() for name, _ in outputs) > 4, (
        "orders were sent"
    )
    assert said == expected
    assert 0 < conductor.path.broken < conductor.path.trials
    assert handles["venue"].sent < len(plan.feed), "most steps did not need a call of their own"
    assert (conductor.recoveries > 0) == bool(kills)
