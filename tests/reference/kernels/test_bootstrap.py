"""The bootstrap's generator and its law: published outputs of xoshiro128++, blocks of geometric length, even starts."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.kernels.twins import statistics as twin


def test_generator_prints_the_published_numbers() -> None:
    # the first outputs of xoshiro128++ (Blackman & Vigna) from the state 1, 2, 3, 4
    words = [np.array([k], dtype=np.uint32) for k in (1, 2, 3, 4)]
    assert [int(twin._draw(words)[0]) for _ in range(10)] == [
        641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420,
    ]  # fmt: skip


def positions(returns: np.ndarray, steps: int, mean_block_bars: float, paths: int) -> np.ndarray:
    """Return which return each path took at each step: growth by different powers of two tells them apart."""
    lowest = int(np.log2(returns.min() + 1.0))
    chosen = np.empty((paths, steps), dtype=np.int64)
    before = np.ones(paths)
    for step in range(1, steps + 1):
        drawn = kernels.bootstrap_paths(
            returns, paths=paths, steps=step, seed=11, mean_block_bars=mean_block_bars
        )
        chosen[:, step - 1] = np.log2(drawn.growth / before).round().astype(np.int64) - lowest
        before = drawn.growth
    return chosen


@pytest.mark.parametrize("mean_block_bars", [1.0, 4.0])
def test_blocks_have_their_mean_length_and_start_evenly(mean_block_bars: float) -> None:
    n, steps, paths = 7, 40, 4_000
    taken = positions(2.0 ** np.arange(n) - 1.0, steps, mean_block_bars, paths)
    counts = np.bincount(taken[:, 0], minlength=n)
    assert counts.sum() == paths
    # chi-square with six degrees of freedom: above 22.5 once in a thousand
    assert ((counts - paths / n) ** 2 / (paths / n)).sum() < 22.5
    follows = taken[:, 1:] == (taken[:, :-1] + 1) % n
    # a new block begins behind the last one by chance too
    expected = (1.0 - 1.0 / mean_block_bars) + 1.0 / mean_block_bars / n
    assert follows.mean() == pytest.approx(expected, abs=4.0 * np.sqrt(expected / follows.size))
    # whether a block goes on does not depend on whether the one before did
    again = (follows[:, 1:] & follows[:, :-1]).mean()
    assert again == pytest.approx(expected**2, abs=0.01)
    # no return is favoured at any step
    assert np.abs(np.bincount(taken.ravel(), minlength=n) / taken.size * n - 1.0).max() < 0.03


@pytest.mark.parametrize("tail", [0.05, 0.3])
@pytest.mark.parametrize("steps", [1, 2, 37])
def test_figures_of_a_path_are_those_of_its_returns(steps: int, tail: float) -> None:
    returns = 2.0 ** (np.arange(9) - 4) - 1.0
    taken = positions(returns, steps, 3.0, 20)
    drawn = kernels.bootstrap_paths(
        returns, paths=20, steps=steps, seed=11, mean_block_bars=3.0, sums=True, tail=tail
    )
    assert drawn.sums is not None
    for path, figures in zip(taken, drawn.sums, strict=True):
        r = returns[path]
        s = kernels.return_statistics(r, tail=tail)
        expected = (
            (r - returns.mean()).sum(), ((r - returns.mean()) ** 2).sum(), s.downside_sum, s.gain_sum, -s.loss_sum,
            s.drawdown_square_sum, s.wins, s.low_quantile, s.high_quantile, s.es,
        )  # fmt: skip
        np.testing.assert_allclose(figures, expected, rtol=1e-9, atol=1e-9)
