"""Opening times of any common kind to ns UTC, each row's unit found by its magnitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

UNIT_NAMES: Final = ("unparsable", "s", "ms", "us", "ns", "text", "typed")
UNPARSABLE, SECONDS, MILLIS, MICROS, NANOS, TEXT, TYPED = range(7)
_NS_PER_UNIT: Final = {SECONDS: 10**9, MILLIS: 10**6, MICROS: 10**3, NANOS: 1}
# Seconds from 1973 on, below the milliseconds of the same day: the ranges of the four units never meet.
_LOWEST, _STEP = 10**8, 1000
_LATEST_NS: Final = 4_102_444_800 * 10**9  # 2100-01-01


@dataclass(frozen=True)
class Clock:
    """Times of a column.

    Attributes
    ----------
    ns : int64 array, shape (n,)
        UTC; 0 where unparsable.
    unit : int8 array, shape (n,)
        Index into ``UNIT_NAMES``.
    """

    ns: npt.NDArray[np.int64]
    unit: npt.NDArray[np.int8]

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """True where a time was read."""
        return np.asarray(self.unit != UNPARSABLE, dtype=np.bool_)

    def units_present(self) -> dict[int, int]:
        """Rows per unit, unparsable ones left out, most frequent first."""
        counts = np.bincount(self.unit, minlength=len(UNIT_NAMES))
        present = [(int(c), u) for u, c in enumerate(counts) if c and u != UNPARSABLE]
        return {u: c for c, u in sorted(present, key=lambda p: (-p[0], p[1]))}


def read_clock(column: Any) -> Clock:
    """Read a pyarrow column of times: typed, numbers in s, ms, us or ns, or ISO text (naive is UTC).

    Examples
    --------
    >>> import pyarrow as pa
    >>> c = read_clock(pa.array(["1577836800", "1577836800000", "2020-01-01T01:00:00+01:00", "01.01.2020"]))
    >>> [UNIT_NAMES[u] for u in c.unit], len(set(c.ns[:3].tolist()))
    (['s', 'ms', 'text', 'unparsable'], 1)
    """
    import pyarrow as pa
    import pyarrow.types as pt

    n = len(column)
    kind = column.type
    if pt.is_timestamp(kind) or pt.is_date(kind):
        known = column.is_valid().to_numpy(zero_copy_only=False)
        # the instant is stored in UTC whatever the zone says; a naive one is taken as UTC
        ticks = column.cast(pa.timestamp("ns", tz=getattr(kind, "tz", None)), safe=False).cast(pa.int64())
        ns = ticks.fill_null(0).to_numpy()
        return Clock(np.where(known, ns, 0), np.where(known, TYPED, UNPARSABLE).astype(np.int8))
    if pt.is_integer(kind):
        known = column.is_valid().to_numpy(zero_copy_only=False)
        return _by_magnitude(column.cast(pa.int64(), safe=False).fill_null(0).to_numpy(), known)
    if pt.is_floating(kind):
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return _from_floats(values, np.isfinite(values))
    if pt.is_string(kind) or pt.is_large_string(kind):
        return _from_text(column)
    return Clock(np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int8))


def _by_magnitude(values: npt.NDArray[np.int64], known: npt.NDArray[np.bool_]) -> Clock:
    unit = np.zeros(values.shape, dtype=np.int8)
    ns = np.zeros(values.shape, dtype=np.int64)
    low = _LOWEST
    for code, factor in _NS_PER_UNIT.items():
        high = low * _STEP
        inside = known & (values >= low) & (values < high) & (values < _LATEST_NS // factor)
        unit[inside] = code
        ns[inside] = values[inside] * factor
        low = high
    return Clock(ns, unit)


def _from_floats(values: npt.NDArray[np.float64], known: npt.NDArray[np.bool_]) -> Clock:
    whole = np.where(known, np.floor(np.where(known, values, 0.0)), 0.0)
    clock = _by_magnitude(whole.clip(0, 9e18).astype(np.int64), known)
    # a float holds present seconds to about 0.2 us: the fraction is kept to the microsecond
    fraction = np.where(known, values - whole, 0.0)
    for code, factor in _NS_PER_UNIT.items():
        if factor >= 1000:
            rows = clock.unit == code
            clock.ns[rows] += np.rint(fraction[rows] * (factor // 1000)).astype(np.int64) * 1000
    return clock


def _from_text(column: Any) -> Clock:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(column).fill_null("")
    n = len(text)
    ns, unit = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int8)
    whole = pc.match_substring_regex(text, r"^[0-9]{1,19}$").to_numpy(zero_copy_only=False)
    real = pc.match_substring_regex(text, r"^[0-9]+\.[0-9]*([eE][+]?[0-9]+)?$").to_numpy(zero_copy_only=False)
    if whole.any():
        # 19 digits can exceed int64; such a number is no time of ours
        numbers = text.filter(pa.array(whole)).cast(pa.decimal128(19, 0)).cast(pa.float64()).to_numpy()
        fits = numbers < 9.2e18
        safe = pc.if_else(pa.array(fits), text.filter(pa.array(whole)), "0")
        part = _by_magnitude(safe.cast(pa.int64()).to_numpy(), fits)
        ns[whole], unit[whole] = part.ns, part.unit
    if real.any():
        values = text.filter(pa.array(real)).cast(pa.float64()).to_numpy()
        part = _from_floats(values, np.isfinite(values))
        ns[real], unit[real] = part.ns, part.unit
    dated = pc.match_substring_regex(text, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}").to_numpy(zero_copy_only=False)
    if dated.any():
        strings = text.filter(pa.array(dated)).to_pandas()
        times = pd.DatetimeIndex(pd.to_datetime(strings, format="ISO8601", utc=True, errors="coerce"))
        read = ~np.asarray(times.isna())
        ns[dated] = np.where(read, times.as_unit("ns").asi8, 0)
        unit[dated] = np.where(read, TEXT, UNPARSABLE)
    return Clock(ns, unit)
