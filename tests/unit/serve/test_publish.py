"""``python -m serve.publish`` as a person types it."""

from __future__ import annotations

from pathlib import Path

import pytest
import served

from cluster.cli.demo import export_bars
from serve.models.store import ModelStore
from serve.publish import main

VOLATILITY = '[{"kind": "volatility", "params": {"min_history_bars": 60}}]'


def test_a_version_from_the_configuration_and_one_that_has_learned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--userdir", str(tmp_path / "ud")]
    settings = ["--set", f"regime.detectors={VOLATILITY}"]
    assert main([*folder, *settings]) == 0
    assert (
        "model default, version 1: learns from each request's own bars; not active" in capsys.readouterr().out
    )
    export_bars([served.bars(300)], tmp_path / "bars")
    words = [
        "--data",
        str(tmp_path / "bars"),
        "-p",
        "BTC/USDT",
        "-i",
        "1h",
        "--timerange",
        "-20240108",
        "--activate",
    ]
    assert main([*folder, *settings, *words]) == 0
    assert "has learned from BarFrame(BTC/USDT 1h" in capsys.readouterr().out
    store = ModelStore(tmp_path / "ud")
    made, learned = store.load("default", store.active("default"))
    assert (made.version, learned is not None) == (2, True)
    assert made.training is not None
    assert made.training.bars == int((served.bars(300).open_ns < 1_704_672_000 * 10**9).sum())
    assert [a.by for a in store.history("default")] == ["publish"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--set", "regime.detectors=[]"], 2, "expected at least one"),
        (["--set", "regime.detector=1"], 2, "regime.detector"),
        (["--name", "Not A Name"], 2, "expected lower-case"),
        (["--data", "nothere.parquet"], 3, "nothere.parquet"),
    ],
)
def test_what_goes_wrong_ends_with_its_exit_code(
    words: list[str], code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--userdir", str(tmp_path), *words]) == code
    assert said in capsys.readouterr().err
