"""Ten pairs and six strategies on one account over real bars: netted, attributed exactly, ends marked."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.domain.evaluation.report_model import decode
from actors.domain.model.money import to_decimal
from cluster.cli import main as cli

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
TEN = ("BTC", "ETH", "BNB", "XRP", "LTC", "ADA", "TRX", "LINK", "AAVE", "APE")
GO_ON = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "XRP/USDT")
SIX = ("ma_crossover", "donchian", "macd", "rsi", "mean_reversion", "time_series_momentum")
pytestmark = pytest.mark.shared_data


def call(words: list[str], coins: tuple[str, ...], folder: Path) -> tuple[int, Any]:
    """Backtest these coins; return exit code and document."""
    data = [w for c in coins for w in ("--data", str(SHARED / f"ohlcv/binance_spot/{c}USDT_1h.parquet"))]
    out = folder / "out.json"
    code = cli.main(
        ["backtesting", *data, "-p", *(f"{c}/USDT" for c in coins), "-i", "1h", *words, "--no-progress",
         "--userdir", str(folder / "ud"), "--json", str(out)]
    )  # fmt: skip
    return code, json.loads(out.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Six strategies over the end of six of the ten pairs, with a low bar for what is worth holding."""
    folder = tmp_path_factory.mktemp("portfolio")
    words = ["-s", *SIX, "--timerange", "20220915-20221115", "--export-trades", str(folder / "t.csv")]
    words += ["--windows", str(SHARED / "benchmarks/btc_crisis_windows_2013_2023.csv")]
    words += ["--set", "coordination.open_frac=0.02", "--set", "coordination.close_frac=0.0"]
    code, doc = call(words, TEN, folder)
    assert code == 0
    return folder, doc["result"]


def test_every_kind_of_part_sums_to_the_whole_exactly(portfolio: tuple[Path, dict[str, Any]]) -> None:
    _, result = portfolio
    pnl, fees = (Decimal(result["metrics"][k]) for k in ("total_pnl_quote", "fees_quote"))
    assert result["path"] == "fast"
    assert result["trade_count"] > 30
    # netted: some earned in a run in which others, who wished the other side, own nothing of the same bars
    assert len({row["bars"] for row in result["per_strategy"].values()}) > 1
    assert set(result["per_strategy"]) == set(SIX)
    assert set(result["per_pair"]) == {f"{c}/USDT" for c in TEN}
    for part in ("per_regime", "per_strategy", "per_pair"):
        rows = result[part].values()
        assert sum(Decimal(r["pnl_quote"]) for r in rows) == pnl, part
        assert sum(Decimal(r["fees_quote"]) for r in rows) == fees, part
        assert sum(r["trade_count"] for r in rows) == result["trade_count"], part


def test_pairs_that_end_are_closed_at_their_last_bar_and_the_others_go_on(tmp_path: Path) -> None:
    code, doc = call(["-s", "rsi", "--timerange", "20220920-20221101", "--no-regimes"], TEN, tmp_path)
    result = doc["result"]
    assert code == 0
    ended = {row["pair"]: row for row in result["pairs_listed_or_ended"]}
    assert set(ended) == {f"{c}/USDT" for c in TEN} - set(GO_ON)
    for pair, row in ended.items():
        assert (row["ended_early"], row["last_bar_at"]) == (True, "2022-10-11T09:00:00Z")
        trade = result["trades"][row["closed_trade"]]
        assert (trade["pair"], trade["exit_reason"]) == (pair, "trading_ended")
        assert trade["closed_at"] == "2022-10-11T10:00:00Z"
        assert result["positions"][pair] == "0"
        assert max(t["closed_at"] for t in result["trades"] if t["pair"] == pair) == trade["closed_at"]
    later = {t["pair"] for t in result["trades"] if t["opened_at"] > "2022-10-12"}
    assert later
    assert later <= set(GO_ON)
    page = Path(result["report"]).read_text(encoding="utf-8")
    assert "ends with its last bar of 2022-10-11 09:00, the long of" in page
    assert page.count("last bar 2022-10-11") == len(ended)


def test_account_is_cash_and_positions_at_their_last_closes(portfolio: tuple[Path, dict[str, Any]]) -> None:
    folder, result = portfolio
    rows = list(csv.DictReader((folder / "t.csv").open(encoding="utf-8")))
    assert [r["pnl_quote"] for r in rows] == [t["pnl_quote"] for t in result["trades"]]
    model = decode((Path(result["report"]).parent / "report.json").read_bytes())
    cash = Decimal(100_000)
    held = dict.fromkeys(result["positions"], Decimal(0))
    for series in model.pairs:
        for fill in series.fills:
            fee, currency = fill.fee_quote.split()
            assert currency == "USDT"
            signed = fill.side * Decimal(fill.quantity)
            held[series.pair] += signed
            cash -= signed * to_decimal(fill.price) + Decimal(fee)
    assert {p: str(q.normalize()) for p, q in held.items() if q} == {
        p: q for p, q in result["positions"].items() if q != "0"
    }
    worth = {s.pair: to_decimal(s.close[-1]) for s in model.pairs}
    equity = cash + sum(held[p] * worth[p] for p in held)
    assert equity - 100_000 == pytest.approx(
        Decimal(result["metrics"]["total_pnl_quote"]), abs=Decimal("1e-6")
    )


def test_crises_inside_are_marked_and_the_page_says_all_of_it(portfolio: tuple[Path, dict[str, Any]]) -> None:
    _, result = portfolio
    assert [w["name"] for w in result["windows"]] == ["FTX collapse"]
    page = Path(result["report"]).read_text(encoding="utf-8")
    assert "FTX collapse" in page
    assert "ends with its last bar of 2022-10-11 09:00, nothing was held then" in page


def test_a_pair_enters_with_its_first_bar(tmp_path: Path) -> None:
    words = ["-s", "rsi", "--timerange", "20220310-20220410", "--no-regimes"]
    code, doc = call(words, ("BTC", "APE"), tmp_path)
    assert code == 0
    (row,) = doc["result"]["pairs_listed_or_ended"]
    assert (row["pair"], row["first_bar_at"], row["listed_late"], row["ended_early"]) == (
        "APE/USDT", "2022-03-17T14:00:00Z", True, False,
    )  # fmt: skip
    assert (
        min(t["opened_at"] for t in doc["result"]["trades"] if t["pair"] == "APE/USDT") > row["first_bar_at"]
    )
    page = Path(doc["result"]["report"]).read_text(encoding="utf-8")
    assert "first bar 2022-03-17" in page
