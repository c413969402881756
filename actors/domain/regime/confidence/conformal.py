"""Sets of regimes that hold the right one with a stated frequency, whatever the probabilities are worth.

Split conformal (Vovk, Gammerman and Shafer 2005): a past bar scores one minus the probability that the right regime
had; a regime belongs to the set if its score would not exceed the ``ceil((n + 1)(1 − alpha))``-th smallest of n past
ones. Adaptive (Gibbs and Candès 2021): alpha moves by ``rate · (alpha − missed)``, which holds the long-run frequency
where bars are not exchangeable.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from math import ceil, inf
from typing import Any, ClassVar

from actors.domain.state import Stateful


class Conformal(Stateful):
    """Conformal sets over a bounded past.

    Parameters
    ----------
    alpha : float
        Stated share of misses, in (0, 1).
    rate : float
        Of adaptation; 0: split conformal as it stands.
    window : int
        Past scores kept.
    min_scores : int
        Before so many there is no set.

    Examples
    --------
    >>> c = Conformal(alpha=0.25, rate=0.0, window=100, min_scores=3)
    >>> for score in (0.1, 0.3, 0.6): c.learn(score)
    >>> c.limit, c.members((0.5, 0.3, 0.2))
    (0.6, (0,))
    """

    STATE: ClassVar[tuple[str, ...]] = ("_past", "alpha", "limit", "missed", "known")

    def __init__(self, *, alpha: float, rate: float, window: int, min_scores: int) -> None:
        self._target, self._rate, self._min = alpha, rate, min_scores
        self._past: deque[float] = deque(maxlen=window)
        self._sorted: list[float] = []
        self.alpha = alpha
        self.limit = inf
        self.missed = self.known = 0

    @property
    def ready(self) -> bool:
        """Whether enough of the past is known to give a set out."""
        return len(self._past) >= self._min

    @property
    def given(self) -> float | None:
        """The limit of the sets that are given out now; None before `ready`."""
        return self.limit if self.ready else None

    def learn(self, score: float, given: float | None = None) -> None:
        """Take the score of a bar whose regime has become known: one minus the probability that it had.

        `given` is the limit of that bar's own set, from when it was given out; None where there was no set: then
        nothing was missed. The present limit knows what became known since, so it would flatter.
        """
        if given is not None:
            miss = score > given
            self.known += 1
            self.missed += miss
            if self._rate > 0.0:
                self.alpha += self._rate * (self._target - miss)
        past, ordered = self._past, self._sorted
        if len(past) == past.maxlen:
            del ordered[bisect_left(ordered, past[0])]
        past.append(score)
        insort(ordered, score)
        self.limit = quantile(ordered, self.alpha)

    def members(self, probabilities: Sequence[float]) -> tuple[int, ...]:
        """Return the indices of the regimes in the set, in their own order; empty before `ready`."""
        if not self.ready:
            return ()
        limit = self.limit
        return tuple([k for k, p in enumerate(probabilities) if 1.0 - p <= limit])

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; the ordered copy is made anew."""
        super().load_state(tree)
        self._sorted = sorted(self._past)


def quantile(ordered: Sequence[float], alpha: float) -> float:
    """Return the ``ceil((n + 1)(1 − alpha))``-th smallest of n ordered scores; infinite beyond n, and −∞ below 1.

    Examples
    --------
    >>> quantile([0.1, 0.2, 0.3, 0.4], 0.2), quantile([0.1, 0.2], 0.1)
    (0.4, inf)
    """
    # less a hair, for (n + 1)(1 − alpha) may miss a whole number by rounding
    rank = ceil((len(ordered) + 1) * (1.0 - alpha) - 1e-9)
    if rank > len(ordered):
        return inf
    return ordered[rank - 1] if rank >= 1 else -inf
