"""Fixed stake: every position is opened with the same amount of quote currency.

Source: the "fixed amount" scheme of Tharp (1998), "Trade Your Way to Financial Freedom", chapter on position sizing.
"""

from __future__ import annotations

import math

import pydantic

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.sizing.base import Known, Sizing, with_sign


@component
class FixedQuote(Sizing):
    """Opens with `quote`, whatever the strength of the wish; no more than `max_frac` of equity.

    Examples
    --------
    >>> sizing = FixedQuote(FixedQuote.Params(quote=1000.0), 8760.0)
    >>> sizing.size_from(0.3, Known(float("nan"), float("nan"), 1, 8000.0, float("nan")))
    0.125
    """

    class Params(registry.Params):
        """`quote`: stake, quote currency; `max_frac`: most of it, fraction of equity."""

        quote: float = Param(1000.0, gt=0, low=100.0, high=10_000.0, log=True)
        max_frac: float = pydantic.Field(1.0, gt=0)

    reads_account = True
    at_entry = True
    opens_small = True

    def size_from(self, target_frac: float, known: Known) -> float:
        """Return ``± min(max_frac, quote / equity)``; NaN without equity."""
        if target_frac == 0.0:
            return 0.0
        if not known.equity > 0.0:
            return math.nan
        quote: float = self.params.quote
        most: float = self.params.max_frac
        return with_sign(target_frac, min(most, quote / known.equity))
