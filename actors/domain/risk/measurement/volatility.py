"""Volatility per bar: square root of a bias-corrected EWMA of squared returns (RiskMetrics, 1996)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import pydantic

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.registry import component
from actors.domain.risk.measurement.base import Figure, Measure, ReturnTracker


@component
class Volatility(Measure):
    """EWMA volatility of each pair, fraction per bar.

    State: three numbers per pair. Warm-up: `min_observations` returns. Cost O(1) per bar and pair.
    A pair without a bar is skipped; the mean return is taken as zero, as usual at bar horizons.
    """

    class Params(registry.Params):
        """`half_life_bars`: after so many bars a squared return counts half."""

        half_life_bars: float = pydantic.Field(48.0, gt=0)
        min_observations: int = pydantic.Field(24, ge=2)

    STATE: ClassVar[tuple[str, ...]] = ("_returns", "_sum", "_weight", "_count")

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._decay = 0.5 ** (1.0 / params.half_life_bars)
        self._min: int = params.min_observations
        self._returns = ReturnTracker(pairs)
        self._sum: dict[str, float] = dict.fromkeys(pairs, 0.0)
        self._weight: dict[str, float] = dict.fromkeys(pairs, 0.0)
        self._count: dict[str, int] = dict.fromkeys(pairs, 0)

    def update(self, step: int, inbox: Sequence[Event]) -> Sequence[Figure]:
        """Return the volatility of each pair that has a bar and is warm."""
        out: list[Figure] = []
        for event in inbox:
            if type(event) is not BarClosed:
                continue
            pair = event.instrument_id or ""
            change = self._returns.update(pair, event.close, step)
            if change is None:
                continue
            decay = self._decay
            self._sum[pair] = total = decay * self._sum[pair] + (1.0 - decay) * change * change
            self._weight[pair] = weight = decay * self._weight[pair] + (1.0 - decay)
            self._count[pair] = count = self._count[pair] + 1
            # dividing by the weights seen so far removes the pull towards zero of the start
            if count >= self._min and total > 0.0:
                out.append(Figure("volatility", pair, math.sqrt(total / weight), 0.0, count))
        return out
