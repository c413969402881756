"""PBO against the definition written out, and what it must say on noise and on one better column."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import rankdata

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.validation.overfitting import overfitting_probability


def by_hand(table: np.ndarray, blocks: int) -> tuple[float, list[float], list[int]]:
    """Follow the definition half by half, with whole columns."""
    parts = np.array_split(np.arange(len(table)), blocks)
    logits, chosen = [], []
    for inside in itertools.combinations(range(blocks), blocks // 2):
        rows = np.concatenate([parts[k] for k in inside])
        others = np.concatenate([parts[k] for k in range(blocks) if k not in inside])

        def metric(r: np.ndarray) -> np.ndarray:
            sd = table[r].std(axis=0, ddof=1)
            return np.where(sd > 1e-12, table[r].mean(axis=0) / np.where(sd > 1e-12, sd, 1.0), 0.0)

        best = int(np.argmax(metric(rows)))
        share = rankdata(np.round(metric(others), 12))[best] / (table.shape[1] + 1)
        logits.append(math.log(share / (1 - share)))
        chosen.append(best)
    return float(np.mean(np.array(logits) <= 1e-12)), logits, chosen


@pytest.mark.parametrize(("bars", "trials", "blocks"), [(103, 7, 6), (64, 2, 4), (90, 12, 10)])
def test_equals_the_definition(bars: int, trials: int, blocks: int) -> None:
    table = np.random.default_rng(bars).standard_normal((bars, trials)) * 0.01
    table[:, -1] = 0.0  # never traded
    found = overfitting_probability(table, blocks=blocks)
    pbo, logits, chosen = by_hand(table, blocks)
    assert found.halves == math.comb(blocks, blocks // 2) == len(logits)
    assert found.pbo == pbo
    np.testing.assert_allclose(found.logits, logits, atol=1e-9)
    assert found.chosen.tolist() == chosen


def test_equal_columns_share_their_rank() -> None:
    column = np.random.default_rng(1).standard_normal((200, 1))
    found = overfitting_probability(np.repeat(column, 5, axis=1), blocks=8)
    assert found.pbo == 1.0
    np.testing.assert_allclose(found.logits, 0.0, atol=1e-12)


def test_half_on_noise_and_none_with_a_better_column() -> None:
    rng = np.random.default_rng(5)
    found = np.array(
        [overfitting_probability(rng.standard_normal((160, 30)), blocks=8).pbo for _ in range(60)]
    )
    assert abs(found.mean() - 0.5) < 3.0 * found.std(ddof=1) / math.sqrt(60)
    better = rng.standard_normal((1600, 30)) + np.where(np.arange(30) == 4, 0.5, 0.0)
    clear = overfitting_probability(better)
    assert (clear.halves, clear.pbo, set(clear.chosen.tolist())) == (12_870, 0.0, {4})


def test_a_larger_unit_of_returns_changes_nothing() -> None:
    table = np.random.default_rng(2).standard_normal((300, 9)) * 1e-4
    a, b = overfitting_probability(table, blocks=6), overfitting_probability(table * 1e6, blocks=6)
    np.testing.assert_allclose(a.logits, b.logits, atol=1e-12)


def test_the_transpose_and_unfit_blocks_are_refused() -> None:
    table = np.random.default_rng(0).standard_normal((400, 10))
    with pytest.raises(InsufficientDataError, match="bars are rows"):
        overfitting_probability(table.T)
    with pytest.raises(InvalidParamsError, match="even number"):
        overfitting_probability(table, blocks=7)
    with pytest.raises(InvalidParamsError, match="finite"):
        overfitting_probability(np.where(table > 2.0, np.nan, table))
