"""Channels of three and two bars, worked by hand; highs and lows are the closes."""

from __future__ import annotations

import pytest

from actors.domain.strategies.donchian import Donchian, DonchianParams
from actors.domain.strategies.trial import columns_of, opinions

PARAMS = DonchianParams(entry_bars=3, exit_bars=2, scale_frac=0.5)


def test_in_beyond_the_long_channel_out_beyond_the_short_one() -> None:
    #       before: 10..12 -> 13 breaks; 11..13, out below 12 -> 12.5 holds; out below 12.5 -> 12.2 leaves;
    #       12.2..13 -> 9 breaks
    direction, confidence = opinions(Donchian(PARAMS), columns_of([10.0, 11.0, 12.0, 13.0, 12.5, 12.2, 9.0]))
    assert direction == [0, 0, 0, 1, 1, 0, -1]
    # (13-11)/2 = 1; (12.5-12)/2 = 0.25; (12.5-9)/0.8 = 4.375
    assert confidence[3:] == pytest.approx([1 / 1.5, 0.25 / 0.75, 0.0, 4.375 / 4.875])


def test_the_bar_itself_is_not_part_of_its_channel() -> None:
    # a close at the top of its own bar would never be above a channel that contains it
    bars = columns_of([10.0, 10.0, 10.0, 11.0], high=[10.5, 10.5, 10.5, 11.0], low=[9.5, 9.5, 9.5, 10.0])
    assert opinions(Donchian(PARAMS), bars)[0] == [0, 0, 0, 1]


def test_touching_the_channel_is_not_breaking_it() -> None:
    assert opinions(Donchian(PARAMS), columns_of([10.0, 11.0, 12.0, 12.0, 11.0]))[0] == [0] * 5
