"""Segmentations against every segmentation there is, and the costs against plain NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.regime.changes.costs import NormalError, SquaredError
from actors.domain.regime.changes.segmentation import bic_penalty, binary_segmentation, cost_of, pelt


def total(kind: str, x: np.ndarray, ends: list[int], penalty: float) -> float:
    part = cost_of(kind, x)
    edges = [0, *ends]
    return sum(float(part.of(np.array([a]), b)[0]) for a, b in pairwise(edges)) + penalty * (len(ends) - 1)


def optimum(kind: str, x: np.ndarray, penalty: float, least: int) -> float:
    """Dynamic programming without pruning."""
    part, n = cost_of(kind, x), len(x)
    best = np.full(n + 1, np.inf)
    best[0] = -penalty
    for end in range(least, n + 1):
        starts = np.arange(end - least + 1)
        best[end] = (best[starts] + part.of(starts, end)).min() + penalty
    return float(best[n])


def jumpy(seed: int, n: int = 70) -> np.ndarray:
    rng = np.random.default_rng(seed)
    levels = np.repeat(rng.normal(0, 2.0, n // 7 + 1), 7)[:n]
    return levels + rng.standard_normal(n) * np.repeat(rng.choice([0.3, 1.5], n // 10 + 1), 10)[:n]


@pytest.mark.parametrize("kind", ["l2", "normal", "mbic"])
@pytest.mark.parametrize("min_size", [1, 2, 6])
def test_pelt_is_the_optimum(kind: str, min_size: int) -> None:
    for seed in range(8):
        x = jumpy(seed)
        for penalty in (0.0, 0.5, 4.0, 30.0):
            ends = pelt(x, penalty, cost=kind, min_size=min_size)
            least = max(min_size, 2 if kind == "normal" else 1)
            assert np.diff([0, *ends]).min() >= least
            assert total(kind, x, ends, penalty) == pytest.approx(
                optimum(kind, x, penalty, least), rel=1e-9, abs=1e-8
            )


def test_changes_never_rise_with_the_penalty() -> None:
    x = jumpy(3, 300)
    counts = [len(pelt(x, p)) for p in np.logspace(-2, 4, 25)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 50
    assert counts[-1] == 1


def test_costs_are_those_of_numpy() -> None:
    x = jumpy(5) + 1e4
    starts = np.arange(0, 60)
    for end in (62, 70):
        parts = [x[s:end] for s in starts]
        np.testing.assert_allclose(
            SquaredError(x).of(starts, end), [((p - p.mean()) ** 2).sum() for p in parts], rtol=1e-7
        )
        np.testing.assert_allclose(
            NormalError(x).of(starts, end), [len(p) * np.log(p.var()) for p in parts], rtol=1e-7, atol=1e-7
        )


def test_a_stretch_of_equal_values_is_dear_but_finite() -> None:
    x = np.concatenate([np.random.default_rng(0).standard_normal(40), np.full(30, 2.0)])
    assert pelt(x, bic_penalty("normal", 70), cost="normal", min_size=3) == [40, 70]
    assert pelt(np.ones(20), 1.0, cost="normal") == [20]


def test_binary_segmentation_finds_clear_cuts_and_stops_at_its_bound() -> None:
    x = np.repeat([0.0, 8.0, -3.0, 5.0], 25) + 0.5 * np.random.default_rng(1).standard_normal(100)
    assert binary_segmentation(x, 20.0) == [25, 50, 75, 100] == pelt(x, 20.0)
    assert len(binary_segmentation(x, 20.0, max_changes=2)) == 3
    assert binary_segmentation(x, 1e9) == [100]


@pytest.mark.parametrize(
    ("x", "kwargs", "said"),
    [
        ([1.0, np.nan, 2.0], {}, "finite"),
        ([1.0, np.inf], {}, "finite"),
        ([], {}, "finite"),
        ([[1.0], [2.0]], {}, "one dimension"),
        ([1.0, 2.0], {"min_size": 3}, "at least 3 bars"),
        ([1.0, 2.0], {"min_size": 0}, "min_size from 1"),
        ([1.0, 2.0], {"cost": "l1"}, "l2, normal, mbic"),
    ],
)
def test_bad_input_is_one_clear_error(x, kwargs, said) -> None:
    for method in (pelt, binary_segmentation):
        with pytest.raises(InvalidParamsError, match=said):
            method(x, 1.0, **kwargs)
    with pytest.raises(InvalidParamsError, match="penalty"):
        pelt([1.0, 2.0], float("nan"))
