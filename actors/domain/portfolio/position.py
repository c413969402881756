"""One pair's position by average cost: quantity, cost, realised PnL, carry, and the round trip that is under way."""

from __future__ import annotations

import decimal
from decimal import ROUND_HALF_EVEN, Decimal
from typing import ClassVar

import msgspec

from actors.domain.model.money import ZERO
from actors.domain.state import Stateful

# additions and products of money are exact or an error; only the share of a cost below is ever rounded
EXACT = decimal.Context(
    prec=80, traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Inexact, decimal.Overflow]
)
ROUNDING = decimal.Context(prec=80, rounding=ROUND_HALF_EVEN)
_COST_STEP = Decimal(1).scaleb(-16)


class RoundTrip(msgspec.Struct, frozen=True, gc=False):
    """A closed trade from flat to flat; money in quote, `pnl_quote` after fees and `carry_quote`, what holding cost."""

    side: str
    opened_ns: int
    opened_step: int
    closed_ns: int
    closed_step: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    fees_quote: Decimal
    slippage_quote: Decimal
    pnl_quote: Decimal
    return_frac: float
    carry_quote: Decimal = ZERO


class Position(Stateful):
    """Signed base `quantity` and its `cost` in quote; long and short.

    Flat means less than one lot: what a fee in base leaves behind cannot be sold and ends no trade later.

    Parameters
    ----------
    lot : Decimal, base
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "quantity", "cost", "realised", "fees", "slippage", "_side", "_opened_ns", "_opened_step",
        "_entry_qty", "_entry_quote", "_exit_qty", "_exit_quote", "_base_realised", "_base_fees",
        "_base_slippage", "carry", "_base_carry",
    )  # fmt: skip

    def __init__(self, lot: Decimal) -> None:
        self._lot = lot
        self.quantity = self.cost = self.realised = self.fees = self.slippage = self.carry = ZERO
        self._side = 0
        self._opened_ns = self._opened_step = 0
        self._entry_qty = self._entry_quote = self._exit_qty = self._exit_quote = ZERO
        self._base_realised = self._base_fees = self._base_slippage = self._base_carry = ZERO

    @property
    def average_price(self) -> Decimal:
        """Cost per unit, 0 if nothing is held."""
        return ROUNDING.divide(self.cost, self.quantity) if self.quantity else ZERO

    def unrealised(self, mark: Decimal) -> Decimal:
        """Return the open PnL at a price, quote."""
        return EXACT.subtract(EXACT.multiply(self.quantity, mark), self.cost)

    def apply(
        self,
        side: int,
        quantity: Decimal,
        price: Decimal,
        fee_quote: Decimal,
        fee_base: Decimal,
        slippage_quote: Decimal,
        ts_ns: int,
        step: int,
    ) -> list[RoundTrip]:
        """Book one execution; return the round trips it closed (one at most).

        Parameters
        ----------
        side : int
            +1 buy, -1 sell.
        quantity, price : Decimal
            Unsigned base, quote.
        fee_quote, fee_base : Decimal
            The fee in either currency; a base fee leaves the position at `price`.
        """
        closed: list[RoundTrip] = []
        with decimal.localcontext(EXACT):
            fee_total = fee_quote + fee_base * price
            rest = quantity
            if self._side == -side and self._side:
                part = min(abs(self.quantity), rest)
                self._trade(side, part, price)
                self._exit_qty += part
                self._exit_quote += part * price
                rest -= part
                self._charge(fee_quote, fee_base, fee_total, price, slippage_quote)
                fee_quote = fee_base = fee_total = slippage_quote = ZERO
                if abs(self.quantity) < self._lot:
                    closed.append(self._close(ts_ns, step))
            if rest:
                if not self._side:
                    self._open(side, ts_ns, step)
                self._trade(side, rest, price)
                self._entry_qty += rest
                self._entry_quote += rest * price
                self._charge(fee_quote, fee_base, fee_total, price, slippage_quote)
        return closed

    def charge(self, amount: Decimal) -> None:
        """Book what holding the position cost (below 0: brought); it counts in the round trip under way."""
        self.realised = EXACT.subtract(self.realised, amount)
        self.carry = EXACT.add(self.carry, amount)

    def _charge(
        self, fee_quote: Decimal, fee_base: Decimal, fee_total: Decimal, price: Decimal, slippage: Decimal
    ) -> None:
        if fee_base:
            self._trade(-1, fee_base, price)
        self.realised -= fee_total
        self.fees += fee_total
        self.slippage += slippage

    def _trade(self, side: int, quantity: Decimal, price: Decimal) -> None:
        """Move the position by average cost; crossing zero closes and opens."""
        held = self.quantity
        if held * side < 0:
            part = min(abs(held), quantity)
            if part == abs(held):
                cost_out = self.cost
            else:
                cost_out = ROUNDING.quantize(
                    ROUNDING.divide(ROUNDING.multiply(self.cost, part), abs(held)), _COST_STEP
                )
            self.realised += -side * part * price - cost_out
            self.cost -= cost_out
            self.quantity += side * part
            quantity -= part
        self.quantity += side * quantity
        self.cost += side * quantity * price

    def _open(self, side: int, ts_ns: int, step: int) -> None:
        self._side, self._opened_ns, self._opened_step = side, ts_ns, step
        self._entry_qty = self._entry_quote = self._exit_qty = self._exit_quote = ZERO
        self._base_realised, self._base_fees = self.realised, self.fees
        self._base_slippage, self._base_carry = self.slippage, self.carry

    def _close(self, ts_ns: int, step: int) -> RoundTrip:
        pnl = self.realised - self._base_realised
        trip = RoundTrip(
            side="long" if self._side > 0 else "short",
            opened_ns=self._opened_ns,
            opened_step=self._opened_step,
            closed_ns=ts_ns,
            closed_step=step,
            quantity=self._entry_qty,
            entry_price=ROUNDING.divide(self._entry_quote, self._entry_qty),
            exit_price=ROUNDING.divide(self._exit_quote, self._exit_qty),
            fees_quote=self.fees - self._base_fees,
            slippage_quote=self.slippage - self._base_slippage,
            pnl_quote=pnl,
            return_frac=float(pnl) / float(self._entry_quote),
            carry_quote=self.carry - self._base_carry,
        )
        self._side = 0
        return trip
