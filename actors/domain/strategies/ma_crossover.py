"""Moving-average crossover: long while the fast average is above the slow one, short while below.

Brock, Lakonishok & LeBaron (1992), "Simple technical trading rules and the stochastic properties of stock
returns", their variable-length rule with a band inside which there is no signal.
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


class MaCrossoverParams(Params):
    """Parameters of `MaCrossover`.

    Attributes
    ----------
    fast_window_bars, slow_window_bars : int
        Windows of the simple averages; fast < slow.
    band_frac : float
        Distance between the averages, fraction of the slow one, below which there is no signal.
    scale_frac : float
        Distance at which the confidence reaches one half.
    """

    fast_window_bars: int = pydantic.Field(20, ge=1)
    slow_window_bars: int = pydantic.Field(100, ge=2)
    band_frac: float = pydantic.Field(0.002, ge=0)
    scale_frac: float = pydantic.Field(0.02, gt=0)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> MaCrossoverParams:
        if self.fast_window_bars >= self.slow_window_bars:
            raise ValueError(
                f"fast_window_bars: expected < slow_window_bars ({self.slow_window_bars}), "
                f"found {self.fast_window_bars}"
            )
        return self


@component
class MaCrossover(Strategy):
    """The crossover rule.

    Notes
    -----
    State: two streaming averages. Warm-up: ``slow_window_bars - 1`` bars. O(1) per bar. While an average is
    undefined the opinion is flat.

    Examples
    --------
    >>> s = MaCrossover(MaCrossoverParams(fast_window_bars=1, slow_window_bars=2, band_frac=0.0))
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate((100.0, 102.0))]
    >>> [s.update(b).direction for b in bars]
    [0.0, 1.0]
    """

    Params = MaCrossoverParams
    STATE: ClassVar[tuple[str, ...]] = ("_fast", "_slow")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._fast = kernels.sma_stream(params.fast_window_bars)
        self._slow = kernels.sma_stream(params.slow_window_bars)
        self._band, self._scale = params.band_frac, params.scale_frac
        self.warmup_bars = params.slow_window_bars - 1

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        fast, slow = self._fast.update(market.close), self._slow.update(market.close)
        gap = (fast - slow) / slow
        size = gap if gap > 0.0 else -gap
        if not (size > self._band and size < float("inf")):
            return FLAT
        return Opinion(1.0 if gap > 0.0 else -1.0, size / (size + self._scale))

    def batch(self, frame: BarFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``(direction, confidence)`` per bar."""
        fast = kernels.sma(frame.close, self.params.fast_window_bars)
        slow = kernels.sma(frame.close, self.params.slow_window_bars)
        gap = (fast - slow) / slow
        size = np.abs(gap)
        live = (size > self._band) & (size < np.inf)
        direction = np.where(live, np.where(gap > 0.0, 1.0, -1.0), 0.0)
        confidence = np.zeros_like(size)
        np.divide(size, size + self._scale, out=confidence, where=live)
        return direction, confidence
