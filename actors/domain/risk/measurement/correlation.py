"""Correlation between pairs: EWMA of products of returns that happened in the same bar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Any, ClassVar

import pydantic

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.registry import component
from actors.domain.risk.measurement.base import Figure, Measure, ReturnTracker


@component
class Correlation(Measure):
    """Each pair's mean correlation with the others, and the average over all couples (`pair` None).

    State: four numbers per couple. Warm-up: `min_observations` joint returns of a couple. Cost O(p²) per
    step for p pairs. A couple with a missing bar keeps its value; a run with one pair reports nothing.
    """

    class Params(registry.Params):
        """`half_life_bars`: after so many joint bars a product of returns counts half."""

        half_life_bars: float = pydantic.Field(168.0, gt=0)
        min_observations: int = pydantic.Field(48, ge=3)

    STATE: ClassVar[tuple[str, ...]] = ("_returns", "_xy", "_xx", "_yy", "_count")

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._decay = 0.5 ** (1.0 / params.half_life_bars)
        self._min: int = params.min_observations
        self._returns = ReturnTracker(pairs)
        self._couples = list(combinations(range(len(pairs)), 2))
        self._at = {pair: i for i, pair in enumerate(pairs)}
        self._xy = [0.0] * len(self._couples)
        self._xx = [0.0] * len(self._couples)
        self._yy = [0.0] * len(self._couples)
        self._count = [0] * len(self._couples)

    def update(self, step: int, inbox: Sequence[Event]) -> Sequence[Figure]:
        """Return the mean correlations that are known after this step."""
        if not self._couples:
            return ()
        changes: list[float | None] = [None] * len(self.pairs)
        for event in inbox:
            if type(event) is BarClosed:
                pair = event.instrument_id or ""
                changes[self._at[pair]] = self._returns.update(pair, event.close, step)
        total, known = 0.0, 0
        sums, counts = [0.0] * len(self.pairs), [0] * len(self.pairs)
        decay, keep = self._decay, 1.0 - self._decay
        for k, (i, j) in enumerate(self._couples):
            x, y = changes[i], changes[j]
            if x is not None and y is not None:
                self._xy[k] = decay * self._xy[k] + keep * x * y
                self._xx[k] = decay * self._xx[k] + keep * x * x
                self._yy[k] = decay * self._yy[k] + keep * y * y
                self._count[k] += 1
            scale = self._xx[k] * self._yy[k]
            if self._count[k] < self._min or scale <= 0.0:
                continue
            rho = max(-1.0, min(1.0, self._xy[k] / math.sqrt(scale)))
            total, known = total + rho, known + 1
            for at in (i, j):
                sums[at] += rho
                counts[at] += 1
        if not known:
            return ()
        seen = min(count for count in self._count if count >= self._min)
        out = [
            Figure("correlation", self.pairs[at], sums[at] / counts[at], 0.0, seen)
            for at in range(len(self.pairs))
            if counts[at]
        ]
        out.append(Figure("correlation", None, total / known, 0.0, seen))
        return out
