"""The standardised distance: four closes by hand, then distances put in directly."""

from __future__ import annotations

from math import sqrt

import pytest

from actors.domain.strategies.base import Market
from actors.domain.strategies.mean_reversion import MeanReversion, MeanReversionParams
from actors.domain.strategies.trial import columns_of, opinions


class _Constant:
    """Stands in for average and deviation: with 0 and 1 the close is the distance."""

    def __init__(self, value: float) -> None:
        self.value = value

    def update(self, _: float) -> float:
        return self.value


def _distances(values: list[float], deviation: float = 1.0) -> list[float]:
    s = MeanReversion(MeanReversionParams())  # 1.75, 0.5, 3.5
    s._mean, s._deviation = _Constant(0.0), _Constant(deviation)  # type: ignore[assignment]
    return [s.update(Market(i, z, z, z, z, 1.0, "", 0.0, {})).direction for i, z in enumerate(values)]


def test_by_hand() -> None:
    s = MeanReversion(MeanReversionParams(window_bars=4, enter_sd=1.5))
    direction, confidence = opinions(s, columns_of([10.0, 10.0, 10.0, 6.0, 9.0]))
    # average 9, deviation sqrt(3): 6 is sqrt(3) deviations below; then 9 is above 8.75
    assert direction == [0, 0, 0, 1, 0]
    assert confidence[3] == pytest.approx(sqrt(3.0) / (sqrt(3.0) + 2.0))


def test_a_side_lives_from_the_entry_to_the_leave() -> None:
    assert _distances([0, -1.75, -1.8, -1.0, -0.6, -0.5, -1.0]) == [0, 0, 1, 1, 1, 0, 0]
    assert _distances([0, 1.8, 1.0, 0.6, 0.5, 1.0]) == [0, -1, -1, -1, 0, 0]


def test_beyond_the_stop_it_is_out_until_the_distance_is_back() -> None:
    assert _distances([-2.0, -3.6, -4.0, -3.5, -0.4]) == [1, 0, 0, 1, 0]
    assert _distances([2.0, 3.6, 3.4, 0.4]) == [-1, 0, -1, 0]


def test_a_leap_across_swaps_sides() -> None:
    assert _distances([-2.0, 2.0, -2.0]) == [1, -1, 1]


def test_without_deviation_it_says_nothing() -> None:
    assert _distances([-2.0, 2.0], deviation=0.0) == [0, 0]
