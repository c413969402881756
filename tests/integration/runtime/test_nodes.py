"""Nodes that would compute otherwise are refused by name: other code, other kernels, no package; on a real cluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fanout_work as work
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.runtime.environment import prepare_environment
from actors.runtime.fanout_serial import SerialFanOut

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]
STORE = 80 << 20


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head with one CPU; nodes are added by the test."""
    # workers look for packages in the driver's folder first, which other machines do not have
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    prepare_environment(tmp_path_factory.mktemp("ray"))
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False},
    )
    job = ray.job_config.JobConfig(_py_driver_sys_path=[str(Path(work.__file__).parent)])
    ray.init(address=made.address, job_config=job, log_to_driver=False, logging_level="ERROR")
    yield made
    ray.shutdown()
    made.shutdown()


def other_code(root: Path, repo: Path) -> Path:
    """Our packages with one more line in one of them."""
    folder = root / "code"
    for name in ("actors", "config", "cluster"):
        shutil.copytree(repo / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "actors" / "domain" / "errors.py").open("a", encoding="utf-8") as file:
        file.write("\n# another release\n")
    return folder


def no_kernels(root: Path) -> Path:
    """A compiled module that cannot be loaded: this node would compute on the twins."""
    (root / "kernels").mkdir()
    (root / "kernels" / "_tradecore.py").write_text(
        "raise ImportError('built for another machine')\n", "utf-8"
    )
    return root / "kernels"


def no_package(root: Path) -> Path:
    """Something else that is called `actors`."""
    (root / "package").mkdir()
    (root / "package" / "actors.py").write_text("", "utf-8")
    return root / "package"


def test_every_node_that_differs_is_named_before_any_work(
    cluster: Any, tmp_path: Path, repo_root: Path
) -> None:
    from actors.runtime.fanout import RayFanOut
    from actors.runtime.nodes import refuse_other_nodes

    assert refuse_other_nodes() == 0
    with RayFanOut({"offset": 5.0}, workers=1, seed=4) as pool:
        want = pool.map(work.draw, range(5))
    shims = [other_code(tmp_path, repo_root), no_package(tmp_path)]
    native = kernels.backend().name == "native"
    shims += [no_kernels(tmp_path)] if native else []
    bad = [
        cluster.add_node(num_cpus=1, object_store_memory=STORE, env_vars={"PYTHONPATH": str(shim)})
        for shim in shims
    ]
    cluster.wait_for_nodes()
    with pytest.raises(KernelError) as refused:
        RayFanOut({"offset": 5.0}, workers=2, seed=4)
    said = refused.value.message
    assert refused.value.code == "NODES_DIFFER"
    assert said.count(" (") - 1 == len(bad)  # and the remedy's
    assert "code: expected " in said
    assert "packages: expected ours, found ModuleNotFoundError" in said
    assert ("kernels: expected native" in said) == native
    assert "install the same release on every node" in said
    for node in bad:
        cluster.remove_node(node)
    cluster.add_node(num_cpus=1, object_store_memory=STORE)
    cluster.wait_for_nodes()
    with RayFanOut({"offset": 5.0}, workers=2, seed=4) as pool:
        assert (
            pool.map(work.draw, range(5))
            == want
            == SerialFanOut({"offset": 5.0}, seed=4).map(work.draw, range(5))
        )


def test_a_node_that_joins_later_is_refused_by_its_workers_card(
    cluster: Any, tmp_path: Path, repo_root: Path
) -> None:
    from actors.runtime.fanout import RayFanOut

    shim = other_code(tmp_path, repo_root)
    with RayFanOut({"offset": 5.0}, workers=2, seed=4) as pool:
        cluster.add_node(num_cpus=1, object_store_memory=STORE, env_vars={"PYTHONPATH": str(shim)})
        cluster.wait_for_nodes()
        with pytest.raises(KernelError, match=r"worker \d+ on .*: code: expected \w+, found \w+"):
            pool.map(work.slow_draw, range(200))
