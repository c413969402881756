"""Each taking execution pays the same number of basis points."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params, component
from actors.domain.simulation.slippage.base import SlippageModel


class FixedBpsParams(Params):
    """`cost_bps` of the price, paid by takers."""

    cost_bps: float = Field(default=2.0, ge=0.0, le=1000.0)


@component
class FixedBps(SlippageModel):
    """Constant cost; no state; O(1).

    Examples
    --------
    >>> round(FixedBps(FixedBpsParams(cost_bps=2.0)).cost_frac("BTC/USDT", 1.0, None), 6)
    0.0002
    """

    Params = FixedBpsParams

    def __init__(self, params: Any) -> None:
        self._frac: float = params.cost_bps / 10_000.0

    def cost_frac(self, pair: str, quantity: float, bar: BarClosed) -> float:
        """Return the constant."""
        return self._frac
