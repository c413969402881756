"""Many steps at once are the steps one by one: whatever is said, whoever dies, however long the trials."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import inline_ray
import pytest
import small
from talkers import HERE, STEPS, Outward, Run, Said, Speaks, graph, local, settings, tidy

from actors.domain.errors import AgentError
from actors.domain.events.base import Event
from actors.domain.events.system import AlertRaised
from actors.domain.processor import Agent
from actors.runtime.conductor import Conductor
from actors.runtime.graph import AgentSpec, FleetGraph, Input
from actors.runtime.local import LocalHost
from actors.runtime.order_path import Feedback


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
    assert {h.me.status()["last_step"] for h in mine.handles.values()} == {STEPS - 1}
    assert all(h.me._trial is None for h in mine.handles.values()), "nobody is left in doubt"
    sent = mine.handles["x"].sent
    mine.conductor.run(STEPS, STEPS + 1)
    assert mine.handles["x"].sent == sent + 1, "one step is one call: there is nothing to tell after it"
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


def test_who_cannot_take_back_is_never_tried() -> None:
    g = graph({})
    loop = [s for s in g.specs if s.loop and s.name != "follower"]
    classes: dict[str, type[Agent]] = {s.name: Outward if s.name == "outward" else Speaks for s in loop}
    found = Feedback(g, loop, lambda s: classes[s.name])
    assert ([s.name for s in found.tried], [s.name for s in found.held]) == (["x", "y", "z"], ["outward"])
    assert found.refuses == []
    classes["y"] = Outward
    assert Feedback(g, loop, lambda s: classes[s.name]).refuses == ["y"]
    classes["y"] = type("Heir", (Speaks,), {})
    assert Feedback(g, loop, lambda s: classes[s.name]).refuses == ["y"], "a class says it for itself"
    classes["y"] = Speaks
    hosting = [replace(s, params={"sizing": {"kind": "mine:Sizing"}}) if s.name == "z" else s for s in loop]
    assert Feedback(g, hosting, lambda s: classes[s.name]).refuses == ["z"], "the user's own component"


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
    with pytest.raises(AgentError, match="nobody answered") as expected:
        local(g, run, mine.feed, STEPS)
    with pytest.raises(AgentError, match="nobody answered") as found:
        mine.conductor.run(0, STEPS)
    assert str(found.value) == str(expected.value), "at the same step"
    failed = int(str(found.value).split("step ")[1].split(":")[0])
    assert max(mine.written, default=-1) < failed, "nothing is done in steps that never were"
    assert max(mine.said, default=-1) < failed


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


MINE = """
from freqtrade.strategy import IStrategy

class Mine(IStrategy):
    timeframe = "1h"
    stoploss = -0.10
    seen = {}

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe.index % 20 == 3, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        self.seen[pair] = self.seen.get(pair, 0) + 1  # on the class: in no snapshot
        return "ninth" if self.seen[pair] % 9 == 0 else None
"""


def test_a_strategy_of_the_users_is_not_asked_twice_what_it_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It sits on the order path and keeps what no snapshot holds; so every step is a step by itself."""
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    sets = [f"strategies=[{{kind: '{file}:Mine'}}]", "learning.predictors=[]", "regime.detectors=[]"]
    plan = small.plan(tmp_path / "run", journal=True, sets=sets)
    host = LocalHost(plan.graph, plan.settings)
    expected = {item.step: tidy(host.step(item)) for item in plan.feed.block(0, len(plan.feed))}
    root, handles = inline_ray.fleet(monkeypatch, plan.graph, replace(plan.settings, journal_url=""))
    said: Said = {}
    conductor = Conductor(
        plan.graph, plan.feed, root, dict(handles), block_steps=32, snapshot_every_steps=0,
        on_step=lambda item, outputs: said.__setitem__(item.step, tidy(outputs)),
    )  # fmt: skip
    conductor.run()
    assert sum(name == "journal" for outputs in expected.values() for name, _ in outputs) > 10
    assert said == expected
    assert conductor.path.feedback is not None
    assert len(conductor.path.feedback.refuses) == 1
    assert conductor.path.trials == 0


def test_who_speaks_without_what_it_says_it_speaks_on_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A trial would not have ended there, and its word would have been lost."""
    g, run = graph({"z": 40}), settings(tmp_path)
    monkeypatch.setattr(Outward, "speaks_on", ())
    mine = Run(monkeypatch, g, run, 32)
    with pytest.raises(AgentError) as caught:
        mine.conductor.run(0, STEPS)
    assert caught.value.code == "SPOKE_UNASKED"
