"""`lookahead-analysis` and `recursive-analysis` as a user runs them, on shipped kinds and on a file of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import small

from cluster.cli import main as cli

LEAKS = Path(__file__).resolve().parents[1] / "support" / "leaks.py"
ROW = {
    "name",
    "family",
    "kind",
    "causal",
    "first_leak",
    "forms",
    "warmup_bars",
    "batch_equals_stream",
    "note",
}
LEAK = {"pair", "bar", "time", "output", "before", "after", "form", "probe", "cut_bar", "cut_time"}


def call(words: list[str], folder: Path) -> tuple[int, dict[str, Any]]:
    """Run a verb in this process; return exit code and document ({} if there is none)."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main([*words, "--userdir", str(folder / "ud"), "--no-progress", "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}


def test_shipped_kinds_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, doc = call(
        ["lookahead-analysis", "-s", "rsi", "-s", "features.pipeline", "--bars", "400", "--cuts", "2"],
        tmp_path,
    )
    assert code == 0
    result = doc["result"]
    assert [c["name"] for c in result["components"]] == [
        "indicators.rsi",
        "strategies.rsi",
        "features.pipeline",
    ]
    assert all(set(c) >= ROW for c in result["components"])
    assert all(c["causal"] is True and c["first_leak"] is None for c in result["components"])
    assert (result["checked"], result["leaking"], result["untested"]) == (3, [], [])
    assert result["synthetic"] is True
    assert len(doc["data_hash"]) == 64
    assert "3 judged over 400 bars of" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "bar", "output"),
    [
        ("centred", 2, "value"), ("scaled", 0, "value"), ("Shifted", 0, "direction"), ("unfinished", 0, "value"),
        ("decoded", 0, "regime"),
    ],
)  # fmt: skip
def test_a_file_with_a_leak_fails_and_names_the_bar(
    name: str, bar: int, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, doc = call(
        ["lookahead-analysis", "-s", f"{LEAKS}:{name}", "--bars", "300", "--cuts", "2"], tmp_path
    )
    assert code == 1
    (row,) = doc["result"]["components"]
    leak = row["first_leak"]
    assert row["causal"] is False
    assert set(leak) == LEAK
    assert (leak["bar"], leak["output"]) == (bar, output)
    assert leak["time"] == f"2024-01-01T0{bar}:00:00Z"
    assert doc["result"]["leaking"] == [row["name"]]
    assert "looks ahead" in capsys.readouterr().out


def test_module_and_class_and_parameters(tmp_path: Path) -> None:
    words = ["lookahead-analysis", "-s", "actors.domain.indicators.sma:Sma", "--bars", "300", "--cuts", "1"]
    code, doc = call([*words, "--set", "strategy.window_bars=31"], tmp_path)
    assert code == 0
    assert doc["result"]["components"][0]["warmup_bars"] == 30
    assert doc["result"]["components"][0]["family"] == "indicators"


def test_a_strategy_in_freqtrades_style_is_judged_by_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "peek.py"
    file.write_text(
        "from freqtrade.strategy import IStrategy\n\n\n"
        "class Peek(IStrategy):\n"
        "    timeframe = '1h'\n\n"
        "    def populate_indicators(self, dataframe, metadata):\n"
        "        dataframe['mean'] = dataframe['close'].rolling(10).mean()\n"
        "        dataframe['coming'] = dataframe['close'].shift(-2)\n"
        "        return dataframe\n\n"
        "    def populate_entry_trend(self, dataframe, metadata):\n"
        "        dataframe.loc[dataframe['coming'] > dataframe['mean'], 'enter_long'] = 1\n"
        "        return dataframe\n",
        encoding="utf-8",
    )
    code, doc = call(["lookahead-analysis", "-s", str(file), "--bars", "300", "--cuts", "2"], tmp_path)
    assert code == 1
    (row,) = doc["result"]["components"]
    assert (row["family"], row["kind"]) == ("freqtrade", "peek.py:Peek")
    assert (row["first_leak"]["bar"], row["first_leak"]["output"]) == (0, "coming")
    assert row["first_leak"]["after"] is None


def test_a_component_that_raises_is_not_called_causal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "print('loaded')\n\n\ndef broken(frame):\n    print('called')\n    raise ZeroDivisionError('no volume')\n",
        encoding="utf-8",
    )
    code, doc = call(["lookahead-analysis", "-s", str(file), "--bars", "300"], tmp_path)
    assert code == 1
    printed = capsys.readouterr()
    assert "loaded" in printed.err
    assert "called" in printed.err
    assert "loaded" not in printed.out
    (row,) = doc["result"]["components"]
    assert row["causal"] is None
    assert row["note"] == "batch raises ZeroDivisionError: no volume"


