"""The pipeline: names, hand-checked columns, warm-up, units, strangers, snapshots."""

from __future__ import annotations

import sys
import types
from math import log, sqrt

import numpy as np
import pytest

from actors.domain.errors import UnknownComponentError
from actors.domain.events.market import BarClosed
from actors.domain.features.pipeline import BASE_WARMUP_BARS, FeaturePipeline, feature_names
from actors.domain.indicators.base import Indicator
from actors.domain.registry import Params
from actors.domain.state import dumps, loads

SPECS = [
    {"kind": "sma", "params": {"window_bars": 10}},
    {"kind": "sma", "params": {"window_bars": 40}},
    {"kind": "rsi"},
    {"kind": "macd", "params": {}},
    {"kind": "bollinger"},
    {"kind": "adx"},
    {"kind": "obv"},
]


class Money(Indicator):
    """A stranger without features of its own: close times volume."""

    Params = Params

    def __init__(self, params) -> None:
        self.names = ("money",)
        self.warmup_bars = 0

    def update(self, bar):
        return (bar.close * bar.volume,)


def make_bars(n: int = 400, price: float = 100.0, volume: float = 1.0, seed: int = 8) -> list[BarClosed]:
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(rng.standard_t(4, n) * 0.01))
    opened = np.concatenate([[price], close[:-1]])
    high, low = np.maximum(opened, close) * 1.002, np.minimum(opened, close) * 0.997
    traded = volume * rng.lognormal(3, 1, n)
    columns = (opened, high, low, close, traded)
    return [
        BarClosed(
            ts_event_ns=i + 1, source="x", instrument_id="BTC/USDT", open_ns=i, close_ns=i + 1,
            open=o, high=h, low=lo, close=c, volume=v,
        )
        for i, (o, h, lo, c, v) in enumerate(zip(*(a.tolist() for a in columns), strict=True))
    ]  # fmt: skip


def test_names_are_unique_and_known_without_data():
    names = feature_names([*SPECS, SPECS[0]])
    assert len(set(names)) == len(names)
    assert {"return_1", "sma_10_distance", "sma_10_distance_2", "sma_40_distance", "rsi_14"} <= set(names)
    assert names == FeaturePipeline([*SPECS, SPECS[0]]).names


def test_unknown_indicator_is_refused_by_name():
    with pytest.raises(UnknownComponentError, match="moon"):
        feature_names([{"kind": "moon"}])


def test_columns_by_hand():
    bars = make_bars()
    pipeline = FeaturePipeline([])
    rows = [dict(zip(pipeline.names, pipeline.update(b), strict=True)) for b in bars]
    closes = np.array([b.close for b in bars])
    returns = np.diff(np.log(closes))
    t = BASE_WARMUP_BARS  # the slow mean is still a plain mean of t squares here
    sigma = sqrt(float(np.mean(returns[:t] ** 2)))
    assert rows[t]["return_6"] == pytest.approx(log(closes[t] / closes[t - 6]) / (sigma * sqrt(6)))
    path = np.abs(returns[t - 24 : t]).sum()
    assert rows[t]["efficiency_24"] == pytest.approx(log(closes[t] / closes[t - 24]) / path)
    b = bars[t]
    assert rows[t]["range_surprise"] == pytest.approx(log(b.high / b.low) / sigma)
    assert rows[t]["close_location"] == pytest.approx((2 * b.close - b.high - b.low) / (b.high - b.low))
    assert pipeline.log_return == pytest.approx(returns[-1])


def test_warm_up_is_as_declared():
    pipeline = FeaturePipeline([*SPECS, {"kind": "sma", "params": {"window_bars": 150}}])
    complete = [not np.isnan(pipeline.update(b)).any() for b in make_bars()]
    assert pipeline.warmup_bars == complete.index(True) == 149
    assert all(complete[pipeline.warmup_bars :])
    short = FeaturePipeline(SPECS)
    complete = [not np.isnan(short.update(b)).any() for b in make_bars()]
    assert complete.index(True) == short.warmup_bars


def test_units_of_price_and_volume_do_not_matter():
    one, two = FeaturePipeline(SPECS), FeaturePipeline(SPECS)
    a = np.array([one.update(b) for b in make_bars()])
    b = np.array([two.update(b) for b in make_bars(price=25_600.0, volume=64.0)])
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def test_past_rows_do_not_know_the_future():
    one, two = FeaturePipeline(SPECS), FeaturePipeline(SPECS)
    bars, other = make_bars(), make_bars(seed=99)
    first = [one.update(b) for b in [*bars[:200], *other[200:]]]
    second = [two.update(b) for b in bars]
    assert repr(first[:200]) == repr(second[:200])
    assert repr(first[200:]) != repr(second[200:])


def test_stranger_gets_standardised_columns(monkeypatch):
    module = types.ModuleType("stranger")
    module.Money = Money
    monkeypatch.setitem(sys.modules, "stranger", module)
    pipeline = FeaturePipeline([{"kind": "stranger:Money"}])
    rows = [pipeline.update(b) for b in make_bars()]
    column = np.array([r[pipeline.names.index("money_z")] for r in rows])
    assert np.isnan(column[:96]).all()
    assert np.isfinite(column[96:]).all()
    assert abs(np.mean(column[96:])) < 0.5


@pytest.mark.parametrize("at", [0, 1, 70, 250])
def test_snapshot_restores_the_same_future(at):
    bars = make_bars()
    first, second = FeaturePipeline(SPECS), FeaturePipeline(SPECS)
    for b in bars[:at]:
        first.update(b)
    second.load_state(loads(dumps(first.state())))
    assert repr([first.update(b) for b in bars[at:]]) == repr([second.update(b) for b in bars[at:]])
    assert dumps(first.state()) == dumps(second.state())


def test_market_that_stands_still_is_undefined_not_zero():
    pipeline = FeaturePipeline([{"kind": "rsi"}])
    still = [
        BarClosed(
            ts_event_ns=i + 1, source="x", instrument_id="BTC/USDT", open_ns=i, close_ns=i + 1,
            open=5.0, high=5.0, low=5.0, close=5.0, volume=0.0,
        )
        for i in range(200)
    ]  # fmt: skip
    row = dict(zip(pipeline.names, [pipeline.update(b) for b in still][-1], strict=True))
    assert all(np.isnan(row[k]) for k in ("return_1", "volatility_ratio", "volume_surprise", "rsi_14"))
