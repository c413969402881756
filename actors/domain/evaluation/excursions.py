"""How far each round trip went against and for its holder before it ended (MAE and MFE).

Source: J. Sweeney, "Campaign Trading" (1996), and "Maximum Adverse Excursion" (1997).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike

from actors.domain.evaluation.report_model import PairSeries
from actors.domain.events.portfolio import TradeClosed


class Excursion(msgspec.Struct, frozen=True):
    """Worst and best mark of a round trip, as fractions of its entry price, both ≥ 0; None where no bar closed.

    `mae_frac` is how far the price went against the position, `mfe_frac` how far for it.
    """

    mae_frac: float | None
    mfe_frac: float | None


def excursions(
    spans: Sequence[tuple[int, int, int, float]],
    close_ns: Sequence[int],
    high: ArrayLike,
    low: ArrayLike,
) -> list[Excursion]:
    """Return the excursions of round trips over the bars in which they were held.

    Parameters
    ----------
    spans : sequence of (opened_ns, closed_ns, side, entry price)
        `side` is +1 for a long, -1 for a short.
    close_ns : sequence of int, shape (bars,)
        Closing times, rising.
    high, low : array, shape (bars,)
        A bar counts from the one in which the trip opened to the one in which it ended, so both numbers are
        upper bounds: what of those two bars lay outside the trip is not known.

    Examples
    --------
    >>> excursions([(5, 25, 1, 100.0)], [10, 20, 30], [104.0, 103.0, 101.0], [99.0, 90.0, 95.0])
    [Excursion(mae_frac=0.1, mfe_frac=0.04)]
    """
    tops, bottoms = np.asarray(high, dtype=np.float64), np.asarray(low, dtype=np.float64)
    out = []
    for opened, closed, side, entry in spans:
        first = bisect_left(close_ns, opened)
        last = bisect_right(close_ns, closed)
        if last < len(close_ns) and (last == 0 or close_ns[last - 1] < closed):
            last += 1
        if first >= last or not entry > 0:
            out.append(Excursion(None, None))
            continue
        up = float(tops[first:last].max()) / entry - 1.0
        down = 1.0 - float(bottoms[first:last].min()) / entry
        worst, best = (down, up) if side > 0 else (up, down)
        out.append(Excursion(round(max(worst, 0.0), 12), round(max(best, 0.0), 12)))
    return out


def add_excursions(
    rows: Sequence[dict[str, Any]], trades: Sequence[TradeClosed], series: Mapping[str, PairSeries]
) -> None:
    """Write ``mae_frac`` and ``mfe_frac`` into each round trip's row, in place.

    Parameters
    ----------
    rows, trades : sequences of equal length and order
    series : mapping pair → its bars
    """
    places: dict[str, list[int]] = {}
    for k, trade in enumerate(trades):
        places.setdefault(trade.instrument_id or "", []).append(k)
    for pair, at in places.items():
        bars = series[pair]
        spans = [
            (t.opened_ns, t.closed_ns, 1 if t.side == "long" else -1, float(t.entry_price))
            for t in (trades[k] for k in at)
        ]
        for k, found in zip(at, excursions(spans, bars.ts_ns, bars.high, bars.low), strict=True):
            rows[k] |= {"mae_frac": found.mae_frac, "mfe_frac": found.mfe_frac}
