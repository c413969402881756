"""Squeeze: when the Bollinger bands come out of the Keltner channel, go with the momentum until it turns.

Carter (2005), "Mastering the trade", chapter on the squeeze: quiet markets end in moves. His momentum is a
regression line over the distance of the close from the middle of its range and its average; here it is that
distance itself, which turns earlier.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.sides import held_side, last_event


class KeltnerSqueezeParams(Params):
    """Parameters of `KeltnerSqueeze`.

    Attributes
    ----------
    window_bars : int
        Bars of bands, channel and momentum alike.
    bands_width : float
        Of the Bollinger bands, standard deviations.
    channel_width : float
        Of the Keltner channel, average true ranges.
    min_squeeze_bars : int
        Bars in a row that the bands must have been inside the channel.
    scale_frac : float
        Momentum, fraction of the price, at which the confidence reaches one half.
    """

    window_bars: int = Param(20, ge=2, low=10, high=60)
    bands_width: float = Param(2.0, gt=0, low=1.5, high=3.0)
    channel_width: float = Param(1.5, gt=0, low=1.0, high=2.5)
    min_squeeze_bars: int = Param(3, ge=1, low=1, high=12)
    scale_frac: float = Param(0.01, gt=0, low=0.002, high=0.05, log=True)


@component
class KeltnerSqueeze(Strategy):
    """The release of a squeeze, in the direction of the momentum.

    Notes
    -----
    State: streaming squeeze, range and average, the length of the squeeze and the side held. Warm-up:
    ``window_bars + min_squeeze_bars`` bars. O(1) amortised per bar.

    Examples
    --------
    >>> KeltnerSqueeze(KeltnerSqueezeParams()).warmup_bars
    23
    """

    Params = KeltnerSqueezeParams
    STATE: ClassVar[tuple[str, ...]] = ("_squeeze", "_range", "_mean", "_squeezed_bars", "_side")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        n = params.window_bars
        self._squeeze = kernels.squeeze_stream(n, params.bands_width, params.channel_width)
        self._range = kernels.donchian_stream(n)
        self._mean = kernels.sma_stream(n)
        self._scale, self._least = params.scale_frac, params.min_squeeze_bars
        self._squeezed_bars = 0
        self._side = 0.0
        self.warmup_bars = n + params.min_squeeze_bars

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        close, high, low = market.close, market.high, market.low
        squeezed = self._squeeze.update(high, low, close)
        self._range.advance(high, low)
        momentum = close - 0.5 * (self._range.middle + self._mean.update(close))
        side, released = self._side, False
        if squeezed == 1.0:
            self._squeezed_bars += 1
        else:
            released = squeezed == 0.0 and self._squeezed_bars >= self._least
            self._squeezed_bars = 0
        if released and momentum > 0.0:
            side = 1.0
        elif released and momentum < 0.0:
            side = -1.0
        elif (side > 0.0 and momentum <= 0.0) or (side < 0.0 and momentum >= 0.0):
            side = 0.0
        self._side = side
        if side == 0.0:
            return FLAT
        size = momentum * side / close
        return Opinion(side, size / (size + self._scale))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        p, high, low, close = self.params, columns.high, columns.low, columns.close
        n = p.window_bars
        squeezed = kernels.squeeze(high, low, close, n, p.bands_width, p.channel_width)
        _, _, middle = kernels.donchian(high, low, n)
        momentum = close - 0.5 * (middle + kernels.sma(close, n))
        on = squeezed == 1.0
        length = np.arange(len(close)) - last_event(~on)
        before = np.concatenate((np.zeros(min(1, len(close)), dtype=length.dtype), length[:-1]))
        released = (squeezed == 0.0) & (before >= p.min_squeeze_bars)
        up, down = momentum > 0.0, momentum < 0.0
        side = held_side(released & up, momentum <= 0.0, released & down, momentum >= 0.0)
        size = momentum * side / close
        live = side != 0.0
        confidence = np.divide(size, size + self._scale, out=np.zeros_like(size), where=live)
        return side, confidence
