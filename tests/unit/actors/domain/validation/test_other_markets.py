"""Markets that might have been: sane bars on the tick, and what was together stays together."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.model.bars import BarFrame
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from actors.domain.validation.other_markets import noisy_candles, resampled_market

TICK = 0.01


@pytest.fixture(scope="module")
def frames() -> dict[str, BarFrame]:
    return dict(list(generate(SyntheticParams(n_bars=600), 3).frames.items())[:2])


def on_tick(frame: BarFrame, tick: float) -> bool:
    prices = np.concatenate([frame.open, frame.high, frame.low, frame.close])
    return bool(np.array_equal(prices, np.round(prices, 2))) and bool((prices >= tick).all())


def test_noise_moves_prices_by_its_share_of_the_range(frames: dict[str, BarFrame]) -> None:
    frame = frames["BTC/USDT"]
    noisy = noisy_candles(frame, np.random.default_rng(0), share=0.2, tick=TICK)
    assert on_tick(noisy, TICK)
    assert np.array_equal(noisy.open_ns, frame.open_ns)
    moved = (noisy.close - frame.close) / (frame.high - frame.low)
    assert abs(float(moved.std()) - 0.2) < 0.03
    assert abs(float(moved.mean())) < 4.0 * 0.2 / np.sqrt(len(frame))
    # a frame refuses insane bars itself: that it was made is the proof
    assert (noisy.high >= np.maximum(noisy.open, noisy.close)).all()


def test_prices_stay_above_zero_under_wild_noise() -> None:
    c = np.full(100, 0.02)
    frame = BarFrame("A/B", 1, np.arange(100), c, c + 0.01, c - 0.01, c, np.ones(100))
    assert on_tick(noisy_candles(frame, np.random.default_rng(1), share=50.0, tick=TICK), TICK)
    with pytest.raises(InvalidParamsError, match="noise"):
        noisy_candles(frame, np.random.default_rng(1), share=-0.1, tick=TICK)


def test_a_resampled_market_is_made_of_the_bars_of_one(frames: dict[str, BarFrame]) -> None:
    made = resampled_market(
        frames, np.random.default_rng(0), mean_block=24.0, ticks=dict.fromkeys(frames, TICK)
    )
    assert all(on_tick(f, TICK) and f.synthetic for f in made.values())
    # each bar's volume names where it comes from: the same place for all pairs
    places = []
    for pair, frame in frames.items():
        where = {v: k for k, v in enumerate(frame.volume.tolist())}
        assert len(where) == len(frame)
        places.append([where[v] for v in made[pair].volume.tolist()])
    assert places[0] == places[1]
    jumps = np.flatnonzero(np.diff(places[0]) != 1)
    assert 10 < len(jumps) < 60
    frame, new = frames["BTC/USDT"], made["BTC/USDT"]
    at = np.array(places[0])
    np.testing.assert_allclose(new.close / new.open, (frame.close / frame.open)[at], rtol=1e-5)
    np.testing.assert_allclose(new.high / new.low, (frame.high / frame.low)[at], rtol=1e-5)
    gap = frame.open[1:] / frame.close[:-1]
    np.testing.assert_allclose(new.open[1:] / new.close[:-1], gap[at[1:] - 1], rtol=1e-5)


def test_pairs_must_share_bars(frames: dict[str, BarFrame]) -> None:
    a, b = frames.values()
    apart = {"A": a.slice_rows(0, 300), "B": b.slice_rows(280, 600)}
    with pytest.raises(InsufficientDataError, match=r"at least 50 bars .* found 20"):
        resampled_market(apart, np.random.default_rng(0), mean_block=5.0, ticks={"A": TICK, "B": TICK})
