"""Paths whose swings are their corners: a span of one, highs and lows are the closes."""

from __future__ import annotations

import pytest

from actors.domain.strategies.swing_patterns import SwingPatterns, SwingPatternsParams
from actors.domain.strategies.trial import columns_of, opinions

BOTTOM = [
    110.0,
    100.0,
    106.0,
    100.5,
    104.0,
]  # known at its last close: two lows 0.5 apart below a neck of 106
SHOULDERS = [110.0, 100.0, 106.0, 95.0, 106.5, 100.5, 104.0]


def _run(path: list[float], **params: float) -> tuple[list[float], list[float]]:
    return opinions(SwingPatterns(SwingPatternsParams(span_bars=1, **params)), columns_of(path))


def test_a_double_bottom_is_followed_from_neckline_to_target() -> None:
    # target 106 + (106 - 100)
    direction, confidence = _run([*BOTTOM, 107.0, 109.0, 111.0, 112.0, 113.0])
    assert direction == [0] * 5 + [1, 1, 1, 0, 0]
    off = 0.5 / (0.015 * 100.25)
    assert confidence[5] == pytest.approx(0.7 * (1.0 - 0.5 * off))


def test_a_double_top_is_the_same_upside_down() -> None:
    # around 105, so that the tolerance, a fraction of the price, is nearly the same
    direction, _ = _run([210.0 - x for x in [*BOTTOM, 107.0, 109.0, 111.0, 112.0]])
    assert direction == [0] * 5 + [-1, -1, -1, 0]


def test_its_lowest_point_is_the_stop() -> None:
    # from 109, too far above the high of 106 to make a double top with it
    assert _run([*BOTTOM, 109.0, 100.1, 101.0])[0][5:] == [1, 1, 1]
    assert _run([*BOTTOM, 109.0, 100.0, 101.0])[0][5:] == [1, 0, 0]


def test_bottoms_that_are_not_level_are_no_pattern() -> None:
    assert not any(_run([110.0, 100.0, 106.0, 101.6, 104.0, 107.0])[0])
    assert any(_run([110.0, 100.0, 106.0, 101.6, 104.0, 107.0], tolerance_frac=0.02)[0])


def test_a_pattern_lower_than_its_tolerance_is_noise() -> None:
    assert not any(_run([110.0, 100.0, 102.0, 100.5, 101.0, 103.0])[0])


def test_a_pattern_does_not_wait_for_ever() -> None:
    late = [*BOTTOM, 105.0, 105.5, 107.0]
    assert _run(late, wait_bars=4)[0][-1] == 1
    assert _run(late, wait_bars=3)[0][-1] == 0


def test_an_opinion_lives_so_many_bars() -> None:
    assert _run([*BOTTOM, 107.0, 108.0, 109.0, 110.0], hold_bars=2)[0][5:] == [1, 1, 0, 0]


def test_head_and_shoulders_has_the_further_target() -> None:
    # neckline 106.25, head 95: target 117.5
    direction, confidence = _run([*SHOULDERS, 106.2, 107.0, 112.0, 117.0, 117.5])
    assert direction == [0] * 8 + [1, 1, 1, 0]
    off = max(0.5 / (0.015 * 100.25), 0.5 / (0.015 * 106.25))
    assert confidence[8] == pytest.approx(0.7 * (1.0 - 0.5 * off))


def test_the_head_must_stand_out() -> None:
    assert not any(_run([110.0, 100.0, 106.0, 103.0, 106.5, 100.5, 104.0, 107.0], tolerance_frac=0.004)[0])
