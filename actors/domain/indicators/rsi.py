"""Relative strength index (Wilder 1978)."""

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


class RsiParams(Params):
    """Parameters of `Rsi`."""

    window_bars: int = Field(default=14, ge=2)


@component
class Rsi(ScaledIndicator):
    """Share of gains in Wilder-averaged moves, in points of 100; NaN while the price stands still.

    Features: the index mapped to [-1, 1].
    Warm-up: `window_bars` bars.
    """

    Params: ClassVar[type[Params]] = RsiParams

    def __init__(self, params: RsiParams) -> None:
        n = params.window_bars
        self._p = params
        self.names = (f"rsi_{n}",)
        self.feature_names = (f"rsi_{n}",)
        self.warmup_bars = n
        self._stream = kernels.rsi_stream(n)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the index."""
        return (self._stream.update(bar.close),)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the value over a frame."""
        return kernels.rsi(frame.close, self._p.window_bars)[np.newaxis, :]

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the index mapped to [-1, 1]."""
        return (values[0] / 50.0 - 1.0,)
