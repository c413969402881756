"""Is one record better than another over the same bars: the difference with a paired block bootstrap interval.

Ledoit & Wolf (2008), "Robust performance hypothesis testing with the Sharpe ratio", Journal of Empirical Finance 15:
two strategies on one market move together, so their bars are resampled together, in blocks that keep their serial
dependence (stationary bootstrap, Politis & Romano 1994); here with percentile bounds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.evaluation.metrics.block_length import optimal_block_length
from actors.domain.evaluation.metrics.ratios import sharpe
from actors.domain.validation.resampling import bootstrap_means

FloatArray = NDArray[np.float64]
LEAST_BARS = 20


@dataclass(frozen=True)
class Difference:
    """The first record less the second.

    Attributes
    ----------
    sharpe_ann, sharpe_low, sharpe_high : float or None
        Of the annual Sharpe ratios, with the bounds; None where one has no ratio (on more than 5 % of the paths).
    return_ann, return_low, return_high : float
        Of the mean returns, times the bars of a year.
    above_frac : float or None
        Share of the resamples in which the first has the higher Sharpe ratio.
    block_bars : float
        Mean block length.
    """

    sharpe_ann: float | None
    sharpe_low: float | None
    sharpe_high: float | None
    return_ann: float
    return_low: float
    return_high: float
    above_frac: float | None
    block_bars: float
    confidence: float
    paths: int


def paired_difference(
    first: FloatArray,
    second: FloatArray,
    *,
    periods_per_year: float,
    seed: int,
    paths: int = 2000,
    confidence: float = 0.95,
) -> Difference:
    """Return the difference of two records over the same bars.

    Parameters
    ----------
    first, second : array, shape (n,)
        Returns per bar, fraction.
    periods_per_year : float
    seed, paths : int
    confidence : float in (0, 1)

    Raises
    ------
    InvalidParamsError
        If the records differ in length.
    InsufficientDataError
        Of fewer than 20 bars.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> market = rng.standard_normal(2000) * 0.01
    >>> better = paired_difference(market + 0.001, market, periods_per_year=365.0, seed=7, paths=500)
    >>> better.sharpe_low > 0.0 and better.return_low > 0.36
    True
    >>> same = paired_difference(market, market, periods_per_year=365.0, seed=7, paths=500)
    >>> same.sharpe_low, same.sharpe_high, same.above_frac
    (0.0, 0.0, 0.0)
    """
    a, b = (np.ascontiguousarray(x, dtype=np.float64) for x in (first, second))
    if a.shape != b.shape or a.ndim != 1:
        raise InvalidParamsError(
            "PAIRED_LENGTH",
            f"paired difference: expected the same bars in both, found {a.shape} and {b.shape}",
        )
    if len(a) < LEAST_BARS:
        raise InsufficientDataError(
            "PAIRED_SHORT", f"paired difference: expected at least {LEAST_BARS} bars, found {len(a)}"
        )
    # the longest of the three: what is serially dependent in one of them must stay whole
    block = float(f"{max(optimal_block_length(x) for x in (a, b, a - b)):.6g}")
    table = np.stack([a, a * a, b, b * b], axis=1)
    drawn = bootstrap_means(table, paths=paths, mean_block=block, seed=seed)
    ratios = _ratio(drawn[:, 0], drawn[:, 1], len(a)) - _ratio(drawn[:, 2], drawn[:, 3], len(a))
    known = ratios[np.isfinite(ratios)] * math.sqrt(periods_per_year)
    side = (1.0 - confidence) / 2.0
    own = (sharpe(a, periods_per_year), sharpe(b, periods_per_year))
    low = high = above = None
    if None not in own and len(known) >= 0.95 * paths:
        low, high = (float(q) for q in np.quantile(known, [side, 1.0 - side]))
        above = float((known > 0.0).mean())
    moved = (drawn[:, 0] - drawn[:, 2]) * periods_per_year
    return_low, return_high = (float(q) for q in np.quantile(moved, [side, 1.0 - side]))
    return Difference(
        None if own[0] is None or own[1] is None else own[0] - own[1], low, high,
        float((a - b).mean()) * periods_per_year, return_low, return_high, above, block, confidence, paths,
    )  # fmt: skip


def _ratio(mean: FloatArray, square: FloatArray, bars: int) -> FloatArray:
    """Return mean over standard deviation (ddof 1); NaN where there is none but rounding."""
    variance = (square - mean * mean) * bars / (bars - 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        out: FloatArray = mean / np.sqrt(np.where(variance > 1e-14 * square, variance, np.nan))
    return out
