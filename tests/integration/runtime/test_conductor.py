"""The conductor on real processes: what it may forget, and when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import ray
import small

from actors.domain.events.base import Event
from actors.runtime.build import RunSettings
from actors.runtime.graph import FEED, AgentSpec, FleetGraph, Input
from actors.runtime.ray_host import RayHost
from actors.runtime.slices import Slice, SliceFeed
from actors.runtime.supervision import SupervisionPolicy

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]
STEPS, BLOCK = 96, 16


def test_a_snapshot_ahead_of_what_was_handed_on_takes_no_step_with_it(
    ray_for_tests: None, tmp_path: Path
) -> None:
    """Agents that run ahead hold a snapshot of block n + 1 while block n is handed on, and nothing hears the past."""
    graph = FleetGraph(
        AgentSpec(name=name, kind=name, factory="fleet_parts:Counts", inputs=inputs)
        for name, inputs in (("first", (Input(FEED),)), ("second", (Input("first"),)))
    )
    assert graph.max_delay == 0
    plan = small.plan(tmp_path / "plan", market=small.frames(340))
    settings = RunSettings(
        "ahead", 7, plan.settings.timeframe_ns, plan.settings.instruments,
        snapshot_dir=str(tmp_path / "snapshots"), key_path=str(tmp_path / "key"),
    )  # fmt: skip
    handed_on: dict[int, dict[str, tuple[str, ...]]] = {}
    saved: list[int] = []
    ahead: list[int] = []
    with RayHost(graph, settings, SupervisionPolicy()) as host:

        def on_step(item: Slice, outputs: list[tuple[str, Any]]) -> None:
            handed_on[item.step] = {agent: codes(events) for agent, events in outputs}
            # hold this step until the snapshots asked for so far are written, those of later steps too
            for step, calls in conductor._saving.items():
                ray.wait([c.ref for c in calls], num_returns=len(calls), timeout=60)
                ahead.append(step - item.step)

        conductor = host.conductor(
            SliceFeed(small.frames(340)), block_steps=BLOCK, snapshot_every_steps=BLOCK, on_step=on_step,
            on_saved=saved.append,
        )  # fmt: skip
        conductor.run(0, STEPS)
    assert max(ahead) >= BLOCK
    assert saved == list(range(BLOCK - 1, STEPS, BLOCK))
    assert handed_on == {k: {n: (str(k + 1),) for n in graph.names} for k in range(STEPS)}


def codes(events: list[Event]) -> tuple[str, ...]:
    return tuple(event.code for event in events)  # type: ignore[attr-defined]
