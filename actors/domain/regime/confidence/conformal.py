"""Sets of regimes that hold the right one with a stated frequency, whatever the probabilities are worth.

Split conformal (Vovk, Gammerman and Shafer 2005): a past bar scores one minus the probability that the right regime
had; a regime belongs to the set if its score would not exceed the ``ceil((n + 1)(1 − alpha))``-th smallest of n past
ones. Where it is not certain which regime was right, each that may have been scores, weighted by its probability (as a
weighted quantile; Tibshirani, Barber, Candès and Ramdas 2019). Adaptive (Gibbs and Candès 2021): alpha moves by
``rate · (alpha − missed)``, which holds the long-run frequency where bars are not exchangeable.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from math import inf
from typing import Any, ClassVar

from actors.domain.state import Stateful

Scored = tuple[float, float]
_LEAST_WEIGHT = 0.03  # a regime less probable than this is left out, for the window's sake
_HAIR = 1e-7  # of the rank: sums of weights miss whole numbers by rounding


class Conformal(Stateful):
    """Conformal sets over a bounded past.

    Parameters
    ----------
    alpha : float
        Stated share of misses, in (0, 1).
    rate : float
        Of adaptation; 0: split conformal as it stands.
    window : int
        Past bars kept.
    min_scores : int
        Before so many there is no set.

    Examples
    --------
    >>> c = Conformal(alpha=0.25, rate=0.0, window=100, min_scores=3)
    >>> for score in (0.1, 0.3, 0.6): c.learn([(score, 1.0)])
    >>> c.limit, c.members((0.5, 0.3, 0.2))
    (0.6, (0,))
    """

    STATE: ClassVar[tuple[str, ...]] = ("_past", "alpha", "missed", "known", "_limit")

    def __init__(self, *, alpha: float, rate: float, window: int, min_scores: int) -> None:
        self._target, self._rate, self._min = alpha, rate, min_scores
        self._past: deque[tuple[Scored, ...]] = deque(maxlen=window)
        self._sorted: list[Scored] = []
        self.alpha = alpha
        self._limit: float | None = inf  # None: to be found, for many bars become known at once
        self.missed = 0.0
        self.known = 0

    @property
    def ready(self) -> bool:
        """Whether enough of the past is known to give a set out."""
        return len(self._past) >= self._min

    @property
    def limit(self) -> float:
        """Score up to which a regime belongs to the set."""
        if self._limit is None:
            self._limit = quantile(self._sorted, len(self._past), self.alpha)
        return self._limit

    def given(self, probabilities: Sequence[float]) -> float | None:
        """Return the limit of the set that is given out now; None before `ready`.

        At least the most probable regime is in a set: an empty one would say nothing.
        """
        return max(self.limit, 1.0 - max(probabilities)) if self.ready else None

    def learn(self, scores: Sequence[Scored], given: float | None = None) -> None:
        """Take the scores of a bar whose regime has become known.

        Parameters
        ----------
        scores : sequence of (float, float)
            One minus the probability that a regime had at that bar, and how probable it is now that it was the right
            one; the latter sum to 1. A regime that is known is the only one, or the others weigh 0.
        given : float or None
            The limit of that bar's own set, from when it was given out; None where there was no set: then nothing was
            missed. The present limit knows what became known since, so it would flatter.
        """
        kept = [pair for pair in scores if pair[1] >= _LEAST_WEIGHT]
        total = 0.0
        for _, weight in kept:
            total += weight
        taken = tuple([(score, weight / total) for score, weight in kept])
        if given is not None:
            miss = 0.0
            for score, weight in taken:
                if score > given:
                    miss += weight
            self.known += 1
            self.missed += miss
            if self._rate > 0.0:
                self.alpha += self._rate * (self._target - miss)
        past, ordered = self._past, self._sorted
        if len(past) == past.maxlen:
            for pair in past[0]:
                del ordered[bisect_left(ordered, pair)]
        past.append(taken)
        for pair in taken:
            insort(ordered, pair)
        self._limit = None

    def members(self, probabilities: Sequence[float]) -> tuple[int, ...] | None:
        """Return the indices of the regimes in the set, in their own order; None before `ready`."""
        limit = self.given(probabilities)
        if limit is None:
            return None
        return tuple([k for k, p in enumerate(probabilities) if 1.0 - p <= limit])

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; the ordered copy is made anew."""
        super().load_state(tree)
        self._sorted = sorted(pair for taken in self._past for pair in taken)


def quantile(ordered: Sequence[Scored], count: int, alpha: float) -> float:
    """Return the smallest score up to which the weights reach ``(n + 1)(1 − alpha)``.

    Infinite where they never do, −∞ where nothing is needed. `ordered` are pairs of score and weight, `count` is n, the
    sum of the weights. With weights of 1 it is the ``ceil((n + 1)(1 − alpha))``-th smallest.

    Examples
    --------
    >>> rows = [(0.1, 1.0), (0.2, 1.0), (0.3, 0.5), (0.4, 0.5), (0.5, 1.0)]
    >>> quantile(rows, 4, 0.2), quantile(rows, 4, 0.45), quantile(rows, 4, 0.1)
    (0.5, 0.4, inf)
    """
    spare = count - ((count + 1) * (1.0 - alpha) - _HAIR)  # weight that may lie above the limit
    if spare < 0.0:
        return inf
    if spare >= count:
        return -inf
    for score, weight in reversed(ordered):
        spare -= weight
        if spare < 0.0:
            return score
    return -inf  # rounding alone leads here
