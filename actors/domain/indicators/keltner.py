"""Keltner channel (Keltner 1960, in Raschke's form): exponential average and bands of average true range."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
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


class KeltnerParams(Params):
    """Parameters of `Keltner`."""

    ema_bars: int = Field(default=20, ge=1)
    atr_bars: int = Field(default=10, ge=1)
    width: float = Field(default=2.0, gt=0.0, description="half width, average true ranges")


@component
class Keltner(ScaledIndicator):
    """Upper band, middle and lower band.

    Features: position of the close in the channel (1: at the upper band).
    Warm-up: the longer of `ema_bars - 1` and `atr_bars`.
    """

    Params: ClassVar[type[Params]] = KeltnerParams

    def __init__(self, params: KeltnerParams) -> None:
        self._p = params
        self.names = (
            "keltner_upper",
            "keltner_middle",
            "keltner_lower",
        )
        self.feature_names = ("keltner_position",)
        self.warmup_bars = max(params.ema_bars - 1, params.atr_bars)
        self._stream = kernels.keltner_stream(params.ema_bars, params.atr_bars, params.width)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return upper band, middle and lower band."""
        return self._stream.update(bar.high, bar.low, bar.close)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the lines over a frame."""
        return np.stack(
            kernels.keltner(
                frame.high, frame.low, frame.close, self._p.ema_bars, self._p.atr_bars, self._p.width
            )
        )

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return position in the channel; NaN without width."""
        upper, middle, _ = values
        half = upper - middle
        return ((bar.close - middle) / half if half > 0.0 else nan,)
