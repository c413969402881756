"""Growth of an equity curve: returns, total return, CAGR, volatility. 365 days a year, simple returns."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InvalidParamsError

FloatArray = NDArray[np.float64]


def returns_of(equity: FloatArray) -> FloatArray:
    """Return the simple returns of an equity curve.

    Parameters
    ----------
    equity : array, shape (n + 1,), quote currency, > 0
        Starts with the capital before the first bar.

    Returns
    -------
    array, shape (n,), fraction per bar

    Raises
    ------
    InvalidParamsError
        If the curve is not positive and finite: a lost account has no returns.

    Examples
    --------
    >>> returns_of(np.array([100.0, 110.0, 99.0])).round(6).tolist()
    [0.1, -0.1]
    """
    curve = np.asarray(equity, dtype=np.float64)
    if curve.ndim != 1 or curve.size == 0 or not (np.isfinite(curve) & (curve > 0)).all():
        raise InvalidParamsError(
            "EQUITY_INVALID",
            "equity: expected a non-empty curve of positive finite values, found "
            f"shape {curve.shape} with minimum {curve.min() if curve.size else 'none'}",
        )
    return curve[1:] / curve[:-1] - 1.0


def lost_at(equity: FloatArray) -> int | None:
    """Return the first point at which nothing is left of an equity curve, None if there is none.

    Examples
    --------
    >>> lost_at(np.array([100.0, 20.0, -5.0, -6.0])), lost_at(np.array([100.0, 99.0]))
    (2, None)
    """
    gone = np.flatnonzero(np.asarray(equity, dtype=np.float64) <= 0.0)
    return int(gone[0]) if gone.size else None


def returns_until_lost(equity: FloatArray) -> FloatArray:
    """Return the simple returns of a curve up to where the account was lost: the last one is then -1.

    What is owed beyond is no return: nothing is left to take it from. Otherwise the same as `returns_of`.

    Examples
    --------
    >>> returns_until_lost(np.array([100.0, 120.0, -5.0, -6.0])).round(6).tolist()
    [0.2, -1.0]
    """
    end = lost_at(equity)
    if end is None:
        return returns_of(equity)
    if end == 0:
        return np.zeros(0)
    return np.append(returns_of(equity[:end]), -1.0)


def total_return(returns: FloatArray) -> float:
    """Return ``Π(1 + r) − 1``; 0 of no returns.

    Examples
    --------
    >>> round(total_return(np.array([0.1, -0.1])), 12)
    -0.01
    """
    return float(np.prod(1.0 + returns)) - 1.0


def cagr(returns: FloatArray, periods_per_year: float) -> float | None:
    """Return the compound annual growth rate ``(Π(1 + r))^{P/n} − 1``; None of no returns.

    Short samples are extrapolated: read it beside the number of bars.

    Examples
    --------
    >>> round(cagr(np.full(365, 0.001), 365.0), 6)
    0.440251
    """
    n = returns.size
    if n == 0:
        return None
    # logs keep a few very good bars of a short sample from overflowing the power
    log_growth = float(np.log1p(returns).sum()) * periods_per_year / n
    return math.expm1(log_growth) if log_growth < 700.0 else None


def volatility(returns: FloatArray, periods_per_year: float) -> float | None:
    """Return the annualised standard deviation (ddof 1); None of fewer than two returns.

    Examples
    --------
    >>> round(volatility(np.array([0.01, -0.01]), 365.0), 6)
    0.270185
    """
    return float(returns.std(ddof=1)) * math.sqrt(periods_per_year) if returns.size > 1 else None
