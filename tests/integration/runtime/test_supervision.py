"""The supervisor on real processes: who is restarted when somebody dies or hangs, and who is left in peace."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray
import small

from actors.domain.events.risk import CircuitBreakerTripped
from actors.runtime import names
from actors.runtime.build import RunSettings
from actors.runtime.graph import FEED, AgentSpec, FleetGraph, Input
from actors.runtime.ray_host import RayHost
from actors.runtime.slices import SliceFeed
from actors.runtime.supervision import SupervisionPolicy
from actors.runtime.supervisor import Supervisor
from actors.runtime.wire import encode_block

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]
QUICK = SupervisionPolicy(heartbeat_s=0.2, misses=5, backoff_s=0.0, start_deadline_s=60.0)


def spec(name: str, part: str = "Counts", *inputs: Input, **more: Any) -> AgentSpec:
    return AgentSpec(
        name=name, kind=name, factory=f"fleet_parts:{part}", inputs=inputs or (Input(FEED),), **more
    )


def settings(folder: Path, run_id: str) -> RunSettings:
    plan = small.plan(folder / "plan", market=small.frames(340))
    return RunSettings(run_id, 7, plan.settings.timeframe_ns, plan.settings.instruments,
                       snapshot_dir=str(folder / "snapshots"), key_path=str(folder / "key"))  # fmt: skip


def wait_for(what: Callable[[], bool], seconds: float = 90.0) -> None:
    """Poll until something holds."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "did not come to pass"
        time.sleep(0.05)


def pids(host: RayHost) -> dict[str, int]:
    return {name: row["pid"] for name, row in ensured(host).items()}


def ensured(host: RayHost) -> dict[str, Any]:
    return ray.get(host.supervisor.ensure.remote(60.0), timeout=90)


def test_one_for_one_one_for_all_and_a_supervisor_that_finds_its_children(
    ray_for_tests: None, tmp_path: Path
) -> None:
    graph = FleetGraph(
        [spec("alone"), *(spec(n, "Counts", Input("alone"), group="g") for n in ("x", "y", "z"))]
    )
    with RayHost(graph, settings(tmp_path, "groups"), QUICK) as host:
        before = pids(host)
        os.kill(before["alone"], signal.SIGKILL)
        one = pids(host)
        assert {n for n in one if one[n] != before[n]} == {"alone"}
        os.kill(one["y"], signal.SIGKILL)
        everyone = pids(host)
        assert {n for n in everyone if everyone[n] != one[n]} == {"x", "y", "z"}
        assert ray.get(host.supervisor.report.remote())["restarts"] == {"alone": 1, "x": 1, "y": 1, "z": 1}
        chief = ray.get(host.supervisor.whoami.remote())["pid"]
        os.kill(chief, signal.SIGKILL)

        def back() -> bool:
            try:
                return bool(ray.get(host.supervisor.whoami.remote())["pid"] != chief)
            except ray.exceptions.RayActorError:
                return False

        wait_for(back)
        assert pids(host) == everyone


def test_a_hung_agent_is_ended_and_the_run_is_the_same(ray_for_tests: None, tmp_path: Path) -> None:
    feed = SliceFeed(small.frames(340))
    said: dict[str, list[Any]] = {}
    for name, parts in (
        ("calm", spec("hanger")),
        ("hung", spec("hanger", "HangsOnce", params={"at": 70, "mark": str(tmp_path / "mark")})),
    ):
        graph = FleetGraph([parts, spec("hearer", "Counts", Input("hanger"))])
        rows: list[Any] = []
        with RayHost(graph, settings(tmp_path / name, name), QUICK) as host:
            conductor = host.conductor(
                feed, block_steps=16, snapshot_every_steps=32,
                on_step=lambda item, out, rows=rows: rows.append((item.step, out)),
            )  # fmt: skip
            conductor.run(0, 128)
            restarts = ray.get(host.supervisor.report.remote())["restarts"]
        assert restarts == ({"hanger": 1} if name == "hung" else {})
        said[name] = rows
    assert len(said["calm"]) == 128
    assert said["hung"] == said["calm"]


