"""Splits of time that let no test bar into training: walk-forward folds, purged k-fold, combinatorial purged.

López de Prado (2018), "Advances in financial machine learning", chapters 7 and 12; Pardo (2008), "The evaluation and
optimization of trading strategies", for walk-forward.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Half-open spans of positions: train on ``[train_begin, train_end)``, test on ``[test_begin, test_end)``."""

    train_begin: int
    train_end: int
    test_begin: int
    test_end: int


@dataclass(frozen=True)
class Split:
    """Positions to train on and to test on, each increasing; `groups` are the numbers of the groups tested."""

    train: IntArray
    test: IntArray
    groups: tuple[int, ...]


def walk_forward_folds(
    bars: int, *, train_bars: int, test_bars: int, embargo_bars: int = 0, anchored: bool = False
) -> list[Fold]:
    """Return folds whose tests follow each other without a gap and end at the last bar.

    Parameters
    ----------
    bars : int
    train_bars : int ≥ 1
        Of every fold; anchored, of the first one.
    test_bars : int ≥ 1
    embargo_bars : int ≥ 0
        Bars between train and test that belong to neither, shorter than a test.
    anchored : bool
        All trains begin at the first bar that is used, so they grow; else they roll.

    Returns
    -------
    list of Fold
        As many as fit; bars that do not make up a test are left out at the beginning, before `Fold.train_begin` of the
        first.

    Raises
    ------
    InvalidParamsError
        If a length is out of range or the embargo is as long as a test.
    InsufficientDataError
        If not even one fold fits.

    Examples
    --------
    >>> for f in walk_forward_folds(11, train_bars=4, test_bars=3, embargo_bars=1): print(f)
    Fold(train_begin=0, train_end=4, test_begin=5, test_end=8)
    Fold(train_begin=3, train_end=7, test_begin=8, test_end=11)
    """
    _lengths(train_bars=train_bars, test_bars=test_bars)
    _embargo(embargo_bars, test_bars, "a test fold")
    count = (bars - train_bars - embargo_bars) // test_bars
    if count < 1:
        raise InsufficientDataError(
            "FOLDS_TOO_LONG",
            f"walk-forward: expected at least {train_bars + embargo_bars + test_bars} bars (train {train_bars}, "
            f"embargo {embargo_bars}, test {test_bars}), found {bars}; shorten train or test, or bring more bars",
        )
    first = bars - count * test_bars
    used = first - embargo_bars - train_bars
    out = []
    for k in range(count):
        test = first + k * test_bars
        end = test - embargo_bars
        out.append(Fold(used if anchored else end - train_bars, end, test, test + test_bars))
    return out


def purged_k_fold(
    bars: int, folds: int, *, label_ends: IntArray | None = None, embargo_bars: int = 0
) -> list[Split]:
    """Return contiguous test folds, each with the bars that may train against it.

    Parameters
    ----------
    bars : int
    folds : int ≥ 2
        Their sizes differ by one at most, the first ones longer.
    label_ends : array, shape (bars,), optional
        Last position that the label of each bar looks at, itself at least; by default each looks at its own bar.
    embargo_bars : int ≥ 0
        Further bars dropped after the last label of a test fold, fewer than its bars.

    Notes
    -----
    With test bars [a, b] and B the latest label end among them, a bar is dropped from training if its own span
    [i, end_i] meets [a, B], or if it is one of the `embargo_bars` after B.

    Raises
    ------
    InvalidParamsError
        If a number is out of range, or a label ends before its bar or after the last one.
    InsufficientDataError
        If there are fewer bars than folds, or nothing is left to train on.

    Examples
    --------
    >>> ends = np.minimum(np.arange(9) + 1, 8)
    >>> for s in purged_k_fold(9, 3, label_ends=ends, embargo_bars=1): print(s.test.tolist(), s.train.tolist())
    [0, 1, 2] [5, 6, 7, 8]
    [3, 4, 5] [0, 1, 8]
    [6, 7, 8] [0, 1, 2, 3, 4]
    """
    return combinatorial_purged(bars, folds, 1, label_ends=label_ends, embargo_bars=embargo_bars)


