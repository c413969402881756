"""A run of a strategy of freqtrade's style over a handful of bars that a test writes down; no slippage."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actors.domain.events.portfolio import TradeClosed
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import TimeRange
from cluster.runs.backtest_recorder import BacktestRecorder
from cluster.runs.execute import run_local
from cluster.runs.plan import RunPlan, build_plan
from config.load import resolve

HOUR = 3_600_000_000_000
PAIR = "BTC/USDT"
HEAD = """
from freqtrade.strategy import IStrategy

class Mine(IStrategy):
    timeframe = "1h"
    stoploss = -0.10
    enter, leave = (), ()

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe.index.isin(self.enter), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[dataframe.index.isin(self.leave), "exit_long"] = 1
        return dataframe
"""
FLAT = (100.0, 100.0, 100.0, 100.0)
FREE = ("venue.spread={kind: none}", "venue.slippage={kind: none}", "venue.max_volume_share=null")


@dataclass
class Done:
    """A finished run."""

    plan: RunPlan
    recorder: BacktestRecorder

    @property
    def trades(self) -> list[TradeClosed]:
        return self.recorder.record.trades

    @property
    def short(self) -> list[tuple[int, int, float, float, str]]:
        """Row of entry and exit, prices, reason."""
        return [
            (t.opened_ns // HOUR, t.closed_ns // HOUR, round(float(t.entry_price), 6), round(float(t.exit_price), 6),
             t.exit_reason)
            for t in self.trades
        ]  # fmt: skip

    def said(self, kind: str) -> list[dict[str, Any]]:
        """Business fields of all decisions of a kind, with their step."""
        rows = [json.loads(line) for line in self.recorder.lines]
        return [{"step": row[0], **dict(row[3])} for row in rows if row[1] == kind]


def frame(bars: Sequence[Sequence[float]], pair: str = PAIR, first: int = 0) -> BarFrame:
    """Return hourly bars of ``(open, high, low, close[, volume])`` from an hour of 1970 on."""
    columns = list(zip(*[(*b, 1e6)[:5] for b in bars], strict=True))
    return BarFrame(pair, HOUR, [HOUR * (first + k) for k in range(len(bars))], *columns)  # type: ignore[arg-type]


def strategy(folder: Path, body: str, name: str = "mine.py") -> Path:
    """Write a strategy file whose class `Mine` has `body` added; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(HEAD + textwrap.indent(textwrap.dedent(body), "    "), encoding="utf-8")
    return file


def plan(
    folder: Path, file: Path, bars: Mapping[str, BarFrame], *, params: Mapping[str, Any] | None = None,
    sets: Sequence[str] = (), journal: bool = False,
) -> RunPlan:  # fmt: skip
    """Return the plan of ``backtesting -s FILE:Mine`` over bars; decisions from the first bar on."""
    member = json.dumps([{"kind": f"{file}:Mine", "params": dict(params or {})}])
    config = resolve(
        "backtest",
        sets=[f"pairs={json.dumps(list(bars))}", f"strategies={member}", "account.initial_cash_quote=10000",
              "freqtrade.max_open_trades=1", *FREE, *sets],
    )  # fmt: skip
    return build_plan(
        config, bars, TimeRange(None, None), run_id="test", run_dir=folder / "run", key_path=folder / "key",
        journal=journal,
    )  # fmt: skip


def run(
    folder: Path, body: str, bars: Sequence[Sequence[float]] | Mapping[str, BarFrame], **more: Any
) -> Done:
    """Write the strategy, run it, return what came of it."""
    frames = bars if isinstance(bars, Mapping) else {PAIR: frame(bars)}
    made = plan(folder, strategy(folder, body), frames, **more)
    recorder = BacktestRecorder(made, None)
    run_local(made, recorder=recorder)
    return Done(made, recorder)
