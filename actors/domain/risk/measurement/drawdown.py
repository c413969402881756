"""Drawdown of the account: how deep below the running peak, the deepest so far, and for how many bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.registry import component
from actors.domain.risk.measurement.base import Figure, Measure


@component
class Drawdown(Measure):
    """Reads the ledger's drawdown; figures belong to the book (`pair` None).

    State: three numbers. No warm-up. Cost O(1). A step without an account update reports nothing.
    """

    class Params(registry.Params):
        """Has none."""

    consumes: ClassVar[tuple[type[Event], ...]] = (AccountUpdated,)
    STATE: ClassVar[tuple[str, ...]] = ("_deepest", "_under_water_bars", "_count")

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        super().__init__(params, pairs)
        self._deepest = 0.0
        self._under_water_bars = 0
        self._count = 0

    def update(self, step: int, inbox: Sequence[Event]) -> Sequence[Figure]:
        """Return drawdown, deepest drawdown and bars under water."""
        for event in inbox:
            if type(event) is not AccountUpdated:
                continue
            depth = event.drawdown_frac
            self._count += 1
            self._under_water_bars = self._under_water_bars + 1 if depth > 0.0 else 0
            self._deepest = max(self._deepest, depth)
            return (
                Figure("drawdown", None, depth, 0.0, self._count),
                Figure("max_drawdown", None, self._deepest, 0.0, self._count),
                Figure("bars_under_water", None, float(self._under_water_bars), 0.0, self._count),
            )
        return ()
