"""Fixed fractional risk: the size at which the stop costs a stated fraction of equity, ``w = risk / stop distance``.

Source: Vince (1990), "Portfolio Management Formulas"; as a rule per trade in Tharp (1998), "Trade Your Way to
Financial Freedom". The distance is that of the configured stop (else trailing stop) at the close of the decision;
what a gap beyond the stop, slippage and fees add is not in it.
"""

from __future__ import annotations

import math

import pydantic

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.sizing.base import Known, Sizing, with_sign


@component
class RiskPerTrade(Sizing):
    """Opens so that the way to the stop is worth `risk_frac` of equity, at most `max_frac` of equity.

    The strength of the wish does not matter. Without a known stop distance there is no size (NaN): a run that
    uses this scheme must configure a stop or a trailing stop.

    Examples
    --------
    >>> sizing = RiskPerTrade(RiskPerTrade.Params(risk_frac=0.01), 8760.0)
    >>> sizing.size_from(-0.3, Known(float("nan"), float("nan"), 1, 8000.0, 0.04))
    -0.25
    """

    class Params(registry.Params):
        """`risk_frac`: equity lost at the stop; `max_frac`: largest position, fraction of equity."""

        risk_frac: float = Param(0.01, gt=0, lt=1, low=0.002, high=0.03, log=True)
        max_frac: float = pydantic.Field(1.0, gt=0)

    reads_account = True
    at_entry = True
    opens_small = True

    def size_from(self, target_frac: float, known: Known) -> float:
        """Return ``± min(max_frac, risk_frac / stop_frac)``."""
        if target_frac == 0.0:
            return 0.0
        if not known.stop_frac > 0.0:
            return math.nan
        risk: float = self.params.risk_frac
        most: float = self.params.max_frac
        return with_sign(target_frac, min(most, risk / known.stop_frac))
