"""How good a scorer is: cut-points chosen in training folds alone, macro-F1, confusion."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError

CLASSES = (-1, 0, 1)
_CANDIDATES = 60
Labels = NDArray[np.int64]
Scores = NDArray[np.float64]


class Judged(NamedTuple):
    """Repeated cross-validation of one scorer.

    Attributes
    ----------
    macro_f1, spread : float
        Mean over the repeats, and their standard deviation.
    f1 : tuple of float
        Of negative, neutral, positive.
    accuracy : float
    confusion : list of rows
        Mean counts, truth by answer.
    cuts : tuple of float
        Median of the chosen cut-points.
    """

    macro_f1: float
    spread: float
    f1: tuple[float, float, float]
    accuracy: float
    confusion: list[list[float]]
    cuts: tuple[float, float] | None


def confusion(truth: Labels, answers: Labels) -> NDArray[np.float64]:
    """Return counts, truth by answer, in the order of `CLASSES`."""
    return np.array([[float(np.sum((truth == a) & (answers == b))) for b in CLASSES] for a in CLASSES])


def f1_of(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return F1 of each class; 0 where a class is never right.

    Examples
    --------
    >>> f1_of(np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]])).round(3).tolist()
    [1.0, 0.667, 0.0]
    """
    right = np.diag(counts)
    total = counts.sum(axis=0) + counts.sum(axis=1)
    out: NDArray[np.float64] = np.divide(2.0 * right, total, out=np.zeros(3), where=total > 0.0)
    return out


def answers_of(scores: Scores, cuts: tuple[float, float]) -> Labels:
    """Return -1 up to the first cut-point, 1 above the second, 0 between; an undefined score is 0."""
    s = np.nan_to_num(scores, nan=0.0)
    return np.where(s <= cuts[0], -1, np.where(s > cuts[1], 1, 0)).astype(np.int64)


def best_cuts(scores: Scores, truth: Labels) -> tuple[float, float]:
    """Return the pair of cut-points with the best macro-F1; of equals the first in order.

    Candidates lie half way between neighbouring quantiles, and beyond both ends.

    Examples
    --------
    >>> scores, truth = np.array([-0.5, -0.4, 0.0, 0.1, 0.6, 0.7]), np.array([-1, -1, 0, 0, 1, 1])
    >>> bool((answers_of(scores, best_cuts(scores, truth)) == truth).all())
    True
    """
    s = np.nan_to_num(scores, nan=0.0)
    grid = np.unique(np.quantile(s, np.linspace(0.0, 1.0, _CANDIDATES)))
    cuts = np.concatenate([[-inf], (grid[1:] + grid[:-1]) / 2.0, [inf]])
    order = np.argsort(s, kind="stable")
    below = np.searchsorted(s[order], cuts, side="right")
    ahead = np.stack([np.concatenate([[0], np.cumsum(truth[order] == c)]) for c in CLASSES])
    sizes = np.array([np.sum(truth == c) for c in CLASSES])
    low, high = np.triu_indices(cuts.size)
    i, j, n = below[low], below[high], s.size
    right = np.stack([ahead[0, i], ahead[1, j] - ahead[1, i], ahead[2, n] - ahead[2, j]])
    said = np.stack([i, j - i, n - j])
    f1 = (2.0 * right / np.maximum(1, said + sizes[:, None])).mean(axis=0)
    best = int(np.argmax(f1))
    return round(float(cuts[low[best]]), 12), round(float(cuts[high[best]]), 12)


def folds(truth: Labels, count: int, rng: np.random.Generator) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Yield training and test rows; every fold has its share of each class.

    Raises
    ------
    InsufficientDataError
        If a class has fewer members than there are folds.
    """
    at = np.empty(truth.size, dtype=np.int64)
    for c in CLASSES:
        rows = np.flatnonzero(truth == c)
        if rows.size < count:
            raise InsufficientDataError(
                "SENTIMENT_LABELS", f"labels: expected at least {count} of class {c}, found {rows.size}"
            )
        rng.shuffle(rows)
        at[rows] = np.arange(rows.size) % count
    for k in range(count):
        yield np.flatnonzero(at != k), np.flatnonzero(at == k)


def judge_answers(truth: Labels, answers: list[Labels], cuts: list[tuple[float, float]]) -> Judged:
    """Sum up the answers of several repeats."""
    counts = [confusion(truth, a) for a in answers]
    scores = np.array([f1_of(c) for c in counts])
    macro = scores.mean(axis=1)
    f1 = scores.mean(axis=0)
    middle = np.median(np.array(cuts), axis=0) if cuts else None
    return Judged(
        float(macro.mean()),
        float(macro.std()),
        (float(f1[0]), float(f1[1]), float(f1[2])),
        float(np.mean([np.trace(c) / c.sum() for c in counts])),
        np.mean(counts, axis=0).round(1).tolist(),
        None if middle is None else (float(middle[0]), float(middle[1])),
    )


def cross_validated(
    scores: Scores, truth: Labels, *, seed: int, count: int = 5, repeats: int = 10
) -> tuple[Judged, list[Labels]]:
    """Judge a scorer: the two cut-points are chosen in the training folds, everything else is as it is.

    Returns the verdict and the answers of each repeat.
    """
    said, chosen = [], []
    for r in range(repeats):
        answers = np.zeros(truth.size, dtype=np.int64)
        for train, test in folds(truth, count, np.random.default_rng([seed, r])):
            cuts = best_cuts(scores[train], truth[train])
            answers[test] = answers_of(scores[test], cuts)
            chosen.append(cuts)
        said.append(answers)
    return judge_answers(truth, said, chosen), said


def lead_se(truth: Labels, one: list[Labels], two: list[Labels], *, seed: int, draws: int = 200) -> float:
    """Return the standard error of a difference in macro-F1, by a bootstrap over the texts (same texts for both)."""
    rng = np.random.default_rng([seed, 77])
    out = []
    for _ in range(draws):
        rows = rng.integers(0, truth.size, truth.size)
        r = int(rng.integers(len(one)))
        pair = [f1_of(confusion(truth[rows], a[r % len(a)][rows])).mean() for a in (one, two)]
        out.append(pair[0] - pair[1])
    return float(np.std(out))
