"""Two rates, for resting and for taking orders, as spot exchanges publish them (Binance: 10 / 10 bps)."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any, Literal

from pydantic import Field

from actors.domain.model.instrument import BUY, Instrument
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.registry import Params, component
from actors.domain.simulation.fees.base import FeeModel

_STEP = Decimal("0.00000001")
_BPS = Decimal("0.0001")


class MakerTakerParams(Params):
    """Rates in bps of the notional; `fee_currency` ``received``: a buy's fee in base, a sell's in quote.

    `discount_frac` is what the venue waives of them, such as Binance's 0.25 for fees paid in BNB.
    """

    maker_bps: float = Field(default=10.0, ge=0.0, le=1000.0)
    taker_bps: float = Field(default=10.0, ge=0.0, le=1000.0)
    fee_currency: Literal["quote", "received"] = "quote"
    discount_frac: float = Field(default=0.0, ge=0.0, le=1.0)


@component
class MakerTaker(FeeModel):
    """Charges `maker_bps` or `taker_bps`; no state; O(1).

    Examples
    --------
    >>> model = MakerTaker(MakerTakerParams())
    >>> model.fee(Instrument(pair="BTC/USDT"), BUY, Decimal("0.5"), Decimal("20000"), "taker")
    (Decimal('10.00000000'), 'USDT')
    """

    Params = MakerTakerParams

    def __init__(self, params: Any) -> None:
        left = (1 - to_decimal(float(params.discount_frac))) * _BPS
        self._rate = {
            "maker": to_decimal(float(params.maker_bps)) * left,
            "taker": to_decimal(float(params.taker_bps)) * left,
        }
        self._received = params.fee_currency == "received"
        self.hold_rate = ZERO if self._received else max(self._rate.values())

    def fee(
        self, instrument: Instrument, side: int, quantity: Decimal, price: Decimal, liquidity: str
    ) -> tuple[Decimal, str]:
        """Return the fee of one execution."""
        if self._received and side == BUY:
            return (quantity * self._rate[liquidity]).quantize(_STEP, ROUND_DOWN), instrument.base
        return (quantity * price * self._rate[liquidity]).quantize(_STEP, ROUND_DOWN), instrument.quote
