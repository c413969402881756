"""``backtesting -s FILE.py:Class``, classes in freqtrade's style: every way to name one, every way to be refused."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli

PAIR = ["-p", "BTC/USDT", "--no-regimes"]


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("bars")
    market = generate(SyntheticParams(n_bars=900), 7)
    store = BarStore(folder)
    frames = list(market.frames.items())[:2]
    return [w for pair, frame in frames for w in ("--data", f"{pair}={store.write(frame)}")]


@pytest.fixture
def here(tmp_path: Path, repo_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the three strategies in it."""
    for file in (repo_root / "tests" / "support" / "freqtrade_style").glob("*.py"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    # the command adds the user's folders, and other tests have files of these names
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


def call(words: list[str], verb: str = "backtesting") -> tuple[int, Any]:
    out = Path("out.json")
    out.unlink(missing_ok=True)
    code = cli.main([verb, *words, "--no-progress", "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What went to stderr but notes."""
    return "\n".join(
        line for line in capsys.readouterr().err.splitlines() if "note" not in line.split(":")[0]
    )


def test_a_class_is_named_by_file_module_or_name_and_a_run_made_again(here: Path, bars: list[str]) -> None:
    hashes = []
    (here / "user_data" / "strategies").mkdir(parents=True)
    shutil.copy(here / "ema_trail.py", here / "user_data" / "strategies" / "under_another_name.py")
    for word in ("ema_trail.py:EmaTrail", "ema_trail.py", "./ema_trail.py", "ema_trail:EmaTrail", "EmaTrail"):
        code, doc = call([*bars, *PAIR, "-s", word])
        assert code == 0
        hashes.append(doc["result"]["decision_hash"])
    result = doc["result"]
    assert len(set(hashes)) == 1
    assert result["trade_count"] > 3
    assert {t["strategy"] for t in result["trades"]} == set(result["per_strategy"]) == {"EmaTrail"}
    assert any("manages its own orders" in n for n in result["notes"])
    code, again = call(["--rerun", result["run_id"]])
    assert code == 0
    assert again["result"]["rerun"]["equal"] is True
    code, doc = call(
        [*bars, *PAIR, "-s", "ema_trail.py", "--set", "strategy.fast=6", "--set", "strategy.slow=30"]
    )
    assert doc["result"]["decision_hash"] not in hashes
    kept = json.loads((here / "user_data" / "results" / doc["result"]["run_id"] / "run.json").read_text())
    assert kept["components"]["strategies.0"]["kind"] == "ema_trail.py:EmaTrail"
    assert kept["components"]["strategies.0"]["params"] == {"fast": 6, "slow": 30}
    assert len(kept["components"]["strategies.0"]["code"]) == 64


def test_the_timeframe_is_the_classs_unless_it_is_given(here: Path, bars: list[str]) -> None:
    file = here / "ema_trail.py"
    file.write_text(file.read_text().replace('timeframe = "1h"', 'timeframe = "4h"'), encoding="utf-8")
    code, doc = call([*bars, *PAIR, "-s", "ema_trail.py"])
    assert code == 0
    assert doc["result"]["bars"] == 225
    code, doc = call([*bars, *PAIR, "-s", "ema_trail.py", "-i", "1h"])
    assert doc["result"]["bars"] == 900
    assert any("was written for bars of 4h, this run has 1h" in n for n in doc["result"]["notes"])


def test_two_pairs_share_the_account(here: Path, bars: list[str]) -> None:
    words = ["-p", "BTC/USDT", "ETH/USDT", "--no-regimes", "-s", "band_reversal.py"]
    code, doc = call([*bars, *words, "--set", "freqtrade.max_open_trades=2"])
    assert code == 0
    assert {t["pair"] for t in doc["result"]["trades"]} == {"BTC/USDT", "ETH/USDT"}


REFUSED = {
    "no file": (["-s", "none.py:Mine"], "-s none.py:Mine: expected a Python file, found nothing at none.py"),
    "no such class": (["-s", "ema_trail.py:Ema"], "expected a class of ema_trail.py (EmaTrail), found Ema"),
    "not alone": (
        ["-s", "ema_trail.py", "rsi"],
        "expected ema_trail.py:EmaTrail alone, since a class in freqtrade's",
    ),
    "a value out of range": (
        ["-s", "ema_trail.py", "--set", "strategy.fast=99"],
        "EmaTrail: strategy.fast: expected a whole number in [5, 40], found 99",
    ),
    "no such parameter": (
        ["-s", "ema_trail.py", "--set", "strategy.fats=9"],
        "strategy.fats: expected one of fast, slow, minimal_roi",
    ),
    "the fast path": (["-s", "ema_trail.py", "--path", "fast"], "--path fast: expected a plan"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, here: Path, bars: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    words, message = REFUSED[case]
    code, doc = call([*bars, *PAIR, *words])
    assert (code, doc) == (2, None)
    text = said(capsys)
    assert message in text
    assert len(text.splitlines()) == 1


def changed(here: Path, old: str, new: str) -> list[str]:
    text = (here / "band_reversal.py").read_text(encoding="utf-8")
    assert old in text
    (here / "changed.py").write_text(text.replace(old, new), encoding="utf-8")
    return ["-s", "changed.py"]


def test_unsupported_members_are_named_in_one_message(
    here: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = changed(
        here, "    stoploss = -0.06",
        "    stoploss = -0.06\n    can_short = True\n\n    def custom_entry_price(self, **kw):\n        return 1.0\n\n"
        "    def adjust_entry_price(self, **kw):\n        return 1.0\n",
    )  # fmt: skip
    code, doc = call([*bars, *PAIR, *words])
    assert (code, doc) == (2, None)
    text = said(capsys)
    assert len(text.splitlines()) == 1
    for name in ("custom_entry_price", "adjust_entry_price", "can_short"):
        assert f"{name} is not supported" in text


def test_a_look_ahead_stops_the_run_before_it_begins(
    here: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = changed(here, '(dataframe["rsi"] < 32)', '(dataframe["close"].shift(-1) > dataframe["close"])')
    code, doc = call([*bars, *PAIR, *words])
    assert (code, doc) == (2, None)
    assert "BandReversal: expected columns that know the past only, found enter_long of BTC/USDT at" in said(
        capsys
    )
    code, doc = call([*bars, "-p", "BTC/USDT", *words, "--bars", "400"], "lookahead-analysis")
    assert code == 1
    assert doc["result"]["leaking"] == ["freqtrade.changed.py:BandReversal"]


def test_a_callback_that_raises_leaves_the_run_up_to_there(
    here: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = changed(
        here, "    def populate_exit_trend",
        "    def confirm_trade_entry(self, pair, current_time, **kw):\n        print('was called')\n"
        "        self.times = getattr(self, 'times', 0) + 1\n        return 1 / (3 - self.times)\n\n"
        "    def populate_exit_trend",
    )  # fmt: skip
    code, doc = call([*bars, *PAIR, *words])
    assert code == 2
    result = doc["result"]
    assert (result["status"], result["trade_count"] + (float(result["positions"]["BTC/USDT"]) > 0)) == (
        "failed",
        2,
    )
    assert any(n.startswith("INCOMPLETE") for n in result["notes"])
    assert "BandReversal.confirm_trade_entry at BTC/USDT" in result["error"]
    printed = capsys.readouterr()
    assert "ZeroDivisionError" in printed.err
    assert "was called" not in printed.out
    assert "was called" in printed.err


def test_a_class_that_shorts_needs_an_account_that_may(
    here: Path, bars: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = changed(
        here, '        dataframe.loc[(dataframe["rsi"] > 68), ["exit_long", "exit_tag"]] = (1, "rsi_high")',
        '        dataframe.loc[(dataframe["rsi"] > 68), ["exit_long", "enter_short"]] = (1, 1)\n'
        '        dataframe.loc[(dataframe["rsi"] < 40), "exit_short"] = 1',
    )  # fmt: skip
    file = here / "changed.py"
    file.write_text(
        file.read_text().replace("    stoploss = -0.06", "    stoploss = -0.06\n    can_short = True")
    )
    code, doc = call([*bars, *PAIR, *words])
    assert (code, doc) == (2, None)
    assert "can_short is not supported on a spot account" in said(capsys)
    code, doc = call([*bars, *PAIR, *words, "--set", "account.mode=perpetual", "--set", "account.leverage=2"])
    assert code == 0
    assert {t["side"] for t in doc["result"]["trades"]} == {"long", "short"}
    code, doc = call([*bars, *PAIR, *words, "--set", "strategy.exits.stop.frac=0.1"])
    assert (code, doc) == (2, None)
    assert "manages its own exits (stoploss, minimal_roi)" in said(capsys)
