"""The verb backtesting in this process: its document, its files, its exit codes, a run made again."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.evaluation.report_model import decode
from actors.domain.model.timerange import format_ns
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli

BARS = 900
METRICS = {
    "bars", "trade_count", "total_pnl_quote", "total_return_frac", "cagr_frac", "volatility_ann_frac", "sharpe_ann",
    "sortino_ann", "calmar", "omega", "max_drawdown_frac", "max_drawdown_bars", "win_rate_frac", "profit_factor",
    "expectancy_quote", "avg_trade_duration_bars", "max_consecutive_losses", "exposure_frac", "turnover_ann",
    "fees_quote", "slippage_quote", "funding_quote", "borrow_quote", "liquidation_quote", "var_95_frac", "es_95_frac",
    "skew", "kurtosis", "psr",
    "min_track_record_bars",
}  # fmt: skip


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Flags that choose two synthetic pairs, decisions from bar 200 on."""
    folder = tmp_path_factory.mktemp("bars")
    market = generate(SyntheticParams(n_bars=BARS), 7)
    store = BarStore(folder)
    words = []
    for pair, frame in list(market.frames.items())[:2]:
        words += ["--data", f"{pair}={store.write(frame)}"]
    start = format_ns(int(next(iter(market.frames.values())).open_ns[200]))
    return [*words, "-i", "1h", "--timerange", f"{start[:10].replace('-', '')}-"]


