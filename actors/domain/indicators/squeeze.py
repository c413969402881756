"""Volatility squeeze: Bollinger bands inside the Keltner channel (Carter 2005)."""

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


class SqueezeParams(Params):
    """Parameters of `Squeeze`."""

    window_bars: int = Field(default=20, ge=2)
    bands_width: float = Field(default=2.0, gt=0.0, description="standard deviations")
    channel_width: float = Field(default=1.5, gt=0.0, description="average true ranges")


@component
class Squeeze(ScaledIndicator):
    """1 while both bands lie strictly inside the channel, else 0.

    Features: the switch itself.
    Warm-up: `window_bars` bars.
    """

    Params: ClassVar[type[Params]] = SqueezeParams

    def __init__(self, params: SqueezeParams) -> None:
        n = params.window_bars
        self._p = params
        self.names = (f"squeeze_{n}",)
        self.feature_names = (f"squeeze_{n}",)
        self.warmup_bars = n
        self._stream = kernels.squeeze_stream(n, params.bands_width, params.channel_width)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return 1 or 0."""
        return (self._stream.update(bar.high, bar.low, bar.close),)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the value over a frame."""
        return kernels.squeeze(
            frame.high,
            frame.low,
            frame.close,
            self._p.window_bars,
            self._p.bands_width,
            self._p.channel_width,
        )[np.newaxis, :]

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the switch itself."""
        return (values[0],)
