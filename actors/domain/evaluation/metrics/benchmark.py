"""Against a benchmark: alpha and beta (Jensen, 1968), correlation, tracking error, information ratio."""

from __future__ import annotations

import math

import msgspec

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.growth import FloatArray
from actors.domain.evaluation.metrics.ratios import spread


class BenchmarkStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """How a strategy moved with its benchmark; None where undefined.

    Attributes
    ----------
    alpha_ann_frac : float or None
        ``(mean(r) − β·mean(b))·P``: not compounded, rate 0.
    alpha_t : float or None
        Its t-statistic by ordinary least squares; serial dependence is ignored.
    beta, correlation : float or None
    tracking_error_ann_frac, information_ratio_ann : float or None
        Of the difference of the returns, standard deviation with ddof 1.
    """

    alpha_ann_frac: float | None
    alpha_t: float | None
    beta: float | None
    correlation: float | None
    tracking_error_ann_frac: float | None
    information_ratio_ann: float | None


def benchmark_statistics(
    returns: FloatArray, benchmark: FloatArray, periods_per_year: float
) -> BenchmarkStatistics:
    """Return alpha, beta and what goes with them.

    Parameters
    ----------
    returns, benchmark : array, shape (n,), fraction per bar
        Of the same bars.
    periods_per_year : float

    Raises
    ------
    InvalidParamsError
        If the lengths differ.

    Examples
    --------
    >>> import numpy as np
    >>> b = np.array([0.01, -0.02, 0.03, 0.0])
    >>> found = benchmark_statistics(0.001 + 0.5 * b, b, 365.0)
    >>> round(found.beta, 9), round(found.alpha_ann_frac, 9), round(found.correlation, 9)
    (0.5, 0.365, 1.0)
    """
    n = returns.shape[0]
    if n != benchmark.shape[0]:
        raise InvalidParamsError(
            "LENGTHS_DIFFER",
            f"benchmark: expected {n} returns like the strategy's, found {benchmark.shape[0]}",
        )
    active = returns - benchmark
    error = spread(active)
    tracking = error * math.sqrt(periods_per_year) if n > 1 else None
    information = float(active.mean()) / error * math.sqrt(periods_per_year) if error > 0.0 else None
    if spread(benchmark) == 0.0:
        return BenchmarkStatistics(
            alpha_ann_frac=None, alpha_t=None, beta=None, correlation=None,
            tracking_error_ann_frac=tracking, information_ratio_ann=information,
        )  # fmt: skip
    x, y = benchmark - benchmark.mean(), returns - returns.mean()
    sxx, sxy, syy = float(x @ x), float(x @ y), float(y @ y)
    beta = sxy / sxx
    alpha = float(returns.mean()) - beta * float(benchmark.mean())
    rest = y - beta * x
    t = None
    if n > 2:
        noise = float(rest @ rest) / (n - 2)
        error_of_alpha = math.sqrt(noise * (1.0 / n + float(benchmark.mean()) ** 2 / sxx))
        # what a perfect fit leaves is rounding
        t = alpha / error_of_alpha if noise > 1e-24 * max(syy, sxx) / n else None
    correlation = None
    if spread(returns) > 0.0:
        # one multiplication under the root: √sxx·√syy rounds a perfect fit above 1
        correlation = max(-1.0, min(1.0, sxy / math.sqrt(sxx * syy)))
    return BenchmarkStatistics(
        alpha_ann_frac=alpha * periods_per_year, alpha_t=t, beta=beta, correlation=correlation,
        tracking_error_ann_frac=tracking, information_ratio_ann=information,
    )  # fmt: skip
