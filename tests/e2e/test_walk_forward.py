"""The verb walk-forward in this process: its document, stitched records, borders, resume, bad input."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actors.adapters.storage.bar_store import BarStore
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import main as cli

BARS = 1200
STRATEGY = ["-s", "ma_crossover", "--space", "strategy.fast_bars=3..20", "strategy.slow_bars=25..80"]
FOLDS = ["--folds", "3", "--embargo", "5", "-e", "5", "-j", "1"]


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Flags that choose one synthetic pair."""
    market = generate(SyntheticParams(n_bars=BARS), 13)
    frame = market.frames["BTC/USDT"]
    path = BarStore(tmp_path_factory.mktemp("bars")).write(frame)
    return ["--data", f"BTC/USDT={path}", "-p", "BTC/USDT", "-i", "1h"]


def call(words: list[str], folder: Path, verb: str = "walk-forward") -> tuple[int, Any]:
    """Run a verb; return its exit code and its JSON document, None if it wrote none."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    code = cli.main([verb, *words, "--no-progress", "--userdir", str(folder / "ud"), "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


@pytest.fixture(scope="module")
def done(bars: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A walk-forward that is done."""
    folder = tmp_path_factory.mktemp("done")
    code, doc = call([*bars, *STRATEGY, *FOLDS], folder)
    assert code == 0
    return folder, doc["result"]


def kept(result: dict[str, Any]) -> list[dict[str, Any]]:
    folder = Path(result["report"]).parent
    return [json.loads(p.read_text(encoding="utf-8")) for p in sorted(folder.glob("fold_*.json"))]


def test_stitched_metrics_are_those_of_the_folds_put_end_to_end(done: tuple[Path, dict[str, Any]]) -> None:
    _, result = done
    rows = kept(result)
    returns = np.concatenate([r["returns"] for r in rows])
    times = np.concatenate([r["times"] for r in rows])
    hour = 3_600 * 10**9
    assert (np.diff(times) == hour).all()
    assert len(returns) == result["metrics"]["bars"] == sum(f["test"]["bars"] for f in result["folds"])
    assert result["metrics"]["total_return_frac"] == pytest.approx(np.prod(1.0 + returns) - 1.0, rel=1e-9)
    sharpe = returns.mean() / returns.std(ddof=1) * np.sqrt(8760)
    assert result["metrics"]["sharpe_ann"] == pytest.approx(sharpe, rel=1e-9)
    grown = float(np.prod(1.0 + returns)) ** (8760 / len(returns)) - 1.0
    trained = np.mean([f["train"]["metrics"]["cagr_frac"] for f in result["folds"]])
    if trained > 0:
        assert result["efficiency"] == pytest.approx(grown / trained, rel=1e-6)
    else:
        assert result["efficiency"] is None
    assert result["trials"] == 15
    assert result["verdict"]["words"] in ("no evidence", "weak evidence", "evidence")


def test_a_fold_is_a_backtest_of_its_choice_over_its_test_and_a_way_out(
    done: tuple[Path, dict[str, Any]], bars: list[str], tmp_path: Path
) -> None:
    _, result = done
    rows = kept(result)
    assert any(f["held"] for f in result["folds"]), "no fold held anything at its end: choose another market"
    for fold, row in zip(result["folds"], rows, strict=True):
        assert fold["train_to"] < fold["test_from"]
        span = "-".join(
            t.replace("-", "").replace(":", "")[:13] for t in (fold["test_from"], fold["test_to"])
        )
        sets = [w for k, v in fold["params"].items() for w in ("--set", f"{k}={v}")]
        code, doc = call(
            [*bars, "-s", "ma_crossover", "--timerange", span, "--no-regimes", *sets], tmp_path, "backtesting"
        )
        assert code == 0
        run = doc["result"]
        growth = float(np.prod(1.0 + np.array(row["returns"])))
        before = 1.0 + run["metrics"]["total_return_frac"]
        assert growth == pytest.approx(before * (1.0 - fold["exit_cost_frac"]), rel=1e-9)
        assert run["trade_count"] == fold["test"]["trade_count"]
        assert bool(fold["held"]) == (fold["exit_cost_frac"] > 0.0) == bool(run["open_positions"])
        if fold["held"]:
            # about a fee and half a spread of a position that is at most the account
            assert 0.0 < fold["exit_cost_frac"] < 0.01


