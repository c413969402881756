"""What the flags of a search mean."""

from __future__ import annotations

import pytest

from actors.domain.errors import ConfigError
from cluster.runs.study_args import objectives_of, space_of, split_constraints
from config.schema import Config

TWO = Config(strategies=({"kind": "rsi"}, {"kind": "donchian"}))  # type: ignore[arg-type]
ONE = Config(strategies=({"kind": "rsi"},), exits={"stop": {"frac": 0.05}})  # type: ignore[arg-type]


def test_the_strategies_ranges_are_the_space_unless_something_else_is_said() -> None:
    assert space_of(ONE, [], [], ["rsi"]).paths == (
        "strategies.rsi.params.window_bars", "strategies.rsi.params.oversold", "strategies.rsi.params.overbought",
    )  # fmt: skip
    assert space_of(ONE, ["exits"], [], ["rsi"]).paths == ("exits.stop.frac",)
    assert space_of(ONE, ["exits.target.r", "strategy.oversold"], [], ["rsi"]).paths == (
        "strategies.rsi.params.oversold", "exits.target.r",
    )  # fmt: skip
    found = space_of(
        ONE, ["strategy.window_bars=3..9", "risk.sizing.kind=fixed_fraction | kelly"], [], ["rsi"]
    )
    assert [str(d.range) for d in found.dimensions] == ["3..9", "fixed_fraction | kelly"]


def test_strategies_are_named_where_there_are_several() -> None:
    kinds = ["rsi", "donchian"]
    found = space_of(TWO, ["strategy.rsi.window_bars", "strategy.donchian.entry_bars=10..30"], [], kinds)
    assert found.paths == ("strategies.rsi.params.window_bars", "strategies.donchian.params.entry_bars")
    with pytest.raises(ConfigError, match="expected the strategy to be named"):
        space_of(TWO, ["strategy.window_bars"], [], kinds)


def test_constraints_speak_of_dimensions_by_the_same_names() -> None:
    config = Config(strategies=({"kind": "ma_crossover"},))  # type: ignore[arg-type]
    rules = ["strategy.fast_bars<strategy.slow_bars", "strategies.ma_crossover.params.slow_bars >= 30"]
    found = space_of(config, [], rules, ["ma_crossover"])
    assert [str(c) for c in found.constraints] == [
        "strategies.ma_crossover.params.fast_bars < strategies.ma_crossover.params.slow_bars",
        "strategies.ma_crossover.params.slow_bars >= 30",
    ]
    with pytest.raises(ConfigError, match="expected dimensions of the space"):
        space_of(config, ["strategy.fast_bars"], rules, ["ma_crossover"])
    assert split_constraints([*rules, "sharpe_ann>0.5"]) == (rules, ["sharpe_ann>0.5"])


def test_objectives_take_parameters_and_the_names_that_others_know() -> None:
    assert objectives_of([]) == (("sharpe", {}),)
    assert objectives_of(["drawdown_limited_return,limit_frac=0.1,min_trades=4"]) == (
        ("drawdown_limited_return", {"limit_frac": 0.1, "min_trades": 4}),
    )
    assert objectives_of(["SortinoHyperOptLossDaily"]) == (("sortino", {}),)
    with pytest.raises(ConfigError, match="limit_fracs"):
        objectives_of(["drawdown_limited_return,limit_fracs=0.1"])
    with pytest.raises(ConfigError, match="expected each once"):
        objectives_of(["sharpe", "SharpeHyperOptLoss"])
