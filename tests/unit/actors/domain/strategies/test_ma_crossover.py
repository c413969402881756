"""The crossover rule on paths where the answer is plain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.domain.strategies.ma_crossover import MaCrossover, MaCrossoverParams


def _run(
    frame: Callable[..., Any], markets: Callable[..., Any], closes: list[float], **params: Any
) -> list[Any]:
    strategy = MaCrossover(MaCrossoverParams(fast_bars=2, slow_bars=4, **params))
    return [strategy.update(m) for m in markets(frame(closes))]


def test_long_in_a_rise_short_in_a_fall(frame: Callable[..., Any], markets: Callable[..., Any]) -> None:
    got = _run(frame, markets, [100, 101, 102, 103, 104, 90, 80, 70], band_frac=0.0)
    assert [o.direction for o in got] == [0, 0, 0, 1, 1, -1, -1, -1]


def test_no_signal_inside_the_band(frame: Callable[..., Any], markets: Callable[..., Any]) -> None:
    closes = [100, 101, 102, 103]
    # averages 102.5 and 101.5: a gap of 0.985 %
    assert _run(frame, markets, closes, band_frac=0.0098)[-1].direction == 1.0
    assert _run(frame, markets, closes, band_frac=0.0099)[-1].direction == 0.0


def test_confidence_is_one_half_at_the_scale(frame: Callable[..., Any], markets: Callable[..., Any]) -> None:
    gap = 1.0 / 101.5
    got = _run(frame, markets, [100, 101, 102, 103], band_frac=0.0, scale_frac=gap)
    assert got[-1].confidence == pytest.approx(0.5)
