"""A result that is too good to be true is told first, in text, JSON and page, with what a look-ahead trial found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli

PEEKS = """
from typing import Any
import numpy as np
from actors.domain.strategies.base import FLAT, Market, Opinion, Strategy

class Peeks(Strategy):
    has_batch = True
    STATE = ()
    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.warmup_bars = 0
    def update(self, market: Market) -> Opinion:
        return FLAT
    def batch(self, columns: Any) -> Any:
        # eight bars from now: long enough to be in before the move
        coming = np.append(columns.close[8:], np.full(8, columns.close[-1])) / columns.close
        up = np.where(coming > 1.004, 1.0, 0.0)
        return up, np.where(up > 0.0, 1.0, 0.0)
"""


def run(folder: Path, words: list[str]) -> tuple[int, dict[str, object]]:
    """Backtest one synthetic pair; return exit code and document."""
    market = generate(SyntheticParams(n_bars=1500), 7)
    file = BarStore(folder).write(next(iter(market.frames.values())))
    out = folder / "out.json"
    code = cli.main(
        ["backtesting", "--data", str(file), "-p", "BTC/USDT", "-i", "1h", "--no-regimes", *words, "--no-progress",
         "--userdir", str(folder / "ud"), "--json", str(out)]
    )  # fmt: skip
    return code, json.loads(out.read_text(encoding="utf-8"))["result"]


def test_a_leak_on_the_fast_path_is_convicted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ud" / "strategies").mkdir(parents=True)
    (tmp_path / "ud" / "strategies" / "peeking_strategy.py").write_text(PEEKS, "utf-8")
    code, result = run(tmp_path, ["-s", "peeking_strategy:Peeks", "--path", "fast"])
    assert result["metrics"]["sharpe_ann"] > 10
    found = result["plausibility"]
    assert any("Sharpe" in text for text in found["implausible"])
    (row,) = found["lookahead"]
    assert (row["strategy"], row["causal"]) == ("peeking_strategy:Peeks", False)
    assert "direction at the bar of 2024-" in row["first_leak"]
    assert "lookahead-analysis" in found["advice"]
    assert code == 1
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].startswith("IMPLAUSIBLE: an annual Sharpe ratio of ")
    assert any("Peeks LOOKS AHEAD" in line for line in printed)
    page = Path(result["report"]).read_text(encoding="utf-8")
    assert 'class="warn loud">IMPLAUSIBLE: an annual Sharpe' in page
    assert "Peeks LOOKS AHEAD" in page


def test_an_ordinary_result_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result = run(tmp_path, ["-s", "rsi"])
    assert code == 0
    assert result["plausibility"] == {"implausible": [], "lookahead": [], "advice": None}
    assert "IMPLAUSIBLE" not in capsys.readouterr().out
