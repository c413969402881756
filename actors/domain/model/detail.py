"""The finer bars inside each bar of a frame, where they are known to belong to it.

A bar has detail if its finer bars rebuild it: first open, highest high, lowest low and last close exactly, and either
none of them is missing or their volumes add up to its own (moments without a trade have no bar).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from actors.domain.errors import ConfigError, DataError
from actors.domain.model.bars import FLAG_FORWARD_FILLED, BarFrame
from actors.domain.model.timeframe import format_timeframe
from actors.domain.model.timerange import format_ns

ABSENT, INCOMPLETE, DIFFERENT, FILLED = "absent", "incomplete", "different", "filled"
_REASONS: Final = ("", ABSENT, INCOMPLETE, DIFFERENT, FILLED)
_VOLUME_TOLERANCE = 1e-9
MAX_DIFFERENT_FRAC: Final = 0.01


@dataclass(frozen=True, eq=False)
class BarDetail:
    """Finer bars of one pair, found by the row of the bar they lie in.

    Attributes
    ----------
    bars : BarFrame
        The finer ones.
    opens_ns : int64 array, shape (n,)
        Opening times of the coarse bars that were asked about.
    first, count : int64 arrays, shape (n,)
        Rows of `bars` inside each of them; a count of 0: no detail.
    reason : int8 array, shape (n,)
        Why there is none, as an index of `REASONS`.
    """

    bars: BarFrame
    opens_ns: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    reason: npt.NDArray[np.int8]

    def rows(self, open_ns: int) -> range:
        """Return the rows of `bars` inside the coarse bar that opens at a time; empty where it has no detail."""
        at = int(np.searchsorted(self.opens_ns, open_ns))
        if at == len(self.opens_ns) or self.opens_ns[at] != open_ns:
            return range(0)
        begin = int(self.first[at])
        return range(begin, begin + int(self.count[at]))

    def tally(self, start_ns: int, end_ns: int) -> dict[str, int]:
        """Return how many bars that open in ``[start_ns, end_ns)`` have detail, and how many lack it, and why."""
        inside = (self.opens_ns >= start_ns) & (self.opens_ns < end_ns)
        reasons = self.reason[inside]
        out = {"bars": int(inside.sum()), "with_detail": int((reasons == 0).sum())}
        return out | {name: int((reasons == i).sum()) for i, name in enumerate(_REASONS) if name}

    def lacking(self, start_ns: int, end_ns: int) -> list[int]:
        """Return the opening times in a range whose bars have no detail."""
        inside = (self.opens_ns >= start_ns) & (self.opens_ns < end_ns) & (self.reason != 0)
        out: list[int] = self.opens_ns[inside].tolist()
        return out


def detail_of(coarse: BarFrame, finer: BarFrame) -> BarDetail:
    """Return which finer bars belong to which bar.

    Parameters
    ----------
    coarse, finer : BarFrame
        Of one pair.

    Raises
    ------
    ConfigError
        If the finer timeframe is not one that divides the other.
    DataError
        If nothing of the finer bars lies in the range of the others, or more than `MAX_DIFFERENT_FRAC` of the bars
        whose finer bars are all there are not rebuilt by them: then they are another market's.

    Examples
    --------
    >>> fine = BarFrame("A/B", 1, [0, 1, 2], [5, 6, 4], [7, 6, 5], [5, 6, 4], [6, 6, 5], [1, 1, 2])
    >>> wide = BarFrame("A/B", 2, [0, 2, 4], [5, 4, 5], [7, 5, 5], [5, 4, 5], [6, 5, 5], [2, 2, 1])
    >>> found = detail_of(wide, fine)
    >>> list(found.rows(0)), list(found.rows(2)), found.tally(0, 6)["absent"]
    ([0, 1], [2], 1)
    """
    width, step = coarse.timeframe_ns, finer.timeframe_ns
    if step >= width or width % step:
        raise ConfigError(
            "DETAIL_TIMEFRAME",
            f"timeframe_detail: expected one that is finer than {_name(width)} and divides it, found {_name(step)}",
        )
    first = np.searchsorted(finer.open_ns, coarse.open_ns)
    last = np.searchsorted(finer.open_ns, coarse.open_ns + width)
    count = last - first
    some = count > 0
    if not some.any():
        raise DataError(
            "DETAIL_ELSEWHERE",
            f"{coarse.pair}: expected finer bars inside {coarse!r}, found {finer!r}; give the file of the same time",
            pair=coarse.pair,
        )
    same = _rebuilt(coarse, finer, first, count)
    full = count == width // step
    volume = np.concatenate([[0.0], np.cumsum(finer.volume)])
    traded = volume[last] - volume[first]
    whole = full | (np.abs(traded - coarse.volume) <= _VOLUME_TOLERANCE * np.maximum(coarse.volume, 1.0))
    reason = np.zeros(len(coarse), dtype=np.int8)
    reason[~same & full] = _REASONS.index(DIFFERENT)
    reason[(~whole | ~same) & ~full] = _REASONS.index(INCOMPLETE)
    reason[~some] = _REASONS.index(ABSENT)
    reason[(coarse.flags & FLAG_FORWARD_FILLED) != 0] = _REASONS.index(FILLED)
    different = int((~same & full).sum())
    if different > MAX_DIFFERENT_FRAC * int(full.sum()):
        row = int(np.argmax(~same & full))
        raise DataError(
            "DETAIL_DIFFERS",
            f"{coarse.pair}: expected finer bars ({finer.source}) that rebuild the {_name(width)} bars, found "
            f"{different} of {int(full.sum())} that do not, the first at {format_ns(int(coarse.open_ns[row]))}; give "
            "the file of the same pair, venue and market",
            pair=coarse.pair,
        )
    return BarDetail(finer, coarse.open_ns, first, np.where(reason == 0, count, 0), reason)


def _rebuilt(
    coarse: BarFrame, finer: BarFrame, first: npt.NDArray[np.int64], count: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell of each bar whether its finer bars have its four prices."""
    out = np.zeros(len(coarse), dtype=bool)
    at = np.flatnonzero(count > 0)
    begin, end = first[at], first[at] + count[at] - 1
    # the bars of one after another: a reduction from each begin to the next one's, less what lies between
    edges = np.stack([begin, end + 1], axis=1).reshape(-1)
    highs = np.maximum.reduceat(np.append(finer.high, -np.inf), edges)[::2]
    lows = np.minimum.reduceat(np.append(finer.low, np.inf), edges)[::2]
    out[at] = (
        (finer.open[begin] == coarse.open[at])
        & (finer.close[end] == coarse.close[at])
        & (highs == coarse.high[at])
        & (lows == coarse.low[at])
    )
    return out


def _name(timeframe_ns: int) -> str:
    return format_timeframe(timeframe_ns) if timeframe_ns % 10**9 == 0 else f"{timeframe_ns} ns"