def test_who_is_slow_to_start_is_not_taken_for_hung(ray_for_tests: None, tmp_path: Path) -> None:
    gate, births = tmp_path / "gate", tmp_path / "births"
    slow = spec("slow", "SlowlyBorn", params={"gate": str(gate), "births": str(births)})
    graph = FleetGraph([slow, spec("other")])
    policy = SupervisionPolicy(heartbeat_s=0.05, misses=2, start_deadline_s=60.0)
    chief = (
        ray.remote(Supervisor)
        .options(name="chief", num_cpus=0)
        .remote(list(graph.specs), settings(tmp_path, "slow"), policy)
    )
    ray.get(chief.start.remote(), timeout=60)
    ready = chief.ensure.remote(60.0)
    wait_for(births.exists)
    # many times the silence that would be a hang
    assert ray.wait([ready], timeout=2.0)[0] == []
    gate.touch()
    rows = ray.get(ready, timeout=60)
    assert sorted(rows) == ["other", "slow"]
    assert births.read_text(encoding="utf-8") == "born\n"
    assert ray.get(chief.report.remote())["restarts"] == {}
    ray.get(chief.stop.remote())
    ray.kill(chief)


def test_facts_survive_the_death_of_bus_and_repository(ray_for_tests: None, tmp_path: Path) -> None:
    graph = FleetGraph([spec("alone")])
    with RayHost(graph, settings(tmp_path, "facts"), QUICK) as host:
        bus, knowledge = host.handles[names.BUS], host.handles[names.KNOWLEDGE]

        def fact(key: str) -> Any:
            try:
                return ray.get(knowledge.get.remote(key))
            except ray.exceptions.RayActorError:
                return None

        def publish(n: int) -> None:
            trip = CircuitBreakerTripped(
                ts_event_ns=n,
                source="coordinator-risk",
                breaker="drawdown",
                limit=0.1,
                observed=0.2,
                until_step=n,
            )
            ray.get(bus.publish.remote(encode_block([[trip]])))

        publish(1)
        wait_for(lambda: fact("breaker/drawdown") is not None)
        assert fact("kernels")["value"]["backend"] in ("native", "python")
        for victim in (knowledge, bus):
            os.kill(ray.get(victim.whoami.remote()), signal.SIGKILL)
        # a dead repository hears the last word again; a dead bus is given its subscriber again
        wait_for(lambda: bus_hears(bus))
        publish(2)
        wait_for(lambda: until(fact("breaker/drawdown")) == 2)

        os.kill(ray.get(knowledge.whoami.remote()), signal.SIGKILL)
        wait_for(lambda: until(fact("breaker/drawdown")) == 2)


def until(fact: Any) -> int | None:
    return None if fact is None else fact["value"]["until_step"]


def bus_hears(bus: Any) -> bool:
    try:
        return names.KNOWLEDGE in ray.get(bus.stats.remote())["subscribers"]
    except ray.exceptions.RayActorError:
        return False


def test_a_fleet_whose_driver_is_gone_ends_itself(ray_for_tests: None, tmp_path: Path) -> None:
    graph = FleetGraph([spec("alone")])
    policy = SupervisionPolicy(heartbeat_s=0.1, lease_s=1.0)
    run = settings(tmp_path, "orphans")
    chief = (
        ray.remote(Supervisor)
        .options(
            name=names.SUPERVISOR, namespace=names.namespace(run.run_id), lifetime="detached", num_cpus=0
        )
        .remote(list(graph.specs), run, policy)
    )
    ray.get(chief.start.remote(), timeout=60)
    assert ray.get(chief.ensure.remote(60.0), timeout=60)["alone"]["last_step"] == -1
    # nobody renews the lease from here on

    def gone(name: str) -> bool:
        try:
            ray.get_actor(name, namespace=names.namespace(run.run_id))
        except ValueError:
            return True
        return False

    wait_for(lambda: all(gone(n) for n in ("alone", names.SUPERVISOR, *names.PLATFORM)))


def test_a_start_that_is_interrupted_leaves_no_fleet_behind(
    ray_for_tests: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, started = settings(tmp_path, "interrupted"), []

    def interrupt(rows: dict[str, Any]) -> None:
        started.extend(rows)
        raise KeyboardInterrupt

    monkeypatch.setattr("actors.runtime.ray_host._refuse_mixed_kernels", interrupt)
    with pytest.raises(KeyboardInterrupt):
        RayHost(FleetGraph([spec("alone")]), run, QUICK).__enter__()
    assert started == ["alone"]
    for name in ("alone", names.SUPERVISOR, *names.PLATFORM):
        with pytest.raises(ValueError, match="Failed to look up actor"):
            ray.get_actor(name, namespace=names.namespace(run.run_id))
