import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from actors.adapters.feeds.files import load_bars, load_pair, load_with_report
from actors.domain.errors import ConfigError, DataError, DataGapError, InvalidBarError
from actors.domain.model.bars import FLAG_FORWARD_FILLED, FLAG_REPAIRED, BarFrame

HOUR_NS = 3_600_000_000_000
START_NS = 1_577_836_800_000_000_000


def _bars(n: int = 300, start: int = START_NS, step: int = HOUR_NS) -> BarFrame:
    rng = np.random.default_rng(3)
    close = np.round(100 * np.exp(rng.normal(0, 0.01, n).cumsum()), 2)
    opens = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opens, close) + 0.5, np.minimum(opens, close) - 0.5
    return BarFrame(
        "BTC/USDT", step, start + step * np.arange(n), opens, high, low, close, rng.random(n).round(3)
    )


def _table(frame: BarFrame) -> pd.DataFrame:
    names = ("open", "high", "low", "close", "volume")
    return pd.DataFrame({"timestamp": frame.open_ns, **{n: getattr(frame, n) for n in names}})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns", "iso", "iso_naive", "float_s"])
@pytest.mark.parametrize("suffix", ["parquet", "feather", "csv", "csv.gz"])
def test_every_format_and_clock_gives_the_same_bars(tmp_path: Path, unit: str, suffix: str) -> None:
    frame = _bars()
    table = _table(frame)
    divisor = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
    if unit in divisor:
        table["timestamp"] = frame.open_ns // divisor[unit]
    elif unit == "float_s":
        table["timestamp"] = frame.open_ns / 1e9
    else:
        times = pd.to_datetime(frame.open_ns, utc=True)
        style = "%Y-%m-%dT%H:%M:%SZ" if unit == "iso" else "%Y-%m-%d %H:%M:%S"
        table["timestamp"] = times.strftime(style)
    path = tmp_path / f"bars.{suffix}"
    if suffix == "parquet":
        table.to_parquet(path)
    elif suffix == "feather":
        table.to_feather(path)
    else:
        table.to_csv(path, index=False)
    assert load_bars(path, "BTC/USDT").equals(frame)


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo"])
def test_typed_times_are_the_instant_they_name(tmp_path: Path, zone: str | None) -> None:
    frame = _bars()
    table = _table(frame)
    times = pd.to_datetime(frame.open_ns, utc=True)
    table["timestamp"] = times.tz_localize(None) if zone is None else times.tz_convert(zone)
    table.to_parquet(tmp_path / "b.parquet")
    assert load_bars(tmp_path / "b.parquet", "BTC/USDT").equals(frame)


