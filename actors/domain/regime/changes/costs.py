"""What a segment costs: prefix sums make any number of segments with one end cost O(1) each."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InvalidParamsError

FloatArray = NDArray[np.float64]
_FLOOR = 1e-8  # of the series' variance: a segment of equal values is not infinitely likely


class Cost(Protocol):
    """Cost of the segments ``[start, end)`` of one series."""

    slack: float
    """Least of cost(whole) − cost(left) − cost(right) over all cuts: what pruning must allow for."""
    least: int
    """Bars that a segment needs for its cost to mean something."""

    def of(self, starts: Any, end: Any) -> Any:
        """Return the cost of each segment; arrays broadcast."""


def series(x: Any) -> FloatArray:
    """Return a series as finite floats of one dimension.

    Raises
    ------
    InvalidParamsError
        If it is none.
    """
    values = np.asarray(x, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).sum())
        raise InvalidParamsError(
            "CHANGES_SERIES",
            f"series: expected one dimension of finite numbers, found shape {values.shape} with {bad} that are not "
            "finite: fill or drop them",
        )
    return values


class SquaredError:
    """Sum of squared deviations from the segment's mean; with `log_length` plus ln of its length (modified BIC)."""

    least = 1

    def __init__(self, x: Any, *, log_length: bool = False) -> None:
        values = series(x)
        values = values - values.mean()  # prefix sums stay small
        self._sum = np.concatenate([[0.0], np.cumsum(values)])
        self._square = np.concatenate([[0.0], np.cumsum(values * values)])
        self._log = log_length
        # ln m − ln a − ln (m − a) is least at a = m / 2
        self.slack = min(0.0, float(np.log(4.0 / len(values)))) if log_length else 0.0

    def of(self, starts: Any, end: Any) -> Any:
        """See `Cost`."""
        bars = end - starts
        total = self._sum[end] - self._sum[starts]
        cost = np.maximum(self._square[end] - self._square[starts] - total * total / bars, 0.0)
        return cost + np.log(bars) if self._log else cost


class NormalError:
    """Twice the negative log-likelihood of a normal segment with its own mean and variance, less a constant per bar."""

    slack = 0.0
    least = 2

    def __init__(self, x: Any) -> None:
        values = series(x)
        values = values - values.mean()
        self._sum = np.concatenate([[0.0], np.cumsum(values)])
        self._square = np.concatenate([[0.0], np.cumsum(values * values)])
        self._floor = _FLOOR * float(values.var()) or 1.0

    def of(self, starts: Any, end: Any) -> Any:
        """See `Cost`."""
        bars = end - starts
        mean = (self._sum[end] - self._sum[starts]) / bars
        variance = np.maximum((self._square[end] - self._square[starts]) / bars - mean * mean, 0.0)
        held = np.maximum(variance, self._floor)
        return bars * (np.log(held) + variance / held - 1.0)
