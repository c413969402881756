"""Average true range of each pair, in quote (Wilder, 1978, "New Concepts in Technical Trading Systems")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pydantic

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.indicators.atr import Atr as Range
from actors.domain.indicators.atr import AtrParams
from actors.domain.registry import component
from actors.domain.risk.measurement.base import Figure, Measure


@component
class Atr(Measure):
    """What stops and targets in multiples of the range are measured by.

    State: one smoothed range per pair. Warm-up: `window_bars`. Cost O(1) per bar and pair.
    """

    class Params(registry.Params):
        """`window_bars`: window of Wilder's smoothing."""

        window_bars: int = pydantic.Field(14, ge=2)

    STATE: ClassVar[tuple[str, ...]] = ("_ranges", "_count")

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        window = AtrParams(window_bars=params.window_bars)
        self._ranges = {pair: Range(window) for pair in pairs}
        self._count: dict[str, int] = dict.fromkeys(pairs, 0)

    def update(self, step: int, inbox: Sequence[Event]) -> Sequence[Figure]:
        """Return the range of each pair that has a bar and is warm."""
        out: list[Figure] = []
        for event in inbox:
            if type(event) is not BarClosed:
                continue
            pair = event.instrument_id or ""
            self._count[pair] += 1
            value = self._ranges[pair].update(event)[0]
            if value > 0.0:
                out.append(Figure("atr", pair, value, 0.0, self._count[pair]))
        return out
