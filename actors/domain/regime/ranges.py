"""Volatility from the ranges of bars: Parkinson, Garman and Klass, Rogers and Satchell, Yang and Zhang.

Each is a variance per bar from the last n bars. Against squared returns they need about a fifth of the bars for the
same error (Parkinson 1980), and they suppose that prices move in between as a random walk without jumps.
"""

from __future__ import annotations

from collections import deque
from math import fsum, log, nan
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidBarError, InvalidParamsError
from actors.domain.regime.base import Observation
from actors.domain.state import Stateful

FloatArray = NDArray[np.float64]
EFFICIENCY = {"parkinson": 4.9, "garman_klass": 7.4, "rogers_satchell": 6.0, "yang_zhang": 8.0}
"""How many squared returns a bar is worth to each, for a random walk; of Yang and Zhang's a cautious figure."""
ESTIMATORS = tuple(EFFICIENCY)
_PARKINSON = 1.0 / (4.0 * log(2.0))
_BODY = 2.0 * log(2.0) - 1.0


def _term(estimator: str, open_: float, high: float, low: float, close: float) -> float:
    """Variance that one bar says, in logs."""
    spread = log(high / low)
    if estimator == "parkinson":
        return _PARKINSON * spread * spread
    body = log(close / open_)
    if estimator == "garman_klass":
        return 0.5 * spread * spread - _BODY * body * body
    return log(high / close) * log(high / open_) + log(low / close) * log(low / open_)


def _weight(bars: int) -> float:
    return 0.34 / (1.34 + (bars + 1) / (bars - 1))


class RangeVolatility(Stateful):
    """A range estimator over the last `bars` bars, one bar at a time.

    Parameters
    ----------
    estimator : str
        One of `ESTIMATORS`.
    bars : int
        At least 2.

    Raises
    ------
    InvalidParamsError
    """

    STATE: ClassVar[tuple[str, ...]] = ("_terms", "_gaps", "_bodies")

    def __init__(self, estimator: str, bars: int) -> None:
        if estimator not in EFFICIENCY or bars < 2:
            raise InvalidParamsError(
                "RANGE_ESTIMATOR",
                f"range estimator: expected one of {', '.join(ESTIMATORS)} over at least 2 bars, found {estimator!r} "
                f"over {bars}",
            )
        self._estimator, self._bars = estimator, bars
        self._terms: deque[float] = deque(maxlen=bars)
        self._gaps: deque[float] = deque(maxlen=bars)
        self._bodies: deque[float] = deque(maxlen=bars)

    def update(self, obs: Observation) -> float:
        """Take a bar that has a return; its variance per bar, NaN for the first `bars` − 1 ones.

        Raises
        ------
        InvalidBarError
            If the estimator needs the bar's open and it is not known.
        """
        kind = self._estimator
        if kind != "parkinson" and obs.open != obs.open:
            raise InvalidBarError(
                "BAR_OPEN",
                f"estimator {kind}: expected the bar's open, found none: pass it, or use parkinson",
            )
        # sums in full: a running sum would keep the rounding of bars long gone
        self._terms.append(_term(kind, obs.open, obs.high, obs.low, obs.close))
        n = self._bars
        if kind == "yang_zhang":
            body = log(obs.close / obs.open)
            self._bodies.append(body)
            self._gaps.append(obs.log_return - body)
        if len(self._terms) < n:
            return nan
        mean = fsum(self._terms) / n
        if kind != "yang_zhang":
            return max(mean, 0.0)
        k = _weight(n)
        return max(_variance(self._gaps, n) + k * _variance(self._bodies, n) + (1.0 - k) * mean, 0.0)


def _variance(values: deque[float], n: int) -> float:
    mean = fsum(values) / n
    return fsum([(v - mean) ** 2 for v in values]) / (n - 1)


def range_variance(
    estimator: str, open_: FloatArray, high: FloatArray, low: FloatArray, close: FloatArray, bars: int
) -> FloatArray:
    """Return the estimate at every bar of a whole series, shape (n,), NaN before it has `bars` bars.

    ``yang_zhang`` needs the close before the window's first bar, so it begins one bar later.

    Raises
    ------
    InvalidParamsError
        If the estimator is unknown.
    InsufficientDataError
        If there are fewer bars than one estimate needs.

    Examples
    --------
    >>> o, h, l, c = (np.array([v] * 3) for v in (100.0, 101.0, 100.0, 100.5))
    >>> range_variance("parkinson", o, h, l, c, 2).round(8).tolist()
    [nan, 3.571e-05, 3.571e-05]
    """
    stream = RangeVolatility(estimator, bars)
    first = 1 if estimator == "yang_zhang" else 0
    if len(close) < bars + first:
        raise InsufficientDataError(
            "RANGE_BARS", f"{estimator}: expected at least {bars + first} bars, found {len(close)}"
        )
    returns = np.diff(np.log(close), prepend=np.nan)
    out: Any = np.full(len(close), nan)
    rows = zip(*(v.tolist() for v in (high, low, close, returns, open_)), strict=True)
    for t, (h, lo, c, r, o) in enumerate(rows):
        if t >= first:
            out[t] = stream.update(Observation(t, h, lo, c, r, open=o))
    found: FloatArray = out
    return found
