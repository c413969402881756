"""The same spread at all times."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params, component
from actors.domain.simulation.spread.base import SpreadModel


class FixedSpreadParams(Params):
    """`half_spread_bps` of the price, paid by takers."""

    half_spread_bps: float = Field(default=1.0, ge=0.0, le=1000.0)


@component
class FixedSpread(SpreadModel):
    """Constant half spread; no state; O(1).

    Examples
    --------
    >>> FixedSpread(FixedSpreadParams(half_spread_bps=2.5)).half_frac("BTC/USDT", None)
    0.00025
    """

    Params = FixedSpreadParams

    def __init__(self, params: Any) -> None:
        self._half: float = params.half_spread_bps / 10_000.0

    def half_frac(self, pair: str, bar: BarClosed) -> float:
        """Return the constant."""
        return self._half
