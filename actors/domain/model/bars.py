"""A frame of bars of one pair: column arrays, checked once, never changed afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from actors.domain.errors import DataError, InvalidBarError
from actors.domain.model.timeframe import format_timeframe
from actors.domain.model.timerange import format_ns

FLAG_FORWARD_FILLED: Final = 1
FLAG_REPAIRED: Final = 2

FloatArray = npt.NDArray[np.float64]
TimeArray = npt.NDArray[np.int64]
FlagArray = npt.NDArray[np.uint8]

PRICE_COLUMNS: Final = ("open", "high", "low", "close")
VALUE_COLUMNS: Final = (*PRICE_COLUMNS, "volume")
_ARRAYS: Final = ("open_ns", *VALUE_COLUMNS, "flags")


class Gap(NamedTuple):
    """A place where bars are missing.

    Attributes
    ----------
    start_ns : int
        Opening time of the first missing bar.
    end_ns : int
        Opening time of the next bar that is there.
    missing : int
        Number of missing bars.
    """

    start_ns: int
    end_ns: int
    missing: int


class BarRow(NamedTuple):
    """One bar as plain Python values (prices in quote, volume in base currency)."""

    open_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    flags: int


@dataclass(frozen=True, eq=False, repr=False)
class BarFrame:
    """Bars of one pair and one timeframe, ordered by opening time.

    Parameters
    ----------
    pair : str
        Such as ``BTC/USDT``.
    timeframe_ns : int
        Length of a bar; each bar covers ``[open_ns, open_ns + timeframe_ns)``.
    open_ns : int64 array, shape (n,)
        Opening times in ns UTC, strictly increasing.
    open, high, low, close : float64 array, shape (n,), quote currency
        Finite and above zero, ``low <= open, close <= high``.
    volume : float64 array, shape (n,), base currency
        Finite and not negative.
    flags : uint8 array, shape (n,), optional
        Bit 1: forward-filled; bit 2: repaired (moved into order). Zeros by default.
    source : str
        Where the bars come from.
    synthetic : bool
        True if no market ever traded them.

    Raises
    ------
    DataError
        If lengths differ or times do not increase.
    InvalidBarError
        If a bar contradicts itself; the context names the first row.

    Notes
    -----
    The arrays are made read-only. Slices share memory with the frame they come from.

    Examples
    --------
    >>> f = BarFrame("BTC/USDT", 60, [0, 60, 180], [1, 2, 3], [2, 3, 4], [1, 1, 2], [2, 3, 3], [5, 0, 7])
    >>> len(f), f.close_ns.tolist(), f.gaps()
    (3, [60, 120, 240], (Gap(start_ns=120, end_ns=180, missing=1),))
    >>> f.slice_time(60, 180).close.tolist()
    [3.0]
    """

    pair: str
    timeframe_ns: int
    open_ns: TimeArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    flags: FlagArray = field(default_factory=lambda: np.zeros(0, dtype=np.uint8))
    source: str = ""
    synthetic: bool = False

    def __post_init__(self) -> None:
        if self.timeframe_ns <= 0:
            raise DataError("TIMEFRAME_INVALID", f"timeframe_ns: expected > 0, found {self.timeframe_ns}")
        if len(self.flags) == 0:
            object.__setattr__(self, "flags", np.zeros(len(self.open_ns), dtype=np.uint8))
        for name in _ARRAYS:
            object.__setattr__(self, name, _frozen(getattr(self, name), _dtype_of(name)))
        self._check()

    @classmethod
    def from_columns(
        cls,
        pair: str,
        timeframe_ns: int,
        columns: Mapping[str, npt.NDArray[Any]],
        *,
        source: str = "",
        synthetic: bool = False,
    ) -> BarFrame:
        """Return a frame from arrays by name: ``open_ns open high low close volume`` and maybe ``flags``."""
        arrays: dict[str, Any] = {name: columns[name] for name in _ARRAYS if name in columns}
        return cls(pair, timeframe_ns, **arrays, source=source, synthetic=synthetic)

    def __len__(self) -> int:
        return int(self.open_ns.shape[0])

    def __repr__(self) -> str:
        span = f"{format_ns(self.start_ns)}..{format_ns(self.end_ns)}" if len(self) else "empty"
        frame = format_timeframe(self.timeframe_ns) if self.timeframe_ns % 10**9 == 0 else self.timeframe_ns
        mark = " synthetic" if self.synthetic else ""
        return f"BarFrame({self.pair} {frame} {len(self)} bars {span}{mark})"

    @property
    def close_ns(self) -> TimeArray:
        """Closing times, shape (n,): the moment each bar becomes known."""
        return self.open_ns + np.int64(self.timeframe_ns)

    @property
    def start_ns(self) -> int:
        """Opening time of the first bar; DataError if there is none."""
        return int(self.open_ns[self._index(0)])

    @property
    def end_ns(self) -> int:
        """Closing time of the last bar; DataError if there is none."""
        return int(self.open_ns[self._index(-1)]) + self.timeframe_ns

    def row(self, index: int) -> BarRow:
        """Return one bar as plain Python values."""
        return BarRow(
            int(self.open_ns[index]), float(self.open[index]), float(self.high[index]),
            float(self.low[index]), float(self.close[index]), float(self.volume[index]),
            int(self.flags[index]),
        )  # fmt: skip

    def rows(self) -> Iterator[BarRow]:
        """Iterate over the bars as plain Python values, far faster than calling `row` in a loop."""
        columns = [getattr(self, name).tolist() for name in _ARRAYS]
        return map(BarRow._make, zip(*columns, strict=True))

    def slice_rows(self, start: int | None, stop: int | None) -> BarFrame:
        """Return the bars at positions ``start`` to ``stop`` (excluded) without copying."""
        view = object.__new__(BarFrame)
        for name in ("pair", "timeframe_ns", "source", "synthetic"):
            object.__setattr__(view, name, getattr(self, name))
        for name in _ARRAYS:
            object.__setattr__(view, name, getattr(self, name)[start:stop])
        return view

    def slice_time(self, start_ns: int | None = None, end_ns: int | None = None) -> BarFrame:
        """Return the bars that open in ``[start_ns, end_ns)`` without copying; None leaves a side open."""
        first = None if start_ns is None else int(np.searchsorted(self.open_ns, start_ns, side="left"))
        last = None if end_ns is None else int(np.searchsorted(self.open_ns, end_ns, side="left"))
        return self.slice_rows(first, last)

    def known_at(self, time_ns: int) -> BarFrame:
        """Return the bars already closed at a time: what a decision at that time may use."""
        return self.slice_rows(None, int(np.searchsorted(self.close_ns, time_ns, side="right")))

    def gaps(self) -> tuple[Gap, ...]:
        """List the places where consecutive bars are further apart than one bar."""
        return find_gaps(self.open_ns, self.timeframe_ns)

    @property
    def data_hash(self) -> str:
        """SHA-256 (hex) over pair, timeframe and all arrays; the source is not part of it."""
        digest = hashlib.sha256(f"{self.pair}\n{self.timeframe_ns}\n{len(self)}\n".encode())
        for name in _ARRAYS:
            array = np.ascontiguousarray(getattr(self, name))
            digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
        return digest.hexdigest()

    def equals(self, other: BarFrame) -> bool:
        """Tell whether pair, timeframe and every value agree exactly."""
        if (self.pair, self.timeframe_ns) != (other.pair, other.timeframe_ns):
            return False
        return all(np.array_equal(getattr(self, name), getattr(other, name)) for name in _ARRAYS)

    def _index(self, index: int) -> int:
        if not len(self):
            raise DataError("NO_BARS", f"{self.pair}: expected at least one bar, found an empty frame")
        return index

    def _check(self) -> None:
        shapes = {name: getattr(self, name).shape for name in _ARRAYS}
        if len(set(shapes.values())) != 1 or self.open_ns.ndim != 1:
            raise DataError("BARS_SHAPE", f"{self.pair}: expected columns of equal length, found {shapes}")
        steps = np.diff(self.open_ns)
        if steps.size and int(steps.min()) <= 0:
            row = int(np.argmax(steps <= 0)) + 1
            before, found = (format_ns(int(t)) for t in self.open_ns[row - 1 : row + 1])
            raise DataError(
                "BARS_UNSORTED",
                f"{self.pair}: expected strictly increasing opening times, found {found} after {before} "
                f"at row {row}",
                row=row,
            )
        bad = ~(
            (self.low > 0)
            & (self.low <= np.minimum(self.open, self.close))
            & (self.high >= np.maximum(self.open, self.close))
            & np.isfinite(self.high)
            & np.isfinite(self.volume)
            & (self.volume >= 0)
        )
        if bad.any():
            row = int(np.argmax(bad))
            raise InvalidBarError(
                "BAR_INSANE",
                f"{self.pair}: expected 0 < low <= open, close <= high and volume >= 0, "
                f"found {self.row(row)} at row {row}",
                row=row,
            )


def find_gaps(open_ns: TimeArray, timeframe_ns: int) -> tuple[Gap, ...]:
    """List the gaps of sorted opening times.

    A distance that is no whole number of bars is rounded: clocks that jitter by milliseconds lose no bar.

    Examples
    --------
    >>> import numpy as np
    >>> find_gaps(np.array([0, 10, 40]), 10)
    (Gap(start_ns=20, end_ns=40, missing=2),)
    """
    steps = np.diff(open_ns)
    at = np.flatnonzero(steps > timeframe_ns)
    missing = (steps[at] + timeframe_ns // 2) // timeframe_ns - 1
    starts = open_ns[at] + timeframe_ns
    return tuple(map(Gap, starts.tolist(), open_ns[at + 1].tolist(), missing.tolist()))


def concat_frames(frames: list[BarFrame]) -> BarFrame:
    """Join frames of one pair and timeframe that follow each other in time.

    Raises
    ------
    DataError
        If pair, timeframe or origin differ, or the frames overlap or are out of order.

    Examples
    --------
    >>> f = BarFrame("A/B", 1, [0, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 1])
    >>> concat_frames([f.slice_rows(0, 1), f.slice_rows(1, 2)]).equals(f)
    True
    """
    if not frames:
        raise DataError("NO_BARS", "concat_frames: expected at least one frame, found none")
    first = frames[0]
    kind = (first.pair, first.timeframe_ns, first.synthetic)
    for frame in frames[1:]:
        if (frame.pair, frame.timeframe_ns, frame.synthetic) != kind:
            raise DataError(
                "FRAMES_DIFFER",
                f"expected frames of one pair, timeframe and origin, found {first!r} and {frame!r}",
            )
    columns: dict[str, Any] = {n: np.concatenate([getattr(f, n) for f in frames]) for n in _ARRAYS}
    source = ", ".join(dict.fromkeys(f.source for f in frames if f.source))
    return BarFrame(first.pair, first.timeframe_ns, source=source, synthetic=first.synthetic, **columns)


def _dtype_of(name: str) -> Any:
    return np.int64 if name == "open_ns" else np.uint8 if name == "flags" else np.float64


def _frozen(values: Any, dtype: Any) -> npt.NDArray[Any]:
    array = np.asarray(values, dtype=dtype)
    if array.flags.writeable:
        # a copy: whoever holds the array we were given can no longer change our bars
        array = array.copy()
        array.flags.writeable = False
    return array
