"""On-balance volume (Granville 1963): volume added on rising closes, taken away on falling ones."""

from __future__ import annotations

from collections import deque
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


class ObvParams(Params):
    """Parameters of `Obv`."""

    flow_bars: int = Field(default=24, ge=1, description="bars over which the feature nets the volume")


@component
class Obv(ScaledIndicator):
    """Running total of signed volume.

    Features: its change over `flow_bars` as a share of the volume traded in them, in [-1, 1].
    Warm-up: none; its feature needs `flow_bars`.
    """

    Params: ClassVar[type[Params]] = ObvParams
    cumulative: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("_totals", "_volumes")

    def __init__(self, params: ObvParams) -> None:
        n = params.flow_bars
        self.names = ("obv",)
        self.feature_names = (f"obv_{n}_flow",)
        self.warmup_bars = 0
        self._flow_bars = n
        self._stream = kernels.obv_stream()
        self._totals: deque[float] = deque(maxlen=n + 1)
        self._volumes: deque[float] = deque(maxlen=n)

    @property
    def feature_warmup_bars(self) -> int:
        """Index of the first bar with a flow."""
        return self._flow_bars

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Return the total."""
        return (self._stream.update(bar.close, bar.volume),)

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the total over a frame."""
        return kernels.obv(frame.close, frame.volume)[np.newaxis, :]

    def features(self, values: Sequence[float], bar: BarClosed, unit: float) -> tuple[float, ...]:
        """Return the net share of volume; NaN before `flow_bars` bars and where nothing was traded."""
        totals, volumes = self._totals, self._volumes
        totals.append(values[0])
        volumes.append(bar.volume)
        if len(totals) < totals.maxlen:  # type: ignore[operator]  # maxlen is set
            return (nan,)
        traded = sum(volumes)
        return ((totals[-1] - totals[0]) / traded if traded > 0.0 else nan,)
