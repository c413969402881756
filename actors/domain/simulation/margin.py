"""The arithmetic of a leveraged account, without orders: what may be opened, where it ends, what it is charged.

Equity E is quote plus base at its prices, gross exposure G the sum of the positions' magnitudes at the same
prices. Positions may be opened up to ``G <= leverage · E``, and the venue liquidates at ``E <= maintenance · G``. The
account is one for all pairs (cross margin). All figures are exact Decimals or Fractions; only charges are rounded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from fractions import Fraction

from actors.domain.model.account import AccountTerms
from actors.domain.model.money import ZERO, ceil_to, floor_to

CENT = Decimal("0.00000001")
_ONE = Decimal(1)


def value(cash: Decimal, holdings: Iterable[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    """Return ``(equity, gross exposure)`` of ``(signed quantity, price)`` pairs.

    Examples
    --------
    >>> value(Decimal(-50), [(Decimal(1), Decimal(100)), (Decimal(-2), Decimal(10))])
    (Decimal('30'), Decimal('120'))
    """
    equity, gross = cash, ZERO
    for quantity, price in holdings:
        worth = quantity * price
        equity += worth
        gross += abs(worth)
    return equity, gross


def charged(amount: Decimal) -> Decimal:
    """Return a cost (a gain below 0) on the venue's precision, rounded against the account.

    Examples
    --------
    >>> charged(Decimal("0.000000011")), charged(Decimal("-0.000000019"))
    (Decimal('2E-8'), Decimal('-1E-8'))
    """
    return amount.quantize(CENT, ROUND_CEILING)


def rate_of(value: float) -> Decimal:
    """Return a rate on twelve digits: it is stated, not measured, and all simulators must read the same one.

    Examples
    --------
    >>> rate_of(0.0001), rate_of(1 / 3e4)
    (Decimal('0.000100000000'), Decimal('0.000033333333'))
    """
    return Decimal(round(value * 1e12)).scaleb(-12)


class Margin:
    """Rules of one account.

    Parameters
    ----------
    terms : AccountTerms
    fee_frac : Decimal
        Largest fee that an execution may pay in quote.
    """

    def __init__(self, terms: AccountTerms, fee_frac: Decimal) -> None:
        self.terms = terms
        self._fee = fee_frac
        # an exposure of one that has yet to be opened asks for its margin and for its fee
        self.opening = _ONE + fee_frac * terms.leverage

    def fits(self, equity: Decimal, exposure: Decimal) -> bool:
        """Tell whether an exposure is within the leverage."""
        return exposure <= equity * self.terms.leverage

    def liquidates(self, equity: Decimal, gross: Decimal) -> bool:
        """Tell whether the venue closes the account."""
        return gross > 0 and equity <= self.terms.maintenance_frac * gross

    def largest(
        self, equity: Decimal, others: Decimal, held: Decimal, side: int, price: Decimal, lot: Decimal
    ) -> Decimal:
        """Return the largest quantity, on the lot, that one execution may have.

        What only reduces is always allowed; what opens must leave the exposure within the leverage after its fee.

        Parameters
        ----------
        equity, others : Decimal
            Equity at `price`; gross exposure in other pairs.
        held : Decimal, base
            Position before, signed.
        side : int
        price : Decimal, quote

        Examples
        --------
        >>> m = Margin(AccountTerms(mode="perpetual", leverage=Decimal(2)), Decimal(0))
        >>> m.largest(Decimal(100), ZERO, Decimal(0), 1, Decimal(10), Decimal(1))
        Decimal('20')
        >>> m.largest(Decimal(100), ZERO, Decimal(-5), 1, Decimal(10), Decimal(1))
        Decimal('25')
        """
        size, leverage = abs(held), self.terms.leverage
        reducing = size if held * side < 0 else ZERO
        kept = size - reducing
        room = (equity - reducing * price * self._fee) * leverage - others - kept * price
        unit = price * self.opening
        return max(floor_to((room + reducing * unit) / unit, lot), floor_to(reducing, lot))

    def level(self, cash: Decimal, others: tuple[Decimal, Decimal], held: Decimal, tick: Decimal) -> Decimal:
        """Return the price of one pair at which the account is liquidated, on the worse tick; 0 if any price does.

        Parameters
        ----------
        others : (value, gross exposure) of the other pairs
        held : Decimal
            Not 0.

        Examples
        --------
        >>> m = Margin(AccountTerms(mode="perpetual", leverage=Decimal(5), maintenance_frac=Decimal("0.1")), ZERO)
        >>> m.level(Decimal(-80), (ZERO, ZERO), Decimal(1), Decimal("0.01"))
        Decimal('88.88')
        >>> m.level(Decimal(120), (ZERO, ZERO), Decimal(-1), Decimal("0.01"))
        Decimal('109.10')
        """
        part, size = self.terms.maintenance_frac, abs(held)
        short = part * others[1] - cash - others[0]
        if held > 0:
            return floor_to(max(short, ZERO) / (size * (_ONE - part)), tick)
        return ceil_to(max(-short, ZERO) / (size * (_ONE + part)), tick)

    def together(self, cash: Decimal, holdings: Iterable[tuple[Decimal, Decimal, Decimal]]) -> Fraction:
        """Return how far prices that move together go before the account is liquidated, 1 if it was before they moved.

        Parameters
        ----------
        holdings : iterable of (signed quantity, first price, last price)
            At the last prices the account is liquidated.

        Examples
        --------
        >>> m = Margin(AccountTerms(mode="perpetual", leverage=Decimal(5), maintenance_frac=Decimal(0)), ZERO)
        >>> m.together(Decimal(-80), [(Decimal(1), Decimal(100), Decimal(60))])
        Fraction(1, 2)
        """
        rows, part = tuple(holdings), self.terms.maintenance_frac

        def excess(which: int) -> Fraction:
            equity, gross = value(cash, [(row[0], row[which]) for row in rows])
            return Fraction(equity - part * gross)

        first, last = excess(1), excess(2)
        return first / (first - last) if first > 0 else Fraction(1)

    def fee_of(self, notional: Decimal, left: Decimal) -> Decimal:
        """Return the liquidation fee: its share of the value, at most what is left."""
        most = max(left, ZERO).quantize(CENT, ROUND_DOWN)
        return min(charged(notional * self.terms.liquidation_fee_frac), most)


def on_path(first: Decimal, last: Decimal, share: Fraction, tick: Decimal, side: int) -> Decimal:
    """Return the price that lies a share of the way from one to the other, on the tick worse for the side.

    Examples
    --------
    >>> on_path(Decimal(100), Decimal(90), Fraction(1, 3), Decimal("0.01"), -1)
    Decimal('96.66')
    """
    steps = (Fraction(first) + share * (Fraction(last) - Fraction(first))) / Fraction(tick)
    return Decimal(math.floor(steps) if side < 0 else math.ceil(steps)) * tick
