"""Bench of the regime kernels, small: every row is measured, and both sides reach the same likelihood."""

from __future__ import annotations

import math

import pytest

from actors.domain import registry
from cluster.bench import detector_set, regimes

pytest.importorskip("hmmlearn")
pytest.importorskip("jumpmodels")


def test_every_row_is_measured_at_equal_likelihood() -> None:
    found = regimes.run(2_000, 600, 1, iterations=5)
    rows = {f.name: f for f in regimes.figures(found)}
    assert len(rows) == 10
    for f in rows.values():
        assert f.value is not None
        assert math.isfinite(f.value)
    for name in ("diagonal_gap", "full_gap", "jump_gap"):
        assert found[name] < 1e-8
    for name in ("diagonal_x", "full_x", "starts_x", "jump_x"):
        assert found[name] > 0.0  # how fast is for the bench to say, on a machine that does nothing else


def test_without_the_peers_the_rows_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regimes, "_optional", lambda name: None)
    empty = [f for f in regimes.figures(regimes.run(1_000, 300, 1, iterations=2)) if f.value is None]
    assert len(empty) == 4
    assert all(f.met is None for f in empty)
    assert sum("not installed" in f.note for f in empty) == 3


def test_every_detector_is_run_and_its_seconds_are_stated() -> None:
    found = detector_set.run(700)
    assert set(found["seconds"]) == set(registry.kinds("actors.domain.regime"))
    assert all(s >= 0.0 for s in found["seconds"].values())
    assert found["heard"]["trend"] > 400
    (row,) = detector_set.figures(found)
    assert row.value == pytest.approx(sum(found["seconds"].values()))
    assert row.goal is None
    assert "duration_hmm" in row.note
