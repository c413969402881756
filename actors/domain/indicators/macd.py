"""Moving average convergence divergence (Appel 2005), both averages seeded together (as TA-Lib)."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field, model_validator

from actors.domain import kernels
from actors.domain.events.market import BarClosed
from actors.domain.indicators.base import FloatArray
from actors.domain.indicators.scaled import ScaledIndicator
from actors.domain.registry import Params, component

if TYPE_CHECKING:
    from actors.domain.model.bars import BarFrame


class MacdParams(Params):
    """Parameters of `Macd`."""

    fast_bars: int = Field(default=12, ge=2)
    slow_bars: int = Field(default=26, ge=3)
    signal_bars: int = Field(default=9, ge=1)

    @model_validator(mode="after")
    def _ordered(self) -> MacdParams:
        if self.fast_bars >= self.slow_bars:
            raise ValueError("fast_bars must be below slow_bars")
        return self


@component
class Macd(ScaledIndicator):
    """Difference of two exponential averages, its own average and what is between them.

    Features: line and histogram in usual moves over the slow window.
    Warm-up: `slow_bars + signal_bars - 2` bars.
    """

    Params: ClassVar[type[Params]] = MacdParams

    def __init__(self, params: MacdParams) -> None:
        self._root = sqrt(params.slow_bars)
        self._p = params
        self.names = (
            "macd",
            "macd_signal",
            "macd_hist",
        )
        self.feature_names = (
            "macd_line",
            "macd_histogram",
        )
        self.warmup_bars = params.slow_bars + params.signal_bars - 2
        self._stream = kernels.macd_stream(params.fast_bars, params.slow_bars, params.signal_bars)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return line, signal and histogram."""
        return self._stream.update(bar.close)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the lines over a frame."""
        return np.stack(kernels.macd(frame.close, self._p.fast_bars, self._p.slow_bars, self._p.signal_bars))

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return line and histogram in usual moves over the slow window."""
        scale = unit * self._root
        return (values[0] / scale, values[2] / scale)
