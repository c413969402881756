"""Impact by the square of our share of the bar's volume, as zipline and LEAN have it.

``price_impact * min(quantity / volume, volume_limit) ** 2`` of the price (zipline, class VolumeShareSlippage;
QuantConnect LEAN, class VolumeShareSlippageModel), with their defaults.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params, component
from actors.domain.simulation.slippage.base import SlippageModel


class VolumeShareParams(Params):
    """`price_impact` and the share beyond which the impact no longer grows.

    Fills are cut elsewhere (`venue.max_volume_share`); where that share is larger than `volume_limit`, as by
    default, a fill may be larger than what its impact counts.
    """

    volume_limit: float = Field(default=0.025, gt=0.0, le=1.0)
    price_impact: float = Field(default=0.1, ge=0.0, le=10.0)


@component
class VolumeShare(SlippageModel):
    """Impact of the execution's share in the volume of its own bar; no state; O(1).

    A bar without volume costs as much as one in which the limit is reached.

    Examples
    --------
    >>> bar = BarClosed(ts_event_ns=1, source="x", open_ns=0, close_ns=1,
    ...                 open=100.0, high=101.0, low=99.0, close=100.0, volume=50.0)
    >>> model = VolumeShare(VolumeShareParams())
    >>> round(model.cost_frac("BTC/USDT", 0.5, bar) * 1e4, 6), round(model.cost_frac("BTC/USDT", 5.0, bar) * 1e4, 6)
    (0.1, 0.625)
    """

    Params = VolumeShareParams

    def __init__(self, params: Any) -> None:
        self._limit: float = params.volume_limit
        self._impact: float = params.price_impact

    def cost_frac(self, pair: str, quantity: float, bar: BarClosed) -> float:
        """Return the impact."""
        share = min(abs(quantity) / bar.volume, self._limit) if bar.volume > 0.0 else self._limit
        return self._impact * (share * share)
