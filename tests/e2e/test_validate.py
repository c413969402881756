"""The verb validate in this process: its document, the figures behind the verdict, the noise study, bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.evaluation.metrics.psr import psr_of
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli
from cluster.runs.noise_study import HOUR_NS, random_market

WORDS = ["-s", "ma_crossover", "--space", "strategy.fast_bars=3..20", "strategy.slow_bars=25..80", "-e", "8"]
QUICK = ["--reruns", "3", "--paths", "200", "--blocks", "8", "-j", "1"]


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Flags that choose one synthetic pair."""
    frame = generate(SyntheticParams(n_bars=1000), 13).frames["BTC/USDT"]
    path = BarStore(tmp_path_factory.mktemp("bars")).write(frame)
    return ["--data", f"BTC/USDT={path}", "-p", "BTC/USDT", "-i", "1h"]


def call(words: list[str], folder: Path) -> tuple[int, Any]:
    """Run the verb; return its exit code and its JSON document, None if it wrote none."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main(
        ["validate", *words, "--no-progress", "--userdir", str(folder / "ud"), "--json", str(out)]
    )
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


@pytest.fixture(scope="module")
def result(bars: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    code, doc = call([*bars, *WORDS, *QUICK], tmp_path_factory.mktemp("validate"))
    assert code == 0
    assert doc["seed"] == 7
    assert len(doc["config_hash"]) == len(doc["data_hash"]) == 64
    found: dict[str, Any] = doc["result"]
    return found


def test_every_part_of_the_evidence_is_there(result: dict[str, Any]) -> None:
    e = result["evidence"]
    assert set(e) == {
        "sample", "sharpe", "deflated_sharpe", "pbo", "spa_cash", "spa_benchmark", "k_fold", "cpcv", "walk_forward",
        "bootstrap",
    }  # fmt: skip
    assert e["sample"]["trials"] == 8
    assert e["sample"]["bars"] == 1000
    assert e["pbo"]["halves"] == 70
    assert (len(e["cpcv"]["choices"]), len(e["cpcv"]["paths_sharpe_ann"])) == (15, 5)
    assert 0.0 <= e["spa_cash"]["lower"] <= e["spa_cash"]["consistent"] <= e["spa_cash"]["upper"] <= 1.0
    assert set(result["reruns"]) == {"neighbours", "noisy_candles", "costs", "resampled_markets"}
    for row in result["reruns"].values():
        assert len(row["sharpes_ann"]) == row["runs"] >= 3
        assert len(set(row["returns_frac"])) > 1, "the same condition every time"
    assert [c["name"] for c in result["verdict"]["checks"]][:2] == ["deflated_sharpe", "pbo"]
    text = Path(result["report"]).read_text(encoding="utf-8")
    assert result["verdict"]["words"] in text
    assert "What would change the verdict" in text


def test_the_deflated_sharpe_ratio_is_that_of_all_trials(result: dict[str, Any]) -> None:
    e = result["evidence"]
    sharpe, dsr = e["sharpe"], e["deflated_sharpe"]
    again = psr_of(
        sharpe["sharpe"],
        e["sample"]["periods"],
        sharpe["skew"],
        sharpe["kurtosis"],
        dsr["expected_best_sharpe"],
    )
    assert dsr["trials"] == 8
    assert dsr["value"] == pytest.approx(again, rel=1e-12)
    assert sharpe["sharpe_ann"] == pytest.approx(result["metrics"]["sharpe_ann"], rel=1e-6)
    assert (result["verdict"]["words"] == "no evidence") == (dsr["value"] < 0.95)


@pytest.mark.ray
@pytest.mark.timeout(600)
def test_workers_change_nothing(result: dict[str, Any], bars: list[str], tmp_path: Path) -> None:
    code, doc = call([*bars, *WORDS, *QUICK[:-1], "2"], tmp_path)
    assert code == 0
    again = doc["result"]
    own = {"run_id", "report"}
    assert {k: v for k, v in again.items() if k not in own} == {
        k: v for k, v in result.items() if k not in own
    }


def test_reruns_may_be_left_out(bars: list[str], tmp_path: Path) -> None:
    code, doc = call([*bars, *WORDS, *QUICK, "--reruns", "0"], tmp_path)
    assert code == 0
    assert doc["result"]["reruns"] is None
    assert "costs" not in [c["name"] for c in doc["result"]["verdict"]["checks"]]


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["-e", "1"], 2, "--epochs: expected 2 or more"),
        (["--blocks", "7"], 2, "even number"),
        (["--paths", "5"], 2, "--paths: expected 100 or more"),
        (["--ruin", "0"], 2, "--ruin"),
        (["--timerange", "19700201-19700202"], 3, "expected bars in"),
        (["--constraint", "trade_count>=100000"], 3, "expected a trial that can be judged"),
        (["--noise-study", "1"], 2, "--noise-study: expected 2 or more"),
        (["--noise-study", "3", "--edges", "0.1,x"], 2, "--edges"),
    ],
)
def test_bad_input_is_one_clear_error(
    words: list[str],
    code: int,
    says: str,
    bars: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, doc = call([*bars, *WORDS, *QUICK, *words], tmp_path)
    said = capsys.readouterr().err
    assert (found, doc) == (code, None), said
    assert says in said
    assert "Traceback" not in said


def test_too_few_bars_to_judge_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = generate(SyntheticParams(n_bars=60), 13).frames["BTC/USDT"]
    path = BarStore(tmp_path / "bars").write(frame)
    words = ["--data", f"BTC/USDT={path}", "-p", "BTC/USDT", "-i", "1h", "-s", "ma_crossover", *QUICK]
    code, _ = call(
        [*words, "-e", "3", "--space", "strategy.fast_bars=2..4", "--set", "strategy.slow_bars=30"], tmp_path
    )
    assert code == 3
    assert "at least 64 bars to decide on, found 60" in capsys.readouterr().err


# -- does the judge judge rightly? -----------------------------------------------------------------------------------


def test_the_judge_does_not_cry_wolf_and_sees_a_planted_edge(tmp_path: Path) -> None:
    words = ["--noise-study", "20", "-e", "60", "--noise-bars", "1200", "--edges", "0.3", "-j", "1"]
    code, doc = call([*words, "--paths", "200"], tmp_path)
    assert code == 0
    noise, edge = doc["result"]["noise_study"]["rows"]
    assert (noise["markets"], noise["edge"], edge["edge"]) == (20, 0.0, 0.3)
    assert noise["alarms"] <= 2
    assert abs(noise["pbo_mean"] - 0.5) <= 3.0 * noise["pbo_se"]
    # without deflation the best of the trials would look good far more often
    assert noise["undeflated_alarms"] > noise["alarms"]
    assert edge["alarms"] >= 16
    assert [c["met"] for c in doc["result"]["noise_study"]["checks"]] == [True, True]


def test_a_market_without_an_edge_is_a_martingale_and_one_with_it_is_not() -> None:
    rng = np.random.default_rng(0)
    frame = random_market(20_000, 0.0, rng)
    returns = frame.close[1:] / frame.close[:-1] - 1.0
    assert abs(returns.mean()) < 3.0 * returns.std() / np.sqrt(len(returns))
    lagged = np.corrcoef(returns[1:], returns[:-1])[0, 1]
    assert abs(lagged) < 3.0 / np.sqrt(len(returns))
    frame = random_market(20_000, 0.5, rng)
    returns = frame.close[1:] / frame.close[:-1] - 1.0
    assert np.corrcoef(returns[1:], returns[:-1])[0, 1] > 0.15
    assert frame.timeframe_ns == HOUR_NS
