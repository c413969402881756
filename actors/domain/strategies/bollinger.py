"""Bollinger bands: with a close outside the bands (breakout) or against it (reversal), until the middle.

Bollinger (2001), "Bollinger on Bollinger bands": method I, volatility breakout, and method III, reversals.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.sides import held_side


class BollingerParams(Params):
    """Parameters of `Bollinger`.

    Attributes
    ----------
    window_bars : int
        Bars of average and deviation.
    width : float
        Distance of a band from the middle, standard deviations.
    mode : str
        ``breakout`` goes with a close outside the bands, ``reversal`` against it.
    """

    window_bars: int = Param(20, ge=2, low=10, high=120, log=True)
    width: float = Param(2.0, gt=0, low=1.0, high=3.5)
    mode: Literal["breakout", "reversal"] = Param("breakout", choices=("breakout", "reversal"))


@component
class Bollinger(Strategy):
    """Follow, or fade, a close outside the bands until the middle is reached.

    Notes
    -----
    State: the streaming bands and the side held. Warm-up: ``window_bars - 1`` bars. O(1) per bar. With
    x the distance from the middle in half widths of the channel, the confidence is x / (x + 1). Bands without
    width say nothing: flat, and the side is kept.

    Examples
    --------
    >>> s = Bollinger(BollingerParams(window_bars=3, width=1.0))
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate((10.0, 10.0, 13.0, 10.0))]
    >>> [s.update(b).direction for b in bars]
    [0.0, 0.0, 1.0, 0.0]
    """

    Params = BollingerParams
    STATE: ClassVar[tuple[str, ...]] = ("_bands", "_side")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._bands = kernels.bollinger_stream(params.window_bars, params.width)
        self._above = 1.0 if params.mode == "breakout" else -1.0
        self._side = 0.0
        self.warmup_bars = params.window_bars - 1

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        close, bands, side = market.close, self._bands, self._side
        upper = bands.advance(close)
        middle = bands.middle
        if close > upper:
            side = self._above
        elif close < bands.lower:
            side = -self._above
        elif side != 0.0:
            # the side a close above the middle belongs to
            held = side * self._above
            if (held > 0.0 and close <= middle) or (held < 0.0 and close >= middle):
                side = 0.0
        self._side = side
        half = upper - middle
        if side == 0.0 or not half > 0.0:
            return FLAT
        size = abs(close - middle) / half
        return Opinion(side, size / (size + 1.0))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        close = columns.close
        upper, middle, lower = kernels.bollinger(close, self.params.window_bars, self.params.width)
        side = self._above * held_side(close > upper, close <= middle, close < lower, close >= middle)
        half = upper - middle
        live = (side != 0.0) & (half > 0.0)
        size = np.divide(np.abs(close - middle), half, out=np.zeros_like(half), where=live)
        return np.where(live, side, 0.0), np.where(live, size / (size + 1.0), 0.0)
