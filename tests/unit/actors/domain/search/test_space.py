"""Spaces: read from components, joined, constrained, drawn from; contradictions are told."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.errors import ConfigError, UnknownComponentError
from actors.domain.params import Range, search_space
from actors.domain.search.space import Constraint, Dimension, Owner, Space

STRATEGIES = "actors.domain.strategies"


def of(kind: str, at: str = "strategy", **params: object) -> Space:
    return Space.of_component(STRATEGIES, kind, at=at, params=params)


def test_a_strategy_brings_its_ranges_in_order() -> None:
    space = of("ma_crossover", band_frac=0.0)
    assert space.paths == ("strategy.fast_bars", "strategy.slow_bars", "strategy.scale_frac")
    assert space.dimensions[0].range == Range("int", 5, 60, log=True)
    assert space.size() is None
    assert pickle.loads(pickle.dumps(space)) == space


@pytest.mark.parametrize("kind", [k for k in registry.kinds(STRATEGIES) if k not in ("trial",)])
def test_every_strategy_with_ranges_can_be_drawn(kind: str) -> None:
    if not search_space(registry.params_of(registry.load(STRATEGIES, kind))):
        pytest.skip("no parameter with a range")
    space, rng = of(kind), np.random.default_rng(5)
    drawn = [space.draw(rng) for _ in range(20)]
    for values in drawn:
        assert all(d.range.holds(values[d.path]) for d in space.dimensions)
        registry.build(STRATEGIES, kind, {p.removeprefix("strategy."): v for p, v in values.items()})
    assert len({repr(v) for v in drawn}) > 1
    again = np.random.default_rng(5)
    assert drawn == [space.draw(again) for _ in range(20)]


def test_what_an_owner_refuses_is_a_problem_with_its_reason() -> None:
    space = of("ma_crossover", band_frac=0.0, scale_frac=0.02)
    assert space.problem({"strategy.fast_bars": 5, "strategy.slow_bars": 6}) is None
    assert "expected < slow_bars" in str(space.problem({"strategy.fast_bars": 6, "strategy.slow_bars": 6}))
    assert "expected a value for strategy.slow_bars" in str(space.problem({"strategy.fast_bars": 6}))
    assert "greater than or equal to 1" in str(
        space.problem({"strategy.fast_bars": 0, "strategy.slow_bars": 6})
    )


def test_spaces_join_with_paths_of_anything_and_constraints_between_them() -> None:
    space = of("rsi", at="strategies.rsi.params") + of("donchian", at="strategies.donchian.params")
    space = space.with_ranges(
        {
            "risk.breakers.drawdown.limit_frac": Range("float", 0.05, 0.3),
            "risk.sizing.kind": Range("choice", choices=("fixed", "volatility_target")),
        }
    )
    space = space.with_constraints(
        [Constraint.parse("strategies.rsi.params.window_bars < strategies.donchian.params.exit_bars"),
         Constraint.parse("risk.breakers.drawdown.limit_frac >= 0.1")]
    )  # fmt: skip
    rng = np.random.default_rng(1)
    for _ in range(50):
        v = space.draw(rng)
        assert v["strategies.rsi.params.window_bars"] < v["strategies.donchian.params.exit_bars"]
        assert v["risk.breakers.drawdown.limit_frac"] >= 0.1
        assert v["risk.sizing.kind"] in ("fixed", "volatility_target")
    kept = space.only(["strategies.rsi.params.window_bars", "risk.sizing.kind"])
    assert kept.constraints == ()
    assert kept.paths == ("strategies.rsi.params.window_bars", "risk.sizing.kind")
    narrower = space.with_ranges({"strategies.rsi.params.window_bars": Range("int", 7, 9)})
    assert narrower.paths == space.paths
    assert {narrower.draw(rng)["strategies.rsi.params.window_bars"] for _ in range(40)} == {7, 8, 9}


def test_points_are_the_legal_ones_of_the_product() -> None:
    space = of("ma_crossover", band_frac=0.0, scale_frac=0.02).with_ranges(
        {"strategy.fast_bars": Range("int", 5, 60, 11), "strategy.slow_bars": Range("int", 20, 40, 10)}
    )
    found = [tuple(v.values()) for v in space.points()]
    want = [(f, s) for f in (5, 16, 27, 38, 49, 60) for s in (20, 30, 40) if f < s]
    assert found == want
    assert space.size() == 18
    assert len(list(of("rsi").points(3))) == 27


def test_the_unit_cube_behind_it() -> None:
    space = of("rsi")
    values = {"strategy.window_bars": 14, "strategy.oversold": 30.0, "strategy.overbought": 70.0}
    place = space.to_unit(values)
    assert place.shape == (3,)
    assert space.from_unit(place) == pytest.approx(values)
    rng = np.random.default_rng(4)
    near = [space.to_unit(space.nearby(values, 0.05, rng)) for _ in range(60)]
    # whole windows are as coarse as their neighbours are far
    assert max(np.abs(n - place)[1:].max() for n in near) <= 0.05 + 1e-9
    assert max(np.abs(n - place)[0] for n in near) < 0.1
    mode = of("bollinger")
    moved = [mode.nearby(mode.from_unit([0.5, 0.5, 0.1]), 0.5, rng)["strategy.mode"] for _ in range(60)]
    assert set(moved) == {"breakout", "reversal"}


def test_contradictions_are_told() -> None:
    space = of("rsi").with_constraints([Constraint.parse("strategy.oversold > strategy.overbought")])
    with pytest.raises(ConfigError, match=r"found none in .* strategy.oversold > strategy.overbought: found"):
        space.draw(np.random.default_rng(0))
    assert list(space.points(3)) == []
    only = Space((Dimension("strategy.fast_bars", Range("int", 60, 70)),),
                 (Owner("strategy", STRATEGIES, "ma_crossover", {"slow_bars": 50}),))  # fmt: skip
    with pytest.raises(ConfigError, match="expected < slow_bars"):
        only.draw(np.random.default_rng(0))
    with pytest.raises(ConfigError, match="not refused"):
        only.nearby({"strategy.fast_bars": 65}, 0.1, np.random.default_rng(0))


def test_bad_spaces_are_told() -> None:
    one = Dimension("a", Range("int", 1, 2))
    with pytest.raises(ConfigError, match="at least one dimension"):
        Space(())
    with pytest.raises(ConfigError, match="found a twice"):
        Space((one, one))
    with pytest.raises(ConfigError, match="expected dimensions of the space"):
        Space((one,), (), (Constraint("a", "<", "b"),))
    with pytest.raises(ConfigError, match="expected some of a, found b"):
        Space((one,)).only(["b"])
    with pytest.raises(ConfigError, match="not fixed, found none"):
        of("rsi", window_bars=14, oversold=30.0, overbought=70.0)
    with pytest.raises(UnknownComponentError, match="expected one of"):
        of("no_such_strategy")
    for text in ("a", "a < ", "a << b", "a = 3"):
        with pytest.raises(ConfigError, match="CONSTRAINT_TEXT"):
            Constraint.parse(text)
