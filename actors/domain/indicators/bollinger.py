"""Bollinger bands (Bollinger 2001): moving average and bands of k standard deviations (ddof 0)."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan, sqrt
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


class BollingerParams(Params):
    """Parameters of `Bollinger`."""

    window_bars: int = Field(default=20, ge=2)
    k_dev: float = Field(default=2.0, gt=0.0, description="half width, standard deviations")


@component
class Bollinger(ScaledIndicator):
    """Upper band, middle and lower band of the close.

    Features: position of the close between the bands (1: at the upper one), and their width.
    Warm-up: `window_bars - 1` bars.
    """

    Params: ClassVar[type[Params]] = BollingerParams

    def __init__(self, params: BollingerParams) -> None:
        n = params.window_bars
        self._root = sqrt(n)
        self._p = params
        self.names = (
            f"bollinger_{n}_upper",
            f"bollinger_{n}_middle",
            f"bollinger_{n}_lower",
        )
        self.feature_names = (
            f"bollinger_{n}_position",
            f"bollinger_{n}_width",
        )
        self.warmup_bars = n - 1
        self._stream = kernels.bollinger_stream(n, params.k_dev)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return upper band, middle and lower band."""
        return self._stream.update(bar.close)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the lines over a frame."""
        return np.stack(kernels.bollinger(frame.close, self._p.window_bars, self._p.k_dev))

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return position between the bands (NaN without width) and width in usual moves."""
        upper, middle, lower = values
        half = upper - middle
        position = (bar.close - middle) / half if half > 0.0 else nan
        return (position, (upper - lower) / (unit * self._root))