def test_the_future_of_a_fold_decides_nothing_in_it(
    done: tuple[Path, dict[str, Any]], bars: list[str], tmp_path: Path
) -> None:
    _, result = done
    frame = generate(SyntheticParams(n_bars=BARS), 13).frames["BTC/USDT"]
    last = np.datetime64(result["folds"][-1]["test_from"].rstrip("Z"), "ns").astype(np.int64)
    cut = int(np.searchsorted(frame.open_ns, last))
    other = generate(SyntheticParams(n_bars=BARS), 14).frames["BTC/USDT"]
    scale = frame.close[cut - 1] / other.open[cut]
    columns = {
        n: np.concatenate([getattr(frame, n)[:cut], np.round(getattr(other, n)[cut:] * scale, 2)])
        for n in ("open", "high", "low", "close")
    }
    changed = type(frame)(
        frame.pair, frame.timeframe_ns, frame.open_ns, **columns, volume=frame.volume, synthetic=True
    )
    path = BarStore(tmp_path / "bars").write(changed)
    code, doc = call(["--data", f"BTC/USDT={path}", *bars[2:], *STRATEGY, *FOLDS], tmp_path)
    assert code == 0
    again = doc["result"]
    for a, b in zip(result["folds"][:-1], again["folds"][:-1], strict=True):
        assert a == b
    assert again["folds"][-1]["params"] == result["folds"][-1]["params"]
    assert again["folds"][-1]["test"] != result["folds"][-1]["test"]


def test_resume_takes_over_finished_folds_only_of_the_same_question(
    done: tuple[Path, dict[str, Any]], bars: list[str], tmp_path: Path
) -> None:
    kept_folder, result = done
    # a copy: what the other tests read stays whole in any order of the tests
    folder = tmp_path / "copy"
    shutil.copytree(kept_folder, folder)
    first = folder / Path(result["report"]).parent.relative_to(kept_folder)
    (first / "fold_001.json").unlink()
    # what is taken over is not computed again: a mark in it comes through
    marked = json.loads((first / "fold_000.json").read_text(encoding="utf-8"))
    marked["train"]["trials"] = 1000
    (first / "fold_000.json").write_text(json.dumps(marked), encoding="utf-8")
    code, doc = call([*bars, *STRATEGY, *FOLDS, "--resume"], folder)
    assert code == 0
    assert doc["result"]["oos_hash"] == result["oos_hash"]
    assert doc["result"]["trials"] == 1000 + 10
    code, _ = call([*bars, *STRATEGY, *FOLDS, "--seed", "8", "--resume"], folder)
    assert code == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--train", "2000"], 3, "expected"),
        (["--train", "400", "--test", "100", "--embargo", "100"], 2, "fewer than the 100 of a test fold"),
        (["--train", "10y"], 2, "expected bars (500) or a length"),
        (["--folds", "0"], 2, "--folds: expected 1 or more"),
        (["--folds", "9", "--train", "600", "--test", "100"], 3, "room for"),
        (["-e", "0"], 2, "--epochs"),
        (["-j", "0"], 2, "--workers"),
        (["--objective", "sharpe", "--objective", "calmar"], 2, "expected one"),
        (["--resume"], 2, "none; leave --resume out"),
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
    found, doc = call([*bars, *STRATEGY, *words, *(["-j", "1"] if "-j" not in words else [])], tmp_path)
    said = capsys.readouterr().err
    assert (found, doc) == (code, None), said
    assert says in said
    assert "Traceback" not in said


def test_folds_in_which_nothing_can_be_chosen_are_undefined_not_zero(bars: list[str], tmp_path: Path) -> None:
    code, doc = call([*bars, *STRATEGY, *FOLDS, "-e", "2", "--constraint", "trade_count>=100000"], tmp_path)
    assert code == 0
    result = doc["result"]
    for fold in result["folds"]:
        assert fold["params"] is None
        assert fold["reason"]
        assert fold["test"]["sharpe_ann"] is fold["test"]["total_return_frac"] is fold["efficiency"] is None
    assert result["metrics"]["sharpe_ann"] is result["efficiency"] is None
    assert result["verdict"]["words"] == "no evidence"
    assert any("nothing could be chosen" in n for n in result["notes"])


def test_an_objective_that_never_knows_is_told(
    bars: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_objective.py").write_text(
        "def never(metrics):\n    return float('nan')\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    code, doc = call([*bars, *STRATEGY, *FOLDS, "-e", "2", "--objective", "my_objective:never"], tmp_path)
    assert code == 0
    assert all("finite" in f["reason"] for f in doc["result"]["folds"])


def test_a_test_without_trades_has_no_sharpe_ratio(bars: list[str], tmp_path: Path) -> None:
    # a band that no crossover leaves: chosen by a user's objective that likes everything
    words = ["-s", "ma_crossover", "--space", "strategy.band_frac=0.5..0.9", *FOLDS, "-e", "2"]
    code, doc = call([*bars, *words, "--objective", "exposure:value"], tmp_path)
    assert code == 2 and doc is None  # noqa: PT018 - no such function: told before anything is computed
    code, doc = call([*bars, *words, "--objective", "total_return,min_trades=0"], tmp_path)
    assert code == 0
    for fold in doc["result"]["folds"]:
        assert fold["params"] is not None
        assert fold["test"]["trade_count"] == 0
        assert fold["test"]["sharpe_ann"] is None
    assert any("no round trip" in n for n in doc["result"]["notes"])
