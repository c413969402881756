"""Fixed fractional sizing: a constant share of what the strategy side wishes (Vince, 1990)."""

from __future__ import annotations

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.sizing.base import Sizing


@component
class FixedFraction(Sizing):
    """Ignores volatility and correlation.

    Examples
    --------
    >>> FixedFraction(FixedFraction.Params(fraction=0.5), 8760.0).size(0.8, float("nan"), float("nan"), 1)
    0.4
    """

    class Params(registry.Params):
        """`fraction` of the wished exposure that is held."""

        fraction: float = Param(0.5, gt=0, le=1, low=0.1, high=1.0)

    def size(self, target_frac: float, volatility: float, correlation: float, active_pairs: int) -> float:
        """Return ``fraction × wish``."""
        fraction: float = self.params.fraction
        return target_frac * fraction
