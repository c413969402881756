import re
from pathlib import Path

import pytest

from actors.adapters.feeds.quality import check_file, check_table
from actors.domain.errors import DataError

HEADER = "timestamp,open,high,low,close,volume"
HOUR_MS = 3_600_000
START_MS = 1_577_836_800_000


def _lines(n: int = 200) -> list[str]:
    return [f"{START_MS + k * HOUR_MS},{100 + k},{102 + k},{99 + k},{101 + k},{k + 1}.5" for k in range(n)]


def _write(tmp_path: Path, lines: list[str], header: str = HEADER, name: str = "bars.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_clean_bars_pass(tmp_path: Path) -> None:
    report = check_table(_write(tmp_path, _lines()))
    assert report.ok
    assert report.codes() == ()
    assert (report.rows, report.gaps, report.missing_frac, report.timeframe_ns) == (200, 0, 0.0, 3600 * 10**9)


@pytest.mark.parametrize(
    ("code", "line", "text"),
    [
        ("MIXED_CLOCK", 12, f"{(START_MS + 10 * HOUR_MS) // 1000},1,1,1,1,1"),
        ("MIXED_CLOCK", 12, "2020-01-01T10:00:00Z,1,1,1,1,1"),
        ("UNPARSABLE_TIME", 12, "29-04-13 23:59,1,1,1,1,1"),
        ("UNPARSABLE_TIME", 12, ",1,1,1,1,1"),
        ("UNPARSABLE_TIME", 12, "20200101,1,1,1,1,1"),
        ("UNPARSABLE_TIME", 12, "9999999999999999999,1,1,1,1,1"),
        ("LOCALE_NUMBERS", 12, f"{START_MS + 10 * HOUR_MS},14.748.800.659,1,1,1,1"),
        ("LOCALE_NUMBERS", 12, f'{START_MS + 10 * HOUR_MS},"1,5",2,1,1,1'),
        ("LOCALE_NUMBERS", 12, f'{START_MS + 10 * HOUR_MS},1,2,1,1,"1.234,5"'),
        ("UNPARSABLE_NUMBER", 12, f"{START_MS + 10 * HOUR_MS},1,2,1,x,1"),
        ("NON_FINITE", 12, f"{START_MS + 10 * HOUR_MS},1,2,1,,1"),
        ("NON_FINITE", 12, f"{START_MS + 10 * HOUR_MS},1,inf,1,1,1"),
        ("NON_FINITE", 12, f"{START_MS + 10 * HOUR_MS},1,1,1,1,NaN"),
        ("PRICE_NOT_POSITIVE", 12, f"{START_MS + 10 * HOUR_MS},1,1,0,1,1"),
        ("OHLC_INSANE", 12, f"{START_MS + 10 * HOUR_MS},1,1,2,1,1"),
        ("OHLC_INSANE", 12, f"{START_MS + 10 * HOUR_MS},5,4,1,1,1"),
        ("NEGATIVE_VOLUME", 12, f"{START_MS + 10 * HOUR_MS},1,1,1,1,-1"),
        ("RAGGED_ROWS", 12, f"{START_MS + 10 * HOUR_MS},1,1,1,1,1,9"),
        ("RAGGED_ROWS", 12, "1,2"),
        ("DUPLICATES", 12, f"{START_MS + 9 * HOUR_MS},1,1,1,1,1"),
        ("UNSORTED", 12, f"{START_MS - HOUR_MS},1,1,1,1,1"),
    ],
)
def test_a_planted_defect_is_named_with_its_line(tmp_path: Path, code: str, line: int, text: str) -> None:
    lines = _lines()
    lines[line - 2] = text
    report = check_table(_write(tmp_path, lines))
    assert not report.ok
    found = next(f for f in report.errors if f.code == code)
    assert found.offenders[0].line == line
    assert found.count == 1
    first_cell = next(iter(found.offenders[0].values.values()))
    assert first_cell == text.split(",")[0] or first_cell == text


def test_missing_bars_are_a_warning_up_to_the_limit_and_an_error_beyond(tmp_path: Path) -> None:
    lines = _lines()
    path = _write(tmp_path, lines[:50] + lines[52:])
    report = check_table(path)
    assert report.ok
    assert (report.gaps, report.missing, report.missing_frac) == (1, 2, 0.01)
    assert report.codes() == ("GAPS",)
    assert report.warnings[0].offenders[0].values["missing_from"] == "2020-01-03T02:00:00Z"
    assert check_table(path, max_missing_frac=0.0099).codes() == ("MISSING_BARS",)


def test_zero_volume_and_text_before_the_header_are_warnings(tmp_path: Path) -> None:
    lines = _lines()
    lines[3] = lines[3].rsplit(",", 1)[0] + ",0"
    report = check_table(_write(tmp_path, [HEADER, *lines], header="# made by hand"))
    assert report.ok
    assert report.codes() == ("HEADER_JUNK", "ZERO_VOLUME")
    assert report.warnings[0].offenders[0].line == 1
    assert report.warnings[1].offenders[0].line == 6


def test_line_numbers_survive_empty_lines_and_lines_of_wrong_length(tmp_path: Path) -> None:
    lines = _lines()
    lines[4] = ""
    lines[6] = "ragged"
    lines[20] = f"{START_MS + 20 * HOUR_MS},1,1,1,1,-1"
    report = check_table(_write(tmp_path, lines))
    places = {f.code: f.offenders[0].line for f in report.errors if f.offenders}
    assert places["RAGGED_ROWS"] == 8
    assert places["NEGATIVE_VOLUME"] == 22


def test_newest_first_is_said_so(tmp_path: Path) -> None:
    report = check_table(_write(tmp_path, _lines()[::-1]))
    assert report.codes() == ("UNSORTED",)
    assert report.out_of_order == 199
    assert "newest first" in report.errors[0].message


def test_a_table_without_a_column_names_it(tmp_path: Path) -> None:
    path = _write(tmp_path, ["1,2,3,4,5"], header="timestamp,open,high,low,close")
    report = check_table(path)
    assert report.codes() == ("MISSING_COLUMNS",)
    assert "missing volume" in report.errors[0].message


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "1577836800000,1,2,3,4,5\n"])
def test_a_file_without_a_header_of_bars_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        check_table(path)
    assert caught.value.code == "MISSING_COLUMNS"


