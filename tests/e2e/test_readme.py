"""The README is true: its commands parse, the offline ones run, its strategy trades."""

from __future__ import annotations

import importlib
import json
import re
import shlex
from pathlib import Path

import pytest
import small

from cluster.cli import main as cli
from cluster.jobs import paper


def commands(root: Path) -> list[list[str]]:
    """Every ``tradewind`` command of the README, as words."""
    text = (root / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\.venv/bin/tradewind (.*?)(?:\s+#.*)?$", text, re.MULTILINE)
    return [shlex.split(r) for r in rows]


def test_opens_with_the_two_commands(repo_root: Path) -> None:
    text = (repo_root / "README.md").read_text(encoding="utf-8")
    block = text[text.index("```") :]
    assert block.index("make demo") < block.index("make test") < 120
    make = (repo_root / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^demo: build", make, re.MULTILINE)
    assert re.search(r"^test: build", make, re.MULTILINE)


def test_every_command_parses(repo_root: Path) -> None:
    found = commands(repo_root)
    assert len(found) >= 6
    known = cli.verbs()
    for words in found:
        module = importlib.import_module(known[words[0]])
        cli.parser_of(words[0], module).parse_args(words[1:])


def run(words: list[str], folder: Path) -> dict:
    """Run a verb in this process; return its JSON document."""
    out = folder / "out.json"
    code = cli.main([*words, "--no-progress", "--userdir", str(folder / "ud"), "--json", str(out)])
    assert code == 0
    return json.loads(out.read_text(encoding="utf-8"))


def test_demo_on_the_local_host(tmp_path: Path) -> None:
    doc = run(["demo", "--host", "local", "--bars", "700"], tmp_path)
    result = doc["result"]
    assert Path(result["report"]).stat().st_size > 1_000_000
    assert result["regimes"]["accuracy_frac"] > 0.3
    assert result["orders"] > 0
    assert len(result["agents"]) >= 20
    assert doc["kernel_backend"] in ("native", "python")


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """A Parquet file of synthetic bars."""
    import pandas as pd

    frame = next(iter(small.frames(500).values()))
    table = pd.DataFrame({c: getattr(frame, c) for c in ("open", "high", "low", "close", "volume")})
    table.insert(0, "timestamp", frame.open_ns)
    path = tmp_path / "BTCUSDT_1h.parquet"
    table.to_parquet(path)
    return path


def test_replay_with_the_readmes_own_strategy(
    repo_root: Path, tmp_path: Path, bars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (repo_root / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    (tmp_path / "my_strategies.py").write_text(code[1], encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["trade", "--replay", "--host", "local", "--data", str(bars), "-p", "BTC/USDT", "-i", "1h",
             "-s", "my_strategies:Breakout", "--set", "strategy.window_bars=24"]  # fmt: skip
    result = run(words, tmp_path)["result"]
    assert result["decisions"] > 0
    assert result["orders"] > 0


def test_check_data_passes_a_good_file_and_names_a_bad_one(tmp_path: Path, bars: Path) -> None:
    assert run(["check-data", str(bars)], tmp_path)["result"]["errors"] == 0
    bad = tmp_path / "bad.csv"
    bad.write_text("timestamp,open,high,low,close,volume\n0,1,1,1,1,1\n3600,1,0.5,1,1,1\n", encoding="utf-8")
    assert cli.main(["check-data", str(bad), "--json", str(tmp_path / "o.json")]) == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nothing"], 2),
        (["trade"], 2),
        (["trade", "--replay", "--host", "local", "--data", "nothere.parquet", "-p", "BTC/USDT"], 3),
        (
            ["trade", "--replay", "--host", "local", "--data", "nothere.parquet", "--set", "kernels.bogus=1"],
            2,
        ),
    ],
)
def test_bad_input_ends_with_its_exit_code(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words) == code
    assert "expected" in capsys.readouterr().err


def test_a_job_names_its_folder_when_a_relative_path_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert paper.main(["--data", "data/nothere.parquet", "-p", "BTC/USDT"]) == 3
    assert str(Path.cwd()) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "kind"), [("strategies", "rsi"), ("detectors", "hmm"), ("indicators", "macd")]
)
def test_lists_name_kinds_with_parameters(verb: str, kind: str, tmp_path: Path) -> None:
    rows = run([f"list-{verb}"], tmp_path)["result"][verb]
    assert kind in [r["kind"] for r in rows]
    assert all(r["about"] for r in rows)
