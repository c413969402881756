"""What a fee model is: from one execution to a fee and its currency."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from actors.domain.model.instrument import Instrument
from actors.domain.registry import Params
from actors.domain.state import Stateful


class FeeModel(Stateful):
    """Base of fee models; a subclass takes ``(params)`` and is marked `@component`.

    Attributes
    ----------
    hold_rate : Decimal
        Largest share of a buy's notional that may be taken in quote on top of it; the venue holds that much.
    """

    Params: ClassVar[type[Params]] = Params
    hold_rate: Decimal

    def fee(
        self, instrument: Instrument, side: int, quantity: Decimal, price: Decimal, liquidity: str
    ) -> tuple[Decimal, str]:
        """Return ``(fee, currency)``; the fee is positive and rounded down to the venue's precision."""
        raise NotImplementedError

    def at(self, ts_ns: int) -> None:
        """Take note of the time; called with the opening of the bar before executions in it are charged."""

    def observe(self, notional_quote: Decimal) -> None:
        """Take note of an execution after it was charged."""
