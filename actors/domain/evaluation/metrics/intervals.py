"""Bootstrap intervals of the ratios: stationary bootstrap of bar returns (Politis & Romano, 1994), percentiles."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np

from actors.domain import kernels
from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.block_length import optimal_block_length
from actors.domain.evaluation.metrics.growth import FloatArray
from actors.domain.evaluation.metrics.summary import Ratios, ratios_of

UNDEFINED_LIMIT = 0.05
"""Largest share of paths on which a metric may be undefined before its interval is."""


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """A metric of the record and the percentile interval of its resampled values.

    Attributes
    ----------
    value, low, high : float or None
        None where undefined; bounds also where more than 5 % of the paths leave the metric undefined.
    paths : int
        How many were drawn.
    mean_block_bars : float
    """

    value: float | None
    low: float | None
    high: float | None
    confidence: float
    paths: int
    mean_block_bars: float


def metric_intervals(
    returns: FloatArray,
    *,
    periods_per_year: float,
    confidence: float = 0.95,
    paths: int = 2000,
    seed: int,
    mean_block_bars: float | None = None,
) -> dict[str, Interval]:
    """Return each ratio with its bootstrap interval; the same arguments give the same numbers.

    Parameters
    ----------
    returns : array, shape (n,), fraction per bar, each ≥ -1
    periods_per_year : float
    confidence : float in (0, 1)
        Share of the resampled values between the bounds, equal tails.
    paths, seed : int
    mean_block_bars : float, optional
        Mean block length; by default that of Politis & White for the returns, which keeps their serial dependence.

    Returns
    -------
    dict
        By name of the metric; empty for fewer than two returns.

    Raises
    ------
    InvalidParamsError
        If `confidence` is outside (0, 1).
    KernelError
        If a return is not finite or below -1, or `paths`, `seed` or the block length is out of range.

    Examples
    --------
    >>> r = np.random.default_rng(1).standard_normal(500) * 0.01 + 0.001
    >>> found = metric_intervals(r, periods_per_year=365.0, paths=500, seed=7)
    >>> one = found["sharpe_ann"]
    >>> one.low < one.value < one.high, found == metric_intervals(r, periods_per_year=365.0, paths=500, seed=7)
    (True, True)
    """
    if not 0.0 < confidence < 1.0:
        raise InvalidParamsError(
            "CONFIDENCE_INVALID", f"confidence: expected a value in (0, 1), found {confidence}"
        )
    sample = np.ascontiguousarray(returns, dtype=np.float64)
    if sample.shape[0] < 2:
        return {}
    of_record = ratios_of(kernels.return_statistics(sample), periods_per_year)
    # six digits: the last ones of a dot product differ between machines, and a draw must not
    block = float(f"{optimal_block_length(sample) if mean_block_bars is None else mean_block_bars:.6g}")
    drawn = kernels.bootstrap_paths(sample, paths=paths, seed=seed, mean_block_bars=block, sums=True)
    with np.errstate(all="ignore"):
        values = {name: of(ResampledFigures(drawn, periods_per_year)) for name, of in _METRICS.items()}
    return {
        name: _interval(of_record, name, column, confidence, paths, block) for name, column in values.items()
    }


class ResampledFigures:
    """The resampled paths' building blocks, one value per path."""

    def __init__(self, drawn: kernels.BootstrapPaths, periods_per_year: float) -> None:
        assert drawn.sums is not None, "asked for above"
        n = drawn.steps
        deviations, squares, downside, gains, losses, falls, won, low, high, shortfall = drawn.sums.T
        self.year = math.sqrt(periods_per_year)
        self.mean = drawn.center + deviations / n
        variance = (squares - deviations * deviations / n) / (n - 1)
        # paths that drew one value only have no deviation but rounding
        floor = 1e-14 * squares / (n - 1)
        self.sd = np.sqrt(np.where(variance > floor, variance, np.nan))
        self.down = np.where(downside > 0.0, np.sqrt(downside / n), np.nan)
        self.gains, self.losses = gains, np.where(losses < 0.0, -losses, np.nan)
        self.growth, self.depth = drawn.growth, drawn.max_drawdown
        self.ulcer, self.won = np.sqrt(falls / n), won / n
        self.low, self.high, self.shortfall = low, high, shortfall
        log_growth = np.log(self.growth) * (periods_per_year / n)
        self.cagr = np.where(log_growth < 700.0, np.expm1(log_growth), np.nan)


_METRICS: dict[str, Callable[[ResampledFigures], FloatArray]] = {
    "total_return_frac": lambda p: p.growth - 1.0,
    "cagr_frac": lambda p: p.cagr,
    "volatility_ann_frac": lambda p: p.sd * p.year,
    "sharpe_ann": lambda p: p.mean / p.sd * p.year,
    "sortino_ann": lambda p: p.mean / p.down * p.year,
    "calmar": lambda p: p.cagr / np.where(p.depth > 0.0, p.depth, np.nan),
    "omega": lambda p: p.gains / p.losses,
    "max_drawdown_frac": lambda p: p.depth,
    "var_95_frac": lambda p: -p.low,
    "es_95_frac": lambda p: p.shortfall,
    "tail_ratio": lambda p: np.abs(p.high / np.where(p.low != 0.0, p.low, np.nan)),
    "ulcer": lambda p: p.ulcer,
    "win_rate_bars_frac": lambda p: p.won,
    "profit_factor_bars": lambda p: p.gains / p.losses,
}


def _interval(
    of_record: Ratios, name: str, column: FloatArray, confidence: float, paths: int, block: float
) -> Interval:
    defined = column[np.isfinite(column)]
    low = high = None
    if defined.shape[0] >= (1.0 - UNDEFINED_LIMIT) * paths:
        side = (1.0 - confidence) / 2.0
        low, high = np.quantile(defined, [side, 1.0 - side]).tolist()
    return Interval(
        value=of_record[name], low=low, high=high, confidence=confidence, paths=paths, mean_block_bars=block
    )
