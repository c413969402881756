"""What holds for every indicator found by discovery: bit-equal forms, causal, restorable, unit-free."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.events.market import BarClosed
from actors.domain.model.bars import BarFrame
from actors.domain.state import dumps, loads

PACKAGE = "actors.domain.indicators"
KINDS = registry.kinds(PACKAGE)
HOUR = 3_600_000_000_000


def make_frame(n: int = 700, seed: int = 5, price: float = 100.0, volume: float = 1.0) -> BarFrame:
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(rng.standard_t(4, n) * 0.01))
    close[200:230] = close[200]  # a market that stands still
    opened = np.concatenate([[price], close[:-1]])
    high = np.maximum(opened, close) * (1 + rng.exponential(0.003, n))
    low = np.minimum(opened, close) * (1 - rng.exponential(0.003, n) / 2)
    high[200:230] = low[200:230] = opened[200:230] = close[200:230]
    traded = volume * rng.lognormal(3, 1, n)
    traded[205:230] = 0.0
    return BarFrame("BTC/USDT", HOUR, HOUR * np.arange(n), opened, high, low, close, traded)


def bars_of(frame: BarFrame) -> list[BarClosed]:
    columns = (frame.open, frame.high, frame.low, frame.close, frame.volume)
    return [
        BarClosed(
            ts_event_ns=t + HOUR, source="x", instrument_id=frame.pair, open_ns=t, close_ns=t + HOUR,
            open=o, high=h, low=lo, close=c, volume=v,
        )
        for t, o, h, lo, c, v in zip(frame.open_ns.tolist(), *(a.tolist() for a in columns), strict=True)
    ]  # fmt: skip


def test_all_announced_kinds_are_found():
    assert {
        "sma", "ema", "rsi", "macd", "bollinger", "rolling_std", "atr", "adx", "keltner", "cmf", "stoch_rsi",
        "heikin_ashi", "obv", "squeeze", "donchian",
    } <= set(KINDS)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_streaming_equals_batch_to_the_bit(kind):
    frame = make_frame()
    indicator = registry.build(PACKAGE, kind)
    stream = np.array([indicator.update(b) for b in bars_of(frame)]).T
    batch = registry.build(PACKAGE, kind).batch(frame)
    assert batch.shape == (len(indicator.names), len(frame))
    np.testing.assert_array_equal(stream, batch)


@pytest.mark.parametrize("kind", KINDS)
def test_warm_up_is_as_declared(kind):
    frame = make_frame().slice_rows(0, 150)
    indicator = registry.build(PACKAGE, kind)
    complete = ~np.isnan(indicator.batch(frame)).any(axis=0)
    assert complete.argmax() == indicator.warmup_bars
    assert complete[indicator.warmup_bars :].all()


@pytest.mark.parametrize("kind", KINDS)
def test_past_values_do_not_know_the_future(kind):
    frame, cut = make_frame(), 400
    rng = np.random.default_rng(1)
    factor = np.where(np.arange(len(frame)) < cut, 1.0, np.exp(rng.normal(0, 0.2, len(frame))))
    prices = (frame.open, frame.high, frame.low, frame.close)
    other = BarFrame(frame.pair, HOUR, frame.open_ns, *(a * factor for a in prices), frame.volume * factor)
    one, two = (registry.build(PACKAGE, kind).batch(f) for f in (frame, other))
    np.testing.assert_array_equal(one[:, :cut], two[:, :cut])
    assert not np.array_equal(one[:, cut:], two[:, cut:], equal_nan=True) or kind == "squeeze"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [3, 50, 333])
def test_snapshot_restores_the_same_future(kind, at):
    bars = bars_of(make_frame())[:500]
    first, second = registry.build(PACKAGE, kind), registry.build(PACKAGE, kind)

    def future(indicator, part):
        return [repr(indicator.features(indicator.update(b), b, 1.0)) for b in part]

    future(first, bars[:at])
    second.load_state(loads(dumps(first.state())))
    assert future(first, bars[at:]) == future(second, bars[at:])
    assert dumps(first.state()) == dumps(second.state())


@pytest.mark.parametrize("kind", KINDS)
def test_features_have_no_unit(kind):
    def rows(price, volume):
        indicator = registry.build(PACKAGE, kind)
        out = [
            indicator.features(indicator.update(b), b, 0.01 * b.close)
            for b in bars_of(make_frame(price=price, volume=volume))
        ]
        assert {len(r) for r in out} == {len(indicator.feature_names)}
        return np.array(out)[indicator.feature_warmup_bars :]

    one, two = rows(100.0, 1.0), rows(6400.0, 8.0)
    # the standing market is where rounding decides between 0/0 and a number
    moving = np.r_[0:100, 350 : len(one)]
    np.testing.assert_allclose(one[moving], two[moving], rtol=1e-6, atol=1e-8)
    assert np.isfinite(one[moving]).all()