@pytest.mark.parametrize(
    "header",
    [
        ["Timestamp", "Open", "High", "Low", "Close", "Volume"],
        ["open_time", "OPEN", "HIGH", "LOW", "CLOSE", "VOLUME"],
        ["Unix Timestamp", "open", "high", "low", "close", "Volume BTC"],
        ["date", "o", "h", "l", "c", "v"],
        ["time", "price_open", "price_high", "price_low", "price_close", "VolumeFrom"],
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_synonyms_cases_and_separators_are_understood(
    tmp_path: Path, header: list[str], separator: str
) -> None:
    frame = _bars()
    table = _table(frame)
    table.columns = pd.Index(header)
    path = tmp_path / "b.csv"
    table.to_csv(path, index=False, sep=separator)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_bars(path, "BTC/USDT").equals(frame)


def test_values_keep_their_last_bit(tmp_path: Path) -> None:
    frame = _bars(50)
    exact = BarFrame(
        "A/B", HOUR_NS, frame.open_ns, *(frame.close * np.pi for _ in range(4)), frame.volume / 3
    )
    _table(exact).to_csv(tmp_path / "b.csv", index=False)
    assert load_bars(tmp_path / "b.csv", "A/B").equals(exact)


def test_reject_names_every_error_and_its_first_row(tmp_path: Path) -> None:
    table = _table(_bars())
    table.loc[7, "low"] = 1e6
    table.to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(InvalidBarError) as caught:
        load_bars(tmp_path / "b.csv", "A/B")
    assert caught.value.code == "OHLC_INSANE"
    assert "line 9:" in str(caught.value)


def test_gaps_up_to_the_limit_stay_gaps_and_beyond_it_are_refused(tmp_path: Path) -> None:
    frame = _bars()
    _table(frame).drop([50, 51]).to_parquet(tmp_path / "b.parquet")
    assert load_bars(tmp_path / "b.parquet", "A/B").gaps()[0].missing == 2
    with pytest.raises(DataGapError):
        load_bars(tmp_path / "b.parquet", "A/B", max_missing_frac=0.001)


def test_fill_forward_fills_only_gaps_and_marks_what_it_made(tmp_path: Path) -> None:
    frame = _bars()
    _table(frame).drop(range(50, 70)).to_parquet(tmp_path / "b.parquet")
    filled = load_bars(tmp_path / "b.parquet", "A/B", policy="fill_forward_flagged")
    assert len(filled) == len(frame)
    assert np.flatnonzero(filled.flags == FLAG_FORWARD_FILLED).tolist() == list(range(50, 70))
    assert (filled.close[50:70] == frame.close[49]).all()
    assert (filled.volume[50:70] == 0).all()
    table = _table(frame)
    table.loc[3, "volume"] = -1
    table.to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(InvalidBarError):
        load_bars(tmp_path / "bad.parquet", "A/B", policy="fill_forward_flagged")


def test_quarantine_keeps_every_bad_row_in_a_file_beside(tmp_path: Path) -> None:
    frame = _bars(1000)
    table = _table(frame).astype({"timestamp": object})
    table.loc[7, "low"] = 1e6
    table.loc[9, "volume"] = -1.0
    table.loc[20, "timestamp"] = int(table.loc[20, "timestamp"]) // 10**9
    again = pd.concat([table, table.iloc[[30]]])  # identical twice
    other = table.iloc[[40]].assign(close=table.loc[40, "close"] + 0.01)  # contradicts row 40
    path = tmp_path / "b.csv"
    pd.concat([again, other]).to_csv(path, index=False)
    with path.open("a") as file:
        file.write("torn,line\n")
    loaded = load_with_report(path, "A/B", policy="quarantine")
    expected = np.delete(np.arange(1000), [7, 9, 20, 40])
    np.testing.assert_array_equal(loaded.frame.open_ns, frame.open_ns[expected])
    assert loaded.quarantined is not None
    assert loaded.quarantined.path == tmp_path / "b.csv.quarantine.csv"
    kept = pd.read_csv(loaded.quarantined.path)
    assert len(kept) == loaded.quarantined.rows == 3 + 1 + 2 + 1
    assert sorted(kept["line"]) == [9, 11, 22, 42, 1002, 1003, 1004]
    assert set(kept["reason"]) == {
        "OHLC_INSANE", "NEGATIVE_VOLUME", "MIXED_CLOCK", "REPEATED_BARS", "CONTRADICTING_BARS", "RAGGED_ROWS",
    }  # fmt: skip


def test_quarantine_restores_the_order_and_marks_moved_bars(tmp_path: Path) -> None:
    frame = _bars(10)
    _table(frame).iloc[[0, 1, 3, 2, 4, 5, 6, 7, 8, 9]].to_csv(tmp_path / "b.csv", index=False)
    loaded = load_with_report(tmp_path / "b.csv", "A/B", policy="quarantine")
    np.testing.assert_array_equal(loaded.frame.close, frame.close)
    assert np.flatnonzero(loaded.frame.flags == FLAG_REPAIRED).tolist() == [2, 3]
    assert loaded.quarantined is None


def test_quarantine_refuses_a_file_whose_numbers_are_ruined(tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    path.write_text(
        "timestamp,open,high,low,close,volume\n1577836800,1.000.5,2,1,1,1\n1577840400,1,1,1,1,1\n"
    )
    with pytest.raises(DataError) as caught:
        load_bars(path, "A/B", policy="quarantine")
    assert caught.value.code == "LOCALE_NUMBERS"


def test_bad_rows_are_not_dropped_when_the_sidecar_cannot_be_written(tmp_path: Path) -> None:
    table = _table(_bars())
    table.loc[7, "low"] = 1e6
    table.to_csv(tmp_path / "b.csv", index=False)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    with pytest.raises(DataError) as caught:
        load_bars(tmp_path / "b.csv", "A/B", policy="quarantine", quarantine_dir=blocked)
    assert caught.value.code == "QUARANTINE_NOT_WRITTEN"


def test_an_unknown_policy_and_a_wrong_timeframe_are_refused(tmp_path: Path) -> None:
    _table(_bars()).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(ConfigError, match="reject, quarantine"):
        load_bars(tmp_path / "b.parquet", "A/B", policy="drop")
    with pytest.raises(DataError) as caught:
        load_bars(tmp_path / "b.parquet", "A/B", "15m")
    assert caught.value.code == "TIMEFRAME_MISMATCH"


def test_files_of_a_pair_are_joined_and_resampled(tmp_path: Path) -> None:
    frame = _bars(48)
    _table(frame.slice_rows(24, None)).to_csv(tmp_path / "a.csv.gz", index=False)
    _table(frame.slice_rows(0, 24)).to_parquet(tmp_path / "b.parquet")
    paths = [tmp_path / "a.csv.gz", tmp_path / "b.parquet"]
    joined, loaded = load_pair(paths, "BTC/USDT")
    assert joined.equals(frame)
    assert len(loaded) == 2
    assert len(load_pair(paths, "BTC/USDT", "4h")[0]) == 12
    _table(frame.slice_rows(0, 25)).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError) as caught:
        load_pair(paths, "BTC/USDT")
    assert caught.value.code == "FILES_OVERLAP"
    with pytest.raises(ConfigError):
        load_pair(paths[:1], "BTC/USDT", "30m")


def test_gzip_is_told_by_the_name_in_any_case(tmp_path: Path) -> None:
    frame = _bars(20)
    (tmp_path / "B.CSV.GZ").write_bytes(gzip.compress(_table(frame).to_csv(index=False).encode()))
    assert load_bars(tmp_path / "B.CSV.GZ", "BTC/USDT").equals(frame)


def test_unusual_column_types_of_parquet_are_read(tmp_path: Path) -> None:
    frame = _bars(50)
    texts = [str(v) for v in frame.close.tolist()]
    table = pa.table(
        {
            "timestamp": pa.array([str(t) for t in frame.open_ns.tolist()]).dictionary_encode(),
            "open": pa.array([Decimal(str(v)) for v in frame.open.tolist()]),
            "high": pa.array([str(v) for v in frame.high.tolist()], pa.large_string()),
            "low": pa.chunked_array([frame.low[:20], frame.low[20:]]),
            "close": pa.array(texts, pa.string_view()),
            "volume": pa.array(np.arange(50, dtype=np.uint8)),
        }
    )
    pq.write_table(table, tmp_path / "b.parquet")
    found = load_bars(tmp_path / "b.parquet", "BTC/USDT")
    for name in ("open_ns", "open", "high", "low", "close"):
        np.testing.assert_array_equal(getattr(found, name), getattr(frame, name))
    assert found.volume.tolist() == list(range(50))


def test_a_file_of_one_bar_has_the_timeframe_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT_1h.csv"
    path.write_text("timestamp,open,high,low,close,volume\n2023-01-01T00:00:00Z,10,11,9,10,5\n", "utf-8")
    frame, _ = load_pair([path], "BTC/USDT", "1h")
    assert (len(frame), frame.timeframe_ns) == (1, 3_600 * 10**9)
    with pytest.raises(DataError, match="name it with -i"):
        load_pair([path], "BTC/USDT")
