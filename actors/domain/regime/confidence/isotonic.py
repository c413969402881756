"""Isotonic regression by pooling adjacent violators: a rising map from a score to how often it was right.

Least squares, increasing; equal scores are pooled first; linear between knots, clipped outside. Barlow, Bartholomew,
Bremner and Brunk (1972); for calibration Zadrozny and Elkan (2002).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar

from actors.domain.errors import InvalidParamsError
from actors.domain.state import Stateful


class IsotonicMap(Stateful):
    """A rising, piecewise linear map; before `fit` it has no knots and answers nothing.

    Examples
    --------
    >>> m = IsotonicMap()
    >>> m.fit([0.1, 0.2, 0.3, 0.4], [0.0, 1.0, 0.0, 1.0])
    >>> [round(m(x), 6) for x in (0.0, 0.15, 0.25, 0.9)]
    [0.0, 0.25, 0.5, 1.0]
    """

    STATE: ClassVar[tuple[str, ...]] = ("scores", "values")

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.values: list[float] = []

    def fit(
        self, scores: Sequence[float], outcomes: Sequence[float], weights: Sequence[float] | None = None
    ) -> None:
        """Take the knots from pairs of score and outcome.

        Parameters
        ----------
        scores, outcomes : sequence of float, shape (n,)
        weights : sequence of float, shape (n,), optional
            Above zero; 1 each if left out.

        Raises
        ------
        InvalidParamsError
            If there is no pair, the lengths differ, a number is not finite or a weight is not above zero.
        """
        heavy = [1.0] * len(scores) if weights is None else weights
        if not len(scores) or len(scores) != len(outcomes) or len(scores) != len(heavy):
            raise InvalidParamsError(
                "ISOTONIC_PAIRS",
                "isotonic: expected at least one pair and as many scores as outcomes and weights, found "
                f"{len(scores)}, {len(outcomes)} and {len(heavy)}",
            )
        rows = sorted(zip(scores, outcomes, heavy, strict=True))
        # NaN and infinities fail the comparison
        if not all(abs(x) < 1e300 and abs(y) < 1e300 and 0.0 < w < 1e300 for x, y, w in rows):
            raise InvalidParamsError(
                "ISOTONIC_VALUES", "isotonic: expected finite scores and outcomes and weights above 0"
            )
        # a block: first score, last score, mean outcome, weight
        blocks: list[list[float]] = []
        for x, y, w in rows:
            if blocks and blocks[-1][1] == x and blocks[-1][0] == x:
                _absorb(blocks[-1], x, y, w)
            else:
                blocks.append([x, x, y, w])
        pooled: list[list[float]] = []
        for block in blocks:
            pooled.append(block)
            while len(pooled) > 1 and pooled[-2][2] >= pooled[-1][2]:
                _, last, mean, weight = pooled.pop()
                _absorb(pooled[-1], last, mean, weight)
        self.scores, self.values = [], []
        for first, last, mean, _ in pooled:
            self.scores.append(first)
            self.values.append(mean)
            if last > first:
                self.scores.append(last)
                self.values.append(mean)

    def __call__(self, score: float) -> float:
        """Return the value at a score.

        Raises
        ------
        IndexError
            Before the first `fit`.
        """
        xs, ys = self.scores, self.values
        at = bisect_right(xs, score)
        if at == 0:
            return ys[0]
        if at == len(xs):
            return ys[-1]
        left, low = xs[at - 1], ys[at - 1]
        return low + (ys[at] - low) * (score - left) / (xs[at] - left)


def _absorb(block: list[float], last: float, mean: float, weight: float) -> None:
    """Add what follows to a block."""
    total = block[3] + weight
    block[2] += (mean - block[2]) * (weight / total)
    block[1], block[3] = last, total
