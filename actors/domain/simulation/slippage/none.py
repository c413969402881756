"""No slippage: only for studies that ask for it by name."""

from __future__ import annotations

from typing import Any

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params, component
from actors.domain.simulation.slippage.base import SlippageModel


class NoSlippageParams(Params):
    """Nothing to set."""


@component
class NoSlippage(SlippageModel):
    """Takers get the reference price."""

    Params = NoSlippageParams

    def __init__(self, params: Any) -> None:
        """Nothing to keep."""

    def cost_frac(self, pair: str, quantity: float, bar: BarClosed) -> float:
        """Return 0."""
        return 0.0
