"""Schedules and order planning: how a parent quantity is cut without losing a lot."""

from __future__ import annotations

import math
from decimal import Decimal

from actors.domain.errors import InvalidParamsError
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import ZERO, floor_to


def equal_slices(
    quantity: Decimal, slices: int, lot: Decimal, minimum: Decimal = ZERO
) -> tuple[Decimal, ...]:
    """Return the quantities of a TWAP: the ideal cumulative schedule floored to lots, residual carried.

    Parameters
    ----------
    quantity : Decimal, base
        The parent, unsigned.
    slices : int
        At least 1; slots in time. A slot whose slice would be below `minimum` is 0 and its quantity is
        carried; the last slot that trades takes the rest.
    lot, minimum : Decimal, base

    Returns
    -------
    tuple of Decimal, length `slices`
        Sum equals `quantity` exactly; each entry but the last non-zero one is a multiple of `lot`.

    Raises
    ------
    InvalidParamsError
        If `slices` < 1 or `quantity` < 0.

    Examples
    --------
    >>> [str(s) for s in equal_slices(Decimal("1.0"), 3, Decimal("0.1"))]
    ['0.3', '0.3', '0.4']
    """
    if slices < 1 or quantity < 0:
        raise InvalidParamsError(
            "SLICES_INVALID", f"slices: expected >= 1 of a quantity >= 0, found {slices} of {quantity}"
        )
    out = [ZERO] * slices
    done = ZERO
    last = -1
    for i in range(slices):
        ideal = quantity if i == slices - 1 else floor_to(quantity * (i + 1) / slices, lot)
        part = ideal - done
        if part > 0 and (part >= minimum or i == slices - 1):
            if part < minimum and last >= 0:
                # a rest the venue would refuse travels with the slice before it
                out[last] += part
            else:
                out[i], last = part, i
            done = ideal
    return tuple(out)


def slice_count(share: float, slice_share: float, most: int) -> int:
    """Return how many slices keep each below `slice_share` of a bar's volume, within 1 … `most`.

    Examples
    --------
    >>> slice_count(0.11, 0.02, 12), slice_count(0.5, 0.02, 12), slice_count(0.001, 0.02, 12)
    (6, 12, 1)
    """
    if not math.isfinite(share):
        return most
    return max(1, min(most, math.ceil(share / slice_share)))


def minimum_quantity(instrument: Instrument, price: Decimal, buffer: Decimal = Decimal("1.05")) -> Decimal:
    """Return the smallest quantity on the lot that passes the minimum notional with room for a price move.

    Examples
    --------
    >>> minimum_quantity(Instrument(pair="BTC/USDT"), Decimal(20000))
    Decimal('0.00053')
    """
    if price <= 0:
        return instrument.lot
    need = instrument.min_notional * buffer / price
    return max(instrument.lot, -floor_to(-need, instrument.lot))


def split_in_two(quantity: Decimal, share: float, lot: Decimal, minimum: Decimal) -> tuple[Decimal, Decimal]:
    """Return ``(first, second)`` with the first about `share` of an unsigned quantity; (all, 0) if too small.

    Examples
    --------
    >>> split_in_two(Decimal("1.01"), 0.5, Decimal("0.1"), Decimal("0.2"))
    (Decimal('0.5'), Decimal('0.51'))
    """
    first = floor_to(quantity * Decimal(repr(share)), lot)
    second = quantity - first
    if first < minimum or second < minimum:
        return quantity, ZERO
    return first, second
