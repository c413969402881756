"""The slope of a line through a series and how sure it is: plain and with Bartlett's weights (Newey and West 1987)."""

from __future__ import annotations

from math import erfc, nan, sqrt
from typing import Any, NamedTuple

import numpy as np

from actors.domain.errors import InsufficientDataError, InvalidParamsError


class Slope(NamedTuple):
    """A least-squares line over 0 … n − 1.

    Attributes
    ----------
    slope : float
        Per bar.
    t : float
        Slope over its standard error if residuals were independent, which those of prices are not.
    t_hac : float
        With autocorrelation up to `lag` allowed for; NaN for a series without residuals, as `t` then is.
    lag : int
    """

    slope: float
    t: float
    t_hac: float
    lag: int


def fitted_slope(y: Any, lag: int | None = None) -> Slope:
    """Return the slope of a series with both t-statistics.

    Parameters
    ----------
    y : array, shape (n,), n ≥ 3, finite
    lag : int, optional
        Largest lag of Bartlett's weights ``1 − j / (lag + 1)``; default n − 1. With that lag the statistic does not
        follow the normal law even for long series: its 5 % bound is 4.77 (Kiefer and Vogelsang 2002), not 1.96.

    Raises
    ------
    InsufficientDataError
    InvalidParamsError
        If the lag is out of range or a value is not finite.

    Examples
    --------
    >>> fitted_slope([0.0, 1.0, 2.0, 4.0], lag=1).slope
    1.3
    """
    values = _finite(y, 3)
    n = len(values)
    lag = n - 1 if lag is None else lag
    if not 0 <= lag < n:
        raise InvalidParamsError("SLOPE_LAG", f"lag: expected from 0 to {n - 1}, found {lag}")
    x = np.arange(n) - 0.5 * (n - 1)
    scale = float(x @ x)
    slope = float(x @ values) / scale
    rest = values - values.mean() - slope * x
    error = float(rest @ rest)
    if error <= 1e-24 * float(values @ values):
        return Slope(slope, nan, nan, lag)
    scores = x * rest
    return Slope(
        slope,
        slope / sqrt(error / (n - 2) / scale),
        slope / (sqrt(_long_run(scores, lag)) / scale),
        lag,
    )


def overlapping_mean(values: Any, window: int) -> tuple[float, float, float]:
    """Return mean, t and two-sided p of a statistic taken over overlapping windows, by Bartlett's weights.

    Neighbours share all but one of their `window` bars, so the lag is ``window − 1``: a plain t would count each bar
    `window` times. p supposes many more values than `window`.

    Examples
    --------
    >>> mean, t, p = overlapping_mean(np.tile([1.0, -1.0], 50), 2)
    >>> mean, p > 0.9
    (0.0, True)
    """
    x = _finite(values, 3)
    if not 1 <= window < len(x):
        raise InvalidParamsError(
            "SLOPE_WINDOW", f"window: expected from 1 to {len(x) - 1} bars, found {window}"
        )
    mean = float(x.mean())
    variance = _long_run(x - mean, window - 1)
    if variance <= 0.0:
        return mean, nan, nan
    t = mean / (sqrt(variance) / len(x))
    return mean, t, erfc(abs(t) / sqrt(2.0))


def _long_run(scores: Any, lag: int) -> float:
    """Sum of the scores' autocovariances up to a lag, by Bartlett's weights; never below 0."""
    n = len(scores)
    if lag == n - 1 and abs(float(scores.sum())) <= 1e-9 * float(np.abs(scores).sum()):
        # scores that sum to 0: the double sum over all lags is one over partial sums
        partial = np.cumsum(scores)
        return 2.0 / n * float(partial @ partial)
    total = float(scores @ scores)
    for j in range(1, lag + 1):
        total += 2.0 * (1.0 - j / (lag + 1.0)) * float(scores[j:] @ scores[:-j])
    return max(total, 0.0)


def _finite(y: Any, least: int) -> Any:
    values = np.asarray(y, dtype=np.float64)
    if values.ndim != 1 or len(values) < least:
        raise InsufficientDataError(
            "SLOPE_BARS",
            f"series: expected one dimension of at least {least} values, found shape {values.shape}",
        )
    if not np.isfinite(values).all():
        raise InvalidParamsError("SLOPE_VALUES", "series: expected finite numbers, found one that is not")
    return values
