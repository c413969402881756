"""Perpetuals and margin through the verbs: files of rates and marks, both paths, reruns, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.model.timerange import format_ns
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli

BARS, START = 700, 200
PERPETUAL = ["--set", "account.mode=perpetual", "--set", "account.leverage=3"]
MACD = ["-s", "macd", "--no-regimes"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Synthetic hours of a pair, rates with milliseconds of jitter, marks of 8 hours, and the flags that name them."""
    folder = tmp_path_factory.mktemp("bars")
    pair, frame = next(iter(generate(SyntheticParams(n_bars=BARS), 7).frames.items()))
    rng = np.random.default_rng(1)
    eight = 8 * 3600 * 10**9
    due = np.arange(frame.start_ns // eight, frame.end_ns // eight + 1) * eight
    rates = folder / "rates.csv"
    lines = [
        f"{format_ns(int(t))},{r:.6f}" for t, r in zip(due, rng.normal(1e-4, 3e-4, due.size), strict=True)
    ]
    rates.write_text("timestamp,funding_rate\n" + "\n".join(lines) + "\n", encoding="utf-8")
    start = format_ns(int(frame.open_ns[START]))[:10].replace("-", "")
    market = [
        "--data",
        f"{pair}={BarStore(folder).write(frame)}",
        "-p",
        pair,
        "-i",
        "1h",
        "--timerange",
        f"{start}-",
    ]
    return {"market": market, "rates": rates, "folder": folder, "last": format_ns(int(due[-20]))}


def call(words: list[str], folder: Path) -> tuple[int, Any]:
    """Run a verb; return its exit code and its document, None if it wrote none."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main([*words, "--userdir", str(folder / "ud"), "--no-progress", "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


def test_both_paths_and_a_replay_decide_alike_and_a_rerun_is_equal(
    files: dict[str, Any], tmp_path: Path
) -> None:
    words = [*MACD, *files["market"], *PERPETUAL, "--funding", str(files["rates"])]
    code, fast = call(["backtesting", *words, "--path", "fast"], tmp_path)
    assert code == 0
    code, event = call(["backtesting", *words, "--path", "event"], tmp_path)
    assert code == 0
    result = fast["result"]
    for key in ("decision_hash", "metrics", "trades", "costs"):
        assert result[key] == event["result"][key], key
    assert {t["side"] for t in result["trades"]} == {"long", "short"}
    assert result["metrics"]["funding_quote"] == result["costs"]["breakdown"]["funding_quote"] != "0"
    assert any(t["carry_quote"] != "0" for t in result["trades"])
    assert not any(note.startswith("FUNDING") for note in result["notes"])
    assert sum(float(row["pnl_quote"]) for row in result["per_pair"].values()) == pytest.approx(
        float(result["metrics"]["total_pnl_quote"])
    )
    replay = [w for w in words if w != "--no-regimes"]
    code, again = call(["trade", "--replay", "--host", "local", *replay], tmp_path)
    assert (code, again["result"]["decision_hash"]) == (0, result["decision_hash"])
    assert again["data_hash"] == fast["data_hash"]
    code, rerun = call(["backtesting", "--rerun", result["run_id"]], tmp_path)
    assert (code, rerun["result"]["rerun"]["equal"]) == (0, True)


def test_without_a_series_the_configured_rate_is_paid_and_told(files: dict[str, Any], tmp_path: Path) -> None:
    words = ["backtesting", *MACD, *files["market"], *PERPETUAL]
    code, doc = call(words, tmp_path)
    result = doc["result"]
    assert code == 0
    assert float(result["metrics"]["funding_quote"]) > 0
    assert any("configured 0.0001 every 8h" in note for note in result["notes"])
    code, other = call([*words, "--set", "venue.perpetual.funding_rate=0"], tmp_path)
    assert other["result"]["metrics"]["funding_quote"] == "0"
    assert any("funding is switched off" in note for note in other["result"]["notes"])
    code, known = call([*words, "--funding", str(files["rates"])], tmp_path)
    assert known["data_hash"] != doc["data_hash"]


def test_margin_pays_interest_and_spot_stays_long_only(files: dict[str, Any], tmp_path: Path) -> None:
    words = ["backtesting", *MACD, *files["market"]]
    code, margin = call([*words, "-c", "preset:binance_margin"], tmp_path)
    assert code == 0
    assert {t["side"] for t in margin["result"]["trades"]} == {"long", "short"}
    assert float(margin["result"]["metrics"]["borrow_quote"]) > 0
    code, spot = call(words, tmp_path)
    assert code == 0
    assert {t["side"] for t in spot["result"]["trades"]} == {"long"}
    assert (spot["result"]["metrics"]["borrow_quote"], spot["result"]["metrics"]["funding_quote"]) == (
        "0",
        "0",
    )


@pytest.mark.parametrize(
    ("sets", "code", "words"),
    [
        (
            ["account.mode=perpetual", "account.leverage=50"],
            2,
            "expected at most 20 (venue.perpetual.max_leverage)",
        ),
        (["account.leverage=2"], 2, "expected 1 on a spot account, found 2"),
        (["account.mode=margin", "venue.fill_at=intrabar"], 2, "expected next_open on a margin account"),
    ],
)
def test_leverage_beyond_the_venue_is_a_usage_error(
    files: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    sets: list[str],
    code: int,
    words: str,
) -> None:
    flags = [w for s in sets for w in ("--set", s)]
    assert call(["backtesting", *MACD, *files["market"], *flags], tmp_path) == (code, None)
    assert words in capsys.readouterr().err


def test_files_that_do_not_fit_are_refused(
    files: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["backtesting", *MACD, *files["market"]]

    def told(*more: str) -> tuple[int, str]:
        code, doc = call([*words, *more], tmp_path)
        assert doc is None
        return code, capsys.readouterr().err

    rates = files["rates"]
    code, text = told("--funding", str(rates))
    assert (code, "expected account.mode perpetual, found spot" in text) == (2, True)
    short = tmp_path / "short.csv"
    lines = rates.read_text(encoding="utf-8").splitlines()
    short.write_text("\n".join(lines[:-20]) + "\n", encoding="utf-8")
    code, text = told(*PERPETUAL, "--funding", str(short))
    assert (code, "FUNDING_RANGE" in text or "expected rates of" in text) == (3, True)
    percent = tmp_path / "percent.csv"
    percent.write_text("timestamp,funding_rate\n2020-01-01T00:00:00Z,1.0\n", encoding="utf-8")
    code, text = told(*PERPETUAL, "--funding", str(percent))
    assert (code, "give 0.01 % as 0.0001" in text) == (3, True)
    code, text = told(*PERPETUAL, "--funding", str(tmp_path / "none.csv"))
    assert code == 3
    code, text = told(*PERPETUAL, "--mark", str(rates))
    assert code == 3


@pytest.mark.shared_data
@pytest.mark.parametrize("pair", ["BTC", "ETH"])
def test_a_year_of_a_real_perpetual_is_alike_on_both_paths(
    shared_data: Path, tmp_path: Path, pair: str
) -> None:
    folder = shared_data / "ohlcv/binance_usdm_perp"
    words = [
        "backtesting", "-s", "ma_crossover", "--no-regimes", "-c", "preset:binance_usdm", "-p", f"{pair}/USDT",
        "-i", "1h", "--data", str(folder / f"{pair}USDT_1h.parquet"), "--timerange", "20230201-20230701",
        "--funding", str(folder / f"{pair}USDT_funding_8h.parquet"),
        "--mark", str(folder / f"{pair}USDT_mark_8h.parquet"),
    ]  # fmt: skip
    code, fast = call([*words, "--path", "fast"], tmp_path)
    assert code == 0
    code, event = call([*words, "--path", "event"], tmp_path)
    assert code == 0
    result = fast["result"]
    for key in ("decision_hash", "metrics", "trades", "costs"):
        assert result[key] == event["result"][key], key
    assert {t["side"] for t in result["trades"]} == {"long", "short"}
    assert result["metrics"]["funding_quote"] != "0"
    assert any(note.startswith("MARK") for note in result["notes"])


FLIP = '''
from actors.domain.strategies.simple import Memory, Param, SimpleStrategy, indicator


class Flip(SimpleStrategy):
    """Twenty bars long, twenty short."""

    window_bars = Param(6, ge=2)
    seen = Memory(0)

    def indicators(self):
        return {"mean": indicator("sma", window_bars=self.window_bars)}

    def decide(self, bar, mean):
        self.seen += 1
        return 1.0 if (self.seen // 20) % 2 == 0 else -1.0
'''


def test_a_lost_account_is_said_first_and_an_unused_leverage_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "flip.py").write_text(FLIP, encoding="utf-8")
    rng = np.random.default_rng(3)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.08, 400))), 2)
    opened = np.r_[100.0, close[:-1]]
    rows = zip(
        np.datetime64("2022-01-01T00") + np.arange(400), opened, np.maximum(opened, close) * 1.003,
        np.minimum(opened, close) * 0.997, close, strict=True,
    )  # fmt: skip
    lines = [f"{t}:00:00Z,{o},{h},{low},{c},10000" for t, o, h, low, c in rows]
    bars = tmp_path / "WILDUSDT_1h.csv"
    bars.write_text("timestamp,open,high,low,close,volume\n" + "\n".join(lines) + "\n", encoding="utf-8")
    words = ["backtesting", "-s", str(tmp_path / "flip.py"), "--data", str(bars), "-p", "WILD/USDT", "-i", "1h",
             "--no-regimes", "--no-progress", "--userdir", str(tmp_path / "ud"), "--set", "account.mode=perpetual",
             "--set", "account.leverage=10"]  # fmt: skip
    assert cli.main([*words, "--set", "risk.sizing.kind=fixed_fraction"]) == 0
    assert "LEVERAGE: account.leverage 10 permits and does not size" in capsys.readouterr().out
    wild = tmp_path / "wild.yaml"
    wild.write_text(
        "risk:\n  sizing: {kind: fixed_quote, params: {quote: 500000, max_frac: 9}}\n  rules: []\n"
        "  breakers: {drawdown: null, daily_loss: null}\n",
        encoding="utf-8",
    )
    assert cli.main([*words, "-c", str(wild)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("EVIDENCE: the account was lost at 2022-01-0")
    # what was wished afterwards had nothing to be bought with: no matter of sizing
    assert "UNTRADED" not in said
    assert "LEVERAGE" not in said
