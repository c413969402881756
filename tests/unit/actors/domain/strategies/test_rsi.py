"""The reversal rule: in at the extremes, out at the middle."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.model.bars import BarFrame
from actors.domain.strategies.base import Market
from actors.domain.strategies.rsi import Rsi, RsiParams


class _Line:
    """Stands in for the streaming RSI."""

    def __init__(self, values: list[float]) -> None:
        self._values = iter(values)

    def update(self, _: float) -> float:
        return next(self._values)


def _run(values: list[float]) -> list[tuple[float, float]]:
    strategy = Rsi(RsiParams())
    strategy._rsi = _Line(values)  # type: ignore[assignment]
    market = Market(0, 1.0, 1.0, 1.0, 1.0, 1.0, "", 0.0, {})
    return [(o.direction, o.confidence) for o in (strategy.update(market) for _ in values)]


def test_a_side_lives_from_the_extreme_to_the_middle() -> None:
    got = _run([60, 29, 40, 49, 50, 40, 71, 60, 51, 50, 60])
    assert [d for d, _ in got] == [0, 1, 1, 1, 0, 0, -1, -1, -1, 0, 0]


def test_a_leap_from_one_extreme_to_the_other_swaps_sides() -> None:
    assert [d for d, _ in _run([20, 80, 20])] == [1, -1, 1]


def test_confidence_fades_towards_the_middle() -> None:
    assert [c for _, c in _run([20, 30, 40])] == pytest.approx([0.6, 0.4, 0.2])


def test_an_undefined_rsi_is_flat_and_keeps_the_side() -> None:
    assert [d for d, _ in _run([20, float("nan"), 40])] == [1, 0, 1]


def test_confidence_stays_within_one_where_rsi_rounds_above_100() -> None:
    assert _run([100.00000000000001])[0] == (-1.0, 1.0)
    close = 100.0 * np.cumprod(1.0 + np.abs(np.random.default_rng(1).normal(0.0, 0.01, 400)))
    assert np.nanmax(kernels.rsi(close, 2)) > 100.0
    hour = 3_600 * 10**9
    frame = BarFrame("BTC/USDT", hour, np.arange(400) * hour, close, close, close, close, np.ones(400))
    _, confidence = Rsi(RsiParams(window_bars=2)).batch(frame)
    assert confidence.max() == 1.0
