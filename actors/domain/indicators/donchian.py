"""Donchian channel (Donchian 1960): highest high and lowest low of the last bars."""

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


class DonchianParams(Params):
    """Parameters of `Donchian`."""

    window_bars: int = Field(default=20, ge=1)


@component
class Donchian(ScaledIndicator):
    """Upper and lower edge and their middle.

    Features: position of the close in the channel (-1 … 1), and its width.
    Warm-up: `window_bars - 1` bars.
    """

    Params: ClassVar[type[Params]] = DonchianParams

    def __init__(self, params: DonchianParams) -> None:
        n = params.window_bars
        self._root = sqrt(n)
        self._p = params
        self.names = (
            f"donchian_{n}_upper",
            f"donchian_{n}_lower",
            f"donchian_{n}_middle",
        )
        self.feature_names = (
            f"donchian_{n}_position",
            f"donchian_{n}_width",
        )
        self.warmup_bars = n - 1
        self._stream = kernels.donchian_stream(n)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return upper edge, lower edge and middle."""
        return self._stream.update(bar.high, bar.low)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the lines over a frame."""
        return np.stack(kernels.donchian(frame.high, frame.low, self._p.window_bars))

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return position in the channel (NaN without width) and width in usual moves."""
        upper, lower, middle = values
        width = upper - lower
        position = 2.0 * (bar.close - middle) / width if width > 0.0 else nan
        return (position, width / (unit * self._root))
