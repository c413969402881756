"""Three spans and the volatility of the bar before, worked by hand."""

from __future__ import annotations

import itertools
from math import sqrt

import pytest

from actors.domain.strategies.time_series_momentum import TimeSeriesMomentum, TimeSeriesMomentumParams
from actors.domain.strategies.trial import columns_of, opinions

CLOSES = [100.0, 101.0, 102.0, 101.5, 103.0, 99.0]


def _run(closes: list[float], target: float = 0.005) -> tuple[list[float], list[float]]:
    params = TimeSeriesMomentumParams(
        short_bars=1, middle_bars=2, long_bars=3, volatility_bars=2, target_volatility_frac=target
    )
    return opinions(TimeSeriesMomentum(params), columns_of(closes))


def test_each_span_has_one_vote() -> None:
    # 101.5: below 102, above 101 and 100; 103: above all three; 99: below all three
    assert _run(CLOSES)[0] == pytest.approx([0, 0, 0, 1 / 3, 1, -1])


def test_confidence_is_target_over_the_volatility_known_before() -> None:
    squares = [(b / a - 1.0) ** 2 for a, b in itertools.pairwise(CLOSES)]
    known = [(squares[0] + squares[1]) / 2.0]  # at bar 3: the returns of bars 1 and 2
    for x in squares[2:4]:
        known.append(known[-1] + 2.0 / 3.0 * (x - known[-1]))
    assert _run(CLOSES)[1][3:] == pytest.approx([0.005 / sqrt(v) for v in known])


def test_a_calm_market_has_full_confidence_and_no_more() -> None:
    assert _run(CLOSES, target=0.02)[1] == [0, 0, 0, 1, 1, 1]


def test_a_market_that_stands_still_says_nothing() -> None:
    assert _run([100.0] * 8) == ([0.0] * 8, [0.0] * 8)
