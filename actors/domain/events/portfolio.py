"""What we own: positions and the account after each step."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from actors.domain.events.base import PRIORITY_FILL, Event


class PositionChanged(Event, frozen=True, kw_only=True, gc=False):
    """Signed base `quantity`, average entry price in quote; PnL in quote, after fees."""

    stage: ClassVar[str] = "ledger"
    priority: ClassVar[int] = PRIORITY_FILL
    quantity: Decimal
    average_price: Decimal
    realised_pnl_quote: Decimal


class TradeClosed(Event, frozen=True, kw_only=True, gc=False):
    """A round trip from flat to flat."""

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


class AccountUpdated(Event, frozen=True, kw_only=True, gc=False):
    """The account at the close of the step, quote currency; positions marked at the bar close.

    `positions` follows the pairs of the run (signed base); `exposures_frac` likewise, signed fractions of equity.
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
