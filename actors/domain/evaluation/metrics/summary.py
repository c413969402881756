"""All ratios of a sample from its one-pass statistics; each equals the function of its family, undefined is None."""

from __future__ import annotations

import math

from actors.domain.evaluation.metrics.psr import min_track_record_of, psr_of
from actors.domain.kernels import ReturnStatistics

Ratios = dict[str, float | int | None]


def ratios_of(s: ReturnStatistics, periods_per_year: float) -> Ratios:
    """Return every metric that follows from bar returns alone.

    Parameters
    ----------
    s : ReturnStatistics
        Of simple returns, with a tail of 0.05.
    periods_per_year : float

    Returns
    -------
    dict
        The names of the command line's ``metrics`` that need no trades, and those of bars: ``profit_factor_bars``,
        ``win_rate_bars_frac``, ``max_consecutive_losing_bars``, ``tail_ratio``, ``ulcer``, ``best_bar_frac``,
        ``worst_bar_frac``. VaR is the type 7 quantile, ES the fractional tail mean.

    Examples
    --------
    >>> import numpy as np
    >>> from actors.domain.kernels import return_statistics
    >>> found = ratios_of(return_statistics(np.array([0.01, 0.03, -0.01])), 365.0)
    >>> round(found["sharpe_ann"], 6), round(found["omega"], 6), found["win_rate_bars_frac"]
    (9.552487, 4.0, 0.6666666666666666)
    """
    n, year = s.bars, math.sqrt(periods_per_year)
    sd = math.sqrt(s.m2 / (n - 1)) if n > 1 else None
    # where all returns are equal, what is left is rounding
    varies = sd is not None and sd > 1e-14 * max(abs(s.best), abs(s.worst))
    ratio = s.mean / sd if varies and sd else None
    down = math.sqrt(s.downside_sum / n)
    growth = annual_growth(s, periods_per_year)
    depth = _known(s.max_drawdown)
    moments = _moments(s) if varies else None
    omega = _known(s.gain_sum / s.loss_sum) if s.loss_sum > 0.0 else None
    return {
        "total_return_frac": total_growth(s),
        "cagr_frac": growth,
        "volatility_ann_frac": _known(sd * year) if sd is not None else None,
        "sharpe_ann": ratio * year if ratio is not None else None,
        "sortino_ann": _known(s.mean / down * year) if down > 0.0 else None,
        "calmar": growth / depth if growth is not None and depth else None,
        "omega": omega,
        "max_drawdown_frac": depth,
        "max_drawdown_bars": s.longest_under_water_bars,
        "var_95_frac": -s.low_quantile,
        "es_95_frac": s.es,
        "skew": moments[0] if moments else None,
        "kurtosis": moments[1] if moments else None,
        "psr": psr_of(ratio, n, *moments) if moments and ratio is not None else None,
        "min_track_record_bars": (
            min_track_record_of(ratio, *moments) if moments and ratio is not None else None
        ),
        "profit_factor_bars": omega,
        "win_rate_bars_frac": s.wins / n,
        "max_consecutive_losing_bars": s.longest_losing_bars,
        "tail_ratio": abs(s.high_quantile / s.low_quantile) if s.low_quantile != 0.0 else None,
        "ulcer": _known(math.sqrt(s.drawdown_square_sum / n)) if s.drawdown_square_sum >= 0.0 else None,
        "best_bar_frac": s.best,
        "worst_bar_frac": s.worst,
    }


def total_growth(s: ReturnStatistics) -> float | None:
    """Return the total return; None where it exceeds every float."""
    try:
        grown = math.ldexp(s.growth, s.growth_exponent)
    except OverflowError:
        return None
    return _known(grown - 1.0)


def annual_growth(s: ReturnStatistics, periods_per_year: float) -> float | None:
    """Return the compound annual growth rate; None where it exceeds every float, -1 of a lost account."""
    if s.growth == 0.0:
        return -1.0
    if not math.isfinite(s.growth):
        return None
    log_growth = (math.log(s.growth) + s.growth_exponent * math.log(2.0)) * periods_per_year / s.bars
    return math.expm1(log_growth) if log_growth < 700.0 else None


def _moments(s: ReturnStatistics) -> tuple[float, float] | None:
    variance = s.m2 / s.bars
    if not variance * variance > 0.0:
        return None
    skew, kurtosis = s.m3 / s.bars / variance**1.5, s.m4 / s.bars / variance**2
    return (skew, kurtosis) if math.isfinite(skew) and math.isfinite(kurtosis) else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
