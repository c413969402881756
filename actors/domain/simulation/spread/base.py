"""What a spread model is: how far from the middle of the market a taking order trades before any impact."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params
from actors.domain.state import Stateful


class SpreadModel(Stateful):
    """Base of spread models; a subclass takes ``(params)`` and is marked `@component`.

    Bars are made of trades, so their prices stand for the middle; who takes pays half the spread on top of it.
    """

    Params: ClassVar[type[Params]] = Params

    def half_frac(self, pair: str, bar: BarClosed) -> float:
        """Return half the spread as a fraction of the price, at least 0.

        Parameters
        ----------
        pair : str
        bar : BarClosed
            The bar in which the execution happens; `observe` has seen the earlier ones only.
        """
        raise NotImplementedError

    def observe(self, pair: str, bar: BarClosed) -> None:
        """Learn from a bar after the executions in it are done."""
