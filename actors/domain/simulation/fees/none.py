"""No fees: only for studies that ask for it by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from actors.domain.model.instrument import Instrument
from actors.domain.model.money import ZERO
from actors.domain.registry import Params, component
from actors.domain.simulation.fees.base import FeeModel


class NoFeesParams(Params):
    """Nothing to set."""


@component
class NoFees(FeeModel):
    """Charges nothing.

    Examples
    --------
    >>> NoFees(NoFeesParams()).fee(Instrument(pair="BTC/USDT"), 1, Decimal(1), Decimal(2), "maker")
    (Decimal('0'), 'USDT')
    """

    Params = NoFeesParams

    def __init__(self, params: Any) -> None:
        self.hold_rate = ZERO

    def fee(
        self, instrument: Instrument, side: int, quantity: Decimal, price: Decimal, liquidity: str
    ) -> tuple[Decimal, str]:
        """Return zero in quote."""
        return ZERO, instrument.quote