def test_a_header_without_rows_is_an_error(tmp_path: Path) -> None:
    assert check_table(_write(tmp_path, [])).codes() == ("NO_BARS",)


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("x.parquet", b"not parquet", "FILE_UNREADABLE"),
        ("x.feather", b"", "FILE_UNREADABLE"),
        ("x.csv.gz", b"not gzip", "FILE_UNREADABLE"),
        ("x.csv.gz", b"\x1f\x8b\x08\x00", "FILE_UNREADABLE"),
        ("x.csv", b"\xff\xfet\x00", "FILE_UNREADABLE"),
        ("x.xlsx", b"", "FILE_KIND_UNKNOWN"),
    ],
)
def test_an_unreadable_file_is_a_data_error(tmp_path: Path, name: str, data: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DataError) as caught:
        check_table(tmp_path / name)
    assert caught.value.code == code
    assert check_file(tmp_path / name).codes() == (code,)


def test_the_json_has_the_promised_keys(tmp_path: Path) -> None:
    found = check_table(_write(tmp_path, _lines())).to_dict()
    counts = {"rows", "gaps", "missing_frac", "duplicates", "out_of_order", "invalid", "zero_volume"}
    assert counts | {"errors", "warnings"} <= set(found)


@pytest.mark.shared_data
def test_the_dirty_files_are_caught_with_their_offenders(shared_data: Path) -> None:
    reports = {p.name: check_table(p) for p in sorted((shared_data / "ohlcv" / "dirty").glob("*.csv.gz"))}
    binance, gemini, kaggle = reports.values()
    assert binance.codes() == ("MIXED_CLOCK", "UNSORTED", "DUPLICATES", "GAPS", "ZERO_VOLUME")
    assert (binance.rows, binance.duplicates, binance.out_of_order) == (36062, 2649, 33412)
    assert binance.errors[0].offenders[0].line == 2
    assert binance.errors[0].offenders[0].values["unix"] == "1623283200000"
    assert gemini.codes()[:4] == ("MIXED_CLOCK", "PRICE_NOT_POSITIVE", "UNSORTED", "HEADER_JUNK")
    assert gemini.errors[1].offenders[0].line == 45827
    assert gemini.errors[1].offenders[0].values["Open"] == "0.0"
    assert kaggle.codes()[:2] == ("UNPARSABLE_TIME", "LOCALE_NUMBERS")
    assert kaggle.errors[1].offenders[0].values["High"] == "14.748.800.659.179.600"


@pytest.mark.shared_data
def test_the_binance_files_pass_with_the_gaps_their_readme_lists(shared_data: Path) -> None:
    stated = re.findall(
        r"`ohlcv/binance_spot/(\S+)` .*? ([\d,]+) rows;.*?"
        r"Notes: (\d+) gaps \((\d+) bars missing.*?\)(?:; (\d+) zero)?",
        (shared_data / "README.md").read_text(),
    )
    files = {p.name for p in (shared_data / "ohlcv" / "binance_spot").glob("*.parquet")}
    assert {s[0] for s in stated} == files
    assert len(files) == 29
    for name, rows, gaps, missing, zero in stated:
        report = check_table(shared_data / "ohlcv" / "binance_spot" / name)
        assert report.ok, report.summary()
        counts = (report.rows, report.gaps, report.missing, report.zero_volume)
        assert counts == (int(rows.replace(",", "")), int(gaps), int(missing), int(zero or 0)), name
        assert len(report.gap_list) == report.gaps
        if report.gaps:
            listed = next(f for f in report.warnings if f.code == "GAPS")
            assert len(listed.offenders) == report.gaps
