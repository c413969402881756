"""How good labels are against known states: balanced accuracy, delay, false switches."""

from __future__ import annotations

from itertools import permutations
from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

States = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def matching(labels: States, truth: States, states: int) -> States:
    """Return the new number of each label, so that most are right; of equals the first permutation.

    Examples
    --------
    >>> matching(np.array([1, 1, 0]), np.array([0, 0, 1]), 2).tolist()
    [1, 0]
    """
    hits = np.zeros((states, states))
    np.add.at(hits, (labels, truth), 1.0)
    best = max(permutations(range(states)), key=lambda p: sum(hits[k, p[k]] for k in range(states)))
    return np.array(best, dtype=np.int64)


def matched(labels: States, truth: States, states: int) -> States:
    """Return the labels renumbered so that most are right.

    Examples
    --------
    >>> matched(np.array([1, 1, 0]), np.array([0, 0, 1]), 2).tolist()
    [0, 0, 1]
    """
    out: States = matching(labels, truth, states)[labels]
    return out


def recalls(labels: States, truth: States, states: int) -> tuple[float, ...]:
    """Return the share of each state's bars that are labelled right; NaN for a state that never occurs.

    Examples
    --------
    >>> recalls(np.array([0, 0, 1]), np.array([0, 1, 1]), 3)
    (1.0, 0.5, nan)
    """
    return tuple(
        float((labels[truth == k] == k).mean()) if (truth == k).any() else nan for k in range(states)
    )


def auc(probabilities: FloatArray, truth: States) -> float:
    """Return the area under the ROC curve, one state against another, mean over ordered pairs (Hand and Till 2001).

    Ties count half. NaN where a state never occurs: such a trial has no such area.

    Examples
    --------
    >>> auc(np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4], [0.1, 0.9]]), np.array([0, 0, 1, 1]))
    0.75
    """
    states = probabilities.shape[1]
    if any(not (truth == k).any() for k in range(states)):
        return nan
    areas: list[float] = []
    for a, b in permutations(range(states), 2):
        yes, no = np.sort(probabilities[truth == a, a]), probabilities[truth == b, a]
        below = np.searchsorted(yes, no, side="right"), np.searchsorted(yes, no, side="left")
        # how many of a's bars lie above each of b's, a tie counting half
        above = yes.shape[0] - 0.5 * (below[0] + below[1])
        areas.append(float(above.mean()) / yes.shape[0])
    return float(sum(areas) / len(areas))


def balanced_accuracy(labels: States, truth: States, states: int) -> float:
    """Return the mean of the states' recalls; a state that never occurs counts 0.

    Examples
    --------
    >>> balanced_accuracy(np.array([0, 0, 1, 0]), np.array([0, 0, 1, 1]), 2)
    0.75
    """
    recalls = [float((labels[truth == k] == k).mean()) if (truth == k).any() else 0.0 for k in range(states)]
    return sum(recalls) / states


class Switching(NamedTuple):
    """How labels follow true changes.

    Attributes
    ----------
    delays : list of int
        Bars from each true change that was found to the first right label, 0 if the label was right at once.
    missed : int
        Changes whose state ended before any right label.
    false_switches : int
        Changes of the label to a state that is not the true one at that bar.
    """

    delays: list[int]
    missed: int
    false_switches: int


def switching(labels: States, truth: States) -> Switching:
    """Return delays, missed changes and false switches.

    Examples
    --------
    >>> switching(np.array([0, 0, 0, 1, 1, 0]), np.array([0, 1, 1, 1, 0, 0]))
    Switching(delays=[2, 1], missed=0, false_switches=0)
    """
    changes = np.flatnonzero(np.diff(truth)) + 1
    ends = np.append(changes[1:], truth.shape[0])[: changes.shape[0]]
    delays, missed = [], 0
    for begin, end in zip(changes.tolist(), ends.tolist(), strict=True):
        right = np.flatnonzero(labels[begin:end] == truth[begin])
        if right.size:
            delays.append(int(right[0]))
        else:
            missed += 1
    switched = np.flatnonzero(np.diff(labels)) + 1
    return Switching(delays, missed, int((labels[switched] != truth[switched]).sum()))
