"""Return of those runs only whose drawdown stays within a limit."""

from __future__ import annotations

from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.search.objectives.base import Metrics, Objective, ObjectiveParams


class DrawdownLimitedReturnParams(ObjectiveParams):
    """Parameters of `DrawdownLimitedReturn`.

    Attributes
    ----------
    limit_frac : float
        Deepest drawdown that is allowed.
    """

    limit_frac: float = Param(0.2, gt=0, le=1)


@component
class DrawdownLimitedReturn(Objective):
    """The total return; undefined beyond the drawdown limit, so no return makes up for it.

    Examples
    --------
    >>> o = DrawdownLimitedReturn(DrawdownLimitedReturnParams(limit_frac=0.1))
    >>> [o.value({"total_return_frac": 0.5, "max_drawdown_frac": d, "trade_count": 3}) for d in (0.1, 0.11)]
    [0.5, None]
    """

    Params = DrawdownLimitedReturnParams
    reads = ("total_return_frac", "max_drawdown_frac")

    def value(self, metrics: Metrics) -> float | None:
        """Return the total return within the limit."""
        total, depth = metrics["total_return_frac"], metrics["max_drawdown_frac"]
        if total is None or depth is None or depth > self.params.limit_frac:
            return None
        return float(total)
