"""A fan-out over two nodes of one machine: a whole node is killed, and nothing is lost, doubled or different."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fanout_work as work
import psutil
import pytest

from actors.runtime.environment import prepare_environment
from actors.runtime.fanout_items import Progress
from actors.runtime.fanout_serial import SerialFanOut

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head with one CPU and a node with two."""
    prepare_environment(tmp_path_factory.mktemp("ray"))
    import ray
    from ray.cluster_utils import Cluster

    support = str(Path(work.__file__).parent)
    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False},
    )
    job = ray.job_config.JobConfig(_py_driver_sys_path=[support])
    # before there is another node: a driver ends with the node it is connected to
    ray.init(address=made.address, job_config=job, log_to_driver=False, logging_level="ERROR")
    made.second = made.add_node(num_cpus=2, object_store_memory=80 << 20)  # type: ignore[attr-defined]
    made.wait_for_nodes()
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_killed_node_loses_and_doubles_nothing(cluster: Any) -> None:
    from actors.runtime.fanout import RayFanOut

    shared = {"offset": 5.0}
    heard: list[Progress] = []
    killed: list[int] = []

    def on_progress(p: Progress) -> None:
        heard.append(p)
        if p.done > 40 and not killed:
            raylet = cluster.second.all_processes["raylet"][0].process.pid
            family = [psutil.Process(raylet), *psutil.Process(raylet).children(recursive=True)]
            killed.extend(p.pid for p in family)
            for process in family:
                os.kill(process.pid, signal.SIGKILL)

    with RayFanOut(shared, workers=3, seed=4, progress=on_progress) as pool:
        outcomes = list(pool.ordered(work.slow_draw, range(120)))
        assert len(killed) > 2
    assert [o.number for o in outcomes] == list(range(120))
    assert [o.value for o in outcomes] == SerialFanOut(shared, seed=4).map(work.draw, range(120))
    assert heard[-1].retried > 0
