"""Swings against their definition, bar by bar and in columns."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.strategies.swings import Swings, swings


@pytest.mark.parametrize("span", [1, 2, 5])
def test_swings_are_what_the_definition_says(span: int) -> None:
    rng = np.random.default_rng(span)
    middle = np.round(100.0 + np.cumsum(rng.normal(0.0, 1.0, 400)))  # rounded: there are ties
    high, low = middle + rng.integers(0, 3, 400), middle - rng.integers(0, 3, 400)
    stream = Swings(span)
    found = np.array([stream.update(h, x) for h, x in zip(high.tolist(), low.tolist(), strict=True)]).T
    np.testing.assert_array_equal(found, np.array(swings(high, low, span)))
    for t in range(len(high)):
        k = t - span
        before, after = slice(k - span, k), slice(k + 1, t + 1)
        top = k >= span and high[k] > high[before].max() and high[k] >= high[after].max()
        bottom = k >= span and low[k] < low[before].min() and low[k] <= low[after].min()
        assert found[0, t] == high[k] if top else np.isnan(found[0, t])
        assert found[1, t] == low[k] if bottom else np.isnan(found[1, t])


def test_a_plateau_is_one_swing() -> None:
    high = np.array([1.0, 2.0, 3.0, 3.0, 3.0, 2.0, 1.0])
    tops, _ = swings(high, high - 0.5, 2)
    assert tops[~np.isnan(tops)].tolist() == [3.0]


def test_a_level_market_has_none() -> None:
    flat = np.full(20, 7.0)
    assert all(np.isnan(x).all() for x in swings(flat, flat, 3))


@pytest.mark.parametrize("bars", [0, 1, 2])
def test_few_bars(bars: int) -> None:
    x = np.arange(float(bars)) + 1.0
    assert all(len(line) == bars and np.isnan(line).all() for line in swings(x, x, 3))
