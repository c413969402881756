"""Where the objective is good all around: a plateau rather than a spike.

The best of many trials is often a lucky point among bad ones. Here each trial is scored by its neighbours too: the mean
objective under a Gaussian of distance in the unit cube, in which a failed trial counts as the worst that was seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.search.objectives.base import Direction
from actors.domain.search.space import Space
from actors.domain.search.study.trial import Trial

REACH = 0.1
"""Deviation of the Gaussian along one dimension, as a share of its range."""
LEAST = 2.0
"""Weight of others that a trial needs around it, lest it be judged by itself alone."""


@dataclass(frozen=True)
class Plateau:
    """The trial whose surroundings are best.

    Attributes
    ----------
    trial : Trial
    smoothed : float
        Mean objective around it.
    neighbours : float
        Weight of the other trials around it: how much that rests on.
    spread : float
        Deviation of the objective around it.
    best_smoothed : float
        Mean objective around the trial that is best by itself.
    """

    trial: Trial
    smoothed: float
    neighbours: float
    spread: float
    best_smoothed: float


def plateau(
    trials: Sequence[Trial], space: Space, direction: Direction, reach: float = REACH
) -> Plateau | None:
    """Return the most stable trial; None where no feasible one has neighbours.

    Examples
    --------
    >>> from actors.domain.params import Range
    >>> from actors.domain.search.space import Dimension
    >>> from actors.domain.search.study.trial import TrialResult
    >>> space = Space((Dimension("x", Range("float", 0.0, 1.0)),))
    >>> level = [*(0.0 if x < 0.5 else 1.0 for x in np.linspace(0, 1, 21))]
    >>> level[3] = 2.0
    >>> ts = [Trial(k, {"x": k / 20}, TrialResult("complete", (v,))) for k, v in enumerate(level)]
    >>> found = plateau(ts, space, "maximize")
    >>> found.trial.params["x"] > 0.6, found.trial.result.values, round(found.best_smoothed, 1)
    (True, (1.0,), 0.4)
    """
    sign = 1.0 if direction == "maximize" else -1.0
    judged = [t for t in trials if t.result.state in ("complete", "fail")]
    complete = [sign * t.result.values[0] for t in judged if t.result.state == "complete"]
    feasible = np.array([t.result.feasible for t in judged], dtype=bool)
    if not complete or not feasible.any():
        return None
    score = np.array(
        [sign * t.result.values[0] if t.result.state == "complete" else min(complete) for t in judged]
    )
    weights = np.exp(-0.5 * _distances(judged, space) / reach**2)
    total = weights.sum(axis=1)
    mean = weights @ score / total
    spread = np.sqrt(np.maximum(weights @ (score * score) / total - mean * mean, 0.0))
    best = int(np.argmax(np.where(feasible, score, -np.inf)))
    usable = feasible & (total - 1.0 >= LEAST)
    if not usable.any():
        return None
    # rounded: equal plateaus must not be told apart by the last digits of a sum
    k = int(np.argmax(np.where(usable, np.round(mean, 12), -np.inf)))
    return Plateau(
        judged[k], sign * float(mean[k]), float(total[k] - 1.0), float(spread[k]), sign * float(mean[best])
    )


def _distances(trials: Sequence[Trial], space: Space) -> NDArray[np.float64]:
    """Return squared distances, shape (n, n), as a mean over dimensions; another choice is half a range away."""
    out = np.zeros((len(trials), len(trials)))
    units = np.array([space.to_unit(t.params) for t in trials])
    for k, d in enumerate(space.dimensions):
        gap = units[:, None, k] - units[None, :, k]
        out += np.where(gap != 0.0, 0.25, 0.0) if d.range.kind == "choice" else gap * gap
    return out / len(space.dimensions)
