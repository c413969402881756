"""Tail risk per unit of exposure: historical VaR and ES over a rolling window of returns."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

import pydantic

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.registry import component
from actors.domain.risk.measurement.base import Figure, Measure, ReturnTracker
from actors.domain.risk.measures import tail_of_sorted


@component
class Tail(Measure):
    """VaR and ES of a long position of one unit of equity in each pair.

    State: the window twice (in time order and sorted). Warm-up: `min_observations` returns. Cost per bar:
    O(log n) comparisons, one short memory move in the sorted window, and O((1 - confidence)·n) additions.
    """

    class Params(registry.Params):
        """`confidence` in (0, 1) over one bar; `window_bars` of history."""

        confidence: float = pydantic.Field(0.95, gt=0, lt=1)
        window_bars: int = pydantic.Field(500, ge=20)
        min_observations: int = pydantic.Field(100, ge=10)

        @pydantic.model_validator(mode="after")
        def _window_holds_minimum(self) -> Tail.Params:
            if self.min_observations > self.window_bars:
                raise ValueError(
                    f"min_observations: expected at most window_bars = {self.window_bars}, "
                    f"found {self.min_observations}"
                )
            return self

    STATE: ClassVar[tuple[str, ...]] = ("_returns", "_window", "_sorted")

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._confidence: float = params.confidence
        self._size: int = params.window_bars
        self._min: int = params.min_observations
        self._returns = ReturnTracker(pairs)
        self._window: dict[str, list[float]] = {pair: [] for pair in pairs}
        self._sorted: dict[str, list[float]] = {pair: [] for pair in pairs}
        self._queues: dict[str, deque[float]] = {pair: deque() for pair in pairs}

    def update(self, step: int, inbox: Sequence[Event]) -> Sequence[Figure]:
        """Return VaR and ES of each pair that has a bar and is warm."""
        out: list[Figure] = []
        for event in inbox:
            if type(event) is not BarClosed:
                continue
            pair = event.instrument_id or ""
            change = self._returns.update(pair, event.close, step)
            if change is None:
                continue
            queue, ascending = self._queues[pair], self._sorted[pair]
            if len(queue) == self._size:
                del ascending[bisect_left(ascending, queue.popleft())]
            queue.append(change)
            insort(ascending, change)
            count = len(ascending)
            if count >= self._min:
                var, es = tail_of_sorted(ascending, self._confidence)
                out.append(Figure("var", pair, var, self._confidence, count))
                out.append(Figure("es", pair, es, self._confidence, count))
        return out

    def state(self) -> dict[str, Any]:
        """Return the state; the queues are written as lists."""
        self._window = {pair: list(queue) for pair, queue in self._queues.items()}
        return super().state()

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        super().load_state(tree)
        self._queues = {pair: deque(values) for pair, values in self._window.items()}
