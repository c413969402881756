"""Spaces of configurations: the paths are those of --set, components refuse what they would refuse in a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actors.domain.errors import ConfigError
from actors.domain.params import Range
from cluster.runs.plan import validate_components
from cluster.runs.search_space import config_space, overrides
from config.load import resolve

RANGES = {
    "exits.stop.frac": Range("float", 0.01, 0.1),
    "exits.trailing.frac": Range("float", 0.01, 0.2),
    "risk.breakers.drawdown.limit_frac": Range("float", 0.05, 0.4),
}


def config(*sets: str) -> Any:
    return resolve("backtest", sets=list(sets)).model


def test_paths_lead_into_the_configuration_and_components_agree() -> None:
    space = config_space(config(), ["strategies.*"], RANGES)
    assert "strategies.ma_crossover.params.fast_bars" in space.paths
    assert space.paths[-3:] == tuple(RANGES)
    rng = np.random.default_rng(3)
    for _ in range(5):
        values = space.draw(rng)
        drawn = config(*overrides(values))
        validate_components(drawn)
        found = {s.kind: s.params for s in drawn.strategies}
        assert found["rsi"]["window_bars"] == values["strategies.rsi.params.window_bars"]
        assert drawn.exits["stop"]["frac"] == values["exits.stop.frac"]
        # the trailing exit must lie beyond the stop: the exits themselves say so
        assert values["exits.trailing.frac"] > values["exits.stop.frac"]


def test_patterns_choose_and_two_of_a_kind_go_by_index() -> None:
    two = config(
        'strategies=[{"kind": "rsi"}, {"kind": "rsi", "params": {"window_bars": 9}}, {"kind": "macd"}]'
    )
    assert config_space(two, ["strategies.0"]).paths[0] == "strategies.0.params.window_bars"
    every = config_space(two).paths
    assert "strategies.1.params.oversold" in every
    assert "strategies.macd.params.fast_bars" in every
    only = config_space(two, ["strategies.*.window_bars"])
    assert only.paths == ("strategies.0.params.window_bars", "strategies.1.params.window_bars")
    assert (
        only.problem({"strategies.0.params.window_bars": 1, "strategies.1.params.window_bars": 5}) is not None
    )


def test_a_given_range_replaces_the_declared_one() -> None:
    narrow = config_space(
        config(), ["strategies.rsi"], {"strategies.rsi.params.window_bars": Range("int", 8, 9)}
    )
    assert narrow.dimensions[0].range == Range("int", 8, 9)
    alone = config_space(config(), [], {"strategies.rsi.params.window_bars": Range("int", 8, 9)})
    assert alone.paths == ("strategies.rsi.params.window_bars",)
    assert len(alone.owners) == 1


def test_what_matches_nothing_is_told_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"strategies\.rsi\.params.*found 'strategies\.rsj'"):
        config_space(config(), ["strategies.rsj"])
    with pytest.raises(ConfigError, match="at least one dimension"):
        config_space(config(), [])
