"""A passive limit order beside the last close, moved after the market a few times, then a market order."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from actors.domain.execution.algos.base import Action, Algorithm, Place, Withdraw, Work
from actors.domain.model.instrument import Instrument
from actors.domain.registry import Params, component


class LimitParams(Params):
    """Steps an order rests before it is moved, and how often it is moved before it takes."""

    reprice_steps: int = Field(default=2, ge=1)
    max_reprices: int = Field(default=1, ge=0)


@component
class Limit(Algorithm):
    """Rests at `offset_bps` on our side of the close; escalates after ``max_reprices + 1`` orders."""

    Params = LimitParams

    def act(self, work: Work, step: int, price: Decimal, instrument: Instrument) -> list[Action]:
        """Withdraw what rested too long, place what is free.

        Examples
        --------
        >>> work = Work("i-1", "BTC/USDT", 1, Decimal(2), Decimal(100), 1, 100.0, 5)
        >>> Limit(LimitParams()).act(work, 5, Decimal("100.00"), Instrument(pair="BTC/USDT"))
        [Place(quantity=Decimal('2'), limit_price=Decimal('99.00'))]
        """
        out: list[Action] = [
            Withdraw(child, "reprice")
            for child in work.children
            if child.order_type == "limit"
            and not child.canceling
            and step - child.submitted_step >= self.params.reprice_steps
        ]
        unplaced = work.unplaced
        if unplaced > 0:
            if work.stage > self.params.max_reprices:
                out.append(Place(unplaced))
            else:
                work.stage += 1
                offset = price * Decimal(repr(float(work.offset_bps))) / 10_000
                passive = instrument.price(price - work.side * offset, work.side)
                out.append(Place(unplaced, max(passive, instrument.tick)))
        return out
