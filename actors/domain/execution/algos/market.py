"""One market order for the whole quantity."""

from __future__ import annotations

from decimal import Decimal

from actors.domain.execution.algos.base import Action, Algorithm, Place, Work
from actors.domain.model.instrument import Instrument
from actors.domain.registry import Params, component


class MarketParams(Params):
    """Nothing to set."""


@component
class Market(Algorithm):
    """Takes at once; what the venue cannot fill in a bar stays with the venue."""

    Params = MarketParams

    def act(self, work: Work, step: int, price: Decimal, instrument: Instrument) -> list[Action]:
        """Place what is not placed.

        Examples
        --------
        >>> work = Work("i-1", "BTC/USDT", 1, Decimal(2), Decimal(100), 1, 0.0, 5)
        >>> Market(MarketParams()).act(work, 5, Decimal(100), Instrument(pair="BTC/USDT"))
        [Place(quantity=Decimal('2'), limit_price=None)]
        """
        unplaced = work.unplaced
        return [Place(unplaced)] if unplaced > 0 else []
