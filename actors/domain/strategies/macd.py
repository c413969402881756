"""MACD: with the histogram's side, if the MACD line is on that side of zero too.

Appel (2005), "Technical analysis: power tools for active investors", chapter 8: signal-line crossings are
taken in the direction of the trend that the zero line shows.
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


class MacdParams(Params):
    """Parameters of `Macd`.

    Attributes
    ----------
    fast_window_bars, slow_window_bars, signal_window_bars : int
        Windows of the exponential averages; fast < slow.
    zero_line : bool
        Ask the MACD line to be on the same side of zero as the histogram.
    scale_frac : float
        Size of the histogram, fraction of the price, at which the confidence reaches one half.
    """

    fast_window_bars: int = pydantic.Field(12, ge=2)
    slow_window_bars: int = pydantic.Field(26, ge=3)
    signal_window_bars: int = pydantic.Field(9, ge=2)
    zero_line: bool = True
    scale_frac: float = pydantic.Field(0.002, gt=0)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> MacdParams:
        if self.fast_window_bars >= self.slow_window_bars:
            raise ValueError(
                f"fast_window_bars: expected < slow_window_bars ({self.slow_window_bars}), "
                f"found {self.fast_window_bars}"
            )
        return self


@component
class Macd(Strategy):
    """The histogram rule.

    Notes
    -----
    State: one streaming MACD. Warm-up: ``slow + signal - 2`` bars. O(1) per bar. Flat while undefined.

    Examples
    --------
    >>> s = Macd(MacdParams(fast_window_bars=2, slow_window_bars=3, signal_window_bars=2))
    >>> s.warmup_bars
    3
    """

    Params = MacdParams
    STATE: ClassVar[tuple[str, ...]] = ("_macd",)
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._macd = kernels.macd_stream(
            params.fast_window_bars, params.slow_window_bars, params.signal_window_bars
        )
        self._zero, self._scale = params.zero_line, params.scale_frac
        self.warmup_bars = params.slow_window_bars + params.signal_window_bars - 2

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

    def batch(self, frame: BarFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``(direction, confidence)`` per bar."""
        p = self.params
        macd, _, histogram = kernels.macd(
            frame.close, p.fast_window_bars, p.slow_window_bars, p.signal_window_bars
        )
        side = np.where(histogram > 0.0, 1.0, -1.0)
        live = (histogram > 0.0) | (histogram < 0.0)
        if self._zero:
            live &= macd * side > 0.0
        direction = np.where(live, side, 0.0)
        size = histogram * side / frame.close
        confidence = np.zeros_like(size)
        np.divide(size, size + self._scale, out=confidence, where=live)
        return direction, confidence