def test_two_pairs_of_files_the_leak_in_one_of_them(tmp_path: Path) -> None:
    for frame in small.frames(400).values():
        lines = [f"{r.open_ns // 10**9},{r.open},{r.high},{r.low},{r.close},{r.volume}" for r in frame.rows()]
        name = frame.pair.replace("/", "")
        (tmp_path / f"{name}_1h.csv").write_text("\n".join(["timestamp,open,high,low,close,volume", *lines]))
    file = tmp_path / "half.py"
    file.write_text(
        "import numpy as np\n\n\ndef half(frame):\n"
        "    late = np.append(frame.close[1:], np.nan)\n"
        "    return late if frame.pair == 'ETH/USDT' else frame.close\n",
        encoding="utf-8",
    )
    words = ["lookahead-analysis", "-s", f"{file}:half", "-s", "sma", "--data", str(tmp_path), "-i", "1h"]
    code, doc = call(
        [*words, "-p", "BTC/USDT", "ETH/USDT", "--cuts", "1", "--timerange", "20240103-"], tmp_path
    )
    assert code == 1
    result = doc["result"]
    assert list(result["bars"]) == ["BTC/USDT", "ETH/USDT"]
    assert result["synthetic"] is False
    half, sma = result["components"]
    assert (half["first_leak"]["pair"], half["first_leak"]["bar"]) == ("ETH/USDT", 0)
    assert half["first_leak"]["time"] == "2024-01-03T00:00:00Z"
    assert sma["causal"] is True


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["-s", "nothing_like_it"], 2, "expected a kind, module:Name or FILE.py"),
        (["-s", "no_such_file.py"], 2, "expected a Python file, found none"),
        (["-s", "json:dumps2"], 2, "expected module:Name that can be imported"),
        (["-s", "rsi", "--cuts", "0"], 2, "--cuts: expected at least 1"),
        (["-s", "rsi", "--bars", "-1"], 2, "--bars: expected 0 or more"),
        (["-s", "rsi", "--bars", "40"], 3, "expected at least 60 bars"),
        (["--set", "strategy.x=1"], 2, "beside -s"),
    ],
)
def test_wrong_use_is_told(
    words: list[str], code: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["lookahead-analysis", *words], tmp_path)[0] == code
    assert text in capsys.readouterr().err


def test_recursive_analysis_names_what_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recursive-analysis", "-s", "indicators.rsi", "-s", "obv", "--bars", "1000", "--startups"]
    code, doc = call([*words, "50", "100", "200", "400"], tmp_path)
    assert code == 0
    rsi, obv = doc["result"]["components"]
    assert (rsi["warmup_bars"], rsi["stability"], rsi["too_short"]) == (14, "settles", False)
    assert 30 < rsi["warmup_needed_bars"] < 120
    assert [r["startup_bars"] for r in rsi["readings"]] == [50, 100, 200, 400]
    assert len({r["reference"] for r in rsi["readings"]}) == 1
    assert rsi["readings"][0]["relative_difference_frac"] > rsi["readings"][2]["relative_difference_frac"]
    assert (obv["cumulative"], obv["stability"]) == (True, "exact")
    assert doc["result"]["warmup_needed_bars"] == rsi["warmup_needed_bars"]
    assert "give at least" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "stability"), [("SlowStart", None), ("NeverForgets", "unstable"), ("LateSpeaker", "settles")]
)
def test_recursive_analysis_flags_warm_ups_that_are_too_short(
    name: str, stability: str | None, tmp_path: Path
) -> None:
    words = [
        "recursive-analysis",
        "-s",
        f"{LEAKS}:{name}",
        "--bars",
        "1000",
        "--startups",
        "50",
        "200",
        "400",
    ]
    code, doc = call(words, tmp_path)
    assert code == 1
    (row,) = doc["result"]["components"]
    assert row["too_short"]
    assert doc["result"]["too_short"] == [row["name"]]
    assert stability is None or row["stability"] == stability
    assert doc["result"]["unstable"] == ([row["name"]] if row["stability"] == "unstable" else [])


def test_start_ups_longer_than_the_data_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["recursive-analysis", "-s", "sma", "--bars", "300"], tmp_path)[0] == 3
    assert "start-up of 1600 bars: expected more bars than that, found 300" in capsys.readouterr().err
    assert call(["recursive-analysis", "-s", "sma", "--startups", "1"], tmp_path)[0] == 2
