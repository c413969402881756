"""Calendar months (UTC) of a series of bars, known by the times at which they closed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray


class MonthSpan(msgspec.Struct, frozen=True):
    """Bars ``first`` to ``end`` (exclusive) that lie in one month."""

    year: int
    month: int
    first: int
    end: int


def month_spans(close_ns: Sequence[int] | NDArray[np.int64]) -> list[MonthSpan]:
    """Return the months of bars in order; a bar that closes at midnight of the first belongs to the month before.

    Parameters
    ----------
    close_ns : sequence of int, ascending, ns UTC

    Examples
    --------
    >>> day = 86_400_000_000_000
    >>> [(m.year, m.month, m.first, m.end) for m in month_spans([30 * day, 31 * day, 32 * day])]
    [(1970, 1, 0, 2), (1970, 2, 2, 3)]
    """
    last_ns = np.asarray(close_ns, dtype=np.int64) - 1
    if last_ns.shape[0] == 0:
        return []
    months = last_ns.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(months)) + 1, [months.shape[0]])).tolist()
    return [
        MonthSpan(1970 + int(months[a]) // 12, int(months[a]) % 12 + 1, a, b) for a, b in pairwise(starts)
    ]
