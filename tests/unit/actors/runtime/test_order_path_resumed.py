"""A driver that comes back from snapshots hands every word to whoever had not heard it, trials or not."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import inline_ray
import pytest
import small
from talkers import STEPS, Run, Said, graph, local, settings, tidy

from actors.runtime.conductor import Conductor
from actors.runtime.local import LocalHost
from actors.runtime.slices import SliceFeed
from cluster.runs.plan import RunPlan

FED_BACK = ("outward", "x", "y")


@pytest.mark.parametrize("part", range(4))
def test_what_is_fed_back_across_the_snapshot_is_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, part: int
) -> None:
    """Who is heard one to three steps later spoke in the last step before: its word is in nobody's snapshot."""
    feed, aimed, straddled = SliceFeed(small.frames(340)), 0, 0
    for seed in range(part * 25, part * 25 + 25):
        rng = random.Random(seed)
        every = {n: rng.choice([5, 23, 60, 100]) for n in ("x", "y", "z", "model", "follower")}
        g, run = graph(every), settings(tmp_path / str(seed))
        expected = local(g, run, feed, STEPS)
        stop = next((s for s in range(32, STEPS, 32) if any(n in FED_BACK for n, _ in expected[s - 1])), None)
        if stop is None:
            continue
        Run(monkeypatch, g, run, 32, feed=feed).conductor.run(0, stop)
        resumed = Run(monkeypatch, g, run, 32, feed=feed, resumed=stop - 1)
        straddled += resumed.conductor._book.last("y").count > 3
        resumed.conductor.run(stop, STEPS)
        assert resumed.said == {k: expected[k] for k in range(stop, STEPS)}, f"seed {seed}, stopped at {stop}"
        assert all(step >= STEPS for h in resumed.handles.values() for step in h.me._inbox), (
            "nothing old is kept"
        )
        aimed += 1
    assert aimed > 8
    assert straddled, "a block that was told in part before the snapshot"


@pytest.mark.parametrize("seed", range(20))
def test_stopped_anywhere_and_killed_afterwards(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    every = {n: rng.choice([1, 5, 23, 60, 10**9]) for n in ("x", "y", "z", "model", "follower")}
    g, run = graph(every), settings(tmp_path)
    block, stop = rng.choice([1, 4, 16, 32]), rng.choice([64, 96, 128, 160])
    first = Run(monkeypatch, g, run, block)
    expected = local(g, run, first.feed, STEPS)
    first.conductor.run(0, stop)
    resumed = Run(monkeypatch, g, run, block, feed=first.feed, resumed=stop - 1)
    for handle in resumed.handles.values():
        handle.die_at = set(rng.sample(range(3, 60), 2))
    resumed.conductor.run(stop, STEPS)
    assert resumed.said == {k: expected[k] for k in range(stop, STEPS)}


@pytest.mark.parametrize("before", [0, 1, 3])
def test_an_order_sent_just_before_the_snapshot_reaches_the_venue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: int
) -> None:
    """The default fleet, stopped so many steps behind each of its first orders."""
    plan = small.plan(tmp_path / "run", journal=True)
    host = LocalHost(plan.graph, plan.settings)
    expected = {item.step: tidy(host.step(item)) for item in plan.feed.block(0, len(plan.feed))}
    ordered = [k for k, said in expected.items() if any(n == "journal" for n, _ in said)]
    block = 8
    stops = [k + 1 + before for k in ordered if (k + 1 + before) % block == 0][:2]
    if not stops:
        pytest.fail(
            f"expected an order {before + 1} steps before a multiple of {block}, found orders at {ordered}"
        )
    for stop in stops:
        said = _run(monkeypatch, plan, block, 0, stop) | _run(monkeypatch, plan, block, stop, None)
        assert said == expected


def _run(monkeypatch: pytest.MonkeyPatch, plan: RunPlan, block: int, begin: int, stop: int | None) -> Said:
    """Run the shells of a plan from its start, or from the snapshots before `begin`."""
    said: Said = {}
    resumed = begin - 1 if begin else None
    run = replace(plan.settings, journal_url="")
    root, handles = inline_ray.fleet(monkeypatch, plan.graph, run, resumed=resumed)
    conductor = Conductor(
        plan.graph, plan.feed, root, dict(handles), block_steps=block, snapshot_every_steps=block,
        on_step=lambda item, outputs: said.__setitem__(item.step, tidy(outputs)),
    )  # fmt: skip
    if resumed is not None:
        kept = {n: h.me.outputs_since(resumed - plan.graph.max_delay) for n, h in handles.items()}
        conductor.resume(resumed, kept)
    conductor.run(begin, stop)
    return said
