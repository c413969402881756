"""MACD: with the histogram's side, if the MACD line is on that side of zero too.

Appel (2005), "Technical analysis: power tools for active investors", chapter 8: signal-line crossings are
taken in the direction of the trend that the zero line shows.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy


class MacdParams(Params):
    """Parameters of `Macd`.

    Attributes
    ----------
    fast_bars, slow_bars, signal_bars : int
        Windows of the exponential averages; fast < slow.
    zero_line : bool
        Ask the MACD line to be on the same side of zero as the histogram.
    scale_frac : float
        Size of the histogram, fraction of the price, at which the confidence reaches one half.
    """

    fast_bars: int = Param(12, ge=2, low=5, high=40, log=True)
    slow_bars: int = Param(26, ge=3, low=15, high=120, log=True)
    signal_bars: int = Param(9, ge=2, low=3, high=30)
    zero_line: bool = True
    scale_frac: float = Param(0.002, gt=0, low=0.0005, high=0.01, log=True)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> MacdParams:
        if self.fast_bars >= self.slow_bars:
            raise ValueError(f"fast_bars: expected < slow_bars ({self.slow_bars}), found {self.fast_bars}")
        return self


@component
class Macd(Strategy):
    """The histogram rule.

    Notes
    -----
    State: one streaming MACD. Warm-up: ``slow + signal - 2`` bars. O(1) per bar. Flat while undefined.

    Examples
    --------
    >>> s = Macd(MacdParams(fast_bars=2, slow_bars=3, signal_bars=2))
    >>> s.warmup_bars
    3
    """

    Params = MacdParams
    STATE: ClassVar[tuple[str, ...]] = ("_macd",)
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._macd = kernels.macd_stream(params.fast_bars, params.slow_bars, params.signal_bars)
        self._zero, self._scale = params.zero_line, params.scale_frac
        self.warmup_bars = params.slow_bars + params.signal_bars - 2

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        macd = self._macd.advance(market.close)
        histogram = self._macd.histogram
        if not (histogram > 0.0 or histogram < 0.0):
            return FLAT
        side = 1.0 if histogram > 0.0 else -1.0
        if self._zero and not macd * side > 0.0:
            return FLAT
        size = histogram * side / market.close
        return Opinion(side, size / (size + self._scale))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        p = self.params
        macd, _, histogram = kernels.macd(columns.close, p.fast_bars, p.slow_bars, p.signal_bars)
        side = np.where(histogram > 0.0, 1.0, -1.0)
        live = (histogram > 0.0) | (histogram < 0.0)
        if self._zero:
            live &= macd * side > 0.0
        direction = np.where(live, side, 0.0)
        size = histogram * side / columns.close
        confidence = np.zeros_like(size)
        np.divide(size, size + self._scale, out=confidence, where=live)
        return direction, confidence
