"""Objectives: direction, what they read, undefined never as a number; a user's own function."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.errors import ConfigError, InvalidParamsError, UnknownComponentError
from actors.domain.search.objectives import UserObjective, judge, load
from actors.domain.search.objectives.base import PACKAGE
from actors.domain.search.result import RUN_METRICS

KINDS = registry.kinds(PACKAGE)
FULL: dict[str, Any] = dict.fromkeys(RUN_METRICS, 0.1) | {"trade_count": 12}


def test_they_are_all_there() -> None:
    assert KINDS == [
        "calmar", "drawdown_limited_return", "expectancy", "profit_factor", "sharpe", "sortino",
        "total_return", "ulcer",
    ]  # fmt: skip
    assert [k for k in KINDS if load(k).direction == "minimize"] == ["ulcer"]


@pytest.mark.parametrize("kind", KINDS)
def test_undefined_metrics_and_too_few_trades_are_no_number(kind: str) -> None:
    objective = load(kind)
    assert judge(objective, FULL).value == 0.1
    assert set(objective.reads) <= set(RUN_METRICS)
    for name in objective.reads:
        said = judge(objective, {**FULL, name: None})
        assert (said.value, said.reason) == (None, f"{name} is undefined")
    assert judge(objective, {**FULL, "trade_count": 0}).value is None
    assert (
        judge(load(kind, {"min_trades": 13}), FULL).reason == "expected at least 13 closed trades, found 12"
    )
    assert judge(load(kind, {"min_trades": 12}), FULL).value == 0.1


def test_better_follows_the_direction() -> None:
    assert load("sharpe").better(2.0, 1.0)
    assert load("ulcer").better(1.0, 2.0)
    assert not load("ulcer").better(2.0, 2.0)


def test_no_return_makes_up_for_a_drawdown_beyond_the_limit() -> None:
    objective = load("drawdown_limited_return", {"limit_frac": 0.25})
    deep = {**FULL, "total_return_frac": 99.0, "max_drawdown_frac": 0.2500001}
    assert judge(objective, deep).value is None
    assert judge(objective, {**deep, "max_drawdown_frac": 0.25}).value == 99.0
    with pytest.raises(InvalidParamsError, match="limit_frac"):
        load("drawdown_limited_return", {"limit_frac": 0.0})


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("my_objectives")

    def steady(metrics: Any) -> Any:
        return metrics["total_return_frac"] - 2.0 * metrics["max_drawdown_frac"]

    def least(metrics: Any) -> Any:
        return np.float64(metrics["ulcer"])

    least.direction, least.reads = "minimize", ("ulcer",)  # type: ignore[attr-defined]

    def wrong(metrics: Any) -> Any:
        return metrics["no_such_metric"]

    def sideways(metrics: Any) -> Any:
        return 0.0

    sideways.direction = "up"  # type: ignore[attr-defined]
    for f in (steady, least, wrong, sideways):
        setattr(module, f.__name__, f)
    module.text = lambda metrics: "good"  # type: ignore[attr-defined]
    module.nan = lambda metrics: float("nan")  # type: ignore[attr-defined]
    module.nothing = lambda metrics: None  # type: ignore[attr-defined]
    module.number = 5  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "my_objectives", module)
    return module


@pytest.mark.usefixtures("mine")
def test_a_users_function_is_an_objective() -> None:
    steady, least = load("my_objectives:steady"), load("my_objectives:least", {"min_trades": 3})
    assert isinstance(steady, UserObjective)
    assert judge(steady, FULL).value == pytest.approx(-0.1)
    assert (steady.direction, steady.reads, steady.reads_all) == ("maximize", (), True)
    assert (least.direction, least.reads) == ("minimize", ("ulcer",))
    assert judge(least, FULL).value == 0.1
    assert judge(least, {**FULL, "ulcer": None}).reason == "ulcer is undefined"


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("wrong", "KeyError: 'no_such_metric'"),
        ("text", "TypeError: my_objectives:text: expected a number or None, found 'good'"),
        ("nan", "expected a finite number, found nan"),
        ("nothing", "the objective is undefined for this run"),
    ],
)
def test_a_function_that_fails_is_told_and_stops_nothing(name: str, reason: str) -> None:
    said = judge(load(f"my_objectives:{name}"), FULL)
    assert (said.value, said.reason) == (None, reason)


@pytest.mark.usefixtures("mine")
def test_what_is_no_objective_is_told() -> None:
    with pytest.raises(UnknownComponentError, match="expected one of calmar"):
        load("sharp")
    with pytest.raises(UnknownComponentError, match="can be imported, found ModuleNotFoundError"):
        load("no_such_module:f")
    with pytest.raises(UnknownComponentError, match="can be imported, found AttributeError"):
        load("my_objectives:missing")
    with pytest.raises(UnknownComponentError, match="expected a function"):
        load("my_objectives:number")
    with pytest.raises(ConfigError, match="expected maximize or minimize, found 'up'"):
        load("my_objectives:sideways")
