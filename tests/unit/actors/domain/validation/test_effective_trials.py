"""Effective number of trials: copies count once, strangers each."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.validation.effective_trials import group_trials


def test_blocks_of_like_trials_are_counted_as_one_each() -> None:
    rng = np.random.default_rng(3)
    kernels = rng.standard_normal((800, 4))
    table = np.hstack([kernels[:, [k]] * 0.9 + 0.4 * rng.standard_normal((800, 10)) for k in range(4)])
    found = group_trials(table)
    assert found.count == 4
    assert [len(set(found.labels[k * 10 : k * 10 + 10].tolist())) for k in range(4)] == [1] * 4


def test_strangers_are_all_counted_and_the_idle_once() -> None:
    rng = np.random.default_rng(0)
    table = np.hstack([rng.standard_normal((600, 30)), np.zeros((600, 3)), np.full((600, 1), 0.1)])
    found = group_trials(table)
    assert found.count == 31
    assert len(set(found.labels[30:].tolist())) == 1
    assert abs(found.mean_correlation or 1.0) < 0.02


def test_opposites_are_two_and_one_trial_is_one() -> None:
    x = np.random.default_rng(1).standard_normal((100, 1))
    assert group_trials(np.hstack([x, -x])).count == 2
    assert group_trials(x).count == 1
    assert group_trials(x).mean_correlation is None
    with pytest.raises(InvalidParamsError, match="finite"):
        group_trials(np.full((10, 2), np.nan))
