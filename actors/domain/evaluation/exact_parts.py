"""Parts that sum to their whole to the last digit, out of parts that floating point has rounded."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

STEP = Decimal("1e-8")
_ROUNDING = Decimal("1e-9")
"""Of the money that moved: far above what sums of doubles lose, far below any cost."""


def exact_parts(parts: Sequence[float], total: Decimal, moved: Decimal) -> tuple[list[Decimal], Decimal]:
    """Return the parts as Decimals and what they leave of `total`; together they are `total`, exactly.

    Parameters
    ----------
    parts : sequence of float, quote
    total : Decimal, quote
        Exact, from the ledger.
    moved : Decimal, quote, ≥ 0
        Capital and traded value: the scale against which a rest counts as rounding.

    Returns
    -------
    parts : list of Decimal
        In steps of 1e-8; a rest that is rounding is given to the largest of them.
    left : Decimal
        0, unless the parts miss more of the total than rounding explains: then all of it, to be shown.

    Examples
    --------
    >>> exact_parts([0.1, 0.2], Decimal("0.30000000004"), Decimal(1000))
    ([Decimal('0.10000000'), Decimal('0.20000000004')], Decimal('0'))
    >>> exact_parts([0.1, 0.2], Decimal("1.3"), Decimal(1000))
    ([Decimal('0.10000000'), Decimal('0.20000000')], Decimal('1.00000000'))
    """
    out = [Decimal(repr(p)).quantize(STEP) for p in parts]
    left = total - sum(out, Decimal(0))
    if out and abs(left) <= _ROUNDING * moved:
        largest = max(range(len(out)), key=lambda i: abs(out[i]))
        out[largest] += left
        return out, Decimal(0)
    return out, left
