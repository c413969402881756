"""A quiet market of wide bars, then a jump, worked by hand with windows of two."""

from __future__ import annotations

import pytest

from actors.domain.strategies.keltner_squeeze import KeltnerSqueeze, KeltnerSqueezeParams
from actors.domain.strategies.trial import columns_of, opinions

# Quiet: deviation 0 and range 4, so the bands lie in the channel from bar 2 on. Bar 5: bands 110 -+ 20; range
# (4+22)/2 = 13, average 113.3, channel from 93.8 up: the lower band is out of it.
BARS = columns_of(
    [100.0] * 5 + [120.0, 100.0], high=[102.0] * 5 + [121.0, 121.0], low=[98.0] * 5 + [99.0, 99.0]
)


def _run(min_squeeze_bars: int) -> tuple[list[float], list[float]]:
    params = KeltnerSqueezeParams(window_bars=2, min_squeeze_bars=min_squeeze_bars, scale_frac=0.01)
    return opinions(KeltnerSqueeze(params), BARS)


def test_the_release_is_taken_in_the_direction_of_the_momentum_until_it_turns() -> None:
    direction, confidence = _run(3)
    assert direction == [0, 0, 0, 0, 0, 1, 0]
    # momentum 120 - (109.5 + 110) / 2 = 10.25
    size = 10.25 / 120.0
    assert confidence[5] == pytest.approx(size / (size + 0.01))


def test_a_squeeze_that_was_too_short_is_no_squeeze() -> None:
    assert _run(4)[0] == [0] * 7
