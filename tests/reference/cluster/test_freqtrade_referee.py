"""Three strategies of freqtrade's style on real bars: the command's trades are those of an independent referee."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade_referee import Bars, Exit, Rules, trades

from actors.adapters.freqtrade import shim
from actors.adapters.freqtrade.loader import load_strategy
from cluster.cli import main as cli

FEE, TICK, HOUR = 0.001, 0.01, 3_600_000_000_000
WARMUP = 1000
SPAN = ("20200101", "20220101")
EXACT = [
    "--set",
    "venue.spread={kind: none}",
    "--set",
    "venue.slippage={kind: none}",
    "--set",
    "venue.max_volume_share=null",
]


def stop_after_three_percent(close: float, profit: float, _hours: float) -> float | None:
    """Half a percent above the entry once the trade has gained 3 %, else 10 % below the price."""
    if profit > 0.03:
        return max(1.0 - 1.005 / (1.0 + profit), 0.0)
    return 0.10


def on_a_weekday(close_ns: int) -> bool:
    return datetime.fromtimestamp(close_ns / 1e9, tz=UTC).weekday() < 5


RULES = {
    "band_reversal.py:BandReversal": (
        Rules(stoploss=-0.06, roi={0: 0.05, 720: 0.025, 2880: 0.0}, cooldown_bars=3, guard=(72, 2, 24)),
        60,
        {"roi", "stop_loss", "rsi_high"},
    ),
    "ema_trail.py:EmaTrail": (
        Rules(stoploss=-0.08, roi={0: 10.0}, trailing=True, positive=0.02, offset=0.04, only_offset=True,
              cooldown_bars=6),
        100,
        {"exit_signal", "stop_loss", "trailing_stop_loss"},
    ),
    "callback_breakout.py:CallbackBreakout": (
        Rules(stoploss=-0.10, custom_stop=stop_after_three_percent, confirm=on_a_weekday,
              custom_exit=lambda hours: "too_old" if hours > 96 else None,
              drawdown=(240, 4, 48, 0.08), low_profit=(240, 3, 24, -0.02)),
        50,
        {"too_old", "stop_loss", "trailing_stop_loss"},
    ),
}  # fmt: skip


def call(words: list[str], folder: Path) -> dict[str, Any]:
    """Run the command and return its result."""
    out = folder / "out.json"
    common = ["--no-progress", "--userdir", str(folder / "ud"), "--json", str(out)]
    assert cli.main(["backtesting", *words, *common]) == 0
    document: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return document["result"]


def judged(file: Path, kind: str, data: Path) -> list[Exit]:
    """Return the referee's trades: the strategy's own columns, everything after them anew."""
    rules, startup, _ = RULES[kind]
    frame = pd.read_parquet(data)
    frame.columns = [c.lower() for c in frame.columns]
    frame["date"] = pd.to_datetime(frame["timestamp"], utc=True)
    begin, end = (pd.Timestamp(s, tz="UTC") for s in SPAN)
    first = int((frame["date"] < begin).sum())
    frame = frame[max(0, first - WARMUP) : int((frame["date"] < end).sum())].reset_index(drop=True)
    frame = frame[["date", "open", "high", "low", "close", "volume"]]
    strategy = load_strategy(file, kind.partition(":")[2])
    with shim.installed():
        columns = strategy.populate_indicators(frame.copy(), {"pair": "BTC/USDT"})
        columns = strategy.populate_entry_trend(columns, {"pair": "BTC/USDT"})
        columns = strategy.populate_exit_trend(columns, {"pair": "BTC/USDT"})
    leave = columns["exit_long"] == 1 if "exit_long" in columns else pd.Series(False, index=columns.index)
    tags = (
        columns["exit_tag"] if "exit_tag" in columns else pd.Series(None, index=columns.index, dtype=object)
    )
    times = [int(t.timestamp()) * 10**9 for t in frame["date"]]
    prices = {n: frame[n].tolist() for n in ("open", "high", "low", "close")}
    return trades(
        Bars(times, length_ns=HOUR, **prices), (columns["enter_long"] == 1).tolist(), leave.tolist(),
        [t if isinstance(t, str) else None for t in tags], rules,
        # a decision at the close of the last bar before the range would trade inside it: the range bounds decisions
        first=max(startup, min(first, WARMUP)), fee=FEE, tick=TICK,
    )  # fmt: skip


def text(open_ns: int) -> str:
    return f"{datetime.fromtimestamp(open_ns // 10**9, tz=UTC):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.shared_data
@pytest.mark.parametrize("kind", RULES)
def test_every_trade_is_the_referees(kind: str, shared_data: Path, repo_root: Path, tmp_path: Path) -> None:
    data = shared_data / "ohlcv" / "binance_spot" / "BTCUSDT_1h.parquet"
    folder = repo_root / "tests" / "support" / "freqtrade_style"
    words = ["-s", f"{folder / kind}", "--data", str(data), "-p", "BTC/USDT", "--timerange", "-".join(SPAN)]
    result = call([*words, "--no-regimes", *EXACT], tmp_path)
    expected = judged(folder / kind.partition(":")[0], kind, data)
    times = pd.to_datetime(pd.read_parquet(data)["timestamp"], utc=True)
    shift = max(0, int((times < pd.Timestamp(SPAN[0], tz="UTC")).sum()) - WARMUP)
    opened = [int(t.timestamp()) * 10**9 for t in times]
    found = [
        (t["opened_at"], t["closed_at"], float(t["entry_price"]), float(t["exit_price"]), t["exit_reason"])
        for t in result["trades"]
    ]
    wanted = [
        (
            text(opened[shift + e.entry_row]),
            text(opened[shift + e.exit_row] + (0 if e.at_open else HOUR)),
            pytest.approx(e.entry, rel=1e-12),
            pytest.approx(e.exit, rel=1e-12),
            e.reason,
        )
        for e in expected
    ]
    assert len(found) == len(wanted) > 50
    for k, (one, other) in enumerate(zip(found, wanted, strict=True)):
        assert one == other, f"trade {k}"
    assert {t["exit_reason"] for t in result["trades"]} == RULES[kind][2]
    assert {t["strategy"] for t in result["trades"]} == {kind.partition(":")[2]}
