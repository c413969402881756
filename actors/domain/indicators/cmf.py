"""Chaikin money flow (Chaikin, after Williams' accumulation and distribution of 1972)."""

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


class CmfParams(Params):
    """Parameters of `Cmf`."""

    window_bars: int = Field(default=20, ge=1)


@component
class Cmf(ScaledIndicator):
    """Volume weighted by where closes lie in their bars, over all volume; NaN without volume.

    Features: the flow, already in [-1, 1].
    Warm-up: `window_bars - 1` bars.
    """

    Params: ClassVar[type[Params]] = CmfParams

    def __init__(self, params: CmfParams) -> None:
        n = params.window_bars
        self._p = params
        self.names = (f"cmf_{n}",)
        self.feature_names = (f"cmf_{n}",)
        self.warmup_bars = n - 1
        self._stream = kernels.cmf_stream(n)

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the flow."""
        return (self._stream.update(bar.high, bar.low, bar.close, bar.volume),)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the value over a frame."""
        return kernels.cmf(frame.high, frame.low, frame.close, frame.volume, self._p.window_bars)[
            np.newaxis, :
        ]

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the flow itself."""
        return (values[0],)
