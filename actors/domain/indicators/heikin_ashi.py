"""Heikin-Ashi candles (Valcu 2004): averages, not prices one can trade at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from actors.domain import kernels
from actors.domain.events.market import BarClosed
from actors.domain.indicators.base import FloatArray
from actors.domain.indicators.scaled import ScaledIndicator
from actors.domain.registry import Params, component

if TYPE_CHECKING:
    from actors.domain.model.bars import BarFrame


class HeikinAshiParams(Params):
    """Parameters of `HeikinAshi`: it has none."""


@component
class HeikinAshi(ScaledIndicator):
    """Averaged open, high, low and close.

    Features: body in usual moves, and which shadow is longer.
    Warm-up: none.
    """

    Params: ClassVar[type[Params]] = HeikinAshiParams

    def __init__(self, params: HeikinAshiParams) -> None:
        self._p = params
        self.names = (
            "heikin_ashi_open",
            "heikin_ashi_high",
            "heikin_ashi_low",
            "heikin_ashi_close",
        )
        self.feature_names = (
            "heikin_ashi_body",
            "heikin_ashi_shadow",
        )
        self.warmup_bars = 0
        self._stream = kernels.heikin_ashi_stream()

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return open, high, low and close of the averaged candle."""
        return self._stream.update(bar.open, bar.high, bar.low, bar.close)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the lines over a frame."""
        return np.stack(kernels.heikin_ashi(frame.open, frame.high, frame.low, frame.close))

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return body in usual moves of one bar, and upper minus lower shadow over the range."""
        opened, high, low, closed = values
        spread = high - low
        shadow = (high + low - opened - closed) / spread if spread > 0.0 else 0.0
        return ((closed - opened) / unit, shadow)
