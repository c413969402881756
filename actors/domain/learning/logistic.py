"""Logistic regression by stochastic gradient descent on the log loss, one outcome at a time, with an L2 penalty.

The numbers are those of river's `LogisticRegression(optimizer=SGD(rate), l2=l2, intercept_lr=rate)` to the bit; rows
here have their columns in one order, so plain lists do the same work in a third of the time, the state is explicit,
and river's linear models (which load the statistics of scipy) need not be imported.

References
----------
Bottou (2010), "Large-scale machine learning with stochastic gradient descent"; Montiel et al. (2021), "River: machine
learning for streaming data in Python".
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp
from operator import mul
from typing import ClassVar

from actors.domain.state import Stateful

_LARGE, _SATURATED = 18.0, 30.0  # beyond these river takes the limit


class LogisticSgd(Stateful):
    """Weights of the columns and an intercept, all 0 at first.

    Parameters
    ----------
    n_columns : int
    rate : float
        Learning rate, of the intercept too; may be set anew at any time.
    l2 : float
        Penalty on the weights, not on the intercept.

    Notes
    -----
    A row is given as its values and, unless it is complete, their columns: weights of the others rest.

    Examples
    --------
    >>> m = LogisticSgd(2, rate=0.5, l2=0.0)
    >>> for _ in range(50):
    ...     m.learn((1.0, 0.0), True); m.learn((0.0, 1.0), False)
    >>> m.probability((1.0, 0.0)) > 0.8 > 0.2 > m.probability((1.0,), (1,))
    True
    """

    STATE: ClassVar[tuple[str, ...]] = ("rate", "_weights", "_intercept")

    def __init__(self, n_columns: int, *, rate: float, l2: float) -> None:
        self.rate = rate
        self._l2 = l2
        self._weights = [0.0] * n_columns
        self._intercept = 0.0

    def probability(self, row: Sequence[float], columns: Sequence[int] | None = None) -> float:
        """Return P(true), in [0, 1]."""
        z = self._logit(row, columns)
        return 0.0 if z < -_SATURATED else 1.0 if z > _SATURATED else 1.0 / (1.0 + exp(-z))

    def learn(self, row: Sequence[float], outcome: bool, columns: Sequence[int] | None = None) -> None:
        """Take one step down the gradient of the log loss."""
        z = self._logit(row, columns)
        sign = 1.0 if outcome else -1.0
        z *= sign
        # slope of the loss by the logit
        slope = exp(-z) * -sign if z > _LARGE else -sign if z < -_LARGE else -sign / (exp(z) + 1.0)
        rate, l2, weights = self.rate, self._l2, self._weights
        self._intercept -= rate * slope
        if columns is None:
            self._weights = [w - rate * (slope * x + l2 * w) for w, x in zip(weights, row)]  # noqa: B905 - checked
            return
        for i, x in zip(columns, row):  # noqa: B905 - checked
            w = weights[i]
            weights[i] = w - rate * (slope * x + l2 * w)

    def _logit(self, row: Sequence[float], columns: Sequence[int] | None) -> float:
        weights = self._weights if columns is None else [self._weights[i] for i in columns]
        if len(row) != len(weights):
            raise ValueError(f"row: expected {len(weights)} values, found {len(row)}")
        dot: float = sum(map(mul, weights, row))
        return dot + self._intercept
