"""Profit factor: what winning trades earned over what losing ones cost."""

from __future__ import annotations

from actors.domain.registry import component
from actors.domain.search.objectives.base import MetricObjective


@component
class ProfitFactor(MetricObjective):
    """The profit factor of closed trades; undefined where none lost, which few trades do easily.

    Examples
    --------
    >>> ProfitFactor(ProfitFactor.Params()).value({"profit_factor": 1.1, "trade_count": 3})
    1.1
    """

    reads = ("profit_factor",)
