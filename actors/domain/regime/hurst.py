"""Hurst exponents of returns with an interval: detrended fluctuation analysis, and rescaled range with its bias.

Detrended fluctuation analysis (Peng et al. 1994) of order 1. Its estimate from some hundred bars is both biased and
wide, so it comes with an interval by parametric bootstrap: fractional Gaussian noise of many exponents is simulated
(circulant embedding, Davies and Harte 1987) and put through the same estimator; the exponents that could have given
what was seen are the interval, the one whose median it is the corrected estimate.
"""

from __future__ import annotations

from functools import cache
from math import isfinite, nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InsufficientDataError, InvalidParamsError

FloatArray = NDArray[np.float64]
LEAST_BARS = 64
_SMALLEST = 8
_GRID = np.round(np.arange(0.05, 0.9501, 0.1), 2)
_PATHS = 200
_SEED = 20_240_229


class Hurst(NamedTuple):
    """An exponent: 0.5 for a random walk, above it for persistent returns, below for those that turn back.

    Attributes
    ----------
    raw : float
        The estimator's own number, biased in short windows.
    value, low, high : float
        Without its bias, and a 90 % interval; NaN where returns do not vary. The ends of the grid, 0.05 and 0.95, mean
        "no more is known".
    """

    raw: float
    value: float
    low: float
    high: float


class RescaledRange(NamedTuple):
    """A rescaled-range exponent beside what it says of independent returns: alone, `raw` would mislead.

    Attributes
    ----------
    raw : float
    expected : float
        Of independent normal returns, by Anis and Lloyd (1976), over the same scales; 0.5 only in theory.
    value : float
        ``0.5 + raw − expected``.
    """

    raw: float
    expected: float
    value: float


