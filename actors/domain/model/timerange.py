"""Half-open spans of time written as on the command line: `20200101-20200301`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from actors.domain.errors import ConfigError

_FORMATS: Final = {8: "%Y%m%d", 13: "%Y%m%dT%H%M", 15: "%Y%m%dT%H%M%S"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A span of time, start included, end excluded; ``None`` leaves a side open.

    Examples
    --------
    >>> TimeRange(0, 10).contains(9), TimeRange(0, 10).contains(10), TimeRange(None, None).contains(5)
    (True, False, True)
    """

    start_ns: int | None = None
    end_ns: int | None = None

    def __post_init__(self) -> None:
        if self.start_ns is not None and self.end_ns is not None and self.start_ns >= self.end_ns:
            raise ConfigError(
                "TIMERANGE_EMPTY",
                "timerange: expected a start before the end (the end is excluded), "
                f"found {format_ns(self.start_ns)} and {format_ns(self.end_ns)}",
            )

    def contains(self, time_ns: int) -> bool:
        """Tell whether a time lies inside."""
        return (self.start_ns is None or time_ns >= self.start_ns) and (
            self.end_ns is None or time_ns < self.end_ns
        )

    def __str__(self) -> str:
        def side(value: int | None) -> str:
            return "" if value is None else format_ns(value).replace("-", "").replace(":", "")[:15]

        return f"{side(self.start_ns)}-{side(self.end_ns)}"


def parse_timerange(text: str) -> TimeRange:
    """Return the span named by ``start-end``.

    Parameters
    ----------
    text : str
        Each side is ``yyyymmdd``, ``yyyymmddTHHMM`` or ``yyyymmddTHHMMSS`` in UTC, or empty.

    Raises
    ------
    ConfigError
        If a side is no date, there is not exactly one dash, or the start is not before the end.

    Examples
    --------
    >>> r = parse_timerange("20200101-20200301")
    >>> (r.end_ns - r.start_ns) // 86_400_000_000_000
    60
    >>> parse_timerange("20200101T1230-").end_ns is None
    True
    """
    parts = text.strip().split("-")
    if len(parts) != 2:
        raise ConfigError(
            "TIMERANGE_INVALID",
            f"timerange: expected start-end such as 20200101-20200301, found {text!r}",
            timerange=text,
        )
    return TimeRange(_parse_side(parts[0], text), _parse_side(parts[1], text))


def format_ns(time_ns: int) -> str:
    """Return a time as RFC 3339 text in UTC, to the second or as fine as needed.

    Examples
    --------
    >>> format_ns(0), format_ns(1_500_000_000)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500000000Z')
    """
    seconds, rest = divmod(time_ns, 1_000_000_000)
    # fromtimestamp is avoided: it goes through float and through the platform's limits
    whole = datetime.fromordinal(_EPOCH.toordinal() + seconds // 86_400)
    hour, left = divmod(seconds % 86_400, 3_600)
    clock = f"{hour:02d}:{left // 60:02d}:{left % 60:02d}"
    return f"{whole:%Y-%m-%d}T{clock}" + (f".{rest:09d}Z" if rest else "Z")


def _parse_side(side: str, text: str) -> int | None:
    if not side:
        return None
    pattern = _FORMATS.get(len(side))
    try:
        if pattern is None:
            raise ValueError("length")
        moment = datetime.strptime(side, pattern).replace(tzinfo=UTC)
    except ValueError:
        raise ConfigError(
            "TIMERANGE_INVALID",
            f"timerange: expected yyyymmdd or yyyymmddTHHMM on each side of the dash, "
            f"found {side!r} in {text!r}",
            timerange=text,
        ) from None
    return round((moment - _EPOCH).total_seconds()) * 1_000_000_000
