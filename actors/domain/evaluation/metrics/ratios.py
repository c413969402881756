"""Reward to risk: Sharpe, Sortino, omega, Calmar, tail ratio, bar-level profit factor and win rate."""

from __future__ import annotations

import math

import numpy as np

from actors.domain.evaluation.metrics.drawdown import max_drawdown
from actors.domain.evaluation.metrics.growth import FloatArray, cagr


def spread(returns: FloatArray) -> float:
    """Return the standard deviation (ddof 1), exactly 0 where it is only rounding noise.

    Examples
    --------
    >>> spread(np.full(7, 0.1))
    0.0
    """
    if returns.size < 2:
        return 0.0
    sd = float(returns.std(ddof=1))
    return sd if sd > 1e-14 * float(np.abs(returns).max()) else 0.0


def sharpe(returns: FloatArray, periods_per_year: float = 1.0) -> float | None:
    """Return ``mean/sd₁·√P`` with a risk-free rate of 0; None without variance.

    Examples
    --------
    >>> round(sharpe(np.array([0.01, 0.03, -0.01]), 365.0), 6)
    9.552487
    """
    sd = spread(returns)
    return float(returns.mean()) / sd * math.sqrt(periods_per_year) if sd > 0.0 else None


def sortino(returns: FloatArray, periods_per_year: float = 1.0, *, target: float = 0.0) -> float | None:
    """Return ``(mean − target)/√(mean of squared shortfalls over all n)·√P``; None without a shortfall.

    Examples
    --------
    >>> round(sortino(np.array([0.01, 0.03, -0.01])), 6)
    1.732051
    """
    if returns.size == 0:
        return None
    short = np.minimum(returns - target, 0.0)
    downside = math.sqrt(float((short * short).mean()))
    return (float(returns.mean()) - target) / downside * math.sqrt(periods_per_year) if downside > 0 else None


def omega(returns: FloatArray, threshold: float = 0.0) -> float | None:
    """Return ``Σ(r − θ)⁺ / Σ(θ − r)⁺``; None without a loss.

    Examples
    --------
    >>> round(omega(np.array([0.01, 0.03, -0.01])), 6)
    4.0
    """
    excess = returns - threshold
    losses = float(-excess[excess < 0].sum())
    return float(excess[excess > 0].sum()) / losses if losses > 0.0 else None


def profit_factor_bars(returns: FloatArray) -> float | None:
    """Return ``Σr⁺/Σ|r⁻|`` over bars (the trade-level figure is in `trades`); None without a loss."""
    return omega(returns, 0.0)


def win_rate_bars(returns: FloatArray) -> float | None:
    """Return the share of ``r > 0`` in all bars (a zero is not a win); None of no bars.

    Examples
    --------
    >>> win_rate_bars(np.array([0.01, 0.0, -0.01, 0.02]))
    0.5
    """
    return float((returns > 0).mean()) if returns.size else None


def calmar(returns: FloatArray, periods_per_year: float) -> float | None:
    """Return ``CAGR / maximum drawdown``; None without a drawdown.

    Examples
    --------
    >>> round(calmar(np.array([0.1, -0.05, 0.1]), 3.0), 4)
    2.99
    """
    growth, depth = cagr(returns, periods_per_year), max_drawdown(returns)
    return growth / depth if growth is not None and depth > 0.0 else None


def tail_ratio(returns: FloatArray) -> float | None:
    """Return ``|q95 / q5|`` (type 7 quantiles); None if the lower quantile is 0.

    Examples
    --------
    >>> round(tail_ratio(np.linspace(-0.1, 0.2, 31)), 4)
    2.1765
    """
    if returns.size == 0:
        return None
    low, high = np.quantile(returns, [0.05, 0.95])
    return abs(float(high / low)) if low != 0.0 else None
