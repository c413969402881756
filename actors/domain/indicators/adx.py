"""Directional movement (Wilder 1978): ADX, +DI and -DI."""

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


class AdxParams(Params):
    """Parameters of `Adx`."""

    window_bars: int = Field(default=14, ge=2)


@component
class Adx(ScaledIndicator):
    """Strength of a trend and the two directional indicators, in points of 100.

    Features: strength mapped to [-1, 1] and the balance of the two directions.
    Warm-up: `2 · window_bars - 1` bars.
    """

    Params: ClassVar[type[Params]] = AdxParams

    def __init__(self, params: AdxParams) -> None:
        n = params.window_bars
        self._p = params
        self.names = (
            f"adx_{n}",
            f"plus_di_{n}",
            f"minus_di_{n}",
        )
        self.feature_names = (
            f"adx_{n}_strength",
            f"adx_{n}_balance",
        )
        self.warmup_bars = 2 * n - 1
        self._stream = kernels.adx_stream(n)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return ADX, +DI and -DI."""
        return self._stream.update(bar.high, bar.low, bar.close)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the lines over a frame."""
        return np.stack(kernels.adx(frame.high, frame.low, frame.close, self._p.window_bars))

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return strength in [-1, 1] and balance of the directions in [-1, 1]."""
        strength, plus, minus = values
        total = plus + minus
        return (strength / 50.0 - 1.0, (plus - minus) / total if total > 0.0 else nan)
