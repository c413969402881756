"""Total return over the whole run."""

from __future__ import annotations

from actors.domain.registry import component
from actors.domain.search.objectives.base import MetricObjective


@component
class TotalReturn(MetricObjective):
    """The total return as a fraction, whatever the way there.

    Examples
    --------
    >>> TotalReturn(TotalReturn.Params()).value({"total_return_frac": 0.3, "trade_count": 3})
    0.3
    """

    reads = ("total_return_frac",)
