"""Bands of three closes and one deviation, worked by hand."""

from __future__ import annotations

from math import sqrt

import pytest

from actors.domain.strategies.bollinger import Bollinger, BollingerParams
from actors.domain.strategies.trial import columns_of, opinions

# averages of 3: 11 11 11 9 9; deviation each time sqrt(2): bands at 9.59..12.41 and 7.59..10.41
PATH = [10.0, 10.0, 13.0, 10.0, 10.0, 7.0, 10.0]


def _run(path: list[float], mode: str) -> tuple[list[float], list[float]]:
    return opinions(Bollinger(BollingerParams(window_bars=3, width=1.0, mode=mode)), columns_of(path))


def test_breakout_goes_with_the_close_until_the_middle() -> None:
    direction, confidence = _run(PATH, "breakout")
    assert direction == [0, 0, 1, 0, 0, -1, 0]
    # 2 above the middle, half width sqrt(2)
    size = 2.0 / sqrt(2.0)
    assert confidence[2] == pytest.approx(size / (size + 1.0))


def test_reversal_goes_against_it() -> None:
    assert _run(PATH, "reversal")[0] == [0, 0, -1, 0, 0, 1, 0]


def test_a_side_is_held_between_band_and_middle() -> None:
    # average 11.83, deviation 1.31: 12.5 is above the middle and below the band
    direction, confidence = _run([10.0, 10.0, 13.0, 12.5], "breakout")
    assert direction == [0, 0, 1, 1]
    half = sqrt((1.8333333333333333**2 + 1.1666666666666667**2 + 0.6666666666666667**2) / 3.0)
    size = 0.6666666666666667 / half
    assert confidence[3] == pytest.approx(size / (size + 1.0))


def test_bands_without_width_say_nothing() -> None:
    assert _run([5.0] * 6, "breakout") == ([0.0] * 6, [0.0] * 6)