def scales(bars: int) -> tuple[int, ...]:
    """Return the window lengths: evenly spread in logarithm from 8 to a quarter of the bars.

    Examples
    --------
    >>> scales(512)
    (8, 13, 21, 34, 56, 92, 128)
    """
    out, at = [], float(_SMALLEST)
    while at < 0.25 * bars:
        out.append(int(at))
        at *= 1.63
    return tuple(sorted({*out, bars // 4}))


def fluctuation_exponent(returns: FloatArray) -> FloatArray:
    """Return the raw exponent of each series, shape (n_series, n_bars) to (n_series,); NaN where it does not vary."""
    bars = returns.shape[-1]
    profile = np.cumsum(returns - returns.mean(axis=-1, keepdims=True), axis=-1)
    found = []
    lines, x = _lines(bars)
    for s, line in lines:
        parts = profile[..., : bars // s * s].reshape(*profile.shape[:-1], bars // s, s)
        total = (parts * parts).sum(axis=-1) - parts.sum(axis=-1) ** 2 / s - (parts @ line) ** 2
        found.append(np.maximum(total, 0.0).mean(axis=-1) / s)
    fluctuation = np.array(found)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope: FloatArray = 0.5 * np.tensordot(x, np.log(fluctuation), axes=1) / (x @ x)
    # rounding alone is left of a constant series
    steady = fluctuation.min(axis=0) <= 1e-24 * np.maximum((returns * returns).mean(axis=-1), 1e-300)
    return np.where(steady, nan, slope)


@cache
def _lines(bars: int) -> tuple[tuple[tuple[int, FloatArray], ...], FloatArray]:
    """Return each window length with a rising line of length 1, and the centred logarithms of the lengths."""
    lines: list[tuple[int, FloatArray]] = []
    for s in scales(bars):
        line = np.arange(s, dtype=np.float64) - 0.5 * (s - 1)
        line /= np.sqrt(line @ line)
        lines.append((s, line))
    x = np.log(scales(bars))
    return tuple(lines), x - x.mean()


def dfa(returns: Any) -> Hurst:
    """Return the exponent of one series of returns, with its interval.

    Parameters
    ----------
    returns : array, shape (n,), n ≥ 64, finite

    Raises
    ------
    InsufficientDataError
    InvalidParamsError
        If returns are not finite.

    Examples
    --------
    >>> h = dfa(np.random.default_rng(1).standard_normal(512))
    >>> h.low < 0.5 < h.high
    True
    """
    x = _checked(returns)
    raw = float(fluctuation_exponent(x[None, :])[0])
    if not isfinite(raw):
        return Hurst(nan, nan, nan, nan)
    low, median, high = _table(len(x))
    # each column rises with the exponent: an exponent is possible while `raw` lies between its outer quantiles
    return Hurst(
        raw, *(float(np.interp(raw, column, _GRID)) for column in (median, high, low))
    )  # fmt: skip


def rescaled_range(returns: Any) -> RescaledRange:
    """Return the rescaled-range exponent (Mandelbrot and Wallis 1969) with its bias; arguments and errors as `dfa`."""
    from scipy.special import gammaln

    x = _checked(returns)
    sizes = np.array(scales(len(x)))
    observed, expected = [], []
    for s in sizes.tolist():
        parts = x[: len(x) // s * s].reshape(-1, s)
        walk = np.cumsum(parts - parts.mean(axis=1, keepdims=True), axis=1)
        spread, deviation = walk.max(axis=1) - walk.min(axis=1), parts.std(axis=1)
        moving = deviation > 0.0
        observed.append(float((spread[moving] / deviation[moving]).mean()) if moving.any() else nan)
        i = np.arange(1, s)
        gammas = float(np.exp(gammaln(0.5 * (s - 1)) - gammaln(0.5 * s))) / np.sqrt(np.pi)
        expected.append(gammas * float(np.sqrt((s - i) / i).sum()))
    raw, alone = (float(np.polyfit(np.log(sizes), np.log(v), 1)[0]) for v in (observed, expected))
    return RescaledRange(raw, alone, 0.5 + raw - alone)


def fractional_noise(exponent: float, bars: int, paths: int, rng: np.random.Generator) -> FloatArray:
    """Return fractional Gaussian noise of unit variance, shape (paths, bars).

    Raises
    ------
    InvalidParamsError
        If the exponent is not within (0, 1).
    """
    if not 0.0 < exponent < 1.0:
        raise InvalidParamsError("HURST_RANGE", f"exponent: expected within (0, 1), found {exponent}")
    k = np.arange(bars + 1, dtype=np.float64)
    power = 2.0 * exponent
    cov = 0.5 * ((k + 1) ** power - 2.0 * k**power + np.abs(k - 1) ** power)
    weights = np.fft.fft(np.concatenate([cov, cov[-2:0:-1]])).real
    size = 2 * bars
    draws = rng.standard_normal((paths, size)) + 1j * rng.standard_normal((paths, size))
    out: FloatArray = np.fft.fft(draws * np.sqrt(np.maximum(weights, 0.0) / size), axis=1).real[:, :bars]
    return out


@cache
def _table(bars: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """5 %, 50 % and 95 % quantiles of the raw exponent, per exponent of the grid; made once per length."""
    rng = np.random.default_rng([_SEED, bars])
    rows = []
    for exponent in _GRID.tolist():
        found = fluctuation_exponent(fractional_noise(exponent, bars, _PATHS, rng))
        rows.append(np.quantile(found, (0.05, 0.5, 0.95)))
    low, median, high = np.maximum.accumulate(np.array(rows).T, axis=1)
    return low, median, high


def _checked(returns: Any) -> FloatArray:
    x = np.asarray(returns, dtype=np.float64)
    if x.ndim != 1 or len(x) < LEAST_BARS:
        raise InsufficientDataError(
            "HURST_BARS",
            f"returns: expected one dimension of at least {LEAST_BARS} bars, found shape {x.shape}",
        )
    if not np.isfinite(x).all():
        raise InvalidParamsError(
            "HURST_RETURNS",
            f"returns: expected finite numbers, found {int((~np.isfinite(x)).sum())} that are not",
        )
    return x