def call(words: list[str], folder: Path) -> tuple[int, Any]:
    """Run the verb; return its exit code and its JSON document, None if it wrote none."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main(
        ["backtesting", *words, "--no-progress", "--userdir", str(folder / "ud"), "--json", str(out)]
    )
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


PAIR = ["-p", "BTC/USDT"]
LEAN = ["-s", "ma_crossover", "--set", "strategy.fast_bars=10", "--set", "strategy.slow_bars=50"]


def test_one_strategy_end_to_end_and_made_again(bars: list[str], tmp_path: Path) -> None:
    exports = ["--export-trades", str(tmp_path / "t.csv"), "--export-equity", str(tmp_path / "e.parquet")]
    code, doc = call([*bars, *PAIR, *LEAN, *exports], tmp_path)
    result = doc["result"]
    assert code == 0
    assert set(result["metrics"]) >= METRICS
    assert result["status"] == "done"
    assert result["trade_count"] == len(result["trades"]) > 0
    assert {t["strategy"] for t in result["trades"]} == {"ma_crossover"}
    names = [a["name"] for a in result["agents"]]
    assert "strategy-ma_crossover" in names
    assert not any(n.startswith(("regime-", "predict-", "features")) for n in names)
    assert float(result["metrics"]["fees_quote"]) > 0
    assert result["costs"]["switched_off"] == []
    parts = {k: float(v) for k, v in result["costs"]["breakdown"].items() if k.endswith("_quote")}
    fees, slippage = (float(result["metrics"][k]) for k in ("fees_quote", "slippage_quote"))
    assert parts["maker_fees_quote"] + parts["taker_fees_quote"] == pytest.approx(fees, abs=1e-6)
    assert parts["spread_quote"] > 0
    assert parts["impact_quote"] > 0
    assert parts["spread_quote"] + parts["impact_quote"] + parts["delay_quote"] == pytest.approx(
        slippage, abs=1e-6
    )
    assert "What each cost took" in Path(result["report"]).read_text(encoding="utf-8")
    folder = Path(result["report"]).parent
    assert {"report.html", "report.json", "result.json", "run.json", "decisions.jsonl.zst"} <= {
        p.name for p in folder.iterdir()
    }
    rows = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert [r["pnl_quote"] for r in rows] == [t["pnl_quote"] for t in result["trades"]]
    import pandas as pd

    equity = pd.read_parquet(tmp_path / "e.parquet")
    assert len(equity) == result["metrics"]["bars"]
    assert float(equity["equity"].iloc[-1]) == pytest.approx(
        100_000 + float(result["metrics"]["total_pnl_quote"])
    )

    code, again = call(["--rerun", folder.name], tmp_path)
    assert code == 0
    assert again["result"]["rerun"]["equal"] is True
    assert again["result"]["rerun"]["differences"] == []
    assert again["result"]["decision_hash"] == result["decision_hash"]
    assert again["config_hash"] == doc["config_hash"]


def test_a_rerun_that_differs_says_what(
    bars: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, doc = call([*bars, *PAIR, *LEAN], tmp_path)
    folder = Path(doc["result"]["report"]).parent
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    record["config"]["strategies"][0]["params"]["fast_bars"] = 12
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    code, again = call(["--rerun", folder.name], tmp_path)
    found = again["result"]["rerun"]
    assert code == 1
    assert found["equal"] is False
    assert "components.strategies.0.params.fast_bars" in [d["what"] for d in found["differences"]]
    assert "components.strategies.0.params.fast_bars: 10 then, 12 now" in found["causes"]
    assert "metrics and" in found["outcome"]
    assert found["first_difference"]["step"] >= 0
    printed = capsys.readouterr().out
    assert "NOT equal" in printed
    assert "first:    step " in printed


def test_a_rerun_names_bars_and_code_that_changed(
    bars: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import pandas as pd

    folder = tmp_path / "ud" / "strategies"
    folder.mkdir(parents=True)
    text = BROKEN.replace("== 500", "== -1").replace("Broken", "Rhythm")
    (folder / "rhythm_strategy.py").write_text(text, "utf-8")
    file = tmp_path / "BTCUSDT.parquet"
    frame = pd.read_parquet(bars[1].partition("=")[2])
    frame.to_parquet(file)
    _, doc = call(["--data", str(file), *bars[4:], *PAIR, "-s", "rhythm_strategy:Rhythm"], tmp_path)
    run_id = doc["result"]["run_id"]
    frame.loc[700:, "close"] = frame["low"][700:]
    frame.to_parquet(file)
    (folder / "rhythm_strategy.py").write_text(text + "# a note\n", "utf-8")
    capsys.readouterr()
    code, again = call(["--rerun", run_id], tmp_path)
    found = again["result"]["rerun"]
    assert (code, found["equal"]) == (1, False)
    bars_changed, code_changed = found["causes"]
    assert bars_changed.startswith(f"the bars of BTC/USDT are others: {BARS} rows then, {BARS} now, from ")
    assert code_changed == "the code of rhythm_strategy:Rhythm was edited (strategies.0)"
    printed = capsys.readouterr().out
    assert "changed:  the bars of BTC/USDT are others" in printed
    assert "came to:  net PnL " in printed
    file.unlink()
    assert call(["--rerun", run_id], tmp_path) == (3, None)


def test_the_full_fleet_attributes_everything(bars: list[str], tmp_path: Path) -> None:
    windows = tmp_path / "w.csv"
    frame_days = bars[-1][:8]
    day = f"{frame_days[:4]}-{frame_days[4:6]}-{frame_days[6:]}"
    windows.write_text(f"start,end,event\n{day},{day},first day\n1999-01-01,1999-02-01,long ago\n", "utf-8")
    code, doc = call([*bars, "-p", "BTC/USDT", "ETH/USDT", "--windows", str(windows)], tmp_path)
    result = doc["result"]
    assert code == 0
    pnl = float(result["metrics"]["total_pnl_quote"])
    for part in ("per_regime", "per_strategy", "per_pair"):
        parts = sum(float(row["pnl_quote"]) for row in result[part].values())
        assert parts == pytest.approx(pnl, abs=1e-3), part
        assert sum(row["trade_count"] for row in result[part].values()) == result["trade_count"]
    assert set(result["per_strategy"]) == {"ma_crossover", "rsi", "macd", "regime_aware"}
    assert [w["name"] for w in result["windows"]] == ["first day"]
    model = decode((Path(result["report"]).parent / "report.json").read_bytes())
    assert {g.kind for g in model.groups} == {"regime", "strategy", "pair"}


def test_costs_that_are_off_are_told(bars: list[str], tmp_path: Path) -> None:
    code, doc = call([*bars, *PAIR, *LEAN, "--set", "venue.fees={kind: none}"], tmp_path)
    assert code == 0
    assert doc["result"]["costs"]["switched_off"] == ["fees are switched off (venue.fees: none)"]
    assert "fees are switched off" in Path(doc["result"]["report"]).read_text(encoding="utf-8")


BROKEN = """
from typing import Any
from actors.domain.strategies.base import Market, Opinion, Strategy

class Broken(Strategy):
    STATE = ("_n",)
    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._n, self.warmup_bars = 0, 0
    def update(self, market: Market) -> Opinion:
        self._n += 1
        if self._n == 500:
            raise ZeroDivisionError("planted")
        return Opinion(1.0 if self._n % 60 < 30 else 0.0, 0.9)
