"""``new-strategy``: what it writes runs and passes its test; what it cannot write it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import main as cli
from cluster.cli.new_strategy import names_of


def _call(words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, Any, str]:
    code = cli.main([*words, "--userdir", str(folder / "ud"), "--json", "-"])
    said = capsys.readouterr()
    return code, json.loads(said.out)["result"] if said.out else None, said.err


@pytest.mark.parametrize(
    ("given", "module", "name"),
    [
        ("calm_trend", "calm_trend", "CalmTrend"),
        ("CalmTrend", "calm_trend", "CalmTrend"),
        ("RSIFade", "rsi_fade", "RSIFade"),
        ("x2", "x2", "X2"),
        ("My_Rule", "my_rule", "MyRule"),
    ],
)
def test_names_of_file_and_class(given: str, module: str, name: str) -> None:
    assert names_of(given) == (module, name)


def test_the_written_test_passes_when_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, result, _ = _call(["new-strategy", "calm_trend"], tmp_path, capsys)
    assert code == 0
    assert result["strategy"] == "calm_trend:CalmTrend"
    files = [Path(f) for f in result["files"]]
    assert files == [tmp_path / "ud/strategies" / f for f in ("calm_trend.py", "test_calm_trend.py")]
    assert str(files[1]) in result["next"][0]
    assert "-s calm_trend:CalmTrend" in result["next"][1]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(files[1])],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout
    # the test is no formality: a rule that looks the other way fails it
    files[0].write_text(files[0].read_text().replace("if fast > slow", "if fast < -slow"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(files[1])],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout


def test_it_is_listed_and_runs_in_a_fleet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(["new-strategy", "steady_drift"], tmp_path, capsys)[0] == 0
    _, result, _ = _call(["list-strategies"], tmp_path, capsys)
    rows = {r["kind"]: r for r in result["strategies"]}
    mine = rows["steady_drift:SteadyDrift"]
    assert mine["warmup_bars"] == 47
    assert mine["has_batch"] is True
    assert mine["params"]["hot_rsi"]["limits"] == ["gt=50.0", "lt=100.0"]
    assert mine["params"]["fast_bars"]["range"] == {"kind": "int", "low": 5, "high": 50, "log": True}
    chosen = ["-s", "steady_drift:SteadyDrift", "--set", "strategy.fast_bars=6"]
    code, result, _ = _call(["list-agents", *chosen], tmp_path, capsys)
    assert code == 0
    assert any("steady" in a["name"] for a in result["agents"])
    code, _, said = _call(["list-agents", *chosen[:3], "strategy.fast_bars=60"], tmp_path, capsys)
    assert code == 2
    assert "fast_bars < slow_bars" in said


def test_what_is_there_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "ud/strategies"
    folder.mkdir(parents=True)
    (folder / "test_mine.py").write_text("mine")
    code, _, said = _call(["new-strategy", "mine"], tmp_path, capsys)
    assert code == 2
    assert "found" in said
    assert "test_mine.py" in said
    assert [f.name for f in folder.iterdir()] == ["test_mine.py"]
    assert (folder / "test_mine.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("1st", "a letter first"),
        ("a-b", "letters, digits"),
        ("../evil", "letters, digits"),
        ("x" * 61, "at most 60"),
        ("class", "no word of Python"),
        ("test_mine", "name of a test"),
        ("rsi", "a built-in strategy is called rsi"),
        ("json", "another module called json"),
        ("Numpy", "another module called numpy"),
        ("actors", "another module called actors"),
    ],
)
def test_a_bad_name_is_refused(
    name: str, match: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, result, said = _call(["new-strategy", name], tmp_path, capsys)
    assert (code, result) == (2, None)
    assert match in said
    assert not (tmp_path / "ud/strategies").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ud").write_text("a file")
    code, _, said = _call(["new-strategy", "mine"], tmp_path, capsys)
    assert code == 2
    assert "expected a folder that can be written to" in said
