"""Differences of two records: what is the same is 0, what is better is seen, and what is luck mostly is not."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.evaluation.metrics.ratios import sharpe
from actors.domain.validation.paired import paired_difference

YEAR = 365.0


def _records(seed: int, bars: int = 1500, edge: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    market = 0.02 * rng.standard_normal(bars)
    return market + edge + 0.01 * rng.standard_normal(bars), market


def test_the_difference_is_that_of_the_ratios_and_turns_its_sign() -> None:
    a, b = _records(1, edge=0.001)
    one, two = (
        paired_difference(x, y, periods_per_year=YEAR, seed=3, paths=400) for x, y in ((a, b), (b, a))
    )
    assert one.sharpe_ann == pytest.approx(sharpe(a, YEAR) - sharpe(b, YEAR))
    assert one.return_ann == pytest.approx((a - b).mean() * YEAR)
    assert (one.sharpe_low, one.return_high) == pytest.approx((-two.sharpe_high, -two.return_low))
    assert one == paired_difference(a, b, periods_per_year=YEAR, seed=3, paths=400)


def test_two_worthless_records_differ_from_0_about_as_often_as_stated() -> None:
    outside = 0
    for seed in range(120):
        found = paired_difference(*_records(seed, 400), periods_per_year=YEAR, seed=seed, paths=300)
        assert found.sharpe_low is not None
        assert found.sharpe_high is not None
        outside += not found.sharpe_low <= 0.0 <= found.sharpe_high
    assert outside <= 15  # 6 expected, standard deviation 2.4


def test_pairing_sees_what_two_intervals_apart_would_not() -> None:
    rng = np.random.default_rng(5)
    market = 0.05 * rng.standard_normal(1000)
    better = market + 0.002 + 0.001 * rng.standard_normal(1000)
    found = paired_difference(better, market, periods_per_year=YEAR, seed=5, paths=400)
    assert found.sharpe_low is not None
    assert found.sharpe_low > 0.5
    assert found.above_frac == 1.0
    apart = paired_difference(rng.permutation(better), market, periods_per_year=YEAR, seed=5, paths=400)
    assert apart.sharpe_low is not None
    assert apart.sharpe_low < 0.0


def test_serial_dependence_makes_the_blocks_longer_and_the_interval_wider() -> None:
    rng = np.random.default_rng(9)
    noise = rng.standard_normal(3000)
    slow = np.zeros(3000)
    for k in range(1, 3000):
        slow[k] = 0.9 * slow[k - 1] + noise[k]
    flat = 0.01 * rng.standard_normal(3000)
    one = paired_difference(0.01 * noise, flat, periods_per_year=YEAR, seed=1, paths=400)
    two = paired_difference(0.01 * slow / slow.std(), flat, periods_per_year=YEAR, seed=1, paths=400)
    assert two.block_bars > 3.0 * one.block_bars
    assert two.return_high - two.return_low > 2.0 * (one.return_high - one.return_low)


def test_a_record_that_never_moves_has_no_ratio_to_compare() -> None:
    found = paired_difference(np.zeros(100), _records(2, 100)[0], periods_per_year=YEAR, seed=1, paths=50)
    assert (found.sharpe_ann, found.sharpe_low, found.above_frac) == (None, None, None)
    assert found.return_low < found.return_high


def test_other_bars_and_too_few_are_refused() -> None:
    with pytest.raises(
        InvalidParamsError, match=r"expected the same bars in both, found \(30,\) and \(29,\)"
    ):
        paired_difference(np.zeros(30), np.zeros(29), periods_per_year=YEAR, seed=1)
    with pytest.raises(InsufficientDataError, match="at least 20 bars, found 19"):
        paired_difference(np.zeros(19), np.zeros(19), periods_per_year=YEAR, seed=1)
