"""Plans: which combinations there are, in which order, and what is refused."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np
import pytest

from actors.domain.errors import ConfigError
from actors.domain.params import Range
from actors.domain.search.plan import SweepPlan
from actors.domain.search.space import Constraint, Space


def test_a_family_takes_its_axes_in_the_order_of_its_kernel() -> None:
    plan = SweepPlan(
        "ma_crossover", {"slow_bars": [50, 10], "fast_bars": np.array([20, 5])}, {"band_frac": 0.0}
    )
    assert list(plan.axes) == ["fast_bars", "slow_bars"]
    assert plan.family is not None
    assert [tuple(plan.params(k).values()) for k in range(len(plan))] == [(5, 10), (5, 50), (20, 50)]
    assert plan.all_params(2) == {"band_frac": 0.0, "fast_bars": 20, "slow_bars": 50}
    assert type(plan.params(0)["fast_bars"]) is int
    assert pickle.loads(pickle.dumps(plan)).params(2) == plan.params(2)


@pytest.mark.parametrize(
    ("kind", "axes"),
    [
        (
            "ma_crossover",
            {"fast_bars": range(1, 9, 3), "slow_bars": range(2, 12, 2), "band_frac": [0.0, 0.01]},
        ),
        ("donchian", {"entry_bars": [2, 5, 9], "exit_bars": [1, 5, 7]}),
        ("time_series_momentum", {"short_bars": [1, 5], "middle_bars": [3, 5, 8], "long_bars": [4, 8, 9]}),
        ("rsi", {"window_bars": [3, 5], "oversold": [10.0, 40.0], "overbought": [60.0]}),
        # no kernel: every combination is asked
        ("macd", {"fast_bars": [5, 20], "slow_bars": [10, 26]}),
    ],
)
def test_combinations_are_those_that_the_strategy_accepts(kind: str, axes: dict[str, Any]) -> None:
    plan = SweepPlan(kind, axes)
    found = [tuple(plan.params(k).values()) for k in range(len(plan))]
    asked = (
        (v, plan._problem(dict(zip(plan.axes, v, strict=True))))
        for v in itertools.product(*plan.axes.values())
    )
    accepted = [v for v, problem in asked if problem is None]
    assert found == accepted
    assert len(found) > 0


def test_what_a_kernel_cannot_vary_is_run_one_by_one() -> None:
    assert SweepPlan("rsi", {"window_bars": [3, 5]}).family is not None
    assert SweepPlan("bollinger", {"window_bars": [3, 5], "mode": ["reversal"]}).family is not None
    assert SweepPlan("bollinger", {"window_bars": [3, 5], "mode": ["reversal", "breakout"]}).family is None
    assert SweepPlan("ma_crossover", {"fast_bars": [3, 5], "scale_frac": [0.01, 0.02]}).family is None
    assert SweepPlan("mean_reversion", {"window_bars": [30, 50]}).family is None


def test_a_space_becomes_a_grid() -> None:
    space = Space.of_component(
        "actors.domain.strategies", "donchian", at="strategy", params={"scale_frac": 0.5}
    )
    plan = SweepPlan.of_space("donchian", space, at="strategy", points=4)
    assert {n: len(v) for n, v in plan.axes.items()} == {"entry_bars": 4, "exit_bars": 4}
    assert (plan.axes["entry_bars"][0], plan.axes["entry_bars"][-1]) == (10, 240)
    with pytest.raises(ConfigError, match=r"parameters of strategy only, found risk\.x"):
        SweepPlan.of_space("donchian", space.with_ranges({"risk.x": Range("int", 1, 2)}), at="strategy")
    rule = Constraint.parse("strategy.exit_bars < 9")
    with pytest.raises(ConfigError, match=r"the constraint strategy\.exit_bars < 9"):
        SweepPlan.of_space("donchian", space.with_constraints([rule]), at="strategy")


@pytest.mark.parametrize(
    ("kind", "axes", "fixed", "words"),
    [
        ("rsi", {}, {}, "at least one parameter"),
        ("rsi", {"window_bars": []}, {}, "at least one, found"),
        ("rsi", {"window_bars": [5, 5]}, {}, "different values"),
        ("rsi", {"window_bars": 5}, {}, "a sequence"),
        ("rsi", {"window_bars": "59"}, {}, "a sequence"),
        (
            "rsi",
            {"window_bars": [1, 5]},
            {},
            "window_bars: Input should be greater than or equal to 2, found 1",
        ),
        ("rsi", {"window_bars": [5], "oversold": [30.0, 50.0]}, {}, "oversold: Input should be less than 50"),
        ("rsi", {"speed": [5]}, {}, "expected some of window_bars, oversold, overbought, found speed"),
        ("rsi", {"window_bars": [5]}, {"speed": 3}, "found speed"),
        ("rsi", {"window_bars": [5]}, {"window_bars": 3}, "varied or fixed, found both"),
        ("ma_crossover", {"fast_bars": [50, 60], "slow_bars": [20]}, {}, "found none of"),
        ("adaptive_ml", {"threshold": [0.1]}, {}, "expected one of"),
        ("regime_aware", {"min_confidence": [0.1, 0.2]}, {}, "reads regime"),
    ],
)
def test_what_cannot_be_swept_is_told(kind: str, axes: Any, fixed: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SweepPlan(kind, axes, fixed)
