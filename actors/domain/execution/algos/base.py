"""What an execution algorithm is: from the state of a parent order to the next child orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from actors.domain.execution.order_state import OrderLife
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import ZERO
from actors.domain.registry import Params


class Child(msgspec.Struct, gc=False):
    """One live order of a parent."""

    life: OrderLife
    order_type: str
    submitted_step: int
    canceling: bool = False


class Work(msgspec.Struct, gc=False):
    """One parent order in the hands of an execution agent; quantities are unsigned base.

    `abandoned` is what will not be tried again (refused by the venue, dust below the minimum notional).
    `stage` and `schedule` belong to the algorithm. Every unit is in one place:
    ``quantity == filled + abandoned + live + unplaced``.
    """

    intent_id: str
    pair: str
    side: int
    quantity: Decimal
    reference_price: Decimal
    slices: int
    offset_bps: float
    started_step: int
    stage: int = 0
    schedule: list[Decimal] = []
    filled: Decimal = ZERO
    abandoned: Decimal = ZERO
    children_made: int = 0
    shortened: int = 0
    stop_reason: str = ""
    children: list[Child] = []
    reduce_only: bool = False

    @property
    def live(self) -> Decimal:
        """Quantity of the children that can still be filled."""
        return sum((c.life.leaves for c in self.children), ZERO)

    @property
    def unplaced(self) -> Decimal:
        """Quantity for which no child is under way."""
        return self.quantity - self.filled - self.abandoned - self.live


class Place(msgspec.Struct, frozen=True, gc=False):
    """Send a child; `limit_price` None is a market order."""

    quantity: Decimal
    limit_price: Decimal | None = None


class Withdraw(msgspec.Struct, frozen=True, gc=False):
    """Cancel a child."""

    child: Child
    reason: str


Action = Place | Withdraw


class Algorithm:
    """Base of execution algorithms; a subclass takes ``(params)`` and is marked `@component`.

    An algorithm keeps nothing: what it must remember lives in `Work`.
    """

    Params: ClassVar[type[Params]] = Params

    def __init__(self, params: Any) -> None:
        self.params = params

    def start(self, work: Work, instrument: Instrument) -> None:
        """Prepare a new parent."""

    def act(self, work: Work, step: int, price: Decimal, instrument: Instrument) -> list[Action]:
        """Return what to do at this step; called in every step until the parent is done or stopped.

        Parameters
        ----------
        work : Work
            With this step's reports already counted.
        step : int
        price : Decimal, quote
            Last close of the pair.
        instrument : Instrument
        """
        raise NotImplementedError
