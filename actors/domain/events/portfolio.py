"""What we own: positions, the account after each step, and what it was charged."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from actors.domain.events.base import PRIORITY_FILL, Event


class AccountCharged(Event, frozen=True, kw_only=True, gc=False):
    """The venue took money that no fill explains (`amount` above 0) or gave some (below); pair None: the whole account.

    Attributes
    ----------
    charge_id : str
        One per charge of a venue: the ledger books each once.
    kind : str
        ``funding``, ``borrow`` (interest) or ``liquidation`` (fee).
    currency : str
    amount, rate, basis : Decimal
        `amount` is `rate` on `basis`, rounded against the account; a liquidation fee may have been cut.
    """

    stage: ClassVar[str] = "venue"
    priority: ClassVar[int] = PRIORITY_FILL
    charge_id: str
    kind: str
    currency: str
    amount: Decimal
    rate: Decimal
    basis: Decimal


class PositionChanged(Event, frozen=True, kw_only=True, gc=False):
    """Signed base `quantity`, average entry price in quote; PnL in quote, after fees."""

    stage: ClassVar[str] = "ledger"
    priority: ClassVar[int] = PRIORITY_FILL
    quantity: Decimal
    average_price: Decimal
    realised_pnl_quote: Decimal


class TradeClosed(Event, frozen=True, kw_only=True, gc=False):
    """A round trip from flat to flat.

    `carry_quote` is what holding it cost (funding, interest, a liquidation's fee); `pnl_quote` is net of it.
    """

    stage: ClassVar[str] = "ledger"
    priority: ClassVar[int] = PRIORITY_FILL
    side: str
    opened_ns: int
    closed_ns: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees_quote: Decimal
    slippage_quote: Decimal
    pnl_quote: Decimal
    return_frac: float
    duration_bars: int
    exit_reason: str
    carry_quote: Decimal = Decimal(0)


class AccountUpdated(Event, frozen=True, kw_only=True, gc=False):
    """The account at the close of the step, quote currency; positions marked at the bar close.

    `positions` follows the pairs of the run (signed base); `exposures_frac` likewise, signed fractions of equity.
    `cash` below 0 is borrowed. Sums of the run so far, positive = cost: fees, slippage (in the prices paid already),
    funding, interest, liquidation fees.
    """

    stage: ClassVar[str] = "ledger"
    priority: ClassVar[int] = PRIORITY_FILL
    equity: Decimal
    cash: Decimal
    positions: tuple[Decimal, ...]
    exposures_frac: tuple[float, ...]
    drawdown_frac: float
    fees_quote: Decimal
    slippage_quote: Decimal
    realised_pnl_quote: Decimal
    funding_quote: Decimal = Decimal(0)
    borrow_quote: Decimal = Decimal(0)
    liquidation_quote: Decimal = Decimal(0)
