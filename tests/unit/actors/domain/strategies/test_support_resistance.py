"""A level at 100.1 made of two lows, and what the next bars do with it; a span of one."""

from __future__ import annotations

import pytest

from actors.domain.strategies.support_resistance import SupportResistance, SupportResistanceParams
from actors.domain.strategies.trial import columns_of, opinions

# lows of 100 and 100.2, known one bar later: a level at 100.1 with two touches from bar 4 on; its tolerance
# reaches from 99.6 to 100.6
LEVEL = [105.0, 100.0, 105.0, 100.2, 104.0]
SMALL: dict[str, object] = {"span_bars": 1, "tolerance_frac": 0.005}
TOUCH = (104.0, 100.3, 102.0)  # high, low, close


def _run(bars: list[tuple[float, float, float]], **params: object) -> tuple[list[float], list[float]]:
    rows = [*((c, c, c) for c in LEVEL), *bars]
    high, low, close = (list(x) for x in zip(*rows, strict=True))
    made = SupportResistance(SupportResistanceParams(**(SMALL | params)))
    direction, confidence = opinions(made, columns_of(close, high=high, low=low))
    return direction[len(LEVEL) :], confidence[len(LEVEL) :]


def test_a_turn_at_the_level_is_long() -> None:
    direction, confidence = _run([TOUCH])
    assert direction == [1]
    assert confidence == [pytest.approx(2 / 4)]


def test_a_level_needs_its_touches() -> None:
    assert _run([TOUCH], min_touches=3)[0] == [0]


def test_a_bar_that_does_not_come_near_or_does_not_leave_says_nothing() -> None:
    assert _run([(104.0, 100.7, 102.0)])[0] == [0]
    assert _run([(104.0, 100.3, 100.6)])[0] == [0]


def test_a_close_below_the_level_ends_it_and_is_a_break() -> None:
    fall = (102.0, 98.5, 99.0)
    assert _run([TOUCH, fall])[0] == [1, -1]
    assert _run([TOUCH, fall], mode="bounce")[0] == [1, 0]
    # within the tolerance the level has not failed
    assert _run([TOUCH, (102.0, 99.5, 99.7)], mode="bounce")[0] == [1, 1]


def test_the_mode_chooses() -> None:
    assert _run([TOUCH], mode="breakout")[0] == [0]
    assert _run([(103.0, 98.5, 99.0)], mode="breakout")[0] == [-1]
    assert _run([(103.0, 98.5, 99.0)], mode="bounce")[0] == [0]


def test_an_opinion_lives_so_many_bars() -> None:
    calm = (102.5, 101.5, 102.0)
    assert _run([TOUCH, calm, calm, calm], hold_bars=3)[0] == [1, 1, 1, 0]


def test_everything_upside_down() -> None:
    close = [210.0 - c for c in LEVEL] + [108.0]
    high = [*close[:-1], 109.7]
    low = [*close[:-1], 106.0]
    made = SupportResistance(SupportResistanceParams(**SMALL))
    assert opinions(made, columns_of(close, high=high, low=low))[0] == [0, 0, 0, 0, 0, -1]


TWO_LEVELS = [103.0, 105.0, 100.0, 105.1, 100.2, 104.0]


def test_a_turn_needs_room_to_the_level_on_the_other_side() -> None:
    # from a close of 102 the level at 105.05 is 2.99 % away: 14.95 tolerances of 0.2 %
    bars = columns_of([*TWO_LEVELS, 102.0], high=[*TWO_LEVELS, 104.0], low=[*TWO_LEVELS, 100.15])
    for room, side in ((14.9, 1), (15.0, 0)):
        p = SupportResistanceParams(span_bars=1, mode="bounce", tolerance_frac=0.002, min_room=room)
        assert opinions(SupportResistance(p), bars)[0][-1] == side
    # upside down
    close = [210.0 - c for c in TWO_LEVELS] + [108.0]
    down = columns_of(close, high=[*close[:-1], 109.85], low=[*close[:-1], 106.0])
    for room, side in ((14.1, -1), (14.2, 0)):
        p = SupportResistanceParams(span_bars=1, mode="bounce", tolerance_frac=0.002, min_room=room)
        assert opinions(SupportResistance(p), down)[0][-1] == side


def test_a_turn_ends_at_the_level_on_the_other_side() -> None:
    # highs of 105 and 105.1 make a second level, at 105.05; lows as before, each with a tolerance of 0.2
    path = TWO_LEVELS
    bars = columns_of(
        [*path, 102.0, 104.0, 104.0], high=[*path, 104.0, 104.5, 105.2], low=[*path, 100.15, 102.0, 103.0]
    )
    made = SupportResistance(SupportResistanceParams(span_bars=1, mode="bounce", tolerance_frac=0.002))
    # the last bar reaches the upper level, and turns there
    assert opinions(made, bars)[0][6:] == [1, 1, -1]


def test_the_level_that_was_not_touched_for_longest_is_forgotten() -> None:
    made = SupportResistance(SupportResistanceParams(span_bars=1, max_levels=1))
    opinions(made, columns_of([*LEVEL, 103.0]))
    # the high of bar 4 is the newest swing
    assert [price for price, _, _ in made._book._levels] == [104.0]
