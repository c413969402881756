"""SPA and StepM against arch's, and on a known null and a planted winner."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import SPA, StepM

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.validation.resampling import bootstrap_means, stationary_positions
from actors.domain.validation.snooping import long_run_variance, superior_ability


def market(edges: list[float], bars: int = 400, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((bars, 1))
    noise = 0.6 * common + 0.8 * rng.standard_normal((bars, len(edges)))
    return noise + np.array(edges)


@pytest.mark.parametrize("edges", [[0.0] * 6, [-0.5, 0.0, 0.11, -0.02, 0.0, 0.0], [0.05, 0.08, 0.1]])
def test_p_values_agree_with_arch(edges: list[float]) -> None:
    table = market(edges)
    zeros = np.zeros(len(table))
    ours = superior_ability(table, zeros, paths=4000, mean_block=5.0, studentized=False, seed=1)
    # arch takes losses; its SPA does not studentise p-values
    peer = SPA(-zeros, -table, block_size=5, reps=4000, bootstrap="stationary", studentize=False, seed=3)
    peer.compute()
    for name in ("lower", "consistent", "upper"):
        p, q = getattr(ours, name), float(peer.pvalues[name])
        assert abs(p - q) < 4.0 * np.sqrt(2.0 * max(q * (1.0 - q), 0.001) / 4000), name
    assert ours.lower <= ours.consistent <= ours.upper


def test_long_run_variance_is_arch_s() -> None:
    table = np.cumsum(market([0.0] * 4, bars=150), axis=0) * 0.1 + market([0.0] * 4, bars=150, seed=4)
    peer = SPA(np.zeros(150), -table, block_size=7, reps=10, seed=0)
    peer.compute()
    ours = long_run_variance(table - table.mean(axis=0), 7.0)
    np.testing.assert_allclose(ours, peer._loss_diff_var, rtol=1e-9)


@pytest.mark.parametrize("edges", [[0.0] * 5, [0.0, 0.3, 0.0, 0.35, -0.4], [0.5, 0.0, 0.16]])
def test_stepwise_winners_are_arch_s(edges: list[float]) -> None:
    table = market(edges, seed=9)
    ours = superior_ability(table, np.zeros(len(table)), paths=3000, mean_block=4.0, studentized=False)
    peer = StepM(
        np.zeros(len(table)), -table, size=0.05, block_size=4, reps=3000, bootstrap="stationary",
        studentize=False, seed=2,
    )  # fmt: skip
    peer.compute()
    assert list(ours.superior) == peer.superior_models


def test_the_null_is_kept_and_a_winner_found() -> None:
    p = [
        superior_ability(market([0.0] * 8, seed=s), np.zeros(400), paths=300, seed=s).consistent
        for s in range(60)
    ]
    # binomial(60, 0.05): at most 8 with probability 0.998
    assert sum(x < 0.05 for x in p) <= 8
    won = superior_ability(market([0.0, 0.0, 0.4], seed=1), np.zeros(400), paths=500)
    assert (won.consistent, won.best, won.superior) == (0.0, 2, (2,))


def test_a_resample_has_blocks_of_the_asked_mean() -> None:
    at = stationary_positions(np.random.default_rng(0), 1000, mean_block=8.0, steps=200_000)
    jumps = np.flatnonzero(np.diff(at) % 1000 != 1)
    # a new start is the successor by chance once in a thousand
    assert abs(len(at) / (len(jumps) + 1) - 8.0) < 0.15
    assert np.bincount(at, minlength=1000).std() < 3.0 * np.sqrt(200 * 8)


def test_means_are_those_of_resampled_rows() -> None:
    table = np.random.default_rng(1).standard_normal((40, 3))
    drawn = bootstrap_means(table, paths=5, mean_block=3.0, seed=4)
    rng = np.random.default_rng(4)
    for row in drawn:
        np.testing.assert_allclose(row, table[stationary_positions(rng, 40, mean_block=3.0)].mean(axis=0))


def test_what_cannot_be_tested_is_refused() -> None:
    table = market([0.0, 0.0])
    with pytest.raises(InsufficientDataError, match="differs from the benchmark"):
        superior_ability(table[:, :1] * 0.0, np.zeros(400))
    with pytest.raises(InvalidParamsError, match="one benchmark per bar"):
        superior_ability(table, np.zeros(399))
    flat = np.hstack([table, np.zeros((400, 1))])
    assert superior_ability(flat, np.zeros(400), paths=100).best in (0, 1)
