"""A series of funding rates of one perpetual: when each falls due and what a long pays a short then."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from actors.domain.errors import DataError
from actors.domain.model.timerange import format_ns

MINUTE_NS: Final = 60 * 10**9
JITTER_NS: Final = 5 * 10**9
LARGEST_RATE: Final = 0.1
"""Ten percent of the position at once: venues cap funding far below, so more is a percentage or a mistake."""


@dataclass(frozen=True, eq=False)
class FundingSeries:
    """Rates in order of time.

    Parameters
    ----------
    pair : str
    due_ns : int64 array, shape (n,)
        Strictly increasing, ns UTC.
    rate : float64 array, shape (n,)
        Fraction of the position's value; below 0 the short pays.
    source : str
    assumed : bool
        Not recorded but configured: either side pays it.

    Raises
    ------
    DataError
        If times or rates are unusable; the first one is named.

    Examples
    --------
    >>> series = FundingSeries("BTC/USDT", np.array([10, 20]), np.array([1e-4, -1e-4]))
    >>> len(series), series.between(10, 20).rate.tolist()
    (2, [-0.0001])
    """

    pair: str
    due_ns: npt.NDArray[np.int64]
    rate: npt.NDArray[np.float64]
    source: str = ""
    assumed: bool = False

    def __post_init__(self) -> None:
        if self.due_ns.shape != self.rate.shape:
            raise DataError(
                "FUNDING_LENGTH",
                f"{self.source or self.pair}: expected as many rates as times, found {self.rate.size} and "
                f"{self.due_ns.size}",
            )
        # NaN fails the comparison
        bad = np.flatnonzero(~(np.abs(self.rate) <= LARGEST_RATE))
        if bad.size:
            at = int(bad[0])
            raise DataError(
                "FUNDING_RATE",
                f"{self.source or self.pair}: expected rates as fractions of at most {LARGEST_RATE:g} either way, "
                f"found {self.rate[at]:g} at {format_ns(int(self.due_ns[at]))}; give 0.01 % as 0.0001",
                pair=self.pair,
            )
        back = np.flatnonzero(np.diff(self.due_ns) <= 0)
        if back.size:
            earlier, later = (int(x) for x in self.due_ns[back[0] : back[0] + 2])
            raise DataError(
                "FUNDING_ORDER",
                f"{self.source or self.pair}: expected times that increase, found {format_ns(later)} after "
                f"{format_ns(earlier)}; sort the file and remove what is in it twice",
                pair=self.pair,
            )

    def __len__(self) -> int:
        return int(self.due_ns.size)

    @property
    def interval_ns(self) -> int | None:
        """Most usual time between two rates, None with fewer than two."""
        return int(np.median(np.diff(self.due_ns))) if len(self) > 1 else None

    @property
    def data_hash(self) -> str:
        """Hash of times and rates."""
        return hashlib.sha256(self.due_ns.tobytes() + self.rate.tobytes()).hexdigest()

    def between(self, after_ns: int, upto_ns: int) -> FundingSeries:
        """Return what falls due after the one time, up to the other."""
        lo, hi = np.searchsorted(self.due_ns, [after_ns, upto_ns], side="right")
        return FundingSeries(self.pair, self.due_ns[lo:hi], self.rate[lo:hi], self.source, self.assumed)

    def check_covers(self, start_ns: int, end_ns: int, max_missing_frac: float) -> None:
        """Refuse a series that says nothing about a part of a run.

        Parameters
        ----------
        start_ns, end_ns : int
            Opening of the first and closing of the last bar that is decided on.
        max_missing_frac : float
            Share of the rates of that time that may be missing between others.

        Raises
        ------
        DataError
            If it begins late, ends early or has too many gaps.
        """
        interval = self.interval_ns or 0
        inside = self.between(start_ns, end_ns)
        if not len(self) or self.due_ns[0] > start_ns + interval or self.due_ns[-1] < end_ns - interval:
            known = (
                f"{format_ns(int(self.due_ns[0]))} to {format_ns(int(self.due_ns[-1]))}"
                if len(self)
                else "none"
            )
            raise DataError(
                "FUNDING_RANGE",
                f"{self.source or self.pair}: expected rates of {self.pair} from {format_ns(start_ns)} to "
                f"{format_ns(end_ns)}, found {known}; give another --timerange, or leave --funding out for the "
                "configured rate",
                pair=self.pair,
            )
        if interval:
            # what falls due with the last close may not be in the file yet
            wanted = (min(end_ns, int(self.due_ns[-1])) - start_ns) // interval
            missing = max(0, wanted - len(inside))
            if missing > max(1, wanted) * max_missing_frac:
                raise DataError(
                    "FUNDING_GAPS",
                    f"{self.source or self.pair}: expected a rate about every {interval / 3.6e12:g} h, found {missing} "
                    f"of {wanted} missing; complete the file, or raise data.max_missing_frac",
                    pair=self.pair,
                )


def on_the_minute(times_ns: npt.NDArray[np.int64], pair: str, source: str) -> npt.NDArray[np.int64]:
    """Return times as the venue means them: its stamps are some milliseconds off the minute.

    Raises
    ------
    DataError
        If one is further off than five seconds.

    Examples
    --------
    >>> (on_the_minute(np.array([60_000_000_000 + 8_000_000]), "X/Y", "file") / 1e9).tolist()
    [60.0]
    """
    snapped = (times_ns + MINUTE_NS // 2) // MINUTE_NS * MINUTE_NS
    off = np.flatnonzero(np.abs(snapped - times_ns) > JITTER_NS)
    if off.size:
        raise DataError(
            "FUNDING_TIMES",
            f"{source}: expected funding on whole minutes, five seconds early or late at most, found "
            f"{format_ns(int(times_ns[off[0]]))}; are these times of funding?",
            pair=pair,
        )
    return snapped


def assumed_series(pair: str, rate: float, interval_ns: int, start_ns: int, end_ns: int) -> FundingSeries:
    """Return one rate at every whole interval of the day over ``(start_ns, end_ns]``, for want of a recorded series.

    Examples
    --------
    >>> s = assumed_series("X/Y", 1e-4, 10, 5, 30)
    >>> s.due_ns.tolist(), s.assumed
    ([10, 20, 30], True)
    """
    due = np.arange(start_ns // interval_ns + 1, end_ns // interval_ns + 1, dtype=np.int64) * interval_ns
    return FundingSeries(pair, due, np.full(due.size, rate), "configured rate", assumed=True)
