"""Calibration measures and the isotonic map beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.calibration import Tally, calibration
from actors.domain.regime.confidence.isotonic import IsotonicMap


@pytest.mark.parametrize("seed", range(5))
def test_measures_equal_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = np.clip(rng.beta(0.7, 0.5, 500), 0.0, 1.0)
    p[:2] = 0.0, 1.0
    y = (rng.random(500) < p**1.5).astype(int)
    y[:2] = 1, 0  # what was ruled out came: log-loss clips
    found = calibration(p.tolist(), y.tolist())
    assert found.brier == pytest.approx(brier_score_loss(y, p), abs=1e-12)
    clipped = np.clip(p, 1e-15, 1.0 - 1e-15)
    assert found.log_loss == pytest.approx(log_loss(y, clipped), rel=1e-2)
    # bins written out
    at = np.minimum((p * 10).astype(int), 9)
    gaps = {k: abs(p[at == k].mean() - y[at == k].mean()) for k in range(10) if (at == k).any()}
    assert found.ece == pytest.approx(sum((at == k).mean() * g for k, g in gaps.items()), abs=1e-12)
    assert found.mce == pytest.approx(max(gaps.values()), abs=1e-12)
    assert [b.count for b in found.bins] == [int((at == k).sum()) for k in gaps]


def test_log_loss_equals_scikit_learns_inside_the_clip() -> None:
    rng = np.random.default_rng(3)
    p = rng.uniform(0.01, 0.99, 300)
    y = (rng.random(300) < p).astype(int)
    assert calibration(p.tolist(), y.tolist()).log_loss == pytest.approx(log_loss(y, p), abs=1e-12)


def test_parts_add_up_and_nothing_is_nothing() -> None:
    rng = np.random.default_rng(4)
    p, y = rng.random(200).tolist(), (rng.random(200) < 0.4).astype(int).tolist()
    first, second = Tally(), Tally()
    for i, (a, b) in enumerate(zip(p, y, strict=True)):
        (first if i < 77 else second).add(a, b)
    first.merge(second)
    whole = calibration(p, y)
    assert first.result().ece == pytest.approx(whole.ece, abs=1e-12)
    assert first.result().log_loss == pytest.approx(whole.log_loss, abs=1e-12)
    empty = calibration([], [])
    assert (empty.count, empty.brier, empty.ece, empty.bins) == (0, None, None, ())


@pytest.mark.parametrize(("p", "y"), [([1.2], [1]), ([float("nan")], [1]), ([0.5], [0.5]), ([0.5], [1, 0])])
def test_refuses_what_is_no_forecast(p: list[float], y: list[float]) -> None:
    with pytest.raises(InvalidParamsError, match="expected"):
        calibration(p, y)


@pytest.mark.parametrize("seed", range(8))
def test_isotonic_map_equals_scikit_learns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 300))
    x = np.round(rng.random(n), int(rng.integers(1, 6)))  # few digits: many equal scores
    y = (rng.random(n) < x**2).astype(float)
    w = rng.uniform(0.2, 3.0, n)
    grid = np.linspace(-0.2, 1.2, 401)
    for weights in (None, w):
        mine = IsotonicMap()
        mine.fit(x.tolist(), y.tolist(), None if weights is None else weights.tolist())
        peer = IsotonicRegression(out_of_bounds="clip").fit(x, y, sample_weight=weights)
        np.testing.assert_allclose([mine(g) for g in grid.tolist()], peer.predict(grid), atol=1e-12)


def test_isotonic_map_refuses_what_cannot_be_fitted() -> None:
    for pairs in (([], []), ([0.1], [0.0, 1.0]), ([float("nan")], [1.0])):
        with pytest.raises(InvalidParamsError, match="isotonic: expected"):
            IsotonicMap().fit(*pairs)
    with pytest.raises(InvalidParamsError, match="above 0"):
        IsotonicMap().fit([0.1], [1.0], [0.0])
