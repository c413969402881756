"""Skewness and kurtosis as population moments; kurtosis is Pearson's (normal = 3)."""

from __future__ import annotations

from actors.domain.evaluation.metrics.growth import FloatArray
from actors.domain.evaluation.metrics.ratios import spread


def skew_kurtosis(returns: FloatArray) -> tuple[float, float] | None:
    """Return ``(γ3, γ4)``; None without variance.

    Examples
    --------
    >>> import numpy as np
    >>> tuple(round(x, 6) for x in skew_kurtosis(np.array([0.0, 0.0, 0.0, 1.0])))
    (1.154701, 2.333333)
    """
    if spread(returns) == 0.0:
        return None
    deviation = returns - returns.mean()
    variance = float((deviation**2).mean())
    return float((deviation**3).mean()) / variance**1.5, float((deviation**4).mean()) / variance**2
