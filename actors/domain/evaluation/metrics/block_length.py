"""Automatic block length of the stationary bootstrap: Politis & White (2004), corrected by Patton et al. (2009)."""

from __future__ import annotations

import math

import numpy as np

from actors.domain.evaluation.metrics.growth import FloatArray


def optimal_block_length(x: FloatArray) -> float:
    """Return the mean block length that minimises the error of the bootstrap's variance of the mean.

    Parameters
    ----------
    x : array, shape (n,)

    Returns
    -------
    float
        At least 1 (as good as independent), at most ``⌈min(3√n, n/3)⌉``; 1 of fewer than 12 values or without
        variance. Autocorrelations are computed up to the last lag that counts, mostly far fewer than √n of them.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> e = rng.standard_normal(2000)
    >>> ar = e.copy()
    >>> for t in range(1, 2000):
    ...     ar[t] += 0.8 * ar[t - 1]
    >>> optimal_block_length(e) < 5.0 < optimal_block_length(ar)
    True
    """
    n = int(x.shape[0])
    if n < 12:
        return 1.0
    deviation = x - x.mean()
    if not float(deviation @ deviation) > 1e-28 * n * float(np.abs(x).max()) ** 2:
        return 1.0
    cap = math.ceil(min(3.0 * math.sqrt(n), n / 3.0))
    quiet = max(5, int(math.log10(n)))
    last = math.ceil(math.sqrt(n)) + quiet
    limit = 2.0 * math.sqrt(math.log10(n) / n)
    squares = np.cumsum(deviation * deviation)
    covariance: list[float] = []
    small = 0
    lags = last
    for k in range(last + 1):
        cross = float(deviation[k:] @ deviation[: n - k])
        covariance.append(cross / n)
        # the norms of both series without their first and last k + 1 values
        norm = float((squares[-1] - squares[k]) * squares[n - k - 2])
        small = small + 1 if norm > 0.0 and abs(cross) < limit * math.sqrt(norm) else 0
        if small == quiet and lags == last:
            lags = min(2 * max(k + 1 - quiet, 1), last)
        if k >= lags:
            break
    slope, variance = 0.0, covariance[0]
    for k in range(1, lags + 1):
        # flat-top kernel: 1 up to half of the lags, then down to 0
        taper = 1.0 if 2 * k <= lags else 2.0 * (1.0 - k / lags)
        slope += 2.0 * taper * k * covariance[k]
        variance += 2.0 * taper * covariance[k]
    if variance == 0.0:
        return 1.0
    length = float((slope * slope / (variance * variance) * n) ** (1.0 / 3.0))
    return min(max(length, 1.0), float(cap))
