"""Bar lengths as text and as nanoseconds (`1h` is 3,600,000,000,000 ns)."""

from __future__ import annotations

import re
from typing import Final

from actors.domain.errors import ConfigError

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
HOUR_NS: Final = 60 * MINUTE_NS
DAY_NS: Final = 24 * HOUR_NS
WEEK_NS: Final = 7 * DAY_NS

# The epoch was a Thursday; exchanges open weekly bars on Monday 00:00 UTC.
_FIRST_MONDAY_NS: Final = 4 * DAY_NS
_UNITS: Final = (("w", WEEK_NS), ("d", DAY_NS), ("h", HOUR_NS), ("m", MINUTE_NS), ("s", SECOND_NS))
_UNIT_NS: Final = dict(_UNITS)
_PATTERN: Final = re.compile(r"([1-9]\d{0,5})([wdhms])")


def parse_timeframe(text: str) -> int:
    """Return the length of a bar in nanoseconds.

    Parameters
    ----------
    text : str
        A positive whole number and a unit: ``s m h d w``. Months (``1M``) have no fixed length
        and are refused.

    Raises
    ------
    ConfigError
        If the text is not a timeframe.

    Examples
    --------
    >>> parse_timeframe("1h")
    3600000000000
    >>> parse_timeframe("90m") // MINUTE_NS
    90
    """
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            "TIMEFRAME_INVALID",
            f"timeframe: expected a number and one of s m h d w, such as 15m or 1h, found {text!r}",
            timeframe=text,
        )
    return int(match.group(1)) * _UNIT_NS[match.group(2)]


def format_timeframe(timeframe_ns: int) -> str:
    """Return the shortest text of a bar length.

    Weeks are used for exactly one week only, as exchanges write ``3d`` but never ``2w``.

    Raises
    ------
    ConfigError
        If the length is not a positive whole number of seconds.

    Examples
    --------
    >>> format_timeframe(4 * HOUR_NS), format_timeframe(DAY_NS), format_timeframe(WEEK_NS)
    ('4h', '1d', '1w')
    """
    if timeframe_ns <= 0 or timeframe_ns % SECOND_NS:
        raise ConfigError(
            "TIMEFRAME_INVALID",
            f"timeframe_ns: expected a positive whole number of seconds, found {timeframe_ns} ns",
            timeframe_ns=timeframe_ns,
        )
    if timeframe_ns == WEEK_NS:
        return "1w"
    for unit, unit_ns in _UNITS[1:]:
        if timeframe_ns % unit_ns == 0:
            return f"{timeframe_ns // unit_ns}{unit}"
    raise AssertionError("unreachable: every whole second matches")


def bucket_anchor_ns(timeframe_ns: int) -> int:
    """Return the time to which bars of this length are aligned: Monday for weeks, else the epoch.

    Examples
    --------
    >>> bucket_anchor_ns(HOUR_NS), bucket_anchor_ns(WEEK_NS) // DAY_NS
    (0, 4)
    """
    return _FIRST_MONDAY_NS if timeframe_ns % WEEK_NS == 0 else 0


def floor_to_bar(time_ns: int, timeframe_ns: int) -> int:
    """Return the opening time of the bar that contains ``time_ns``.

    Examples
    --------
    >>> floor_to_bar(HOUR_NS + 5, HOUR_NS) == HOUR_NS
    True
    """
    anchor = bucket_anchor_ns(timeframe_ns)
    return (time_ns - anchor) // timeframe_ns * timeframe_ns + anchor
