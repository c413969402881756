"""What a risk measure is: per step, figures for pairs or for the book, NaN-free once they are warm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import msgspec

from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.state import Stateful


class Figure(msgspec.Struct, frozen=True, gc=False):
    """One measured value; `pair` None means the whole book. Losses are positive."""

    measure: str
    pair: str | None
    value: float
    confidence: float
    observations: int


class Measure(Stateful):
    """Base of risk measures; a subclass takes ``(params, pairs)`` and is marked `@component`.

    An undefined figure (too few observations, zero variance) is left out, never reported as 0.
    """

    Params: ClassVar[type[registry.Params]] = registry.Params
    consumes: ClassVar[tuple[type[Event], ...]] = (BarClosed,)

    def __init__(self, params: Any, pairs: tuple[str, ...]) -> None:
        self.params = params
        self.pairs = pairs

    def update(self, step: int, inbox: Sequence[Event]) -> Sequence[Figure]:
        """Take the events of one step and return what is known after it."""
        raise NotImplementedError


class ReturnTracker(Stateful):
    """Simple close-to-close returns of one bar; a missing bar breaks the chain.

    State: two numbers per pair. A return that spans a gap has another horizon, so none is made there.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_close", "_step")

    def __init__(self, pairs: tuple[str, ...]) -> None:
        self._close: dict[str, float] = dict.fromkeys(pairs, 0.0)
        self._step: dict[str, int] = dict.fromkeys(pairs, -2)

    def update(self, pair: str, close: float, step: int) -> float | None:
        """Return ``close / previous close - 1``, or None without a bar in the step before.

        Examples
        --------
        >>> t = ReturnTracker(("A/B",))
        >>> t.update("A/B", 100.0, 0), t.update("A/B", 125.0, 1), t.update("A/B", 100.0, 3)
        (None, 0.25, None)
        """
        known = self._step[pair] == step - 1
        previous = self._close[pair]
        self._close[pair] = close
        self._step[pair] = step
        return close / previous - 1.0 if known else None
