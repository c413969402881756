"""Higher bars from lower ones, each emitted only once its close has been reached."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from actors.domain.errors import ConfigError, DataError
from actors.domain.model.bars import BarFrame, BarRow, TimeArray
from actors.domain.model.timeframe import bucket_anchor_ns, floor_to_bar, format_timeframe


@dataclass(frozen=True, slots=True)
class ResampledBars:
    """Higher bars and what is known about each of them.

    Attributes
    ----------
    frame : BarFrame
        The higher bars, n of them.
    missing : int64 array, shape (n,)
        Base bars that were not there inside each higher bar.
    known_row : int64 array, shape (n,)
        Row of the base bar at whose close the higher bar became known; ``len(base)`` if it became
        known by the clock (``now_ns``) and not by a bar.
    """

    frame: BarFrame
    missing: npt.NDArray[np.int64]
    known_row: npt.NDArray[np.int64]


def resample(base: BarFrame, timeframe_ns: int, *, now_ns: int | None = None) -> ResampledBars:
    """Build higher bars from base bars.

    A higher bar is emitted when time has reached its close: when a base bar closes at or after it, or
    when ``now_ns`` says so. The unfinished last bar is never emitted, and a bucket without any base
    bar has no higher bar (a gap stays a gap).

    Parameters
    ----------
    base : BarFrame
        Base bars, n_base of them.
    timeframe_ns : int
        Length of the higher bars, a multiple of the base's. Buckets start at the epoch, weeks on Monday.
    now_ns : int, optional
        Present time; by default the close of the last base bar.

    Raises
    ------
    ConfigError
        If the length is not a multiple of the base's.

    Examples
    --------
    >>> ones = [1.0] * 5
    >>> b = BarFrame("A/B", 10, [0, 10, 30, 40, 50], ones, [1, 2, 1, 1, 1], ones, ones, ones)
    >>> r = resample(b, 30)
    >>> r.frame.open_ns.tolist(), r.frame.high.tolist(), r.frame.volume.tolist(), r.missing.tolist()
    ([0, 30], [2.0, 1.0], [2.0, 3.0], [1, 0])
    >>> r.known_row.tolist()
    [2, 4]
    """
    per_bucket = bars_per_bucket(base.timeframe_ns, timeframe_ns)
    n_base = len(base)
    if n_base == 0:
        empty = np.zeros(0, dtype=np.int64)
        return ResampledBars(_higher(base, timeframe_ns, empty, empty, empty), empty, empty)
    anchor = bucket_anchor_ns(timeframe_ns)
    bucket_ns: TimeArray = (base.open_ns - anchor) // timeframe_ns * timeframe_ns + anchor
    starts = np.flatnonzero(np.diff(bucket_ns, prepend=bucket_ns[0] - 1)).astype(np.int64)
    stops = np.append(starts[1:], n_base).astype(np.int64)
    close_ns = bucket_ns[starts] + timeframe_ns
    base_close_ns = base.close_ns
    known_row = np.searchsorted(base_close_ns, close_ns, side="left").astype(np.int64)
    reached = known_row < n_base
    if now_ns is not None:
        reached = close_ns <= now_ns
    starts, stops, known_row = starts[reached], stops[reached], known_row[reached]
    frame = _higher(base, timeframe_ns, bucket_ns[starts], starts, stops)
    return ResampledBars(frame, per_bucket - (stops - starts), known_row)


@dataclass(slots=True)
class StreamingResampler:
    """The same bars as `resample`, one base bar at a time; state is the base bars of one bucket.

    Examples
    --------
    >>> s = StreamingResampler("A/B", 10, 30)
    >>> [len(s.update(BarRow(t, 1.0, 1.0, 1.0, 1.0, 1.0, 0))) for t in (0, 10, 30, 40, 50)]
    [0, 0, 1, 0, 1]
    """

    pair: str
    base_timeframe_ns: int
    timeframe_ns: int
    source: str = ""
    synthetic: bool = False
    _held: list[BarRow] = field(default_factory=list)
    _last_open_ns: int | None = None

    def __post_init__(self) -> None:
        bars_per_bucket(self.base_timeframe_ns, self.timeframe_ns)

    def update(self, bar: BarRow) -> list[tuple[BarRow, int]]:
        """Take one closed base bar; return the higher bars it completes, each with its missing count.

        At most two: a bucket left open by a gap, and the bucket this very bar completes.
        """
        if self._last_open_ns is not None and bar.open_ns <= self._last_open_ns:
            raise DataError(
                "BARS_UNSORTED",
                f"{self.pair}: expected a bar after {self._last_open_ns}, found {bar.open_ns}",
            )
        self._last_open_ns = bar.open_ns
        done: list[tuple[BarRow, int]] = []
        bucket = floor_to_bar(bar.open_ns, self.timeframe_ns)
        if self._held and floor_to_bar(self._held[0].open_ns, self.timeframe_ns) != bucket:
            done.append(self._emit())
        self._held.append(bar)
        if bar.open_ns + self.base_timeframe_ns >= bucket + self.timeframe_ns:
            done.append(self._emit())
        return done

    def _emit(self) -> tuple[BarRow, int]:
        bars, self._held = self._held, []
        open_ns, opens, highs, lows, closes, volumes, flags = map(np.array, zip(*bars, strict=True))
        base = BarFrame(
            self.pair, self.base_timeframe_ns, open_ns, opens, highs, lows, closes, volumes, flags
        )
        bucket = np.array([floor_to_bar(bars[0].open_ns, self.timeframe_ns)], dtype=np.int64)
        edges = np.array([0, len(bars)], dtype=np.int64)
        frame = _higher(base, self.timeframe_ns, bucket, edges[:1], edges[1:])
        return frame.row(0), self.timeframe_ns // self.base_timeframe_ns - len(bars)


def bars_per_bucket(base_ns: int, timeframe_ns: int) -> int:
    """Return how many base bars make one higher bar.

    Raises
    ------
    ConfigError
        If the higher length is not a multiple of the base's.

    Examples
    --------
    >>> bars_per_bucket(3_600_000_000_000, 86_400_000_000_000)
    24
    """
    if timeframe_ns < base_ns or timeframe_ns % base_ns:
        found = [format_timeframe(t) if t % 10**9 == 0 else f"{t} ns" for t in (timeframe_ns, base_ns)]
        raise ConfigError(
            "TIMEFRAME_NOT_MULTIPLE",
            f"timeframe: expected a multiple of the base timeframe {found[1]}, found {found[0]}; shorter bars cannot "
            "be made of longer ones",
            timeframe_ns=timeframe_ns,
            base_ns=base_ns,
        )
    return timeframe_ns // base_ns


def _higher(
    base: BarFrame, timeframe_ns: int, open_ns: TimeArray, starts: TimeArray, stops: TimeArray
) -> BarFrame:
    if not len(starts):
        none = np.zeros(0)
        return BarFrame(
            base.pair, timeframe_ns, open_ns, none, none, none, none, none,
            source=base.source, synthetic=base.synthetic,
        )  # fmt: skip
    end = int(stops[-1])
    return BarFrame(
        base.pair,
        timeframe_ns,
        open_ns,
        base.open[starts],
        np.maximum.reduceat(base.high[:end], starts),
        np.minimum.reduceat(base.low[:end], starts),
        base.close[stops - 1],
        np.add.reduceat(base.volume[:end], starts),
        np.bitwise_or.reduceat(base.flags[:end], starts),
        source=base.source,
        synthetic=base.synthetic,
    )
