"""PELT against ruptures, and our scores on the Turing series against those that its authors printed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from actors.domain.errors import DataError
from actors.domain.regime.changes.segmentation import binary_segmentation, pelt
from cluster.bench.change_points import load, main, turing


def steps(seed: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.choice(np.arange(10, n - 10), 6, replace=False))
    which = np.searchsorted(edges, np.arange(n), side="right")
    return rng.normal(0, 3, 7)[which] + rng.choice([0.5, 2.0], 7)[which] * rng.standard_normal(n)


def objective(x: np.ndarray, ends: list[int], penalty: float) -> float:
    parts = np.split(x, ends[:-1])
    return sum(float(((p - p.mean()) ** 2).sum()) for p in parts) + penalty * (len(ends) - 1)


@pytest.mark.parametrize("min_size", [1, 2, 10])
def test_pelt_cuts_where_ruptures_cuts(min_size: int) -> None:
    rpt = pytest.importorskip("ruptures")
    same = 0
    for seed in range(4):
        x = steps(seed, 100)
        for penalty in (2.0, 20.0, 100.0):
            peer = rpt.Pelt(model="l2", min_size=min_size, jump=1).fit(x).predict(pen=penalty)
            ours = pelt(x, penalty, min_size=min_size)
            same += ours == peer
            # ruptures gives a start up before the better one may be used, so with a least size it can miss the optimum
            assert objective(x, ours, penalty) <= objective(x, peer, penalty) + 1e-8
    assert same == 12 if min_size == 1 else same >= 5


def test_pelt_with_mean_and_variance_cuts_where_ruptures_cuts() -> None:
    rpt = pytest.importorskip("ruptures")

    class Normal(rpt.base.BaseCost):
        """ruptures' own normal cost divides by n − 1 and adds a constant to the variance."""

        model, min_size = "", 2

        def fit(self, signal):
            self.signal = signal
            return self

        def error(self, start, end):
            return (end - start) * np.log(self.signal[start:end].var())

    for seed in range(3):
        x = steps(seed, 120)
        for penalty in (10.0, 30.0):
            peer = rpt.Pelt(custom_cost=Normal(), min_size=5, jump=1).fit(x).predict(pen=penalty)
            assert pelt(x, penalty, cost="normal", min_size=5) == peer


def test_binary_segmentation_cuts_where_ruptures_cuts() -> None:
    rpt = pytest.importorskip("ruptures")
    for seed in range(6):
        x = steps(seed, 250)
        peer = rpt.Binseg(model="l2", min_size=1, jump=1).fit(x).predict(n_bkps=4)
        assert binary_segmentation(x, 0.0, max_changes=4) == peer


@pytest.mark.shared_data
def test_the_printed_turing_scores_come_out(shared_data: Path) -> None:
    series, others = load(shared_data / "benchmarks" / "tcpd_part1.zip")
    assert others == ["run_log"]
    wanted = ("nile", "seatbelts", "brent_spot", "well_log", "quality_control_1", "co2_canada", "bank")
    found = turing([s for s in series if s.name in wanted], hindsight=False)
    assert found["reproduced"]["series"] == len(wanted)
    assert found["reproduced"]["met"], found["reproduced"]
    scores = {row["name"]: row["scores"] for row in found["series"]}
    # METHODS 1.6: default F1 of BOCPD, PELT and no change at all
    assert scores["nile"]["pelt"]["f1"] == scores["nile"]["bocpd"]["f1"] == 1.0
    assert scores["nile"]["none"]["f1"] == pytest.approx(0.824, abs=6e-4)
    assert scores["brent_spot"]["bocpd"]["f1"] == pytest.approx(0.521, abs=6e-4)
    assert scores["seatbelts"]["pelt"]["f1"] == pytest.approx(0.683, abs=6e-4)
    assert scores["nile"]["pelt"]["changes"] == [28]  # the year 1899


def test_the_bench_says_what_is_wrong_with_its_data(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DataError, match="expected the archive"):
        load(tmp_path / "none.zip")
    assert main(["--data", str(tmp_path / "none.zip")]) == 2
    assert "none.zip" in capsys.readouterr().err
