"""Rolling standard deviation of the close (ddof 0)."""

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


class RollingStdParams(Params):
    """Parameters of `RollingStd`."""

    window_bars: int = Field(default=20, ge=2)


@component
class RollingStd(ScaledIndicator):
    """Spread of the last `window_bars` closes around their mean.

    Features: the spread in moves of that many bars.
    Warm-up: `window_bars - 1` bars.
    """

    Params: ClassVar[type[Params]] = RollingStdParams

    def __init__(self, params: RollingStdParams) -> None:
        n = params.window_bars
        self._root = sqrt(n)
        self._p = params
        self.names = (f"rolling_std_{n}",)
        self.feature_names = (f"rolling_std_{n}",)
        self.warmup_bars = n - 1
        self._stream = kernels.rolling_std_stream(n)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the standard deviation."""
        return (self._stream.update(bar.close),)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the value over a frame."""
        return kernels.rolling_std(frame.close, self._p.window_bars)[np.newaxis, :]

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the spread in usual moves over the window."""
        return (values[0] / (unit * self._root),)