def combinatorial_purged(
    bars: int, groups: int, test_groups: int, *, label_ends: IntArray | None = None, embargo_bars: int = 0
) -> list[Split]:
    """Return every choice of test groups, purged and embargoed at every group's edges.

    Parameters
    ----------
    bars : int
    groups, test_groups : int
        ``1 ≤ test_groups < groups``; contiguous groups whose sizes differ by one at most.
    label_ends, embargo_bars
        As in `purged_k_fold`.

    Returns
    -------
    list of Split
        C(groups, test_groups) of them, in the order of `itertools.combinations`.

    Raises
    ------
    InvalidParamsError, InsufficientDataError
        As `purged_k_fold`.

    Examples
    --------
    >>> splits = combinatorial_purged(60, 6, 2)
    >>> len(splits), splits[1].groups, len(path_table(6, 2))
    (15, (0, 2), 5)
    """
    if not 1 <= test_groups < groups:
        raise InvalidParamsError(
            "GROUPS_INVALID", f"groups: expected more than {test_groups} ≥ 1 test groups, found {groups}"
        )
    if bars < groups:
        raise InsufficientDataError(
            "FOLDS_TOO_MANY", f"folds: expected at least {groups} bars for as many folds, found {bars}"
        )
    ends = _checked_ends(bars, label_ends)
    parts = np.array_split(np.arange(bars, dtype=np.int64), groups)
    _embargo(embargo_bars, len(parts[-1]), "a fold")
    own = np.arange(bars, dtype=np.int64)
    forbidden = []
    for part in parts:
        begin, last = int(part[0]), int(ends[part].max())
        forbidden.append(((own <= last) & (ends >= begin)) | ((own > last) & (own <= last + embargo_bars)))
    out = []
    for chosen in itertools.combinations(range(groups), test_groups):
        bad = np.logical_or.reduce([forbidden[g] for g in chosen])
        test = np.concatenate([parts[g] for g in chosen])
        train = np.flatnonzero(~bad).astype(np.int64)
        if not len(train):
            raise InsufficientDataError(
                "FOLDS_EMPTY_TRAIN",
                f"folds: expected bars left to train against test groups {chosen}, found none after purging; use fewer "
                "groups, shorter labels or a shorter embargo",
            )
        out.append(Split(train, test, chosen))
    return out


def path_table(groups: int, test_groups: int) -> IntArray:
    """Return which split tests each group on each path, shape (paths, groups).

    There are C(groups, test_groups)·test_groups/groups paths; path p takes of every group the p-th split in which it
    is tested.

    Examples
    --------
    >>> path_table(4, 2).tolist()
    [[0, 0, 1, 2], [1, 3, 3, 4], [2, 4, 5, 5]]
    """
    tested: list[list[int]] = [[] for _ in range(groups)]
    for number, chosen in enumerate(itertools.combinations(range(groups), test_groups)):
        for g in chosen:
            tested[g].append(number)
    assert len(tested[0]) == math.comb(groups, test_groups) * test_groups // groups, (
        "each group equally often"
    )
    return np.array(tested, dtype=np.int64).T.copy()


def group_bounds(bars: int, groups: int) -> list[tuple[int, int]]:
    """Return ``[begin, end)`` of contiguous groups whose sizes differ by one at most, the first ones longer.

    Examples
    --------
    >>> group_bounds(10, 4)
    [(0, 3), (3, 6), (6, 8), (8, 10)]
    """
    size, extra = divmod(bars, groups)
    edges = [k * size + min(k, extra) for k in range(groups + 1)]
    return list(itertools.pairwise(edges))


def _checked_ends(bars: int, label_ends: IntArray | Sequence[int] | None) -> IntArray:
    own = np.arange(bars, dtype=np.int64)
    if label_ends is None:
        return own
    ends = np.asarray(label_ends, dtype=np.int64)
    if ends.shape != (bars,) or (ends < own).any() or (ends >= bars).any():
        raise InvalidParamsError(
            "LABEL_ENDS",
            f"label_ends: expected one per bar ({bars}), at its bar or later and within the bars, found others",
        )
    return ends


def _lengths(**lengths: int) -> None:
    for name, value in lengths.items():
        if value < 1:
            raise InvalidParamsError("FOLDS_LENGTH", f"{name}: expected at least 1, found {value}")


def _embargo(embargo_bars: int, fold_bars: int, what: str) -> None:
    if not 0 <= embargo_bars < fold_bars:
        raise InvalidParamsError(
            "EMBARGO_TOO_LONG",
            f"embargo: expected 0 bars or more, and fewer than the {fold_bars} of {what}, found {embargo_bars}; "
            "shorten the embargo or take longer folds",
        )
