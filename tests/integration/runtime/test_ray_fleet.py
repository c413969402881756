"""A real fleet on Ray: the same decisions as in one process, also while its processes are killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import small

from actors.runtime.environment import prepare_environment
from cluster.runs.chaos import Chaos, audit, draw_kills
from cluster.runs.execute import open_run, run_local, run_ray

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    prepare_environment(tmp_path_factory.mktemp("ray"))
    from actors.runtime.session import ray_session

    with ray_session(num_cpus=4, object_store_mb=100):
        yield


def test_same_decisions_on_both_hosts_while_agents_are_killed(session: None, tmp_path: Path) -> None:
    market = small.frames(420)
    reference = run_local(small.plan(tmp_path / "local", market=market))
    plan = small.plan(tmp_path / "ray", market=market, journal=True, run_id="chaos")
    open_run(plan, {})
    kills = draw_kills(plan.graph.names, 8, plan.feed.warmup_steps, len(plan.feed), 1)
    chaos = Chaos(list(kills))
    finished = run_ray(plan, on_submit=chaos.on_submit, on_recovered=chaos.on_recovered, restart_budget=50)
    assert finished.recorder.log.digest() == reference.recorder.log.digest()
    assert finished.recorder.record.counts["orders"] > 0
    assert all(k.pid_after and k.pid_after != k.pid_before for k in chaos.done)
    assert len(chaos.done) == 8
    found = audit(finished, reference)
    assert found == {"lost_orders": 0, "duplicate_orders": 0, "ledger_balanced": True, "journal_problems": []}
    assert len({a["pid"] for a in finished.agents}) >= 20
