"""The last bars of a series in fixed memory: what a walk-forward fit sees."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from actors.domain.state import Stateful

FloatArray = NDArray[np.float64]


class PastRows(Stateful):
    """The last `bars` rows of a series.

    Parameters
    ----------
    bars : int
        Least 1.
    columns : int
        0: rows are single numbers.

    Examples
    --------
    >>> past = PastRows(3, 0)
    >>> for v in (1.0, 2.0, 3.0, 4.0): past.add(v)
    >>> past.last(2).tolist(), past.last(9).tolist(), past.count
    ([3.0, 4.0], [2.0, 3.0, 4.0], 4)
    """

    STATE: ClassVar[tuple[str, ...]] = ("count", "_rows")

    def __init__(self, bars: int, columns: int) -> None:
        self._bars = bars
        self._rows = np.full((bars, columns) if columns else bars, nan)  # ring; row i at i % bars
        self.count = 0

    def add(self, row: Sequence[float] | float) -> None:
        """Take the next row."""
        self._rows[self.count % self._bars] = row
        self.count += 1

    def drop(self, rows: int) -> None:
        """Take the newest rows back; `last` may then ask for `bars` - `rows` at most, for what they pushed out is lost.

        Examples
        --------
        >>> past = PastRows(4, 0)
        >>> for v in (1.0, 2.0, 3.0, 4.0): past.add(v)
        >>> past.drop(2)
        >>> past.last(9).tolist()
        [1.0, 2.0]
        """
        self.count -= rows

    def last(self, bars: int) -> FloatArray:
        """Return a copy of the last rows, oldest first: as many as there are, at most `bars`."""
        held = min(bars, self.count, self._bars)
        out: FloatArray = self._rows[np.arange(self.count - held, self.count) % self._bars]
        return out
