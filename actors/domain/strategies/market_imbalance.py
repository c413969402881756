"""Market imbalance: with the side that the volume was traded on, while the imbalance lasts.

Bars carry no order flow, so each bar's volume is signed by where it closed in its range, as in Chaikin's money
flow. Chordia & Subrahmanyam (2004), "Order imbalance and individual stock returns", Journal of Financial
Economics 72(3), for imbalances that go on; Easley, López de Prado & O'Hara (2012), "Flow toxicity and liquidity
in a high-frequency world", for signing volume in bulk instead of trade by trade.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.sides import held_side


class MarketImbalanceParams(Params):
    """Parameters of `MarketImbalance`.

    Attributes
    ----------
    window_bars : int
        Bars whose signed volume is summed.
    enter_frac, leave_frac : float
        Imbalance, signed over total volume, at which a side begins, and below which it ends; leave < enter.
    scale_frac : float
        Imbalance at which the confidence reaches one half.
    """

    window_bars: int = Param(24, ge=1, low=6, high=120, log=True)
    enter_frac: float = Param(0.15, gt=0, lt=1, low=0.05, high=0.4)
    leave_frac: float = Param(0.05, ge=0, lt=1, low=0.0, high=0.2)
    scale_frac: float = Param(0.2, gt=0, low=0.05, high=1.0, log=True)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> MarketImbalanceParams:
        if self.leave_frac >= self.enter_frac:
            raise ValueError(
                f"leave_frac: expected < enter_frac ({self.enter_frac}), found {self.leave_frac}"
            )
        return self


@component
class MarketImbalance(Strategy):
    """The side of the signed volume, with a threshold for coming and a lower one for going.

    Notes
    -----
    State: one streaming money flow and the side held. Warm-up: ``window_bars - 1`` bars. O(1) per bar. Bars
    without volume leave the imbalance undefined: flat, and the side is kept.

    Examples
    --------
    >>> s = MarketImbalance(MarketImbalanceParams(window_bars=1))
    >>> bars = [Market(i, 10.0, 12.0, 10.0, c, 5.0, "", 0.0, {}) for i, c in enumerate((12.0, 11.0, 10.2))]
    >>> [s.update(b).direction for b in bars]
    [1.0, 0.0, -1.0]
    """

    Params = MarketImbalanceParams
    STATE: ClassVar[tuple[str, ...]] = ("_flow", "_side")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._flow = kernels.cmf_stream(params.window_bars)
        self._enter, self._leave, self._scale = params.enter_frac, params.leave_frac, params.scale_frac
        self._side = 0.0
        self.warmup_bars = params.window_bars - 1

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        flow = self._flow.update(market.high, market.low, market.close, market.volume)
        side = self._side
        if flow > self._enter:
            side = 1.0
        elif flow < -self._enter:
            side = -1.0
        elif (side > 0.0 and flow < self._leave) or (side < 0.0 and flow > -self._leave):
            side = 0.0
        self._side = side
        if side == 0.0 or flow != flow:
            return FLAT
        size = abs(flow)
        return Opinion(side, size / (size + self._scale))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        flow = kernels.cmf(columns.high, columns.low, columns.close, columns.volume, self.params.window_bars)
        enter, leave = self._enter, self._leave
        side = held_side(flow > enter, flow < leave, flow < -enter, flow > -leave)
        live = (side != 0.0) & ~np.isnan(flow)
        size = np.abs(flow)
        return np.where(live, side, 0.0), np.divide(
            size, size + self._scale, out=np.zeros_like(size), where=live
        )
