"""The bench of sweeps in small: its referees agree with us, its figures are all there."""

from __future__ import annotations

import shutil

import pytest

from actors.domain import kernels
from cluster.bench import sweep


@pytest.mark.skipif(kernels.backend().name != "native", reason="the twins take minutes for a grid")
def test_a_small_run_agrees_with_its_referees_and_has_all_rows() -> None:
    found = sweep.run(2_000, 1, long=False)
    assert found["combinations"] == 4950
    assert found["trades"] > 10_000
    assert found["error"] < 1e-9
    memory = found["memory"]
    assert memory is None or memory["grown_mb"] <= memory["allowed_mb"]
    if shutil.which("cc") is not None:
        differs = found["differs_from_c"]
        assert differs["counts"] == 0
        assert max(differs["final_equity"], differs["max_drawdown"], differs["fees"]) < 1e-11
        assert set(found["combination_bars_per_s"]) == {"kernel", "single", "c_shared", "c_alone"}
    rows = {f.name: f for f in sweep.figures(found)}
    assert {"rsi", "bollinger", "donchian", "momentum", "peak memory of the sweep"} <= set(rows)
    assert rows["difference from single backtests"].met


def test_pairs_are_the_grid_of_the_design() -> None:
    assert len(sweep.pairs_of(2, 101)) == 4950
    assert sweep.pairs_of(2, 4) == [(2, 3), (2, 4), (3, 4)]
