"""Sortino ratio: mean return over its downside deviation, per year (Sortino & van der Meer 1991, "Downside risk")."""

from __future__ import annotations

from actors.domain.registry import component
from actors.domain.search.objectives.base import MetricObjective


@component
class Sortino(MetricObjective):
    """The annualised Sortino ratio over all bars; undefined where no bar lost.

    Examples
    --------
    >>> Sortino(Sortino.Params()).value({"sortino_ann": 1.2, "trade_count": 3})
    1.2
    """

    reads = ("sortino_ann",)
