"""Spaces of configurations: the paths are those of --set, components refuse what they would refuse in a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actors.domain.errors import ConfigError, InvalidParamsError
from actors.domain.params import Range
from cluster.runs.plan import validate_components
from cluster.runs.search_space import applied, config_space, overrides
from config.load import resolve
from config.schema import Config

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


def test_parameters_per_regime_are_varied_where_the_map_has_them_or_a_path_leads_there() -> None:
    plain = Config(strategies=({"kind": "rsi"}, {"kind": "donchian"}))
    mapped = Config(
        strategies=(
            {"kind": "rsi", "adaptive": {"by_regime": {"bull": {"window_bars": 9}}}},
            {"kind": "donchian"},
        )
    )
    assert not any("adaptive" in p for p in config_space(plain).paths)
    own = [p for p in config_space(mapped).paths if "by_regime" in p]
    assert own == ["strategies.rsi.adaptive.by_regime.bull.window_bars"]
    assert "strategies.rsi.adaptive.min_confidence" in config_space(mapped).paths
    named = config_space(plain, ["strategies.donchian.adaptive.by_regime.bear"]).paths
    assert named == tuple(
        f"strategies.donchian.adaptive.by_regime.bear.{n}" for n in ("entry_bars", "exit_bars", "scale_frac")
    )
    every = config_space(plain, ["strategies.rsi.adaptive.by_regime"]).paths
    assert len(every) == 6 * 3


def test_a_value_per_regime_is_refused_together_with_the_global_ones() -> None:
    at = "strategies.ma_crossover"
    config = Config(strategies=({"kind": "ma_crossover"},))
    paths = [f"{at}.params.slow_bars", f"{at}.adaptive.by_regime.bull.fast_bars"]
    space = config_space(config, paths)
    assert space.problem({paths[0]: 100, paths[1]: 40}) is None
    told = space.problem({paths[0]: 30, paths[1]: 40})
    assert told is not None
    assert "by_regime.bull: ma_crossover: fast_bars: expected < slow_bars (30), found 40" in told


def test_a_drawn_map_runs_and_one_without_detectors_is_refused() -> None:
    at = "strategies.rsi.adaptive.by_regime.bull.window_bars"
    found = applied(resolve("backtest"), {at: 9}).model
    (rsi,) = [s for s in found.strategies if s.kind == "rsi"]
    assert rsi.part == ("adaptive", {"kind": "rsi", "params": {}, "by_regime": {"bull": {"window_bars": 9}}})
    validate_components(found)
    blind = applied(resolve("backtest", sets=["regime.detectors=[]"]), {at: 9}).model
    with pytest.raises(InvalidParamsError, match=r"strategies\.1\.adaptive: expected regime.detectors"):
        validate_components(blind)
    with pytest.raises(InvalidParamsError, match=r"by_regime\.bull: rsi: window_bars"):
        validate_components(applied(resolve("backtest"), {at: 0}).model)
