"""What ``-s`` names and what ``--set strategy.X`` addresses."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from actors.domain.errors import ConfigError
from cluster.cli import _strategies as choice
from cluster.cli import common

OURS = (
    "from actors.domain.strategies.simple import SimpleStrategy\n\n\nclass {0}(SimpleStrategy):\n    pass\n"
)
STYLE = "from freqtrade.strategy import IStrategy\n\n\nclass {0}(IStrategy):\n    timeframe = '4h'\n"


def chosen(strategies: list[str], sets: list[str], folder: Path) -> list[dict[str, Any]]:
    return choice.chosen(argparse.Namespace(strategy=strategies, set=sets, userdir=str(folder / "ud")))


def test_one_strategy_takes_its_parameters(tmp_path: Path) -> None:
    assert chosen(["rsi"], ["strategy.window_bars=21", "seed=3", "strategy.oversold=25.5"], tmp_path) == [
        {"kind": "rsi", "params": {"window_bars": 21, "oversold": 25.5}}
    ]
    # naming it is allowed
    assert chosen(["rsi"], ["strategy.rsi.window_bars=21"], tmp_path)[0]["params"] == {"window_bars": 21}


def test_several_are_addressed_by_name(tmp_path: Path) -> None:
    found = chosen(
        ["ma_crossover", "rsi", "my_mod:Mine"],
        ["strategy.rsi.window_bars=21", "strategy.ma_crossover.fast_bars=5", "strategy.Mine.x=[1, 2]",
         "strategy.my_mod:Mine.y=2"],
        tmp_path,
    )  # fmt: skip
    assert [p["params"] for p in found] == [{"fast_bars": 5}, {"window_bars": 21}, {"x": [1, 2], "y": 2}]


@pytest.mark.parametrize(
    ("strategies", "sets", "message"),
    [
        (
            ["ma_crossover", "rsi"],
            ["strategy.window_bars=21"],
            (
                r"expected the strategy to be named, since -s chooses 2: strategy.ma_crossover.window_bars=v, "
                r"strategy.rsi.window_bars=v"
            ),
        ),
        (["rsi", "macd"], ["strategy.donchian.x=1"], "expected the strategy to be named"),
        (
            ["rsi", "rsi"],
            ["strategy.rsi.window_bars=21"],
            "a kind that is chosen twice needs a configuration file",
        ),
        ([], ["strategy.x=1"], r"--set strategy.x=1: expected -s KIND beside it, found none"),
        (["rsi"], ["strategy.window_bars"], r"expected strategy.KEY=VALUE"),
        (["rsi"], ["strategy.window_bars=[1"], "expected a YAML value"),
    ],
)
def test_what_addresses_nothing_is_told(
    strategies: list[str], sets: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        chosen(strategies, sets, tmp_path)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*__import__("sys").path, str(tmp_path)])
    folder = tmp_path / "ud" / "strategies"
    folder.mkdir(parents=True)
    (folder / "any_name.py").write_text(STYLE.format("Stored"))
    (folder / "own_name.py").write_text(OURS.format("OwnStored"))
    (tmp_path / "styled_here.py").write_text(STYLE.format("Styled") + "\n\nclass Helper:\n    pass\n")
    (tmp_path / "ours_here.py").write_text(OURS.format("Ours"))
    (tmp_path / "two_here.py").write_text(STYLE.format("One") + STYLE.format("Two"))
    (tmp_path / "broken_here.py").write_text("class (:\n")
    (tmp_path / "json.py").write_text(OURS.format("Hidden"))
    return tmp_path


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("rsi", "rsi"),
        ("nothing_known", "nothing_known"),
        ("styled_here.py", "styled_here.py:Styled"),
        ("./styled_here.py:Styled", "styled_here.py:Styled"),
        ("styled_here:Styled", "styled_here.py:Styled"),
        ("Stored", "ud/strategies/any_name.py:Stored"),
        ("OwnStored", "own_name:OwnStored"),
        ("ours_here.py", "ours_here:Ours"),
        ("ours_here:Ours", "ours_here:Ours"),
        ("two_here.py:Two", "two_here.py:Two"),
    ],
)
def test_every_way_to_name_one(word: str, kind: str, here: Path) -> None:
    assert choice.kind_of(word, here / "ud" / "strategies") == kind


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("none_here.py", "expected a Python file, found nothing at none_here.py"),
        ("two_here.py", "expected one strategy class, found One, Two; name it as two_here.py:CLASS"),
        ("styled_here.py:Other", r"expected a class of styled_here.py \(Styled, Helper\), found Other"),
        ("broken_here.py", "expected Python, found a syntax error in broken_here.py"),
        ("json.py", "expected a file name that no other module has, found json"),
    ],
)
def test_what_a_file_does_not_hold_is_told(word: str, message: str, here: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        choice.kind_of(word, here / "ud" / "strategies")


def test_the_timeframe_of_a_class_in_freqtrade_s_style(here: Path) -> None:
    assert choice.timeframe_of([{"kind": "styled_here.py:Styled", "params": {}}]) == "4h"
    assert choice.timeframe_of([{"kind": "rsi", "params": {}}]) is None


def test_a_search_per_regime_keeps_the_detectors_of_a_lean_fleet() -> None:
    def sets(*space: str, **more: bool) -> list[str]:
        return common._lean("auto", [{"kind": "rsi", "params": {}}], regimes=_follows(*space, **more))

    def _follows(*space: str, **more: bool) -> bool:
        return common._follows_regimes(argparse.Namespace(space=list(space), **more))

    assert "regime.detectors=[]" in sets("strategy.window_bars")
    assert "regime.detectors=[]" not in sets(
        "strategy.window_bars", "strategy.adaptive.by_regime.bull.window_bars"
    )
    assert "regime.detectors=[]" not in sets(learn_regimes=True)
    assert not common._follows_regimes(argparse.Namespace())
    part = {"kind": "rsi", "params": {}, "adaptive": {"min_dwell_bars": 6}}
    assert "regime.detectors=[]" not in common._lean("auto", [part])


def test_a_map_is_set_beside_the_parameters(tmp_path: Path) -> None:
    sets = [
        "strategy.window_bars=9", "strategy.adaptive.by_regime.bull.window_bars=5", "strategy.adaptive.confirm_bars=1"
    ]  # fmt: skip
    assert chosen(["rsi"], sets, tmp_path) == [
        {"kind": "rsi", "params": {"window_bars": 9},
         "adaptive": {"by_regime": {"bull": {"window_bars": 5}}, "confirm_bars": 1}}
    ]  # fmt: skip
