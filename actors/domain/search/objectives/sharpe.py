"""Sharpe ratio: mean return over its deviation, per year (Sharpe 1966, "Mutual fund performance")."""

from __future__ import annotations

from actors.domain.registry import component
from actors.domain.search.objectives.base import MetricObjective


@component
class Sharpe(MetricObjective):
    """The annualised Sharpe ratio; undefined where returns do not vary.

    Examples
    --------
    >>> Sharpe(Sharpe.Params()).value({"sharpe_ann": 1.2, "trade_count": 3})
    1.2
    """

    reads = ("sharpe_ann",)
