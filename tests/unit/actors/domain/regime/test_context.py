"""Market context: buckets follow the market, hold by hysteresis, know no later bar, and go on after a restore."""

from __future__ import annotations

from itertools import pairwise
from math import nan

import numpy as np
import pytest
from pydantic import ValidationError

from actors.domain.regime.base import Observation
from actors.domain.regime.context import (
    TIME,
    ContextParams,
    DecayedQuantile,
    MarketContext,
    contexts,
    time_bucket,
)
from actors.domain.state import dumps, loads

HOUR = 3_600_000_000_000


def bars(returns: np.ndarray, volume: float | np.ndarray = 10.0) -> list[Observation]:
    close = 100.0 * np.exp(np.cumsum(returns))
    volumes = np.broadcast_to(volume, close.shape).tolist()
    return [
        Observation(i, c * 1.001, c * 0.999, c, r if i else nan, volume=v, close_ns=(i + 1) * HOUR)
        for i, (c, r, v) in enumerate(zip(close.tolist(), returns.tolist(), volumes, strict=True))
    ]


def names(params: dict, observations: list[Observation]) -> list[str]:
    context = MarketContext(ContextParams(**params))
    return [context.update(o) for o in observations]


def noise(n: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(n) * 0.01


def test_volatility_that_rises_and_falls_is_named_so():
    scale = np.concatenate([np.ones(600), np.full(300, 3.0), np.full(300, 0.3)])
    said = names({"parts": ["volatility"]}, bars(noise(1200) * scale))
    assert set(said[:48]) == {"usual"}
    assert said[650:900].count("wild") > 230
    assert said[960:1200].count("calm") > 200


def test_a_drift_is_a_trend_and_noise_is_mostly_flat():
    drift = np.concatenate([np.zeros(600), np.full(300, 0.004), np.full(300, -0.004)])
    said = names({"parts": ["trend"]}, bars(noise(1200) + drift))
    assert said[700:900].count("up") > 150
    assert said[1050:1200].count("down") > 100
    assert said[60:600].count("flat") > 350


def test_liquidity_is_turnover_against_its_past_and_unmeasured_without_volume():
    volume = np.concatenate([np.full(300, 10.0), np.full(300, 1.0)])
    said = names({"parts": ["liquidity"]}, bars(noise(600), volume))
    assert set(said[340:]) == {"thin"}
    assert set(names({"parts": ["liquidity"]}, bars(noise(600), nan))) == {"unmeasured"}


def test_time_is_the_hour_and_the_weekend_in_utc():
    day = 24 * HOUR
    # 1970-01-01 was a Thursday; midnight closes the day before
    assert [TIME[time_bucket(h * HOUR)] for h in (1, 8, 9, 16, 17, 24)] == [
        "asia", "asia", "europe", "europe", "america", "america",
    ]  # fmt: skip
    assert [TIME[time_bucket(d * day + HOUR)] for d in (1, 2, 3, 4)] == ["asia", "weekend", "weekend", "asia"]
    assert TIME[time_bucket(None)] == "unmeasured"


def test_hysteresis_switches_less_than_bare_thresholds():
    series = bars(noise(4000, 5))
    held = names({"parts": ["volatility"]}, series)
    bare = names({"parts": ["volatility"], "band_frac": 0.0}, series)
    count = [sum(a != b for a, b in pairwise(said)) for said in (held, bare)]
    assert count[0] < 0.8 * count[1]


def test_a_bar_does_not_know_later_ones_and_a_restored_context_goes_on_alike():
    first, second = noise(500), noise(500)
    second[300:] *= -7.0
    one, two = names({}, bars(first)), names({}, bars(second))
    assert one[:300] == two[:300]
    assert one != two
    context, again = MarketContext(ContextParams()), MarketContext(ContextParams())
    series = bars(first)
    for o in series[:200]:
        context.update(o)
    again.load_state(loads(dumps(context.state())))
    assert [again.update(o) for o in series[200:]] == one[200:]


def test_contexts_are_bounded_and_standing_markets_are_no_error():
    said = names({}, bars(noise(3000, 9), np.random.default_rng(2).gamma(2.0, 5.0, 3000)))
    assert len(set(said)) <= contexts(("volatility", "trend", "liquidity", "time"))
    assert all(len(name.split("/")) == 4 for name in said)
    assert names({"parts": []}, bars(noise(10))) == ["any"] * 10
    assert names({"parts": ["volatility", "trend"]}, bars(np.zeros(200)))[-1] == "usual/flat"
    context = MarketContext(ContextParams())
    for o in bars(noise(400)):
        context.update(o)
    assert 0.3 < context.volatility_ratio < 3.0


def test_decayed_quantile_forgets():
    quantile, rng = DecayedQuantile(0.9, 300), np.random.default_rng(3)
    for x in rng.standard_normal(3000).tolist():
        quantile.add(x)
    assert quantile.value == pytest.approx(1.28, abs=0.35)
    for x in (5.0 + rng.standard_normal(3000)).tolist():
        quantile.add(x)
    assert quantile.value == pytest.approx(6.28, abs=0.35)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"parts": ["mood"]}, "mood"),
        ({"parts": ["time", "time"]}, "each part once"),
        ({"low_frac": 0.8}, "below high_frac"),
        ({"trend_off": 2.5}, "below trend_on"),
        ({"fast_half_life_bars": 200.0}, "below slow_half_life_bars"),
    ],
)
def test_refuses_what_contradicts_itself(params: dict, words: str):
    with pytest.raises(ValidationError, match=words):
        ContextParams(**params)
