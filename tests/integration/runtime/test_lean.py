"""What each process of a fleet has loaded: Ray's serializer brings no package that no agent needs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import ray
import small

from actors.runtime import lean, names
from actors.runtime.ray_host import RayHost
from actors.runtime.supervision import SupervisionPolicy
from cluster.runs.execute import open_run

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]


def test_no_process_of_the_fleet_holds_what_it_does_not_use(ray_for_tests: None, tmp_path: Path) -> None:
    def loaded(
        _actor: Any,
    ) -> set[str]:  # within, or the actor would import this file with all that it imports
        return {name.split(".")[0] for name in sys.modules}

    plan = small.plan(tmp_path, market=small.frames(340), journal=True, run_id="lean")
    open_run(plan, {})
    with RayHost(plan.graph, plan.settings, SupervisionPolicy()) as host:
        handles = {names.SUPERVISOR: host.supervisor, **host.handles}
        answers = ray.get([h.__ray_call__.remote(loaded) for h in handles.values()], timeout=90)
        held = dict(zip(handles, answers, strict=True))
        assert len(held) >= 20
        unused = {"pyarrow", "starlette", "pandas", "duckdb"}
        assert {n for n, modules in held.items() if modules & unused} == set()
        plain = {names.SUPERVISOR, names.BUS, names.REGISTRY, names.KNOWLEDGE, names.JOURNAL}
        assert {n for n in plain if held[n] & {"pydantic", "sklearn", "river"}} == set()
        assert {n for n in held if "scipy" in held[n] and not n.startswith("predict")} == set()
        assert {n for n in held if "sqlalchemy" in held[n]} == {names.JOURNAL}
        assert {n for n in held if "river" in held[n]} == {n for n in held if n == "predict-online"} != set()


def test_a_driver_keeps_its_own_serializer(ray_for_tests: None) -> None:
    assert not lean.lean_serializer()
    import pyarrow as pa

    table = pa.table({"x": [1, 2, 3]})
    assert ray.get(ray.put(table)).equals(table)
