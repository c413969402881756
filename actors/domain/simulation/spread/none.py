"""No spread: only for studies that ask for it by name."""

from __future__ import annotations

from typing import Any

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params, component
from actors.domain.simulation.spread.base import SpreadModel


class NoSpreadParams(Params):
    """Nothing to set."""


@component
class NoSpread(SpreadModel):
    """Takers trade at the middle; no state."""

    Params = NoSpreadParams

    def __init__(self, params: Any) -> None:
        """Nothing to keep."""

    def half_frac(self, pair: str, bar: BarClosed) -> float:
        """Return 0."""
        return 0.0
