"""RSI reversal: buy what has fallen too fast, sell what has risen too fast, leave at the middle.

Wilder (1978), "New concepts in technical trading systems", section on the relative strength index.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.sides import held_side

MIDDLE = 50.0


class RsiParams(Params):
    """Parameters of `Rsi`.

    Attributes
    ----------
    window_bars : int
        Bars of the RSI.
    oversold, overbought : float
        RSI below which a long opinion begins and above which a short one does; the middle (50) ends both.
    """

    window_bars: int = Param(14, ge=2, low=5, high=50, log=True)
    oversold: float = Param(30.0, gt=0, lt=MIDDLE, low=10.0, high=45.0)
    overbought: float = Param(70.0, gt=MIDDLE, lt=100, low=55.0, high=90.0)


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
        # 100 G / (G + L) may round to just above 100
        return Opinion(side, min((gap if gap > 0.0 else -gap) / MIDDLE, 1.0))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        rsi = kernels.rsi(columns.close, self.params.window_bars)
        side = held_side(rsi < self._low, rsi >= MIDDLE, rsi > self._high, rsi <= MIDDLE)
        direction = np.where(np.isnan(rsi), 0.0, side)
        confidence = np.zeros_like(rsi)
        np.divide(np.abs(rsi - MIDDLE), MIDDLE, out=confidence, where=direction != 0.0)
        return direction, np.minimum(confidence, 1.0)
