"""Calmar ratio: annual growth over the deepest drawdown (Young 1991, "Calmar ratio: a smoother tool")."""

from __future__ import annotations

from actors.domain.registry import component
from actors.domain.search.objectives.base import MetricObjective


@component
class Calmar(MetricObjective):
    """The Calmar ratio; undefined without a drawdown.

    Examples
    --------
    >>> Calmar(Calmar.Params()).value({"calmar": 0.8, "trade_count": 3})
    0.8
    """

    reads = ("calmar",)
