"""Bad input for the verb backtesting: one clear error each, or a run that says what was wrong with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cluster.cli import main as cli

Table = pd.DataFrame
HOURS = 400


def five_minutes(
    bars: int = HOURS * 12, seed: int = 1, start: str = "2023-01-01", freq: str = "5min"
) -> Table:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.standard_normal(bars) * 0.003))
    opened = np.r_[close[:1], close[:-1]]
    return Table(
        {
            "timestamp": pd.date_range(start, periods=bars, freq=freq, tz="UTC"),
            "open": opened, "high": np.maximum(opened, close) * 1.001, "low": np.minimum(opened, close) * 0.999,
            "close": close, "volume": rng.uniform(50, 100, bars),
        }
    )  # fmt: skip


def hours(finer: Table) -> Table:
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    return finer.set_index("timestamp").resample("1h").agg(rules).reset_index()


@pytest.fixture(scope="module")
def market() -> tuple[Table, Table]:
    """Hours, and the five minutes they are made of."""
    finer = five_minutes()
    return hours(finer), finer


def call(folder: Path, *words: str) -> tuple[int, Any]:
    """Run a crossover over BTC/USDT; return exit code and JSON result, None if there is none."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main(
        ["backtesting", "-s", "ma_crossover", "--set", "strategy.fast_bars=5", "--set", "strategy.slow_bars=20",
         "-p", "BTC/USDT", "-i", "1h", "--no-progress", "--no-regimes", "--userdir", str(folder / "ud"),
         "--json", str(out), *words]
    )  # fmt: skip
    return code, json.loads(out.read_text(encoding="utf-8"))["result"] if out.exists() else None


def saved(folder: Path, table: Table, name: str = "BTCUSDT_1h.parquet") -> str:
    path = folder / name
    table.to_parquet(path)
    return str(path)


def changed(table: Table, row: int, **values: float) -> Table:
    out = table.copy()
    for name, value in values.items():
        out.loc[row, name] = value
    return out


