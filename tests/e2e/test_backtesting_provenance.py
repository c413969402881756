"""A backtest of what a study chose deflates its Sharpe ratio by that study's trials; any other says that it cannot."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from actors.adapters.storage.bar_store import BarStore
from actors.domain.evaluation.metrics.deflated import deflated_sharpe
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli
from config.handover import handed_over
from config.load import resolve

# the chosen one is number 2
SHARPES = [0.01, -0.02, 0.05, None, 0.03, 0.0, -0.04]
LEAN = (
    "strategies=[{kind: time_series_momentum, params: {target_volatility_frac: 0.5}}]", "regime.detectors=[]",
    "learning.predictors=[]", "features.indicators=[]",
)  # fmt: skip


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("provenance")
    frame = generate(SyntheticParams(n_bars=1500), 7).frames["BTC/USDT"]
    return BarStore(folder).write(frame)


def run(market: Path, folder: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    out = folder / "out.json"
    code = cli.main(
        ["backtesting", "--data", f"BTC/USDT={market}", "-p", "BTC/USDT", "-i", "1h", "--userdir", str(folder / "ud"),
         *words, "--no-progress", "--json", str(out)]
    )  # fmt: skip
    if code:
        return code, {}, ""
    result = json.loads(out.read_text(encoding="utf-8"))["result"]
    return code, result, Path(result["report"]).read_text(encoding="utf-8")


def choice(folder: Path) -> Path:
    path = folder / "choice.yaml"
    tree = handed_over(resolve("backtest", sets=LEAN).model, "momentum-study", 2, SHARPES)
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return path


def test_sharpe_is_deflated_by_the_trials_of_the_study(market: Path, tmp_path: Path) -> None:
    code, result, page = run(
        market, tmp_path, "-c", str(choice(tmp_path)), "--export-equity", str(tmp_path / "e.csv")
    )
    assert code == 0
    assert result["provenance"]["trials"] == 7
    rows = np.genfromtxt(tmp_path / "e.csv", delimiter=",", names=True, dtype=None, encoding="utf-8")
    equity = np.concatenate(([float(resolve("backtest").model.account.initial_cash_quote)], rows["equity"]))
    known = [math.nan if s is None else s for s in SHARPES]
    expected = deflated_sharpe(equity[1:] / equity[:-1] - 1.0, known)
    assert result["statistics"]["trials"] == 7
    assert result["statistics"]["dsr"] == pytest.approx(expected, rel=1e-6)
    # seven trials take something off
    assert result["statistics"]["dsr"] < result["metrics"]["psr"]
    assert "momentum-study" in page
    assert "deflated Sharpe ratio" in page
    assert 0.5 < expected < 0.95
    assert any("after 7 trials, below 0.95" in text for text in result["warnings"])
    assert not any("is not known" in text for text in result["warnings"])


def test_without_a_study_nothing_is_deflated_and_the_page_says_so(market: Path, tmp_path: Path) -> None:
    code, result, page = run(
        market, tmp_path, "-s", "time_series_momentum", "--set", "strategy.target_volatility_frac=0.5"
    )
    assert code == 0
    assert result["provenance"] is None
    assert (result["statistics"]["dsr"], result["statistics"]["trials"]) == (None, None)
    assert "Nobody has said how many trials led to these parameters" in page


def test_another_strategy_is_not_the_choice_of_that_study(
    market: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, _ = run(market, tmp_path, "-c", str(choice(tmp_path)), "-s", "rsi")
    assert code == 2
    assert "study 'momentum-study' chose" in capsys.readouterr().err
