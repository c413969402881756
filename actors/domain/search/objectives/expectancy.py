"""Expectancy: what a closed trade earns on average."""

from __future__ import annotations

from actors.domain.registry import component
from actors.domain.search.objectives.base import MetricObjective


@component
class Expectancy(MetricObjective):
    """The mean result of closed trades after fees, quote currency; undefined without one.

    Examples
    --------
    >>> Expectancy(Expectancy.Params()).value({"expectancy_quote": -2.5, "trade_count": 3})
    -2.5
    """

    reads = ("expectancy_quote",)
