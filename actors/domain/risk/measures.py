"""Historical value at risk and expected shortfall of a return sample; losses are positive.

Sources: Acerbi & Tasche (2002), "On the coherence of expected shortfall"; Hyndman & Fan (1996) for quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError

FloatArray = NDArray[np.float64]
VarMethod = Literal["order_statistic", "linear"]


def tail_of_sorted(ascending: Sequence[float], confidence: float) -> tuple[float, float]:
    """Return ``(var, es)`` of returns that are already sorted ascending; O(tail).

    VaR is the order statistic ``-r_(⌈an⌉)`` with ``a = 1 - confidence``; ES is the mean loss of the worst
    ``an`` observations, the boundary one counted by its fraction, so ES is never below VaR.

    Parameters
    ----------
    ascending : sequence of float, shape (n,), n ≥ 1, fraction per bar
    confidence : float in (0, 1)

    Examples
    --------
    >>> tail_of_sorted([-0.04, -0.02, 0.01, 0.03], 0.5)
    (0.02, 0.03)
    """
    # (1 - 0.95) * 500 is 25.000000000000025 in floats and would take one observation too many
    mass = round((1.0 - confidence) * len(ascending), 9)
    whole = int(mass)
    total = 0.0
    for value in ascending[:whole]:
        total += value
    rest = mass - whole
    if rest > 0.0:
        total += rest * ascending[whole]
    index = whole if rest > 0.0 else whole - 1
    return -ascending[index], -total / mass


def historical_var(
    returns: FloatArray, *, confidence: float = 0.95, method: VarMethod = "order_statistic"
) -> float:
    """Return the historical value at risk.

    Parameters
    ----------
    returns : array, shape (n,), fraction per bar
        NaN is not allowed: a gap is a decision for the caller.
    confidence : float in (0, 1)
    method : {"order_statistic", "linear"}
        ``linear`` interpolates between order statistics (type 7), the other takes one of them.

    Returns
    -------
    float
        Loss as a positive fraction; negative where even the quantile is a gain.

    Raises
    ------
    InsufficientDataError
        If there is no return.
    InvalidParamsError
        If `confidence` is outside (0, 1) or a return is not finite.

    Examples
    --------
    >>> historical_var(np.array([-0.04, -0.02, 0.01, 0.03]), confidence=0.5)
    0.02
    >>> round(historical_var(np.array([-0.04, -0.02, 0.01, 0.03]), confidence=0.5, method="linear"), 6)
    0.005
    """
    checked = _checked(returns, confidence)
    if method == "linear":
        return -float(np.quantile(checked, 1.0 - confidence))
    return tail_of_sorted(np.sort(checked).tolist(), confidence)[0]


def expected_shortfall(returns: FloatArray, *, confidence: float = 0.95) -> float:
    """Return the historical expected shortfall, the boundary observation counted by its fraction.

    Parameters
    ----------
    returns : array, shape (n,), fraction per bar
    confidence : float in (0, 1)

    Returns
    -------
    float
        Mean loss of the tail; at least the order-statistic VaR at the same confidence.

    Raises
    ------
    InsufficientDataError
        If there is no return.
    InvalidParamsError
        If `confidence` is outside (0, 1) or a return is not finite.

    Examples
    --------
    >>> expected_shortfall(np.array([-0.04, -0.02, 0.01, 0.03]), confidence=0.5)
    0.03
    """
    return tail_of_sorted(np.sort(_checked(returns, confidence)).tolist(), confidence)[1]


def book_tail(pnl: FloatArray, confidence: float) -> tuple[float, float]:
    """Return ``(var, es)`` of scenario results without sorting all of them; for the order path.

    Parameters
    ----------
    pnl : array, shape (n,), n ≥ 1, finite, fraction of equity

    Examples
    --------
    >>> book_tail(np.array([0.03, -0.02, 0.01, -0.04]), 0.5)
    (0.02, 0.03)
    """
    n = pnl.shape[0]
    mass = round((1.0 - confidence) * n, 9)
    k = min(n, math.ceil(mass))
    worst = np.partition(pnl, k - 1)[:k] if k < n else pnl.copy()
    worst.sort()
    ascending = worst.tolist()
    whole = int(mass)
    total = 0.0
    for value in ascending[:whole]:
        total += value
    if whole < k:
        total += (mass - whole) * ascending[whole]
    return -ascending[k - 1], -total / mass


def _checked(returns: FloatArray, confidence: float) -> FloatArray:
    if not 0.0 < confidence < 1.0:
        raise InvalidParamsError(
            "CONFIDENCE_INVALID", f"confidence: expected a value in (0, 1), found {confidence}"
        )
    array = np.asarray(returns, dtype=np.float64)
    if array.size == 0:
        raise InsufficientDataError("NO_RETURNS", "returns: expected at least one, found none")
    if not np.isfinite(array).all():
        raise InvalidParamsError(
            "RETURNS_NOT_FINITE", "returns: expected finite numbers, found NaN or infinity"
        )
    return array
