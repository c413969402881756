"""Each pattern once by hand, and once upside down."""

from __future__ import annotations

import pytest

from actors.domain.strategies.base import MarketColumns
from actors.domain.strategies.candlestick_patterns import CandlestickPatterns, CandlestickPatternsParams
from actors.domain.strategies.trial import columns_of, opinions

Candle = tuple[float, float, float, float]
"""Open, high, low, close."""
FALL: list[Candle] = [
    (110.0, 110.5, 107.5, 108.0), (108.0, 108.5, 105.5, 106.0),
    (106.0, 106.5, 103.5, 104.0), (104.0, 104.5, 101.5, 102.0),
]  # fmt: skip
HAMMER = (102.0, 102.2, 98.0, 101.8)
ENGULFING = (102.0, 104.6, 101.9, 104.5)
PIERCING = (101.9, 103.6, 101.7, 103.5)  # above 103, the middle of the body before
STAR, AFTER_STAR = (104.0, 104.3, 103.2, 103.9), (104.0, 105.6, 103.9, 105.5)
NOTHING = (101.8, 102.0, 101.0, 101.2)


def _columns(candles: list[Candle]) -> MarketColumns:
    o, h, low, c = (list(x) for x in zip(*candles, strict=True))
    return columns_of(c, high=h, low=low, open=o)


def _mirrored(candles: list[Candle]) -> list[Candle]:
    return [(200.0 - o, 200.0 - low, 200.0 - h, 200.0 - c) for o, h, low, c in candles]


def _last(candles: list[Candle], trend_bars: int = 2, **params: float) -> tuple[float, float]:
    strategy = CandlestickPatterns(CandlestickPatternsParams(trend_bars=trend_bars, **params))
    direction, confidence = opinions(strategy, _columns(candles))
    return direction[-1], confidence[-1]


PATTERNS = [
    ("hammer", [*FALL, HAMMER], 0.4),
    ("engulfing", [*FALL, ENGULFING], 0.5),
    ("piercing line", [*FALL, PIERCING], 0.5),
    ("morning star", [*FALL[:3], STAR, AFTER_STAR], 0.6),
]


@pytest.mark.parametrize(("candles", "sure"), [p[1:] for p in PATTERNS], ids=[p[0] for p in PATTERNS])
def test_a_pattern_after_a_fall_is_long_and_upside_down_short(candles: list[Candle], sure: float) -> None:
    assert _last(candles) == (1.0, pytest.approx(sure))
    assert _last(_mirrored(candles)) == (-1.0, pytest.approx(sure))


def test_three_soldiers_and_three_crows() -> None:
    # averages of three: 104.33 at the first soldier, which closes below it
    soldiers = [(100.0, 103.2, 99.8, 103.0), (102.0, 106.2, 101.8, 106.0), (105.0, 109.2, 104.8, 109.0)]
    before = [(127.0, 127.5, 124.5, 125.0), (112.0, 112.5, 109.5, 110.0), (102.0, 102.5, 99.5, 100.0)]
    assert _last([*before, *soldiers], trend_bars=3) == (1.0, pytest.approx(0.6))
    assert _last(_mirrored([*before, *soldiers]), trend_bars=3) == (-1.0, pytest.approx(0.6))


def test_the_same_candle_without_a_fall_before_it_says_nothing() -> None:
    level = [(102.0, 102.5, 101.5, 102.0)] * 4
    assert _last([*level, HAMMER]) == (0.0, 0.0)


def test_confidence_fades_until_the_opinion_is_dropped() -> None:
    strategy = CandlestickPatterns(CandlestickPatternsParams(trend_bars=2, hold_bars=4))
    direction, confidence = opinions(strategy, _columns([*FALL, HAMMER, *[NOTHING] * 5]))
    assert direction[4:] == [1, 1, 1, 1, 0, 0]
    assert confidence[4:] == pytest.approx([0.4, 0.3, 0.2, 0.1, 0.0, 0.0])


def test_a_longer_pattern_is_preferred() -> None:
    # the candle after the star engulfs it as well
    engulfs = (103.9, 105.6, 103.8, 105.5)
    assert _last([*FALL[:3], STAR, engulfs], three_bar=0.9) == (1.0, pytest.approx(0.9))


def test_a_new_pattern_takes_over() -> None:
    strategy = CandlestickPatterns(CandlestickPatternsParams(trend_bars=2, hold_bars=4))
    _, confidence = opinions(strategy, _columns([*FALL, HAMMER, (101.8, 102.9, 100.5, 102.8)]))
    # 100.8..102.8 is larger than the hammer's body of 0.2: a bullish engulfing
    assert confidence[4:] == pytest.approx([0.4, 0.5])
