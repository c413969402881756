"""Average true range (Wilder 1978)."""

from __future__ import annotations

from collections.abc import Sequence
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


class AtrParams(Params):
    """Parameters of `Atr`."""

    window_bars: int = Field(default=14, ge=1)


@component
class Atr(ScaledIndicator):
    """Wilder average of the true range.

    Features: the range in usual moves of one bar.
    Warm-up: `window_bars` bars.
    """

    Params: ClassVar[type[Params]] = AtrParams

    def __init__(self, params: AtrParams) -> None:
        n = params.window_bars
        self._p = params
        self.names = (f"atr_{n}",)
        self.feature_names = (f"atr_{n}",)
        self.warmup_bars = n
        self._stream = kernels.atr_stream(n)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the average range."""
        return (self._stream.update(bar.high, bar.low, bar.close),)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the value over a frame."""
        return kernels.atr(frame.high, frame.low, frame.close, self._p.window_bars)[np.newaxis, :]

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the range in usual moves of one bar."""
        return (values[0] / unit,)
