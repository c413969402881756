"""Is the best of many better than a benchmark, the search for it reckoned in? SPA and stepwise multiple testing.

Hansen (2005), "A test for superior predictive ability"; Romano & Wolf (2005), "Stepwise multiple testing as formalized
data snooping", with Hansen's recentring as in Hsu, Hsu & Kuan (2010).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.evaluation.metrics.block_length import optimal_block_length
from actors.domain.validation.resampling import bootstrap_means

FloatArray = NDArray[np.float64]
FEWEST = 20
"""Bars below which a resampled mean says nothing."""


@dataclass(frozen=True)
class Snooping:
    """What the tests found.

    Attributes
    ----------
    lower, consistent, upper : float
        p-values of "no trial beats the benchmark": a liberal bound, Hansen's, and White's conservative one.
    superior : tuple of int
        Trials that beat the benchmark at `level` with the family-wise error controlled, increasing.
    level : float
    best : int
        Trial with the largest statistic.
    mean_block : float
    paths : int
    """

    lower: float
    consistent: float
    upper: float
    superior: tuple[int, ...]
    level: float
    best: int
    mean_block: float
    paths: int


def superior_ability(
    returns: FloatArray,
    benchmark: FloatArray,
    *,
    paths: int = 1000,
    mean_block: float | None = None,
    level: float = 0.05,
    studentized: bool = True,
    seed: int = 7,
) -> Snooping:
    """Test whether any trial earns more than the benchmark.

    Parameters
    ----------
    returns : array, shape (n_bars, n_trials), fraction per bar
    benchmark : array, shape (n_bars,) or that of `returns`
        Zeros: cash. One column per trial where each has its own.
    paths, seed : int
    mean_block : float, optional
        Of the stationary bootstrap; by default the mean over trials of that of Politis & White for their differences.
    level : float in (0, 1)
        Of the stepwise test.
    studentized : bool
        Differences in units of their standard errors, so that a wild trial does not drown the others.

    Raises
    ------
    InvalidParamsError
        If shapes do not fit or values are not finite.
    InsufficientDataError
        For fewer than 20 bars, or where no trial differs from the benchmark.

    Notes
    -----
    Trials that never differ from the benchmark have no statistic and cannot beat it. The long-run variance is that of
    the stationary bootstrap itself, over all lags.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((500, 10)) * 0.01
    >>> found = superior_ability(noise + np.where(np.arange(10) == 3, 0.003, 0.0), np.zeros(500), paths=500)
    >>> found.consistent < 0.01, found.superior, superior_ability(noise, np.zeros(500), paths=500).consistent > 0.05
    (True, (3,), True)
    """
    table, against = np.asarray(returns, dtype=np.float64), np.asarray(benchmark, dtype=np.float64)
    if (
        table.ndim != 2
        or against.shape not in (table.shape[:1], table.shape)
        or not (np.isfinite(table).all() and np.isfinite(against).all())
    ):
        raise InvalidParamsError(
            "SPA_SHAPES",
            f"returns: expected finite values of shape (bars, trials) and one benchmark per bar, found {table.shape} "
            f"and {against.shape}",
        )
    if not 0.0 < level < 1.0 or paths < 1:
        raise InvalidParamsError(
            "SPA_LEVEL", f"level, paths: expected (0, 1) and 1 or more, found {level}, {paths}"
        )
    gain = table - (against[:, None] if against.ndim == 1 else against)
    bars = len(gain)
    mean = gain.mean(axis=0) if bars else np.zeros(0)
    deviation = gain - mean
    known = np.flatnonzero(
        (deviation * deviation).sum(axis=0) > 1e-28 * bars * (gain * gain).max(axis=0, initial=0.0)
    )
    if bars < FEWEST or not len(known):
        raise InsufficientDataError(
            "SPA_TOO_LITTLE",
            f"returns: expected at least {FEWEST} bars and a trial that differs from the benchmark, found {bars} "
            f"bars and {len(known)} such trials",
        )
    block = mean_block if mean_block is not None else _mean_block(deviation[:, known])
    variance = long_run_variance(deviation[:, known], block)
    scale = np.sqrt(variance) if studentized else np.ones(len(known))
    drawn = bootstrap_means(gain[:, known], paths=paths, mean_block=block, seed=seed)
    centre = mean[known]
    relevant = centre >= -np.sqrt(variance / bars * 2.0 * math.log(math.log(bars)))
    recentred = {
        "lower": np.maximum(centre, 0.0), "consistent": np.where(relevant, centre, 0.0), "upper": centre,
    }  # fmt: skip
    statistic = centre / scale
    top = max(0.0, float(statistic.max()))
    p = {}
    for name, by in recentred.items():
        largest = np.maximum(((drawn - by) / scale).max(axis=1), 0.0)
        p[name] = float((largest > top).mean())
    shifted = (drawn - recentred["consistent"]) / scale
    superior = tuple(int(known[k]) for k in _stepwise(statistic, shifted, level))
    return Snooping(
        p["lower"], p["consistent"], p["upper"], superior, level, int(known[statistic.argmax()]), block, paths
    )


def long_run_variance(deviation: FloatArray, mean_block: float) -> FloatArray:
    """Return the variance of √n times the mean of a stationary bootstrap, per column.

    Parameters
    ----------
    deviation : array, shape (n, columns)
        Without its mean.
    mean_block : float ≥ 1

    Notes
    -----
    γ_0 + 2 Σ κ_i γ_i with κ_i = (1 − i/n)(1 − p)^i + (i/n)(1 − p)^(n − i), p = 1 / `mean_block` and γ_i the
    autocovariance (Hansen 2005, appendix); all lags at once by the Fourier transform.

    Examples
    --------
    >>> x = np.array([[1.0], [-1.0], [2.0], [-2.0]])
    >>> long_run_variance(x, 1.0).round(9).tolist()
    [2.5]
    """
    n = len(deviation)
    size = 1 << (2 * n - 1).bit_length()
    lag = np.arange(1, n)
    stay = 1.0 - 1.0 / mean_block
    kappa = (1.0 - lag / n) * stay**lag + (lag / n) * stay ** (n - lag)
    out = np.empty(deviation.shape[1])
    for j in range(deviation.shape[1]):
        spectrum = np.fft.rfft(deviation[:, j], size)
        gamma = np.fft.irfft(spectrum * spectrum.conj(), size)[:n] / n
        # a product of rounded numbers: never below a thousandth of the plain variance
        out[j] = max(float(gamma[0] + 2.0 * (kappa @ gamma[1:])), 1e-3 * float(gamma[0]))
    return out


def _mean_block(deviation: FloatArray) -> float:
    found = [optimal_block_length(np.ascontiguousarray(column)) for column in deviation.T]
    return float(f"{float(np.mean(found)):.6g}")


def _stepwise(statistic: FloatArray, shifted: FloatArray, level: float) -> list[int]:
    """Return who exceeds the quantile of the largest among those left, until nobody does."""
    left = np.arange(len(statistic))
    found: list[int] = []
    while len(left):
        critical = float(np.quantile(shifted[:, left].max(axis=1), 1.0 - level))
        better = left[statistic[left] > max(critical, 0.0)]
        if not len(better):
            break
        found += better.tolist()
        left = left[~np.isin(left, better)]
    return sorted(found)
