"""Signed volume of two bars, worked by hand: the range is 10 to 12 throughout."""

from __future__ import annotations

import pytest

from actors.domain.strategies.market_imbalance import MarketImbalance, MarketImbalanceParams
from actors.domain.strategies.trial import columns_of, opinions


def _run(close: list[float], volume: list[float]) -> tuple[list[float], list[float]]:
    bars = columns_of(close, high=[12.0] * len(close), low=[10.0] * len(close), volume=volume)
    params = MarketImbalanceParams(window_bars=2, enter_frac=0.15, leave_frac=0.05, scale_frac=0.2)
    return opinions(MarketImbalance(params), bars)


def test_by_hand() -> None:
    # places of the close: 1, 0, 0.1, -1, 0.5, 0.2; sums 10/40, 1/40, -39/50, -20/80, 22/50
    direction, confidence = _run([12.0, 11.0, 11.1, 10.0, 11.5, 11.2], [10.0, 30.0, 10.0, 40.0, 40.0, 10.0])
    assert direction == [0, 1, 0, -1, -1, 1]
    flows = [0.25, 0.78, 0.25, 0.44]
    assert [c for c in confidence if c] == pytest.approx([f / (f + 0.2) for f in flows])


def test_a_side_is_held_between_the_thresholds() -> None:
    # 10/40, then 4/40 = 0.1: below the entry, above the leave
    assert _run([12.0, 11.0, 11.4], [10.0, 30.0, 10.0])[0] == [0, 1, 1]


def test_without_volume_it_says_nothing_and_keeps_the_side() -> None:
    # bar 3: nothing over nothing; bar 4: (0 + 0.1 * 10) / 10 = 0.1, which holds a side and begins none
    volume = [10.0, 30.0, 0.0, 0.0, 10.0]
    assert _run([12.0, 12.0, 12.0, 12.0, 11.1], volume)[0] == [0, 1, 1, 0, 1]
    assert _run([12.0, 11.0, 11.0, 11.0, 11.1], volume)[0] == [0, 1, 0, 0, 0]
