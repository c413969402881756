"""Times as feeds write them: ISO 8601, RFC 822, seconds or milliseconds since 1970, days."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from actors.domain.errors import DataError

_DAY = re.compile(r"^\d{4}-\d{1,2}-\d{1,2}$")
_OTHER_DAY = re.compile(r"^\d{4}(\d{4}|-?W\d{2}(-?\d)?)$")
_WORDED = re.compile(r"^\d{1,2} [A-Za-z]{3}")  # RFC 822 without the day of the week
_DAY_FIRST = re.compile(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2}))?)?$")
_NUMBER = re.compile(r"^\d{9,14}(\.\d+)?$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_time(text: str, *, day_first: bool = False) -> int:
    """Return nanoseconds UTC; a time without a zone is UTC, a day without a clock is the end of that day.

    The end, because a value that belongs to a day may have been known only then: a test on the past must not see it
    before.

    Raises
    ------
    DataError
        If it is no time.

    Examples
    --------
    >>> parse_time("2021-01-01") == parse_time("2021-01-02T00:00:00Z") == parse_time("1609545600")
    True
    >>> parse_time("Sat, 02 Jan 2021 01:00:00 +0100") == parse_time("2-1-2021 0:00", day_first=True)
    True
    """
    text = text.strip()
    try:
        if _NUMBER.match(text):
            seconds = float(text)
            return round(seconds * (1e6 if seconds > 1e11 else 1e9))
        found = _DAY_FIRST.match(text) if day_first else None
        if found:
            day, month, year, hour, minute, second = found.groups()
            when = datetime(
                int(year),
                int(month),
                int(day),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                tzinfo=UTC,
            )
            return _ns(when if hour is not None else when + timedelta(days=1))
        if _DAY.match(text):
            year, month, day = text.split("-")
            return _ns(datetime(int(year), int(month), int(day), tzinfo=UTC) + timedelta(days=1))
        if week := _OTHER_DAY.match(text):
            if "W" in text and week.group(2) is None:
                raise ValueError("a week is no day")
            return _ns(datetime.fromisoformat(text) + timedelta(days=1))
        if text[:1].isdigit() and not _WORDED.match(text):
            return _ns(datetime.fromisoformat(text.replace("Z", "+00:00")))
        return _ns(parsedate_to_datetime(text))
    except (ValueError, TypeError, OverflowError, IndexError) as e:
        raise DataError(
            "SENTIMENT_TIME",
            "time: expected ISO 8601, RFC 822, seconds since 1970 or a day (day-first ones with day_first), found "
            f"{text[:60]!r}",
        ) from e


def _ns(when: datetime) -> int:
    when = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    since = when - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1000
