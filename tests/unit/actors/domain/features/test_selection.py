"""Selection: ranks against SciPy, relevance, redundancy, and no look past the matured rows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from actors.domain.features.selection import average_ranks, rank_correlations, select


def make_market(n: int = 600, seed: int = 1):
    rng = np.random.default_rng(seed)
    returns = rng.normal(0, 0.01, n)
    close = 100 * np.exp(np.cumsum(returns))
    ahead = np.append(returns[1:], 0.0)
    good = ahead + rng.normal(0, 0.02, n)
    copy = good + rng.normal(0, 0.001, n)
    other = -ahead + rng.normal(0, 0.03, n)
    return np.column_stack([rng.normal(size=n), good, copy, other, np.ones(n)]), close


def test_ranks_and_correlations_agree_with_scipy():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 12, (200, 4)).astype(float)
    np.testing.assert_array_equal(average_ranks(x[:, 0]), stats.rankdata(x[:, 0]))
    np.testing.assert_allclose(rank_correlations(x), stats.spearmanr(x).statistic, atol=1e-12)


def test_relevant_columns_come_first_and_redundant_ones_step_back():
    values, close = make_market()
    plain = select(values, close, 1, 3, 0.0)
    assert plain["columns"] == [1, 2, 3] or plain["columns"] == [2, 1, 3]
    lean = select(values, close, 1, 2, 1.0)
    assert set(lean["columns"]) in ({1, 3}, {2, 3})
    assert lean["scores"][1] < 0.0  # signed: the other one points down


def test_constant_columns_are_never_chosen():
    values, close = make_market()
    assert 4 not in select(values, close, 1, 5, 0.5)["columns"]


def test_rows_without_an_outcome_do_not_count():
    values, close = make_market()
    changed = values.copy()
    changed[-4:] = np.random.default_rng(9).normal(size=(4, values.shape[1])) * 100
    assert select(values, close, 4, 3, 0.5) == select(changed, close, 4, 3, 0.5)
    assert select(values, close, 4, 3, 0.5)["rows"] == len(close) - 4


@pytest.mark.parametrize("rows", [5, 33])
def test_too_few_rows_choose_nothing(rows):
    values, close = make_market()
    assert select(values[:rows], close[:rows], 4, 3, 0.5)["columns"] == []


def test_rows_with_nan_are_left_out():
    values, close = make_market()
    values[:100, 0] = np.nan
    assert select(values, close, 1, 3, 0.5)["rows"] == len(close) - 1 - 100
