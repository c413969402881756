"""An instrument: symbol, tick, lot, minimum notional, and the only two float → Decimal conversions."""

from __future__ import annotations

import math
from decimal import Decimal
from functools import lru_cache

import msgspec

from actors.domain.errors import InvalidParamsError
from actors.domain.model.money import ceil_to, floor_to, to_decimal

BUY, SELL = 1, -1


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """A spot pair `BASE/QUOTE` as one venue trades it.

    Attributes
    ----------
    pair : str
        For example ``BTC/USDT``.
    tick : Decimal
        Price step, quote currency.
    lot : Decimal
        Quantity step, base currency.
    min_notional : Decimal
        Smallest order value the venue takes, quote currency.
    """

    pair: str
    tick: Decimal = Decimal("0.01")
    lot: Decimal = Decimal("0.00001")
    min_notional: Decimal = Decimal("10")

    def __post_init__(self) -> None:
        base, sep, quote = self.pair.partition("/")
        if not (base and sep and quote):
            raise InvalidParamsError("PAIR_INVALID", f"pair: expected BASE/QUOTE, found {self.pair!r}")
        for name in ("tick", "lot"):
            if getattr(self, name) <= 0:
                raise InvalidParamsError(
                    "INSTRUMENT_INVALID", f"{self.pair} {name}: expected > 0, found {getattr(self, name)}"
                )

    @property
    def base(self) -> str:
        """Base currency."""
        return self.pair.partition("/")[0]

    @property
    def quote(self) -> str:
        """Quote currency."""
        return self.pair.partition("/")[2]

    def price(self, value: float | Decimal, side: int = 0) -> Decimal:
        """Return `value` on the tick: a buy rounds down, a sell up (never a worse limit), else to nearest.

        Examples
        --------
        >>> Instrument(pair="BTC/USDT").price(50000.129, BUY)
        Decimal('50000.12')
        """
        exact = _decimal_of_price(value) if isinstance(value, float) else to_decimal(value)
        if side == BUY:
            return floor_to(exact, self.tick)
        if side == SELL:
            return ceil_to(exact, self.tick)
        return (exact / self.tick).to_integral_value() * self.tick

    def quantity(self, value: float | Decimal) -> Decimal:
        """Return `value` floored to the lot; its sign is kept.

        Examples
        --------
        >>> Instrument(pair="BTC/USDT").quantity(-0.123459)
        Decimal('-0.12345')
        """
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidParamsError("QUANTITY_INVALID", f"quantity: expected a finite number, found {value}")
        exact = to_decimal(value)
        return floor_to(exact, self.lot) if exact >= 0 else -floor_to(-exact, self.lot)


@lru_cache(maxsize=4096)
def _decimal_of_price(value: float) -> Decimal:
    # bars repeat their prices through venue, ledger and sizing; the text conversion is the slow part
    return to_decimal(value)
