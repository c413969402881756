"""Volatility targeting: exposure inverse to forecast volatility, ``w = wish · min(cap, σ*/σ̂)``.

Source: Moreira & Muir (2017), "Volatility-managed portfolios"; σ̂ is what was known at the close.
"""

from __future__ import annotations

import math
from typing import Any

from actors.domain import registry
from actors.domain.params import Param
from actors.domain.registry import component
from actors.domain.risk.sizing.base import Sizing


@component
class VolatilityTarget(Sizing):
    """Scales a wish so that a full wish runs at the target volatility.

    With several active pairs of average correlation ρ the scale is divided by ``√(1 + (m − 1)·max(ρ, 0))``:
    m correlated positions together are then no more volatile than m independent ones. While ρ is unknown it
    counts as 1. An unknown volatility gives NaN: what cannot be measured is not sized.

    Examples
    --------
    >>> sizing = VolatilityTarget(VolatilityTarget.Params(target_volatility_ann_frac=0.4), 10_000.0)
    >>> sizing.size(1.0, 0.008, float("nan"), 1), sizing.size(-0.5, 0.002, 0.0, 2)
    (0.5, -0.5)
    """

    class Params(registry.Params):
        """`target_volatility_ann_frac`: annual (365 d); `max_scale`: cap of the multiplier."""

        target_volatility_ann_frac: float = Param(0.4, gt=0, low=0.1, high=1.0)
        max_scale: float = Param(1.0, gt=0, low=0.5, high=2.0)
        correlation_aware: bool = True

    def __init__(self, params: Any, periods_per_year: float) -> None:
        super().__init__(params, periods_per_year)
        self._target_per_bar: float = params.target_volatility_ann_frac / math.sqrt(periods_per_year)

    def size(self, target_frac: float, volatility: float, correlation: float, active_pairs: int) -> float:
        """Return the scaled wish; a flat wish stays flat whatever is unknown."""
        if target_frac == 0.0:
            return 0.0
        if not volatility > 0.0:
            return math.nan
        ratio = self._target_per_bar / volatility
        if self.params.correlation_aware and active_pairs > 1:
            rho = 1.0 if correlation != correlation else max(correlation, 0.0)
            ratio /= math.sqrt(1.0 + (active_pairs - 1) * rho)
        cap: float = self.params.max_scale
        return target_frac * min(cap, ratio)
