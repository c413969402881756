from datetime import UTC, datetime

import pytest

from actors.domain.errors import ConfigError
from actors.domain.model.timerange import TimeRange, format_ns, parse_timerange


def _ns(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("20200101-20200301", _ns(2020, 1, 1), _ns(2020, 3, 1)),
        ("20200101-", _ns(2020, 1, 1), None),
        ("-20200301", None, _ns(2020, 3, 1)),
        ("-", None, None),
        ("20200101T1230-20200101T1231", _ns(2020, 1, 1, 12, 30), _ns(2020, 1, 1, 12, 31)),
        ("20200229T235959-20200301", _ns(2020, 2, 29, 23, 59, 59), _ns(2020, 3, 1)),
    ],
)
def test_sides_are_read_as_utc(text: str, start: int | None, end: int | None) -> None:
    found = parse_timerange(text)
    assert (found.start_ns, found.end_ns) == (start, end)


@pytest.mark.parametrize(
    "text", ["", "20200101", "2020-01-01-2020-03-01", "20200230-", "2020010-", "x-y", "20200101T25-"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_timerange(text)
    assert caught.value.code == "TIMERANGE_INVALID"


@pytest.mark.parametrize("text", ["20200301-20200101", "20200101-20200101"])
def test_an_empty_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_timerange(text)
    assert caught.value.code == "TIMERANGE_EMPTY"


def test_the_end_is_outside() -> None:
    span = TimeRange(10, 20)
    assert [span.contains(t) for t in (9, 10, 19, 20)] == [False, True, True, False]


@pytest.mark.parametrize("text", ["20200101T000000-20200301T123000", "-20200301T000000", "-"])
def test_text_survives_a_round_trip(text: str) -> None:
    assert str(parse_timerange(text)) == text


def test_times_are_written_in_rfc_3339() -> None:
    assert format_ns(_ns(2023, 12, 31, 23, 59, 58)) == "2023-12-31T23:59:58Z"
    assert format_ns(-1) == "1969-12-31T23:59:59.999999999Z"
