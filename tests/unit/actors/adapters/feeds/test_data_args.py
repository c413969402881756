from pathlib import Path

import pytest

from actors.adapters.feeds.data_args import data_files, parse_data_args, select_data
from actors.domain.errors import ConfigError, DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "BTCUSDT_1h.parquet",
        "BTCUSDT_4h.parquet",
        "ETHUSDT_1h.parquet",
        "notes.txt",
        ".BTCUSDT_1h.csv",
    ):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def _names(found: dict[str, list[Path]]) -> dict[str, list[str]]:
    return {pair: [p.name for p in paths] for pair, paths in found.items()}


def test_one_file_with_one_pair_needs_no_name(tmp_path: Path) -> None:
    path = tmp_path / "whatever.csv"
    path.touch()
    assert parse_data_args([str(path)], ["BTC/USDT"]) == {"BTC/USDT": [path]}


def test_only_a_pair_is_split_off(tmp_path: Path) -> None:
    odd = tmp_path / "year=2020"
    odd.mkdir()
    path = odd / "BTCUSDT_1h.csv"
    path.touch()
    assert parse_data_args([str(path)], ["BTC/USDT", "ETH/USDT"][:1]) == {"BTC/USDT": [path]}
    assert parse_data_args([f"BTC/USDT={path}"], ["BTC/USDT"]) == {"BTC/USDT": [path]}
    assert parse_data_args([f"btc/usdt={path}"], ["BTC/USDT"]) == {"BTC/USDT": [path]}


def test_named_and_unnamed_files_mix(folder: Path) -> None:
    args = [str(folder / "BTCUSDT_1h.parquet"), f"ETH/USDT={folder / 'ETHUSDT_1h.parquet'}"]
    found = parse_data_args(args, ["BTC/USDT", "ETH/USDT"])
    assert _names(found) == {"BTC/USDT": ["BTCUSDT_1h.parquet"], "ETH/USDT": ["ETHUSDT_1h.parquet"]}


def test_the_longest_symbol_wins_and_must_end_where_it_ends(tmp_path: Path) -> None:
    for name in ("BTCUSD_1h.csv", "BTCUSDT_1h.csv", "btc_usdc-1h.csv"):
        (tmp_path / name).touch()
    found = parse_data_args([str(tmp_path)], ["BTC/USD", "BTC/USDT", "BTC/USDC"])
    assert _names(found) == {
        "BTC/USD": ["BTCUSD_1h.csv"], "BTC/USDT": ["BTCUSDT_1h.csv"], "BTC/USDC": ["btc_usdc-1h.csv"],
    }  # fmt: skip


def test_a_folder_means_its_files_and_other_pairs_are_noted(folder: Path) -> None:
    found = select_data([str(folder)], ["ETH/USDT"])
    assert _names(found.files) == {"ETH/USDT": ["ETHUSDT_1h.parquet"]}
    assert len(found.notes) == 2
    assert all("BTCUSDT" in note for note in found.notes)


def test_many_files_of_other_pairs_are_one_note(folder: Path) -> None:
    for name in ("ADAUSDT_1h.csv", "LTCUSDT_1h.csv"):
        (folder / name).touch()
    assert select_data([str(folder)], ["ETH/USDT"]).notes == (
        f"{folder}: 4 files ignored, whose names start with none of ETH/USDT",
    )


def test_data_for_a_pair_that_was_not_asked_for_is_noted(folder: Path) -> None:
    args = [f"ETH/USDT={folder / 'ETHUSDT_1h.parquet'}", f"BTC/USDT={folder / 'BTCUSDT_1h.parquet'}"]
    found = select_data(args, ["BTC/USDT"])
    assert list(found.files) == ["BTC/USDT"]
    assert "ETH/USDT ignored" in found.notes[0]
    by_name = [str(folder / "BTCUSDT_1h.parquet"), str(folder / "ETHUSDT_1h.parquet")]
    assert "ETHUSDT_1h" in select_data(by_name, ["BTC/USDT"]).notes[0]


def test_the_timeframe_chooses_among_files_of_a_pair(folder: Path) -> None:
    found = select_data([str(folder)], ["BTC/USDT", "ETH/USDT"], "1h")
    assert _names(found.files) == {"BTC/USDT": ["BTCUSDT_1h.parquet"], "ETH/USDT": ["ETHUSDT_1h.parquet"]}
    with pytest.raises(ConfigError) as caught:
        select_data([str(folder)], ["BTC/USDT"])
    assert caught.value.code == "DATA_AMBIGUOUS"


def test_without_pairs_the_named_ones_are_meant(folder: Path) -> None:
    found = parse_data_args([f"ETH/USDT={folder / 'ETHUSDT_1h.parquet'}"], [])
    assert list(found) == ["ETH/USDT"]


@pytest.mark.parametrize(
    ("names", "pairs", "code"),
    [
        (["a.csv", "b.csv"], ["BTC/USDT"], "DATA_AMBIGUOUS"),
        (["a.csv"], ["BTC/USDT", "ETH/USDT"], "DATA_AMBIGUOUS"),
        (["BTCUSDT.csv"], ["BTC/USDT", "ETH/USDT"], "PAIR_WITHOUT_DATA"),
        (["a.csv"], [], "DATA_AMBIGUOUS"),
        (["a.csv"], ["BTCUSDT"], "PAIR_INVALID"),
    ],
)
def test_what_cannot_be_decided_is_a_usage_error(
    tmp_path: Path, names: list[str], pairs: list[str], code: str
) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(ConfigError) as caught:
        parse_data_args([str(tmp_path / name) for name in names], pairs)
    assert caught.value.code == code
    assert caught.value.exit_code == 2


def test_a_folder_given_to_one_pair_may_not_hold_another(folder: Path) -> None:
    with pytest.raises(ConfigError, match="ETHUSDT_1h"):
        parse_data_args([f"BTC/USDT={folder}"], ["BTC/USDT", "ETH/USDT"], "1h")


@pytest.mark.parametrize("arg", ["BTC/USDT=", ""])
def test_an_argument_without_a_path_is_a_usage_error(arg: str) -> None:
    with pytest.raises(ConfigError):
        parse_data_args([arg], ["BTC/USDT"])


def test_what_is_not_there_is_a_data_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError) as caught:
            parse_data_args([str(path)], ["BTC/USDT"])
        assert caught.value.exit_code == 3


def test_check_data_sees_each_file_once(folder: Path) -> None:
    found = data_files(
        [str(folder), str(folder / "ETHUSDT_1h.parquet"), f"BTC/USDT={folder / 'BTCUSDT_1h.parquet'}"]
    )
    assert [p.name for p in found] == ["BTCUSDT_1h.parquet", "BTCUSDT_4h.parquet", "ETHUSDT_1h.parquet"]
