"""One rule per regime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.domain.strategies.base import Opinion
from actors.domain.strategies.regime_aware import RegimeAware, RegimeAwareParams

UP = [100.0 * 1.01**i for i in range(80)]
DOWN = UP[::-1]
RANGE = [100.0 + (1.0 if i % 2 else -1.0) for i in range(80)]


@pytest.fixture
def last(frame: Callable[..., Any], markets: Callable[..., Any]) -> Callable[..., Opinion]:
    """Run a path in one regime and return the last opinion."""

    def run(closes: list[float], *facts: Any, **params: Any) -> Opinion:
        strategy = RegimeAware(RegimeAwareParams(**params))
        return [strategy.update(m) for m in markets(frame(closes), *facts)][-1]

    return run


@pytest.mark.parametrize(
    ("regime", "closes", "direction"),
    [("bull", UP, 1.0), ("bull", DOWN, 0.0), ("bear", DOWN, -1.0), ("bear", UP, 0.0)],
)
def test_trends_are_followed_with_the_regime_only(
    last: Callable[..., Opinion], regime: str, closes: list[float], direction: float
) -> None:
    assert last(closes, regime, 0.9).direction == direction


@pytest.mark.parametrize("regime", ["sideways", "low_volatility"])
def test_extremes_of_a_range_are_faded_until_the_middle(last: Callable[..., Opinion], regime: str) -> None:
    assert last(RANGE, regime, 0.9).direction == 0.0
    assert last([*RANGE, 95.0, 88.0], regime, 0.9).direction == 1.0
    assert last([*RANGE, 95.0, 88.0, 94.0], regime, 0.9).direction == 1.0
    assert last([*RANGE, 95.0, 88.0, 101.0], regime, 0.9).direction == 0.0
    assert last([*RANGE, 105.0, 112.0], regime, 0.9).direction == -1.0


def test_a_crash_is_a_confident_nothing(last: Callable[..., Opinion]) -> None:
    assert last(UP, "crash", 0.9) == Opinion(0.0, 0.9)


def test_high_volatility_needs_a_sure_regime_and_is_traded_at_half_size(last: Callable[..., Opinion]) -> None:
    assert last(UP, "high_volatility", 0.5) == Opinion(0.0, 0.5)
    assert last(UP, "high_volatility", 0.7).direction == 0.5


@pytest.mark.parametrize(("regime", "sure"), [("", 0.0), ("bull", 0.1)])
def test_without_a_regime_there_is_no_rule(last: Callable[..., Opinion], regime: str, sure: float) -> None:
    assert last(UP, regime, sure) == Opinion(0.0, 0.0)


def test_predictions_lean_on_the_confidence_and_can_veto(last: Callable[..., Opinion]) -> None:
    assert last(UP, "bull", 0.5, {}).confidence == 0.5
    assert last(UP, "bull", 0.5, {"online": 0.6, "forest": float("nan")}).confidence == pytest.approx(0.6)
    assert last(UP, "bull", 0.5, {"online": 0.45, "forest": 0.45}).confidence == pytest.approx(0.45)
    assert last(UP, "bull", 0.5, {"online": 0.35}) == Opinion(0.0, 0.0)
    assert last(DOWN, "bear", 0.5, {"online": 0.35}).confidence == pytest.approx(0.65)
    assert last(UP, "bull", 0.9, {"online": 1.0}).confidence == 1.0
