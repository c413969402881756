"""Exponential moving average of the close (Roberts 1959), seeded by the mean of the first window (as TA-Lib)."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from pydantic import Field

from actors.domain import kernels
from actors.domain.events.market import BarClosed
from actors.domain.indicators.base import FloatArray
from actors.domain.indicators.scaled import ScaledIndicator
from actors.domain.registry import Params, component

if TYPE_CHECKING:
    from actors.domain.model.bars import BarFrame


class EmaParams(Params):
    """Parameters of `Ema`."""

    window_bars: int = Field(default=20, ge=1)


@component
class Ema(ScaledIndicator):
    """Average with weight 2 / (window + 1) on the newest close.

    Features: the close's distance from it, in moves of that many bars.
    Warm-up: `window_bars - 1` bars.
    """

    Params: ClassVar[type[Params]] = EmaParams

    def __init__(self, params: EmaParams) -> None:
        n = params.window_bars
        self._root = sqrt(n)
        self._p = params
        self.names = (f"ema_{n}",)
        self.feature_names = (f"ema_{n}_distance",)
        self.warmup_bars = n - 1
        self._stream = kernels.ema_stream(n)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the average."""
        return (self._stream.update(bar.close),)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the value over a frame."""
        return kernels.ema(frame.close, self._p.window_bars)[np.newaxis, :]

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the distance of the close, in usual moves over the window."""
        return ((bar.close - values[0]) / (unit * self._root),)
