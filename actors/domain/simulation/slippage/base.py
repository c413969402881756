"""What a slippage model is: how much worse than the reference price a taking order fares."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params
from actors.domain.state import Stateful


class SlippageModel(Stateful):
    """Base of slippage models; a subclass takes ``(params)`` and is marked `@component`."""

    Params: ClassVar[type[Params]] = Params

    def cost_frac(self, pair: str, quantity: float, bar: BarClosed) -> float:
        """Return the adverse move of a taking execution as a fraction of the price, at least 0.

        Parameters
        ----------
        pair : str
        quantity : float, base
        bar : BarClosed
            The bar in which the execution happens; `observe` has seen the earlier ones only.
        """
        raise NotImplementedError

    def observe(self, pair: str, bar: BarClosed) -> None:
        """Learn from a bar after the executions in it are done."""
