"""Splits: their sizes, their paths, and what does not fit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.validation.splits import (
    combinatorial_purged,
    path_table,
    purged_k_fold,
    walk_forward_folds,
)


def test_six_groups_of_which_two_are_tested_make_fifteen_splits_and_five_paths() -> None:
    splits, paths = combinatorial_purged(120, 6, 2), path_table(6, 2)
    assert (len(splits), paths.shape) == (15, (5, 6))
    for path in paths:
        for group, number in enumerate(path.tolist()):
            assert group in splits[number].groups
    for column in paths.T:
        assert len(set(column.tolist())) == 5


def test_k_fold_tests_every_bar_once() -> None:
    splits = purged_k_fold(11, 4, embargo_bars=1)
    assert np.concatenate([s.test for s in splits]).tolist() == list(range(11))
    assert [len(s.test) for s in splits] == [3, 3, 3, 2]


@pytest.mark.parametrize("anchored", [False, True])
def test_walk_forward_tests_follow_each_other_to_the_last_bar(anchored: bool) -> None:
    folds = walk_forward_folds(107, train_bars=40, test_bars=15, embargo_bars=2, anchored=anchored)
    assert len(folds) == 4
    assert folds[-1].test_end == 107
    assert all(a.test_end == b.test_begin for a, b in itertools.pairwise(folds))
    assert all(f.train_end + 2 == f.test_begin for f in folds)
    assert [f.train_begin for f in folds] == ([5] * 4 if anchored else [5, 20, 35, 50])
    assert all(f.train_end - f.train_begin == 40 for f in folds) != anchored


def test_what_does_not_fit_is_told() -> None:
    with pytest.raises(InsufficientDataError, match=r"at least 56 bars .* found 50"):
        walk_forward_folds(50, train_bars=40, test_bars=15, embargo_bars=1)
    with pytest.raises(InvalidParamsError, match="fewer than the 10 of a test fold, found 10"):
        walk_forward_folds(500, train_bars=40, test_bars=10, embargo_bars=10)
    with pytest.raises(InvalidParamsError, match="fewer than the 5 of a fold, found 7"):
        purged_k_fold(20, 4, embargo_bars=7)
    with pytest.raises(InsufficientDataError, match="at least 9 bars"):
        purged_k_fold(8, 9)
    with pytest.raises(InsufficientDataError, match="none after purging"):
        purged_k_fold(10, 2, label_ends=np.full(10, 9))
    with pytest.raises(InvalidParamsError, match="label_ends"):
        purged_k_fold(10, 2, label_ends=np.zeros(10, dtype=np.int64))
    with pytest.raises(InvalidParamsError, match="more than 3"):
        combinatorial_purged(10, 3, 3)
