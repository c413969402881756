"""The verb ``hyperopt`` in one process: its document, going on, presets, spaces, grids, failures, bad input."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.cli import main as cli

KEYS = {
    "study", "study_hash", "engine", "sampler", "pruner", "objectives", "constraints", "space", "epochs", "states",
    "feasible", "trials", "best", "best_metrics", "stable", "pareto", "sensitivity", "overfitting", "notes", "preset",
    "report",
}  # fmt: skip
TWO = ["--space", "strategy.fast_bars=3..12", "strategy.slow_bars=15..60"]


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 hours that fall and recover."""
    path = tmp_path_factory.mktemp("bars") / "BTCUSDT_1h.csv"
    rows, price = ["timestamp,open,high,low,close,volume"], 100.0
    for k in range(400):
        now = price * (1.0 + (0.01 if (k // 40) % 2 else -0.008) + (0.004 if k % 3 else -0.006))
        high, low = max(price, now) * 1.002, min(price, now) * 0.998
        rows.append(f"{1577836800 + 3600 * k},{price:.4f},{high:.4f},{low:.4f},{now:.4f},{50000 + k % 7}")
        price = round(now, 4)
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def call(folder: Path, bars: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Run the verb in this process; return exit code and result ({} if there is none)."""
    out = folder / "out.json"
    out.unlink(missing_ok=True)
    given = ["--data", str(bars), "-p", "BTC/USDT", "-i", "1h", "-j", "1", "--userdir", str(folder / "ud")]
    code = cli.main(["hyperopt", *given, *words, "--no-progress", "--json", str(out)])
    return code, json.loads(out.read_text(encoding="utf-8"))["result"] if out.exists() else {}


MA = ["-s", "ma_crossover"]


def test_the_document_has_its_keys_and_the_best_tells_nothing_of_the_run(bars: Path, tmp_path: Path) -> None:
    code, found = call(
        tmp_path, bars, *MA, *TWO, "-e", "25", "--study", "one", "--constraint", "trade_count>=3"
    )
    assert code == 0
    assert set(found) == KEYS
    assert set(found["best"]) == {"number", "params", "values"}
    assert [t["number"] for t in found["trials"]] == list(range(25))
    assert found["best"]["values"][0] == max(t["values"][0] for t in found["trials"] if t["feasible"])
    assert all(t["metrics"]["trade_count"] >= 3 for t in found["trials"] if t["feasible"])
    assert found["pareto"] == [found["best"]]
    assert sum(found["sensitivity"]["importance"].values()) == pytest.approx(1.0)
    assert found["overfitting"]["trials"] == 25
    assert 0.0 <= found["overfitting"]["pbo"] <= 1.0
    assert 0.0 <= found["overfitting"]["dsr"] <= 1.0
    assert "Best parameters" in Path(found["report"]).read_text(encoding="utf-8")
    # another process, another day: the same
    code, again = call(
        tmp_path / "b", bars, *MA, *TWO, "-e", "25", "--study", "two", "--constraint", "trade_count>=3"
    )
    assert {k: v for k, v in again.items() if k not in ("study", "report")} == {
        k: v for k, v in found.items() if k not in ("study", "report")
    }


def test_it_goes_on_with_more_epochs_and_refuses_another_study(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, whole = call(tmp_path / "w", bars, *MA, *TWO, "-e", "20", "--sampler", "random", "--study", "x")
    _, part = call(tmp_path, bars, *MA, *TWO, "-e", "9", "--sampler", "random", "--study", "x")
    assert part["study_hash"] != whole["study_hash"]
    out = tmp_path / "more.json"
    words = ["hyperopt", "--resume", "--study", "x", "-e", "20", "-j", "1", "--userdir", str(tmp_path / "ud")]
    assert cli.main([*words, "--no-progress", "--json", str(out)]) == 0
    more = json.loads(out.read_text(encoding="utf-8"))["result"]
    assert more["study_hash"] == whole["study_hash"]
    assert more["best"] == whole["best"]
    assert more["overfitting"] == whole["overfitting"]
    capsys.readouterr()
    assert call(tmp_path, bars, *MA, *TWO, "-e", "9", "--study", "x")[0] == 2
    assert "go on with it by --resume" in capsys.readouterr().err
    assert cli.main(["hyperopt", "--resume", "-j", "1", "--userdir", str(tmp_path / "ud")]) == 2
    assert "expected an unfinished study" in capsys.readouterr().err


def test_lost_returns_are_computed_again(bars: Path, tmp_path: Path) -> None:
    _, whole = call(tmp_path, bars, *MA, *TWO, "-e", "9", "--study", "x")
    files = sorted((tmp_path / "ud" / "studies" / "x" / "returns").glob("*.npy"))
    assert files
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:40])
    out = tmp_path / "again.json"
    words = ["hyperopt", "--resume", "--study", "x", "-j", "1", "--userdir", str(tmp_path / "ud")]
    assert cli.main([*words, "--no-progress", "--json", str(out)]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["result"]["overfitting"] == whole["overfitting"]


def test_a_preset_is_what_was_chosen_with_its_provenance(bars: Path, tmp_path: Path) -> None:
    space = [*TWO, "exits.stop.frac=0.01..0.1", "risk.sizing.params.target_volatility_ann_frac=0.2..0.8"]
    code, found = call(tmp_path, bars, *MA, *space, "-e", "12", "--write-preset", "mine")
    assert code == 0
    preset = Path(found["preset"])
    assert preset == tmp_path / "ud" / "presets" / "mine.yaml"
    assert found["study_hash"] in preset.read_text(encoding="utf-8")
    out = tmp_path / "bt.json"
    words = [
        "backtesting",
        "-c",
        str(preset),
        "--data",
        str(bars),
        "-p",
        "BTC/USDT",
        "--userdir",
        str(tmp_path / "ud"),
    ]
    assert cli.main([*words, "--no-progress", "--json", str(out)]) == 0
    run = json.loads(out.read_text(encoding="utf-8"))["result"]
    assert run["metrics"]["sharpe_ann"] == found["best"]["values"][0]
    assert run["statistics"]["trials"] == 12
    assert run["statistics"]["dsr"] == pytest.approx(found["overfitting"]["dsr"], abs=1e-9)
    assert cli.main([*words, "--set", "strategies.0.params.fast_bars=2", "--no-progress"]) == 2
    # a study that goes on from what another chose counts the other's trials: none is forgotten by searching again
    code, again = call(
        tmp_path, bars, "-c", str(preset), *TWO, "-e", "6", "--study", "2", "--write-preset", "twice"
    )
    assert code == 0
    assert again["overfitting"]["trials"] == 18
    assert any("12 trials" in note for note in again["notes"])
    tree = yaml.safe_load(Path(again["preset"]).read_text(encoding="utf-8"))
    assert tree["provenance"]["trials"] == 18


def test_a_whole_grid_goes_through_the_kernel_or_the_fleet(bars: Path, tmp_path: Path) -> None:
    grid = [*MA, *TWO, "--sampler", "grid", "--grid-points", "4"]
    _, swept = call(tmp_path, bars, *grid)
    assert swept["engine"] == "sweep"
    _, fleet = call(tmp_path, bars, *grid, "--engine", "fleet")
    assert fleet["engine"] == "fleet"
    assert [t["params"] for t in swept["trials"]] == [t["params"] for t in fleet["trials"]]
    assert len(fleet["trials"]) == 16
    assert any("sweep kernel" in n for n in swept["notes"])
    _, both = call(tmp_path, bars, *grid, "--space", "exits.stop.frac=0.01..0.05", "-e", "10")
    assert both["engine"] == "fleet"
    assert len(both["trials"]) == 10


def test_several_objectives_make_a_front(bars: Path, tmp_path: Path) -> None:
    words = ["--objective", "sharpe", "--objective", "ulcer", "--sampler", "nsga2", "-e", "16"]
    code, found = call(tmp_path, bars, *MA, *TWO, *words)
    assert code == 0
    front = {t["number"] for t in found["pareto"]}
    for t in found["trials"]:
        better = [
            o for o in found["trials"]
            if t["values"] and o["values"] and o["values"][0] >= t["values"][0] and o["values"][1] <= t["values"][1]
            and o["values"] != t["values"]
        ]  # fmt: skip
        assert (t["number"] in front) == (bool(t["values"]) and not better)
    assert "Pareto front" in Path(found["report"]).read_text(encoding="utf-8")


def test_a_users_objective_may_fail_for_some_or_for_all(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "ud" / "strategies"
    own.mkdir(parents=True)
    (own / "score_here.py").write_text(
        "def some(m):\n    if m['trade_count'] % 2:\n        raise ValueError('odd')\n    return m['sharpe_ann']\n"
        "def never(m):\n    return float('nan')\n",
        encoding="utf-8",
    )
    code, found = call(tmp_path, bars, *MA, *TWO, "-e", "20", "--objective", "score_here:some")
    assert code == 0
    assert found["states"]["fail"] > 0
    assert found["states"]["complete"] > 0
    assert {t["reason"] for t in found["trials"] if t["state"] == "fail"} == {
        "score_here:some: ValueError: odd"
    }
    code, found = call(tmp_path, bars, *MA, *TWO, "-e", "5", "--objective", "score_here:never")
    assert code == 1
    assert found["best"] is None
    assert found["states"] == {"complete": 0, "pruned": 0, "fail": 5}
    assert "expected a finite number, found nan" in capsys.readouterr().out


def test_going_on_tells_what_it_ignores_and_what_it_cannot_read(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("x", "y"):
        assert call(tmp_path, bars, *MA, *TWO, "-e", "3", "--study", name)[0] == 0
    capsys.readouterr()
    assert call(tmp_path, bars, "--resume", "--study", "x", "-e", "4", "-s", "rsi", "--seed", "9")[0] == 0
    told = capsys.readouterr().err
    assert "--strategy ['rsi']: ignored, the run goes on with ['ma_crossover']" in told
    assert "--seed 9: ignored" in told
    assert "--data" not in told
    (tmp_path / "ud/studies/x/study.json").write_text("torn", encoding="utf-8")
    assert (
        call(tmp_path, bars, "--resume", "--study", "y", "-e", "4")[0] == 0
    )  # another one's note is not asked
    capsys.readouterr()
    assert call(tmp_path, bars, "--resume", "--study", "x")[0] == 2
    assert "move this folder away" in capsys.readouterr().err


def test_a_study_does_not_go_on_with_own_code_that_has_changed(
    bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = tmp_path / "own_aim.py"
    own.write_text("def aim(metrics):\n    return metrics['total_return_frac']\n", encoding="utf-8")
    words = [*MA, *TWO, "--objective", "own_aim:aim", "--study", "own"]
    assert call(tmp_path, bars, *words, "-e", "3")[0] == 0
    assert call(tmp_path, bars, "--resume", "--study", "own", "-e", "4")[0] == 0
    own.write_text("def aim(metrics):\n    return -metrics['total_return_frac']\n", encoding="utf-8")
    assert call(tmp_path, bars, "--resume", "--study", "own", "-e", "5")[0] == 2
    assert "own code: it began with" in capsys.readouterr().err


def test_a_class_in_freqtrades_style_brings_its_parameters(
    bars: Path, tmp_path: Path, repo_root: Path
) -> None:
    file = repo_root / "tests" / "support" / "freqtrade_style" / "ema_trail.py"
    words = ["-s", str(file), "-e", "6", "--space", "strategy.*", "strategy.stoploss=-0.2..-0.02"]
    code, found = call(tmp_path, bars, *words, "--hyperopt-loss", "SharpeHyperOptLoss", "--min-trades", "1")
    assert code == 0
    assert list(found["space"]) == [f"strategies.0.params.{name}" for name in ("fast", "slow", "stoploss")]
    assert found["states"]["complete"] > 0
    assert found["constraints"] == ["trade_count>=1"]


def test_an_interrupted_study_tells_how_to_go_on(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from cluster.runs.study_view import StudyView

    _, whole = call(tmp_path / "w", bars, *MA, *TWO, "-e", "16", "--study", "x")
    hear = StudyView.hear

    def interrupt(self: StudyView, trial: Any) -> None:
        hear(self, trial)
        if trial.number == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(StudyView, "hear", interrupt)
    assert call(tmp_path, bars, *MA, *TWO, "-e", "16", "--study", "x")[0] == 130
    assert "tradewind hyperopt --resume --study x" in capsys.readouterr().err
    monkeypatch.undo()
    out = tmp_path / "rest.json"
    words = ["hyperopt", "--resume", "-j", "1", "--userdir", str(tmp_path / "ud")]
    assert cli.main([*words, "--no-progress", "--json", str(out)]) == 0
    rest = json.loads(out.read_text(encoding="utf-8"))["result"]
    assert {k: v for k, v in rest.items() if k != "report"} == {
        k: v for k, v in whole.items() if k != "report"
    }


BAD = [
    ("nothing to vary", [*MA, "--space", "execution"], 2, "expected the beginning of a path"),
    ("a range that is none", [*MA, "--space", "strategy.fast_bars=9..3"], 2, "low < high"),
    ("a parameter that is none", [*MA, "--space", "strategy.fst_bars=3..9"], 2, "fst_bars"),
    ("constraints of the space", [*MA, *TWO, "--constraint", "strategy.fast_bars>strategy.slow_bars"], 2,
     "not refused, found none"),
    ("constraints of metrics", [*MA, "--constraint", "calmar>2", "--constraint", "calmar<1"], 2, "leave one out"),
    ("a metric that is none", [*MA, "--constraint", "trades>=3"], 2, "trade_count"),
    ("an objective that is none", [*MA, "--objective", "sharp"], 2, "did you mean sharpe"),
    ("an objective without a module", [*MA, "--objective", "not_here:f"], 2, "not_here"),
    ("a pruner of several objectives", [*MA, "--objective", "sharpe", "--objective", "ulcer", "--pruner", "median"], 2,
     "leave the pruner out"),
    ("a sampler of several objectives", [*MA, "--objective", "sharpe", "--objective", "ulcer", "--sampler", "cmaes"], 2,
     "take nsga2"),
    ("no epochs", [*MA, "-e", "0"], 2, "at least 1 epoch"),
    ("no workers", [*MA, "-j", "0"], 2, "--workers"),
    ("a storage that is none", [*MA, "--storage", "mysql://x/y"], 2, "--storage"),
    ("a password in the address", [*MA, "--storage", "postgresql+pg8000://u:p@127.0.0.1/d"], 2, "STUDY_PASSWORD"),
    ("a password in its options", [*MA, "--storage", "postgresql+pg8000://u@h/d?password=hunter2"], 2,
     "STUDY_PASSWORD"),
    ("a password beside a sweep", [*MA, *TWO, "--sampler", "grid", "--storage", "postgresql+pg8000://u:hunter2@h/d"], 2,
     "STUDY_PASSWORD"),
    ("a port that is none", [*MA, "--storage", "postgresql+pg8000://u:hunter2@h:x/d"], 2, "h:x/d"),
    ("a name that is a pattern", ["--resume", "--study", "*"], 2, "letters, digits"),
    ("a name that is a folder", [*MA, "--study", ".."], 2, "--study"),
    ("a server that is not there", [*MA, "--storage", "postgresql+pg8000://u@127.0.0.1:1/d"], 4, "study storage"),
    ("a preset's name", [*MA, "--write-preset", "../x"], 2, "--write-preset"),
    ("a preset that is there", [*MA, "--write-preset", "binance", "--preset-into", "config"], 2, "choose another"),
    ("a sweep that is none", [*MA, "--engine", "sweep"], 2, "the sampler is tpe"),
    ("nothing to go on with", ["--resume", "--study", "none"], 2, "expected study none"),
    ("a cluster that is not there", [*MA, "--address", "127.0.0.1:1"], 4, "tradewind up"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code", "named"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_ends_with_its_code_and_says_what_to_do(
    words: list[str], code: int, named: str, bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["-e", "4", *words] if "-e" not in words else words
    assert call(tmp_path, bars, *given)[0] == code
    message = capsys.readouterr().err
    assert named in message
    assert "Traceback" not in message
    assert "hunter2" not in message
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"hunter2" in p.read_bytes()]


def test_numbers_that_are_none_leave_no_study_behind(bars: Path, tmp_path: Path) -> None:
    assert call(tmp_path, bars, *MA, "-e", "-1", "--study", "x")[0] == 2
    assert call(tmp_path, bars, *MA, "-e", "4", "--study", "x")[0] == 0


def test_a_locked_storage_is_told(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.adapters.studies.store.StudyStore.__init__.__kwdefaults__", {"wait_s": 0.2})
    _, first = call(tmp_path, bars, *MA, *TWO, "-e", "4", "--study", "x")
    database = sqlite3.connect(tmp_path / "ud" / "studies" / "x" / "study.sqlite", isolation_level=None)
    database.execute("BEGIN EXCLUSIVE")
    words = ["hyperopt", "--resume", "--study", "x", "-e", "6", "-j", "1", "--userdir", str(tmp_path / "ud")]
    assert cli.main([*words, "--no-progress"]) == 4
    message = capsys.readouterr().err
    assert "database is locked" in message
    assert "--resume" in message
    database.execute("ROLLBACK")
    assert cli.main([*words, "--no-progress"]) == 0
    assert first["study_hash"] not in capsys.readouterr().out
