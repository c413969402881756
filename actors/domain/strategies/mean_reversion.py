"""Mean reversion: against a close that is many deviations off its average, until it is back; out if it runs away.

Avellaneda & Lee (2010), "Statistical arbitrage in the US equities market", for opening and closing by the
standardised distance (1.25 and 0.5 there); Poterba & Summers (1988), "Mean reversion in stock prices", for why.
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


class MeanReversionParams(Params):
    """Parameters of `MeanReversion`.

    Attributes
    ----------
    window_bars : int
        Window of average and deviation.
    enter_sd, leave_sd, stop_sd : float
        Distances from the average, in deviations: where a side begins, where it has done its work, and where
        it was wrong; leave < enter < stop.
    scale_sd : float
        Distance at which the confidence reaches one half.
    """

    window_bars: int = Param(48, ge=3, low=12, high=240, log=True)
    enter_sd: float = Param(1.75, gt=0, low=0.75, high=3.0)
    leave_sd: float = Param(0.5, ge=0, low=0.0, high=1.0)
    stop_sd: float = Param(3.5, gt=0, low=2.0, high=6.0)
    scale_sd: float = Param(2.0, gt=0, low=0.5, high=6.0, log=True)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> MeanReversionParams:
        if not self.leave_sd < self.enter_sd < self.stop_sd:
            raise ValueError(
                f"leave_sd < enter_sd < stop_sd: expected increasing values, found {self.leave_sd}, "
                f"{self.enter_sd}, {self.stop_sd}"
            )
        return self


@component
class MeanReversion(Strategy):
    """The standardised distance from the average, faded.

    Notes
    -----
    State: streaming average and deviation, and the side held. Warm-up: ``window_bars - 1`` bars. O(1) per bar.
    Beyond the stop the side is dropped; it comes again when the distance is back between entry and stop. Without
    deviation the distance is undefined: flat, and the side is kept.

    Examples
    --------
    >>> s = MeanReversion(MeanReversionParams(window_bars=4, enter_sd=1.5))
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate((10.0, 10.0, 10.0, 6.0, 9.0))]
    >>> [s.update(b).direction for b in bars]
    [0.0, 0.0, 0.0, 1.0, 0.0]
    """

    Params = MeanReversionParams
    STATE: ClassVar[tuple[str, ...]] = ("_mean", "_deviation", "_side")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._mean = kernels.sma_stream(params.window_bars)
        self._deviation = kernels.rolling_std_stream(params.window_bars)
        self._limits = params.enter_sd, params.leave_sd, params.stop_sd, params.scale_sd
        self._side = 0.0
        self.warmup_bars = params.window_bars - 1

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        close = market.close
        gap, deviation = close - self._mean.update(close), self._deviation.update(close)
        if not deviation > 0.0:
            return FLAT
        z = gap / deviation
        enter, leave, stop, scale = self._limits
        side = self._side
        if -stop <= z < -enter:
            side = 1.0
        elif enter < z <= stop:
            side = -1.0
        elif (side > 0.0 and (z >= -leave or z < -stop)) or (side < 0.0 and (z <= leave or z > stop)):
            side = 0.0
        self._side = side
        if side == 0.0:
            return FLAT
        size = abs(z)
        return Opinion(side, size / (size + scale))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        close, n = columns.close, self.params.window_bars
        gap, deviation = close - kernels.sma(close, n), kernels.rolling_std(close, n)
        z = np.divide(gap, deviation, out=np.full(len(close), np.nan), where=deviation > 0.0)
        enter, leave, stop, scale = self._limits
        side = held_side(
            (z < -enter) & (z >= -stop), (z >= -leave) | (z < -stop),
            (z > enter) & (z <= stop), (z <= leave) | (z > stop),
        )  # fmt: skip
        live = (side != 0.0) & ~np.isnan(z)
        size = np.abs(z)
        return np.where(live, side, 0.0), np.divide(size, size + scale, out=np.zeros_like(size), where=live)
