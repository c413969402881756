"""Series of funding rates: what is refused, what a run needs of one, what stands in for a missing one."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import DataError
from actors.domain.model.funding import FundingSeries, assumed_series, on_the_minute

HOUR = 3600 * 10**9
MS = 10**6


def series(due: list[int], rates: list[float] | None = None) -> FundingSeries:
    times = np.array(due, dtype=np.int64)
    return FundingSeries("BTC/USDT", times, np.array(rates or [1e-4] * len(due)), "rates.csv")


def test_times_lose_their_milliseconds_whichever_side() -> None:
    stamps = np.array([8 * HOUR + 8 * MS, 16 * HOUR - 12 * MS])
    assert on_the_minute(stamps, "BTC/USDT", "f").tolist() == [8 * HOUR, 16 * HOUR]
    with pytest.raises(DataError, match="FUNDING_TIMES"):
        on_the_minute(np.array([8 * HOUR + 7_000 * MS]), "BTC/USDT", "f")


@pytest.mark.parametrize(
    ("due", "rates", "code"),
    [
        ([1, 2], [1e-4, float("nan")], "FUNDING_RATE"),
        ([1, 2], [1e-4, 0.5], "FUNDING_RATE"),
        ([2, 1], None, "FUNDING_ORDER"),
        ([1, 1], None, "FUNDING_ORDER"),
        ([1, 2], [1e-4], "FUNDING_LENGTH"),
    ],
)
def test_what_cannot_be_used_is_refused(due: list[int], rates: list[float] | None, code: str) -> None:
    with pytest.raises(DataError) as caught:
        FundingSeries(
            "BTC/USDT", np.array(due, dtype=np.int64), np.array(rates or [1e-4] * len(due)), "rates.csv"
        )
    assert caught.value.code == code
    assert "rates.csv" in str(caught.value)


def test_a_run_is_covered_from_its_first_to_its_last_bar() -> None:
    known = series([k * 8 * HOUR for k in range(1, 31)])
    known.check_covers(0, 240 * HOUR, 0.01)
    # the last one may fall due with the last close and not be in the file yet
    known.check_covers(0, 248 * HOUR, 0.01)
    for start, end in ((-9 * HOUR, 200 * HOUR), (0, 249 * HOUR)):
        with pytest.raises(DataError, match="FUNDING_RANGE"):
            known.check_covers(start, end, 0.01)
    with pytest.raises(DataError, match="FUNDING_RANGE"):
        series([]).check_covers(0, HOUR, 0.01)


def test_holes_are_counted() -> None:
    holed = series([k * 8 * HOUR for k in range(1, 101) if k not in (40, 41, 42)])
    holed.check_covers(0, 800 * HOUR, 0.03)
    with pytest.raises(DataError, match="3 of 100 missing"):
        holed.check_covers(0, 800 * HOUR, 0.02)


def test_the_configured_rate_falls_due_on_the_hours_of_its_interval() -> None:
    made = assumed_series("BTC/USDT", 2e-4, 8 * HOUR, 7 * HOUR, 25 * HOUR)
    assert made.due_ns.tolist() == [8 * HOUR, 16 * HOUR, 24 * HOUR]
    assert made.assumed
    assert set(made.rate.tolist()) == {2e-4}
    assert made.between(8 * HOUR, 16 * HOUR).due_ns.tolist() == [16 * HOUR]


def test_the_hash_is_of_times_and_rates() -> None:
    assert series([1, 2]).data_hash == series([1, 2]).data_hash
    assert series([1, 2]).data_hash != series([1, 3]).data_hash
    assert series([1, 2]).data_hash != series([1, 2], [1e-4, 2e-4]).data_hash
