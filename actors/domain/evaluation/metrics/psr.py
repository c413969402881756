"""Probabilistic Sharpe ratio and minimum track record length (Bailey & López de Prado, 2012)."""

from __future__ import annotations

import math
from statistics import NormalDist

from actors.domain.evaluation.metrics.growth import FloatArray
from actors.domain.evaluation.metrics.moments import skew_kurtosis
from actors.domain.evaluation.metrics.ratios import sharpe

_NORMAL = NormalDist()


def psr_of(
    sharpe_per_period: float, observations: int, skew: float, kurtosis: float, benchmark: float = 0.0
) -> float | None:
    """Return the probability that the true Sharpe ratio exceeds the benchmark.

    Parameters
    ----------
    sharpe_per_period, benchmark : float
        **Not** annualised.
    observations : int
    skew, kurtosis : float
        Population moments; kurtosis of a normal is 3.

    Returns
    -------
    float or None
        None for fewer than two observations, or where the variance of the estimate is not positive.

    Examples
    --------
    >>> round(psr_of(0.458, 24, -2.448, 10.164), 3), round(psr_of(0.458, 24, 0.0, 3.0), 3)
    (0.913, 0.982)
    """
    scale = _estimate_variance(sharpe_per_period, skew, kurtosis)
    if observations < 2 or scale <= 0.0:
        return None
    z = (sharpe_per_period - benchmark) * math.sqrt(observations - 1) / math.sqrt(scale)
    return _NORMAL.cdf(z)


def min_track_record_of(
    sharpe_per_period: float, skew: float, kurtosis: float, benchmark: float = 0.0, alpha: float = 0.05
) -> float | None:
    """Return the periods needed to reject "Sharpe ≤ benchmark" at level `alpha`; None for Sharpe ≤ benchmark.

    Examples
    --------
    >>> periods = min_track_record_of(2 / 250**0.5, 0.0, 3.0, benchmark=1 / 250**0.5)
    >>> round(periods / 250, 2)
    2.73
    """
    if sharpe_per_period <= benchmark:
        return None
    z = _NORMAL.inv_cdf(1.0 - alpha) / (sharpe_per_period - benchmark)
    return 1.0 + _estimate_variance(sharpe_per_period, skew, kurtosis) * z * z


def psr(returns: FloatArray, benchmark: float = 0.0) -> float | None:
    """Return `psr_of` the returns' own moments; None without variance.

    Examples
    --------
    >>> import numpy as np
    >>> round(psr(np.array([0.01, 0.02, -0.01, 0.03, 0.0, 0.01])), 4)
    0.9315
    """
    ratio, moments = sharpe(returns), skew_kurtosis(returns)
    return None if ratio is None or moments is None else psr_of(ratio, returns.size, *moments, benchmark)


def min_track_record(returns: FloatArray, benchmark: float = 0.0, alpha: float = 0.05) -> float | None:
    """Return `min_track_record_of` the returns' own moments, in bars; None where undefined."""
    ratio, moments = sharpe(returns), skew_kurtosis(returns)
    return (
        None if ratio is None or moments is None else min_track_record_of(ratio, *moments, benchmark, alpha)
    )


def _estimate_variance(ratio: float, skew: float, kurtosis: float) -> float:
    return 1.0 - skew * ratio + (kurtosis - 1.0) / 4.0 * ratio * ratio
