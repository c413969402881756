"""Files of funding rates: the forms that are understood and what is said about the others."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from actors.adapters.feeds.funding import load_funding
from actors.domain.errors import DataError

HOUR = 3600 * 10**9
GOOD = "timestamp,funding_rate\n2023-01-01 00:00:00,0.0001\n2023-01-01 08:00:00.008,-0.00002\n"


def write(folder: Path, text: str, name: str = "rates.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (GOOD, "rates.csv"),
        (GOOD, "rates.csv.gz"),
        ("fundingTime,symbol,fundingRate\n1672531200000,B,0.0001\n1672560000008,B,-0.00002\n", "r.csv"),
        (
            "calc_time,funding_interval_hours,last_funding_rate\n1672531200,8,1e-4\n1672560000,8,-2e-5\n",
            "r.csv",
        ),
    ],
    ids=["csv", "gzip", "exchange", "archive"],
)
def test_common_forms_are_read(tmp_path: Path, text: str, name: str) -> None:
    found = load_funding(write(tmp_path, text, name), "BTC/USDT")
    assert np.diff(found.due_ns).tolist() == [8 * HOUR]
    assert found.rate.tolist() == [0.0001, -0.00002]
    assert not found.assumed


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("timestamp,rate_of_x\n2023-01-01,1\n", "MISSING_COLUMNS", "no funding_rate"),
        ("when,funding_rate\n2023-01-01,0.0001\n", "MISSING_COLUMNS", "no timestamp"),
        (
            "timestamp,funding_rate\nyesterday,0.0001\n",
            "UNREADABLE_VALUE",
            "'yesterday' as timestamp of row 1",
        ),
        (GOOD + "2023-01-01 16:00:00,\n", "UNREADABLE_VALUE", "as funding_rate of row 3"),
        (GOOD + "2023-01-01 16:00:00,0.01%\n", "UNREADABLE_VALUE", "'0.01%'"),
        (GOOD + "2023-01-01 16:00:00,1.0\n", "FUNDING_RATE", "give 0.01 % as 0.0001"),
        (GOOD + "2023-01-01 00:00:00,0.0001\n", "FUNDING_ORDER", "sort the file"),
        (GOOD + "2023-01-01 08:00:00,0.0001\n", "FUNDING_ORDER", "in it twice"),
        (GOOD + "2023-01-01 16:00:30,0.0001\n", "FUNDING_TIMES", "whole minutes"),
        ("timestamp,funding_rate\n", "FILE_EMPTY", "found none"),
        ("", "FILE_UNREADABLE", "expected a readable"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_place(tmp_path: Path, text: str, code: str, words: str) -> None:
    with pytest.raises(DataError) as caught:
        load_funding(write(tmp_path, text), "BTC/USDT")
    assert (caught.value.code, caught.value.exit_code) == (code, 3)
    assert words in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="FILE_MISSING"):
        load_funding(tmp_path / "no.csv", "BTC/USDT")
    with pytest.raises(DataError, match="FILE_KIND_UNKNOWN"):
        load_funding(write(tmp_path, GOOD, "rates.txt"), "BTC/USDT")


@pytest.mark.shared_data
def test_recorded_rates_fall_due_every_eight_hours(shared_data: Path) -> None:
    found = load_funding(shared_data / "ohlcv/binance_usdm_perp/BTCUSDT_funding_8h.parquet", "BTC/USDT")
    assert len(found) == 1095
    assert set(np.diff(found.due_ns).tolist()) == {8 * HOUR}
    assert (found.due_ns % (8 * HOUR) == 0).all()
    assert (found.rate < 0).any()
