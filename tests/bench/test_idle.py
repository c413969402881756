"""The empty fleet has the real fleet's graph, runs on the local host, and decides nothing."""

from __future__ import annotations

from pathlib import Path

from cluster.bench.idle import Idle
from cluster.bench.plans import WARMUP_BARS, fleet_plan, idle_plan
from cluster.runs.execute import run_local


def test_idle_fleet_keeps_the_graph_and_says_nothing(tmp_path: Path) -> None:
    plan = fleet_plan(2, WARMUP_BARS + 40, tmp_path)
    empty = idle_plan(plan)
    assert empty.graph.names == plan.graph.names
    assert [(s.inputs, s.loop, s.group, s.tier) for s in empty.graph.specs] == [
        (s.inputs, s.loop, s.group, s.tier) for s in plan.graph.specs
    ]
    finished = run_local(empty)
    assert finished.recorder.steps == len(plan.feed) == WARMUP_BARS + 40
    assert finished.recorder.log.count == 0
    assert finished.extra["fit_count"] == 0


def test_idle_agent_survives_a_snapshot() -> None:
    plan_agent = Idle.__new__(Idle)
    tree = Idle.snapshot(plan_agent)
    other = Idle.__new__(Idle)
    other.restore(tree)
    assert other.snapshot() == tree
