"""Time-weighted slices (TWAP): equal parts at equal distances, floored to lots, the last takes the rest."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from actors.domain.execution.algos.base import Action, Algorithm, Place, Work
from actors.domain.execution.planner import equal_slices, minimum_quantity
from actors.domain.model.instrument import Instrument
from actors.domain.registry import Params, component


class TwapParams(Params):
    """Steps between two slices."""

    interval_steps: int = Field(default=1, ge=1)


@component
class Twap(Algorithm):
    """Market orders on a schedule made once, at the start; slices sum to the parent exactly."""

    Params = TwapParams

    def start(self, work: Work, instrument: Instrument) -> None:
        """Make the schedule.

        Examples
        --------
        >>> work = Work("i-1", "BTC/USDT", 1, Decimal("1.00001"), Decimal(1000), 3, 0.0, 5)
        >>> Twap(TwapParams()).start(work, Instrument(pair="BTC/USDT")); [str(s) for s in work.schedule]
        ['0.33333', '0.33334', '0.33334']
        """
        minimum = minimum_quantity(instrument, work.reference_price)
        work.schedule = list(equal_slices(work.quantity, max(1, work.slices), instrument.lot, minimum))

    def act(self, work: Work, step: int, price: Decimal, instrument: Instrument) -> list[Action]:
        """Place the slices that are due; after the last slot, whatever is left."""
        due = (step - work.started_step) // self.params.interval_steps + 1
        slots = len(work.schedule)
        part = sum(work.schedule[work.stage : due], Decimal(0))
        work.stage = max(work.stage, min(due, slots))
        unplaced = work.unplaced
        quantity = unplaced if work.stage >= slots else min(part, unplaced)
        return [Place(quantity)] if quantity > 0 else []
