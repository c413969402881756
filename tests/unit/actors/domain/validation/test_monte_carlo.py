"""Resampled records: laws that move with the record, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.validation.monte_carlo import path_law, shuffled_trades


def test_ruin_is_the_share_of_paths_that_fall_so_far() -> None:
    bad = np.random.default_rng(0).standard_normal(400) * 0.03 - 0.003
    law = path_law(bad, paths=1000, ruin_frac=0.5)
    assert 0.5 < law.ruin_probability < 1.0
    assert law.ruin_error == pytest.approx(np.sqrt(law.ruin_probability * (1 - law.ruin_probability) / 1000))
    assert path_law(bad, paths=1000, ruin_frac=0.9).ruin_probability < law.ruin_probability
    good = np.abs(bad)
    assert path_law(good, paths=200).ruin_probability == 0.0
    assert path_law(good, paths=200).loss_probability == 0.0
    assert path_law(-good / 2, paths=200).loss_probability == 1.0


def test_blocks_keep_what_follows_what() -> None:
    rng = np.random.default_rng(1)
    trending = np.repeat(rng.choice([-0.01, 0.01], size=100), 20) + rng.standard_normal(2000) * 0.001
    law = path_law(trending, paths=400)
    assert law.mean_block is not None
    assert law.mean_block > 10.0
    assert law.drawdown[0.5] > 1.5 * path_law(trending, paths=400, mean_block=1.0).drawdown[0.5]


def test_a_reshuffle_keeps_the_end_and_changes_the_way() -> None:
    trades = np.array([0.1] * 10 + [-0.08] * 10)
    law = shuffled_trades(trades, paths=500)
    assert law.growth[0.05] == pytest.approx(float(np.prod(1.0 + trades)))
    assert law.growth[0.95] == pytest.approx(law.growth[0.05])
    # all losses in a row, as in the record, is the worst order there is
    assert law.drawdown[0.99] <= 1.0 - 0.92**10 + 1e-12
    assert law.drawdown[0.05] < law.drawdown[0.95]


def test_too_little_is_refused() -> None:
    with pytest.raises(InsufficientDataError, match="at least 12 returns, found 5"):
        path_law(np.zeros(5))
    with pytest.raises(InsufficientDataError, match=r"at least 10 .* found 3"):
        shuffled_trades(np.zeros(3))
    with pytest.raises(InvalidParamsError, match="ruin_frac"):
        path_law(np.zeros(50), ruin_frac=0.0)
