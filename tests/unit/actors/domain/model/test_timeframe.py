import pytest

from actors.domain.errors import ConfigError
from actors.domain.model.timeframe import (
    DAY_NS,
    HOUR_NS,
    MINUTE_NS,
    WEEK_NS,
    floor_to_bar,
    format_timeframe,
    parse_timeframe,
)


@pytest.mark.parametrize("text", ["1s", "1m", "5m", "15m", "30m", "1h", "4h", "12h", "1d", "3d", "1w"])
def test_text_survives_a_round_trip(text: str) -> None:
    assert format_timeframe(parse_timeframe(text)) == text


@pytest.mark.parametrize(
    "text", ["", "h", "0h", "-1h", "1.5h", "1M", "1 h", "1H", "01h", "1hh", "999999999h"]
)
def test_what_is_no_timeframe_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="timeframe") as caught:
        parse_timeframe(text)
    assert caught.value.code == "TIMEFRAME_INVALID"


def test_sixty_minutes_are_written_as_an_hour() -> None:
    assert format_timeframe(60 * MINUTE_NS) == "1h"
    assert format_timeframe(90 * MINUTE_NS) == "90m"
    assert format_timeframe(14 * DAY_NS) == "14d"


def test_no_text_for_parts_of_a_second() -> None:
    with pytest.raises(ConfigError):
        format_timeframe(1)


def test_weeks_start_on_monday_and_hours_at_the_epoch() -> None:
    monday = 1_577_664_000_000_000_000  # 2019-12-30
    assert floor_to_bar(monday + 3 * DAY_NS + 5, WEEK_NS) == monday
    assert floor_to_bar(monday + HOUR_NS - 1, HOUR_NS) == monday
    assert floor_to_bar(-1, HOUR_NS) == -HOUR_NS
