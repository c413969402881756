"""Whose PnL is it: one pair's marked-to-market PnL, bar by bar, split over those who wanted its position."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.domain.evaluation.report_model import PairSeries

Floats = NDArray[np.float64]
_NOTHING = 1e-12
"""Of a position: what a sum of doubles leaves of one that has ended."""


class Booked(msgspec.Struct, frozen=True, gc=False):
    """One fill as it is attributed; `fee` and `price` in quote, `change` of the position after a fee in base.

    Without a `price` it is a charge of the venue (funding, interest), in `charge`: the position's owners bear it; its
    kind is one of `CHARGES`. `value` is what the fill moved and `slippage` what that cost, in quote.
    """

    ts_ns: int
    change: float
    price: float | None
    fee: float
    owners: tuple[float, ...]
    charge: float = 0.0
    kind: str = ""
    value: float = 0.0
    slippage: float = 0.0


CHARGES = ("funding", "borrow", "liquidation")


@dataclass(frozen=True)
class Shares:
    """What each owner of one pair's position earned and paid.

    Attributes
    ----------
    pnl, fees : array, shape (owners, bars), quote
        `pnl` is net of `fees` and of charges.
    bars : array, shape (owners,)
        Bars with a position.
    gross : array, shape (owners, bars), quote
        Magnitude of the position at each close.
    spent : dict of arrays, shape (owners, bars), quote
        ``traded`` and ``slippage``, and the charges by their kind.
    """

    pnl: Floats
    fees: Floats
    bars: NDArray[np.int64]
    gross: Floats
    spent: dict[str, Floats]


def bar_of(series: PairSeries, ts_ns: int) -> int:
    """Return the bar at whose close a fill was told: the first that closes at its time or later, or the last one."""
    return min(bisect_left(series.ts_ns, ts_ns), len(series.ts_ns) - 1)


def split(series: PairSeries, fills: Sequence[Booked], owners: int) -> Shares:
    """Return the shares of each of `owners`.

    A position is owned in the proportions of the wishes that opened and enlarged it; what makes it smaller, and the
    fee of that, is borne in the same proportions. A fill through zero closes for the old owners and opens for the new.

    Examples
    --------
    >>> bars = PairSeries(pair="A/USDT", ts_ns=[1, 2, 3], close=[10.0, 12.0, 11.0])
    >>> found = split(bars, [Booked(2, 2.0, 11.0, 0.5, (0.75, 0.25))], 2)
    >>> found.pnl.tolist(), found.fees.sum(axis=1).tolist(), found.bars.tolist()
    ([[0.0, 1.125, -1.5], [0.0, 0.375, -0.5]], [0.375, 0.125], [2, 2])
    """
    close = np.array(series.close, dtype=np.float64)
    pnl, fees = np.zeros((owners, close.size)), np.zeros((owners, close.size))
    bars = np.zeros(owners, dtype=np.int64)
    gross = np.zeros((owners, close.size))
    spent = {name: np.zeros((owners, close.size)) for name in ("traded", "slippage", *CHARGES)}
    held, whose, upto = 0.0, np.zeros(owners), 0
    step = np.diff(close, prepend=close[:1])

    def hold(stop: int) -> None:
        nonlocal upto
        if held != 0.0 and stop > upto:
            pnl[:, upto:stop] += np.outer(whose, held * step[upto:stop])
            gross[:, upto:stop] = np.outer(whose, abs(held) * close[upto:stop])
            bars[whose > 0.0] += stop - upto
        upto = max(upto, stop)

    k = 0
    while k < len(fills):
        bar = bar_of(series, fills[k].ts_ns)
        hold(bar)
        mark, owned = (close[bar - 1] if bar else close[0]), np.zeros(owners, dtype=bool)
        while k < len(fills) and bar_of(series, fills[k].ts_ns) == bar:
            f = fills[k]
            k += 1
            if f.price is None:
                # what is charged after a position has ended was still its owners' doing
                charged = (whose if whose.any() else np.array(f.owners)) * f.charge
                pnl[:, bar] -= charged
                if f.kind:
                    spent[f.kind][:, bar] += charged
                continue
            pnl[:, bar] += whose * (held * (f.price - mark))
            owned |= (whose > 0.0) & (held != 0.0)
            after, taken = held + f.change, np.array(f.owners)
            if abs(after) <= _NOTHING * abs(held):
                after = 0.0
            if held == 0.0 or held * after < 0.0:
                whose = taken
            elif abs(after) > abs(held):
                whose = (whose * abs(held) + taken * abs(f.change)) / abs(after)
            fees[:, bar] += whose * f.fee
            spent["traded"][:, bar] += whose * f.value
            spent["slippage"][:, bar] += whose * f.slippage
            held, mark = after, f.price
        pnl[:, bar] += whose * (held * (close[bar] - mark)) - fees[:, bar]
        gross[:, bar] = whose * abs(held) * close[bar]
        owned |= (whose > 0.0) & (held != 0.0)
        bars[owned] += 1
        upto = bar + 1
    hold(close.size)
    return Shares(pnl, fees, bars, gross, spent)