"""


def test_a_strategy_that_raises_leaves_the_run_up_to_there(
    bars: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ud" / "strategies").mkdir(parents=True)
    (tmp_path / "ud" / "strategies" / "broken_strategy.py").write_text(BROKEN, "utf-8")
    code, doc = call([*bars, *PAIR, "-s", "broken_strategy:Broken"], tmp_path)
    result = doc["result"]
    assert code == 2
    assert result["status"] == "failed"
    assert result["steps"] == 499
    assert result["trade_count"] > 0
    assert "planted" in result["error"]
    assert "step 499" in result["error"]
    assert "planted" in capsys.readouterr().err
    assert "INCOMPLETE" in Path(result["report"]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["--rerun", "20990101"], 2, "expected one stored backtest"),
        (["--rerun", "2", "-s", "rsi"], 2, "--rerun"),
        (["-s", "regime_aware", "--fleet", "lean", "{bars}"], 2, "regime_aware"),
        (["-s", "ma_crossover", "{bars}", "--export-trades", "t.xls"], 2, ".parquet"),
        (["-s", "ma_crossover", "{bars}", "--timerange", "20300101-"], 3, "expected bars"),
        (["-s", "ma_crossover", "{bars}", "--windows", "none.csv"], 3, "expected a CSV file"),
        (["-s", "ma_crossover", "{bars}", "--windows", "{odd}"], 3, "line 3: expected an end on or after the start"),
        (["-s", "ma_crossover", "{bars}", "--set", "strategy.fast_bars=80",
          "--set", "strategy.slow_bars=20"], 2, "fast"),
    ],
)  # fmt: skip
def test_bad_input(
    words: list[str],
    code: int,
    named: str,
    bars: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "odd.csv").write_text(
        "start,end,event\n2024-01-01,2024-01-01,a day\n2024-01-02,2024-01-01,b\n", encoding="utf-8"
    )
    put = {"{bars}": [*bars, *PAIR], "{odd}": [str(tmp_path / "odd.csv")]}
    given = [w for word in words for w in put.get(word, [word])]
    found, _ = call(given, tmp_path)
    assert found == code
    assert named in capsys.readouterr().err


@pytest.mark.parametrize("path", ["fast", "event"])
def test_buy_and_hold_pays_the_fee_of_the_run(bars: list[str], tmp_path: Path, path: str) -> None:
    held = {}
    for fee in ("0", "0.01"):
        code, doc = call([*bars, *PAIR, *LEAN, "--no-regimes", "--fee", fee, "--path", path], tmp_path)
        assert code == 0
        held[fee] = 1.0 + doc["result"]["benchmark"]["total_return_frac"]
        page = Path(doc["result"]["report"]).read_text(encoding="utf-8")
        assert f"one entry fee of {float(fee) * 1e4:g} bps" in page
    assert held["0.01"] == pytest.approx(held["0"] * 0.99, rel=1e-9)
    assert float(doc["result"]["benchmark"]["fees_quote"]) == pytest.approx(
        0.01
        * float(
            decode(Path(doc["result"]["report"]).with_name("report.json").read_bytes()).account.initial_equity
        )
    )


@pytest.mark.parametrize("path", ["fast", "event"])
def test_wishes_too_small_to_trade_are_told(bars: list[str], tmp_path: Path, path: str) -> None:
    quick = [
        "-s",
        "ma_crossover",
        "--set",
        "strategy.fast_bars=3",
        "--set",
        "strategy.slow_bars=9",
        "--no-regimes",
    ]

    def notes(band: float) -> tuple[int, list[str]]:
        words = [*bars, *PAIR, *quick, "--path", path, "--set", f"risk.params.rebalance_band_frac={band}"]
        code, doc = call(words, tmp_path)
        assert code == 0
        return doc["result"]["fills"], [n for n in doc["result"]["notes"] if n.startswith(("UNTRADED", "NO"))]

    fills, found = notes(0.02)
    assert fills > 0
    assert found == []
    fills, (told,) = notes(0.12)
    assert fills > 0
    assert told.startswith("UNTRADED: of 38 spells")
    assert "within the dead band of 12.00% of equity" in told
    fills, (told,) = notes(0.3)
    # nothing at all is traded, which has a sentence of its own
    assert fills == 0
    assert told.startswith("NO ORDERS")
    assert "within the dead band of 30.00% of equity" in told