BROKEN: dict[str, tuple[Callable[[Table], Table], str]] = {
    "nan": (lambda t: changed(t, 7, close=np.nan), "row 7"),
    "infinity": (lambda t: changed(t, 7, high=np.inf), "row 7"),
    "price of zero": (lambda t: changed(t, 9, open=0.0, low=0.0), "prices above 0"),
    "negative volume": (lambda t: changed(t, 9, volume=-1.0), "row 9"),
    "newest first": (lambda t: t.iloc[::-1].reset_index(drop=True), "ascending"),
    "two rows swapped": (lambda t: t.iloc[[0, 2, 1, *range(3, len(t))]].reset_index(drop=True), "ascending"),
    "a row twice": (lambda t: pd.concat([t.iloc[:50], t.iloc[49:]]).reset_index(drop=True), "each time once"),
    "high below low": (lambda t: changed(t, 11, high=1.0), "row 11"),
    "no volume column": (lambda t: t.drop(columns="volume"), "volume"),
    "no rows": (lambda t: t.iloc[:0], "bars"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bars_are_refused_with_the_row(
    name: str, market: tuple[Table, Table], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks, said = BROKEN[name]
    code, result = call(tmp_path, "--data", saved(tmp_path, breaks(market[0])))
    assert (code, result) == (3, None)
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--timerange", "20300101-"], 3, "expected bars in"),
        (["--timerange", "20230110-20230105"], 2, "start before the end"),
        (["-c", "preset:nowhere"], 2, "kraken"),
        (["--fee", "0.1 %"], 2, "0.001 is 0.1 %"),
        (["--fee", "1"], 2, "fraction"),
        (["--export-trades", "{folder}/missing/x/t.xls"], 2, ".parquet"),
        (["--export-trades", "{folder}"], 2, "expected"),
        (["--export-equity", "/proc/nowhere/e.csv"], 2, "can be written"),
        (["--timeframe-detail", "5m"], 2, "expected a file of 5m bars for BTC/USDT"),
        (["--timeframe-detail", "4h"], 2, "finer than the timeframe 1h"),
        (["--timeframe-detail", "7m"], 2, "finer than the timeframe 1h and divides it"),
        (["--timeframe-detail", "soon"], 2, "timeframe_detail"),
        (
            ["--set", "venue.fees={kind: tiered, params: {tiers: [[0, 1, 2], [5, 3, 3]]}}"],
            2,
            "rates that do not",
        ),
        (["--set", "venue.slippage.params.half_spread_bps=1"], 2, "venue.spread"),
        (["--set", "venue.through_ticks=0", "--set", "venue.queue_ahead_frac=0.1"], 2, "queue_ahead_frac"),
        (["--set", "venue.latency={kind: ns, params: {latency_ns: -1}}"], 2, "latency_ns"),
    ],
)
def test_bad_flags(
    words: list[str], code: int, said: str, market: tuple[Table, Table], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    given = [w.replace("{folder}", str(tmp_path)) for w in words]
    found, _ = call(tmp_path, "--data", saved(tmp_path, market[0]), *given)
    assert found == code
    assert said in capsys.readouterr().err


def test_bars_without_volume_fill_nothing_and_it_is_said(market: tuple[Table, Table], tmp_path: Path) -> None:
    code, result = call(tmp_path, "--data", saved(tmp_path, market[0].assign(volume=0.0)))
    assert code == 0
    assert (result["orders"] > 0, result["fills"]) == (True, 0)
    assert any("NO FILLS" in n and "any volume" in n for n in result["notes"])
    assert "NO FILLS" in Path(result["report"]).read_text(encoding="utf-8")


def test_orders_below_the_least_are_not_sent_and_it_is_said(
    market: tuple[Table, Table], tmp_path: Path
) -> None:
    code, result = call(
        tmp_path, "--data", saved(tmp_path, market[0]), "--set", "account.initial_cash_quote=12"
    )
    assert (code, result["orders"]) == (0, 0)
    assert any("NO ORDERS" in n and "takes 10 at least" in n for n in result["notes"])


RAISES = """
from typing import Any
from pydantic import BaseModel
from actors.domain.registry import Params
from actors.domain.strategies.base import Market, Opinion, Strategy

class RaisesParams(Params):
    after_bars: int = 150

class Raises(Strategy):
    Params = RaisesParams
    STATE = ("_n",)
    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._n, self.warmup_bars = 0, 0
    def update(self, market: Market) -> Opinion:
        self._n += 1
        if self._n > self.params.after_bars:
            raise ZeroDivisionError("planted")
        return Opinion(1.0 if self._n % 60 < 30 else 0.0, 0.9)
"""


def test_a_strategy_that_raises_is_kept_up_to_there_and_named_with_bar_and_parameters(
    market: tuple[Table, Table], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ud" / "strategies").mkdir(parents=True)
    (tmp_path / "ud" / "strategies" / "raises_in_the_middle.py").write_text(RAISES, "utf-8")
    out = tmp_path / "out.json"
    code = cli.main(
        ["backtesting", "-s", "raises_in_the_middle:Raises", "--set", "strategy.after_bars=200", "-p", "BTC/USDT",
         "-i", "1h", "--data", saved(tmp_path, market[0]), "--no-progress", "--no-regimes", "--userdir",
         str(tmp_path / "ud"), "--json", str(out), "--export-equity", str(tmp_path / "e.csv")]
    )  # fmt: skip
    result = json.loads(out.read_text(encoding="utf-8"))["result"]
    assert code == 2
    assert (result["status"], result["steps"]) == ("failed", 200)
    said = capsys.readouterr().err
    # the 201st hour of 2023
    for part in ("after_bars=200", "2023-01-09T08:00:00Z", "step 200", "ZeroDivisionError: planted"):
        assert part in said
        assert part in result["error"]
    assert result["orders"] > 0
    assert len((tmp_path / "e.csv").read_text(encoding="utf-8").splitlines()) == 201
    assert "INCOMPLETE" in Path(result["report"]).read_text(encoding="utf-8")


def test_finer_bars_are_told_by_pair(market: tuple[Table, Table], tmp_path: Path) -> None:
    coarse, finer = market
    # the five minutes from 1000 on: two and a half hours
    given = ["--data", saved(tmp_path, coarse), "--timeframe-detail", "5m"]
    holed = finer.drop(index=list(range(1000, 1030)))
    code, result = call(tmp_path, *given, "--data", saved(tmp_path, holed, "BTCUSDT_5m.parquet"))
    row = result["detail"]["per_pair"]["BTC/USDT"]
    assert code == 0
    assert (row["bars"], row["with_detail"], row["absent"], row["incomplete"]) == (HOURS, HOURS - 3, 1, 2)
    assert row["first_without"][0] == "2023-01-04T11:00:00Z"
    assert any(n.startswith("DETAIL: BTC/USDT: 3 of 400 bars") for n in result["notes"])
    assert "3 of 400 bars" in Path(result["report"]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("table", "name", "said"),
    [
        (five_minutes(seed=5), "BTC/USDT=ETHUSDT_5m.parquet", "same pair, venue and market"),
        (five_minutes(start="2019-01-01"), "BTCUSDT_5m.parquet", "same time"),
        (
            five_minutes(HOURS * 4, freq="15min"),
            "BTCUSDT_5m.parquet",
            "expected bars of 5m (--timeframe-detail)",
        ),
        (five_minutes().drop(index=list(range(1000, 1300))), "BTCUSDT_5m.parquet", "bars missing"),
        (changed(five_minutes(), 50, high=1.0), "BTCUSDT_5m.parquet", "row 50"),
    ],
    ids=["another pair", "another time", "another spacing", "too many gaps", "insane"],
)
def test_finer_bars_that_do_not_match_are_refused(
    table: Table, name: str, said: str, market: tuple[Table, Table], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    pair, _, file = name.rpartition("=")
    path = saved(tmp_path, table, file)
    given = ["--data", saved(tmp_path, market[0]), "--data", f"{pair}={path}" if pair else path]
    code, result = call(tmp_path, *given, "--timeframe-detail", "5m")
    assert (code, result) == (3, None)
    assert said in capsys.readouterr().err
