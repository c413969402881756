"""Moving-average crossover: long while the fast average is above the slow one, short while below.

Brock, Lakonishok & LeBaron (1992), "Simple technical trading rules and the stochastic properties of stock
returns", their variable-length rule with a band inside which there is no signal.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy


class MaCrossoverParams(Params):
    """Parameters of `MaCrossover`.

    Attributes
    ----------
    fast_bars, slow_bars : int
        Windows of the simple averages; fast < slow.
    band_frac : float
        Distance between the averages, fraction of the slow one, below which there is no signal.
    scale_frac : float
        Distance at which the confidence reaches one half.
    """

    fast_bars: int = Param(20, ge=1, low=5, high=60, log=True)
    slow_bars: int = Param(100, ge=2, low=20, high=400, log=True)
    band_frac: float = Param(0.002, ge=0, low=0.0, high=0.02)
    scale_frac: float = Param(0.02, gt=0, low=0.005, high=0.08, log=True)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> MaCrossoverParams:
        if self.fast_bars >= self.slow_bars:
            raise ValueError(f"fast_bars: expected < slow_bars ({self.slow_bars}), found {self.fast_bars}")
        return self


@component
class MaCrossover(Strategy):
    """The crossover rule.

    Notes
    -----
    State: two streaming averages. Warm-up: ``slow_bars - 1`` bars. O(1) per bar. While an average is
    undefined the opinion is flat.

    Examples
    --------
    >>> s = MaCrossover(MaCrossoverParams(fast_bars=1, slow_bars=2, band_frac=0.0))
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate((100.0, 102.0))]
    >>> [s.update(b).direction for b in bars]
    [0.0, 1.0]
    """

    Params = MaCrossoverParams
    STATE: ClassVar[tuple[str, ...]] = ("_fast", "_slow")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._fast = kernels.sma_stream(params.fast_bars)
        self._slow = kernels.sma_stream(params.slow_bars)
        self._band, self._scale = params.band_frac, params.scale_frac
        self.warmup_bars = params.slow_bars - 1

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        fast, slow = self._fast.update(market.close), self._slow.update(market.close)
        gap = (fast - slow) / slow
        size = gap if gap > 0.0 else -gap
        if not (size > self._band and size < float("inf")):
            return FLAT
        return Opinion(1.0 if gap > 0.0 else -1.0, size / (size + self._scale))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        fast = kernels.sma(columns.close, self.params.fast_bars)
        slow = kernels.sma(columns.close, self.params.slow_bars)
        gap = (fast - slow) / slow
        size = np.abs(gap)
        live = (size > self._band) & (size < np.inf)
        direction = np.where(live, np.where(gap > 0.0, 1.0, -1.0), 0.0)
        confidence = np.zeros_like(size)
        np.divide(size, size + self._scale, out=confidence, where=live)
        return direction, confidence
