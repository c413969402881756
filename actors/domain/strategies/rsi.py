"""RSI reversal: buy what has fallen too fast, sell what has risen too fast, leave at the middle.

Wilder (1978), "New concepts in technical trading systems", section on the relative strength index.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pydantic
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Market, Opinion, Strategy

if TYPE_CHECKING:
    from actors.domain.model.bars import BarFrame

MIDDLE = 50.0


class RsiParams(Params):
    """Parameters of `Rsi`.

    Attributes
    ----------
    window_bars : int
    oversold, overbought : float
        RSI below which a long opinion begins and above which a short one does; the middle (50) ends both.
    """

    window_bars: int = pydantic.Field(14, ge=2)
    oversold: float = pydantic.Field(30.0, gt=0, lt=MIDDLE)
    overbought: float = pydantic.Field(70.0, gt=MIDDLE, lt=100)


@component
class Rsi(Strategy):
    """The reversal rule.

    Notes
    -----
    State: one streaming RSI and the side held. Warm-up: ``window_bars`` bars. O(1) per bar. While RSI is
    undefined (a flat series) the opinion is flat and the side is kept. Confidence is the distance of RSI
    from the middle, so it fades as the reversal happens.

    Examples
    --------
    >>> s = Rsi(RsiParams(window_bars=2))
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate((10.0, 9.0, 8.0))]
    >>> [s.update(b).direction for b in bars]
    [0.0, 0.0, 1.0]
    """

    Params = RsiParams
    STATE: ClassVar[tuple[str, ...]] = ("_rsi", "_side")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._rsi = kernels.rsi_stream(params.window_bars)
        self._low, self._high = params.oversold, params.overbought
        self._side = 0.0
        self.warmup_bars = params.window_bars

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        rsi = self._rsi.update(market.close)
        if rsi != rsi:
            return FLAT
        side = self._side
        if rsi < self._low:
            side = 1.0
        elif rsi > self._high:
            side = -1.0
        elif (side > 0.0 and rsi >= MIDDLE) or (side < 0.0 and rsi <= MIDDLE):
            side = 0.0
        self._side = side
        if side == 0.0:
            return FLAT
        gap = rsi - MIDDLE
        return Opinion(side, (gap if gap > 0.0 else -gap) / MIDDLE)

    def batch(self, frame: BarFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``(direction, confidence)`` per bar."""
        rsi = kernels.rsi(frame.close, self.params.window_bars)
        # a side lives from its last entry to the first touch of the middle; both sides cross it to swap
        long = _last(rsi < self._low) > _last(rsi >= MIDDLE)
        short = _last(rsi > self._high) > _last(rsi <= MIDDLE)
        direction = np.where(np.isnan(rsi), 0.0, long.astype(np.float64) - short.astype(np.float64))
        confidence = np.zeros_like(rsi)
        np.divide(np.abs(rsi - MIDDLE), MIDDLE, out=confidence, where=direction != 0.0)
        return direction, confidence


def _last(event: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return per bar the index of the last event up to it, -1 before the first."""
    return np.maximum.accumulate(np.where(event, np.arange(len(event)), -1))
