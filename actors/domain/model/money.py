"""Decimal arithmetic for money: one context, exact additions, explicit quantising.

Binary floats cannot hold 0.1; ledgers and orders therefore use `decimal.Decimal` with a precision far
above any product of price and quantity, so that sums are exact and only `quantize` ever rounds.
"""

from __future__ import annotations

import decimal
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal

from actors.domain.errors import InvalidParamsError

MONEY_CONTEXT = decimal.Context(
    prec=50, rounding=ROUND_HALF_EVEN, traps=[decimal.InvalidOperation, decimal.DivisionByZero]
)
ZERO = Decimal(0)


def to_decimal(value: str | int | float | Decimal) -> Decimal:
    """Return `value` as a Decimal; floats go through their shortest text form.

    Raises
    ------
    InvalidParamsError
        If the value is not a finite number.

    Examples
    --------
    >>> to_decimal(0.1)
    Decimal('0.1')
    """
    try:
        out = (
            value
            if isinstance(value, Decimal)
            else Decimal(repr(value) if isinstance(value, float) else value)
        )
    except (decimal.InvalidOperation, TypeError, ValueError):
        raise InvalidParamsError("MONEY_INVALID", f"money: expected a number, found {value!r}") from None
    if not out.is_finite():
        raise InvalidParamsError("MONEY_INVALID", f"money: expected a finite number, found {value!r}")
    return out


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` not above `value`.

    Examples
    --------
    >>> floor_to(Decimal("1.2399"), Decimal("0.01"))
    Decimal('1.23')
    """
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of `step` not below `value`.

    Examples
    --------
    >>> ceil_to(Decimal("1.2301"), Decimal("0.01"))
    Decimal('1.24')
    """
    return (value / step).to_integral_value(ROUND_CEILING) * step


def normal_str(value: Decimal) -> str:
    """Return the one canonical text of a Decimal (no exponent, no trailing zeros).

    Examples
    --------
    >>> normal_str(Decimal("1.500")), normal_str(Decimal("-0")), normal_str(Decimal("1E+3"))
    ('1.5', '0', '1000')
    """
    if value == 0:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
