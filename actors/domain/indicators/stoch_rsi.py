"""Stochastic RSI (Chande & Kroll 1994), chart style: where the RSI lies in its own recent range, smoothed."""

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


class StochRsiParams(Params):
    """Parameters of `StochRsi`."""

    rsi_bars: int = Field(default=14, ge=2)
    range_bars: int = Field(default=14, ge=1)
    k_bars: int = Field(default=3, ge=1)
    d_bars: int = Field(default=3, ge=1)


@component
class StochRsi(ScaledIndicator):
    """K and D, in points of 100; NaN while the RSI stands still.

    Features: K mapped to [-1, 1] and its lead over D.
    Warm-up: the sum of the four windows, less 3 bars.
    """

    Params: ClassVar[type[Params]] = StochRsiParams

    def __init__(self, params: StochRsiParams) -> None:
        self._p = params
        self.names = (
            "stoch_rsi_k",
            "stoch_rsi_d",
        )
        self.feature_names = (
            "stoch_rsi_k",
            "stoch_rsi_lead",
        )
        self.warmup_bars = params.rsi_bars + params.range_bars + params.k_bars + params.d_bars - 3
        self._stream = kernels.stoch_rsi_stream(
            params.rsi_bars, params.range_bars, params.k_bars, params.d_bars
        )

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return K and D."""
        return self._stream.update(bar.close)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the lines over a frame."""
        return np.stack(
            kernels.stoch_rsi(
                frame.close, self._p.rsi_bars, self._p.range_bars, self._p.k_bars, self._p.d_bars
            )
        )

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return K in [-1, 1] and its lead over D."""
        return (values[0] / 50.0 - 1.0, (values[0] - values[1]) / 50.0)
