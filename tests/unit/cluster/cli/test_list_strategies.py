"""``list-strategies`` tells the truth: parameters, ranges, warm-up, source; and a user's broken file ends nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from actors.domain import registry
from actors.domain.params import search_space
from cluster.cli import main as cli
from cluster.cli.list_strategies import user_kinds

PACKAGE = "actors.domain.strategies"


def _rows(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert cli.main(["list-strategies", "--userdir", str(folder), "--json", "-"]) == 0
    return {r["kind"]: r for r in json.loads(capsys.readouterr().out)["result"]["strategies"]}


def test_every_kind_with_warm_up_source_and_ranges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = _rows(tmp_path, capsys)
    assert list(rows) == registry.kinds(PACKAGE)
    for kind, row in rows.items():
        made = registry.build(PACKAGE, kind)
        assert row["warmup_bars"] == made.warmup_bars > 0
        assert row["reads"] == list(made.reads)
        assert row["has_batch"] is made.has_batch
        assert len(row["source"]) > 20
        space = search_space(type(made).Params)
        assert {name for name, p in row["params"].items() if p["range"]} == set(space)
        assert all(p["about"] for p in row["params"].values()), kind


def test_a_user_s_files_are_listed_and_a_broken_one_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    head = "from actors.domain.strategies.simple import SimpleStrategy\n\n\n"
    body = "(SimpleStrategy):\n    '''Says nothing.'''\n\n    def decide(self, bar):\n        return None\n"
    (folder / "listed_one.py").write_text(
        f"{head}class One{body}\n\nclass _Hidden{body}\n\nclass Helper:\n    pass\n"
    )
    (folder / "listed_two.py").write_text("class Two(SimpleStrategy):\n    pass\n")
    (folder / "listed_three.py").write_text("class (:\n")
    (folder / "test_listed.py").write_text(f"{head}class Four{body}")
    kinds = ["listed_one:One", "listed_three:?", "listed_two:Two"]
    assert user_kinds(folder) == kinds
    rows = _rows(tmp_path, capsys)
    assert [k for k in rows if ":" in k] == kinds
    assert rows["listed_one:One"]["about"] == "Says nothing."
    assert "error" not in rows["listed_one:One"]
    assert "NameError" in rows["listed_two:Two"]["error"]
    assert rows["listed_three:?"]["error"] == "the file is not Python"


def test_no_folder_no_rows(tmp_path: Path) -> None:
    assert user_kinds(tmp_path / "none") == []


def test_the_text_names_ranges_and_sources(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["list-strategies", "--userdir", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "fast_bars=20 [ge=1] search 5..60 log" in said
    assert "source: Moskowitz, Ooi & Pedersen (2012)" in said
    assert "mode=breakout search breakout | reversal" in said


def test_a_class_in_freqtrade_s_style_is_listed_with_its_parameters(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], repo_root: Path
) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    text = (repo_root / "tests" / "support" / "freqtrade_style" / "ema_trail.py").read_text()
    (folder / "trail.py").write_text(text)
    (folder / "bad_trail.py").write_text(
        text.replace("stoploss = -0.08", "stoploss = 0.08\n    custom_entry_price = None")
    )
    rows = _rows(tmp_path, capsys)
    row = rows["trail:EmaTrail"]
    assert (row["style"], row["timeframe"], row["warmup_bars"]) == ("freqtrade", "1h", 100)
    assert row["params"]["fast"]["default"] == 12
    assert row["params"]["fast"]["range"] == {"kind": "int", "low": 5, "high": 40}
    assert row["params"]["fast"]["about"] == "space buy"
    assert "custom_entry_price is not supported" in rows["bad_trail:EmaTrail"]["error"]
    assert "stoploss: expected" in rows["bad_trail:EmaTrail"]["error"]
    assert cli.main(["list-strategies", "--userdir", str(tmp_path)]) == 0
    assert "fast=12 search 5..40  space buy" in capsys.readouterr().out
