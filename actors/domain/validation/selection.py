"""What choosing among trials is worth: choose by one part of the time, look at another.

The choice is the trial with the best mean / deviation (ddof 1) over the training part; a trial that does not vary
there counts as 0. Trials are records of whole runs: their parameters are fixed, so no refit is needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.validation.splits import (
    Split,
    combinatorial_purged,
    path_table,
    purged_k_fold,
    walk_forward_folds,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """One choice: the trial, its metric where it was chosen, and where it was not; per period, not annualised."""

    chosen: int
    train: float
    test: float
    test_bars: int


@dataclass(frozen=True)
class Selection:
    """Choices over several splits, and what following them earned.

    Attributes
    ----------
    choices : tuple of Choice
    paths : array, shape (n_paths, n_rows)
        Returns of the chosen trials over the tested rows, each row tested once per path.
    """

    choices: tuple[Choice, ...]
    paths: FloatArray


def trial_sharpes(returns: FloatArray) -> FloatArray:
    """Return mean / deviation (ddof 1) per column, 0 where one does not vary.

    Examples
    --------
    >>> trial_sharpes(np.array([[0.01, 0.0], [0.03, 0.0], [-0.01, 0.0]])).round(6).tolist()
    [0.5, 0.0]
    """
    if len(returns) < 2:
        return np.zeros(returns.shape[1])
    sd = returns.std(axis=0, ddof=1)
    varies = sd > 1e-14 * np.abs(returns).max(axis=0)
    found: FloatArray = np.where(varies, returns.mean(axis=0) / np.where(varies, sd, 1.0), 0.0)
    return found


def defined_sharpes(returns: FloatArray) -> FloatArray:
    """Return `trial_sharpes` of the columns that vary: the others have no Sharpe ratio.

    Examples
    --------
    >>> defined_sharpes(np.array([[0.01, 0.0], [0.03, 0.0], [-0.01, 0.0]])).round(6).tolist()
    [0.5]
    """
    found: FloatArray = trial_sharpes(returns)[np.ptp(returns, axis=0) > 0.0]
    return found


def choose(returns: FloatArray, split: Split) -> Choice:
    """Return the best trial of the training rows and what it did on the test rows."""
    train = trial_sharpes(returns[split.train])
    best = int(train.argmax())
    test = trial_sharpes(returns[split.test][:, [best]])
    return Choice(best, float(train[best]), float(test[0]), len(split.test))


def by_k_fold(returns: FloatArray, folds: int, *, horizon: int = 0, embargo: int = 0) -> Selection:
    """Choose against each of `folds` purged folds; one path over all rows.

    Parameters
    ----------
    returns : array, shape (n_rows, n_trials)
    folds : int
    horizon : int
        Rows for which a decision still has an effect: how long a position lasts.
    embargo : int
        Rows dropped after that.

    Examples
    --------
    >>> r = np.random.default_rng(0).standard_normal((120, 5))
    >>> r[:, 3] += 1.0
    >>> found = by_k_fold(r, 4, horizon=2, embargo=1)
    >>> [c.chosen for c in found.choices], found.paths.shape
    ([3, 3, 3, 3], (1, 120))
    """
    splits = purged_k_fold(
        len(returns), folds, label_ends=label_ends(len(returns), horizon), embargo_bars=embargo
    )
    choices = tuple(choose(returns, s) for s in splits)
    path = np.concatenate([returns[s.test, c.chosen] for s, c in zip(splits, choices, strict=True)])
    return Selection(choices, path[None, :])


def by_combinations(
    returns: FloatArray, groups: int = 6, test_groups: int = 2, *, horizon: int = 0, embargo: int = 0
) -> Selection:
    """Choose against every combination of test groups (CPCV); each path covers all rows.

    Examples
    --------
    >>> found = by_combinations(np.random.default_rng(0).standard_normal((120, 5)))
    >>> len(found.choices), found.paths.shape
    (15, (5, 120))
    """
    splits = combinatorial_purged(
        len(returns), groups, test_groups, label_ends=label_ends(len(returns), horizon), embargo_bars=embargo
    )
    choices = tuple(choose(returns, s) for s in splits)
    rows = np.array_split(np.arange(len(returns)), groups)
    paths = [
        np.concatenate([returns[rows[g], choices[int(s)].chosen] for g, s in enumerate(path)])
        for path in path_table(groups, test_groups)
    ]
    return Selection(choices, np.array(paths))


def by_walk_forward(
    returns: FloatArray, folds: int, *, train_folds: int = 3, embargo: int = 0, anchored: bool = False
) -> Selection:
    """Choose by the past of each fold; one path over the tested rows, which end at the last one.

    Parameters
    ----------
    folds, train_folds : int
        A training part is as long as `train_folds` tests.

    Examples
    --------
    >>> found = by_walk_forward(np.random.default_rng(0).standard_normal((120, 5)), 5, train_folds=3)
    >>> len(found.choices), found.paths.shape
    (5, (1, 75))
    """
    test = (len(returns) - embargo) // (folds + train_folds)
    cut = walk_forward_folds(
        len(returns), train_bars=len(returns) - embargo - folds * test if anchored else train_folds * test,
        test_bars=test, embargo_bars=embargo, anchored=anchored,
    )[-folds:]  # fmt: skip
    splits = [
        Split(np.arange(f.train_begin, f.train_end), np.arange(f.test_begin, f.test_end), (k,))
        for k, f in enumerate(cut)
    ]
    choices = tuple(choose(returns, s) for s in splits)
    path = np.concatenate([returns[s.test, c.chosen] for s, c in zip(splits, choices, strict=True)])
    return Selection(choices, path[None, :])


def label_ends(rows: int, horizon: int) -> IntArray:
    """Return the last row that each row's decision reaches.

    Examples
    --------
    >>> label_ends(4, 2).tolist()
    [2, 3, 3, 3]
    """
    found: IntArray = np.minimum(np.arange(rows, dtype=np.int64) + horizon, rows - 1)
    return found
