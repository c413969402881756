"""The health monitor: completeness, freshness, outliers, and alerts that do not flutter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.market import FLAG_FORWARD_FILLED, BarClosed, DataQualityAssessed
from actors.domain.events.system import AlertRaised
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step
from actors.meta.health_monitor import HealthMonitor

HOUR = 3600 * 10**9
BTC, ETH = "BTC/USDT", "ETH/USDT"


def _make(*pairs: str, **params: Any) -> HealthMonitor:
    instruments = {p: Instrument(pair=p) for p in pairs or (BTC,)}
    return HealthMonitor(AgentContext("health", instruments, HOUR, 7, InlineFits()), **params)


def _bar(
    hour: int, close: float = 100.0, pair: str = BTC, flags: int = 0, high: float | None = None
) -> BarClosed:
    return BarClosed(
        ts_event_ns=hour * HOUR, source="market-data", instrument_id=pair, open_ns=(hour - 1) * HOUR,
        close_ns=hour * HOUR, open=close, high=high or close, low=close, close=close, volume=1.0, flags=flags,
    )  # fmt: skip


def _run(agent: HealthMonitor, hour: int, *inbox: Event) -> list[Event]:
    return list(agent.process(Step(hour, hour * HOUR, inbox)))


def _quality(events: list[Event]) -> DataQualityAssessed:
    (found,) = [e for e in events if isinstance(e, DataQualityAssessed)]
    return found


def _codes(events: list[Event]) -> list[str]:
    return [e.code for e in events if isinstance(e, AlertRaised)]


def _walk(n: int, seed: int = 0) -> list[float]:
    return (100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(size=n) * 0.01))).tolist()


def test_clean_data_scores_one_on_every_bar() -> None:
    agent = _make()
    for k, c in enumerate(_walk(300), 1):
        got = _run(agent, k, _bar(k, c))
        assert _codes(got) == []
        q = _quality(got)
        assert (q.score, q.completeness, q.freshness, q.outlier_free) == (1.0, 1.0, 1.0, 1.0)


def test_completeness_is_the_share_of_slots_with_a_bar_in_the_window() -> None:
    agent = _make(window_bars=10)
    for k in (1, 2, 3, 6):  # two missing
        got = _run(agent, k, _bar(k))
    assert _quality(got).completeness == pytest.approx(4 / 6)
    for k in range(7, 14):
        got = _run(agent, k, _bar(k))
    assert _quality(got).completeness == pytest.approx(8 / 10)
    for k in (14, 15):
        got = _run(agent, k, _bar(k))
    assert _quality(got).completeness == pytest.approx(1.0)


def test_a_gap_longer_than_the_window_costs_no_more_than_the_window() -> None:
    agent = _make(window_bars=10)
    _run(agent, 1, _bar(1))
    assert _quality(_run(agent, 10_000, _bar(10_000))).completeness == pytest.approx(0.1)


def test_filled_bars_age_and_do_not_count_as_present() -> None:
    agent = _make(stale_after_bars=4)
    _run(agent, 1, _bar(1))
    fresh = [_quality(_run(agent, k, _bar(k, flags=FLAG_FORWARD_FILLED))) for k in range(2, 7)]
    assert [q.freshness for q in fresh] == pytest.approx([0.75, 0.5, 0.25, 0.0, 0.0])
    assert fresh[0].completeness == 0.5
    assert _quality(_run(agent, 7, _bar(7))).freshness == 1.0


def test_a_planted_spike_is_an_outlier_and_an_ordinary_bar_is_not() -> None:
    agent = _make(window_bars=50)
    closes = _walk(101)
    for k, c in enumerate(closes[:100], 1):
        assert _quality(_run(agent, k, _bar(k, c))).outlier_free == 1.0
    spike = closes[99] * 1.5
    assert _quality(_run(agent, 101, _bar(101, closes[99], high=spike))).outlier_free == pytest.approx(
        49 / 50
    )


def test_an_outlier_does_not_widen_the_scale_for_the_next() -> None:
    agent = _make(window_bars=50)
    closes = _walk(100)
    for k, c in enumerate(closes, 1):
        _run(agent, k, _bar(k, c))
    for k in range(101, 104):
        got = _run(agent, k, _bar(k, closes[-1], high=closes[-1] * 1.5))
    assert _quality(got).outlier_free == pytest.approx(47 / 50)


def test_a_low_score_alerts_once_and_recovers_once() -> None:
    agent = _make(window_bars=20, alert_below=0.8, clear_above=0.9)
    hours = [*range(1, 11), *range(16, 60)]  # five missing
    codes = [(k, code) for k in hours for code in _codes(_run(agent, k, _bar(k)))]
    assert [c for _, c in codes] == ["DATA_QUALITY_LOW", "DATA_QUALITY_RECOVERED"]
    assert codes[0][0] == 16


def test_a_silent_pair_is_stale_once_and_resumes_once() -> None:
    agent = _make(BTC, ETH, stale_after_bars=3, alert_below=0.0)
    _run(agent, 1, _bar(1), _bar(1, pair=ETH))
    seen = []
    for k in range(2, 10):
        inbox = [_bar(k)] + ([_bar(k, pair=ETH)] if k >= 8 else [])
        events = _run(agent, k, *inbox)
        seen += [(k, e.instrument_id, e.code) for e in events if isinstance(e, AlertRaised)]
    assert seen == [(4, ETH, "DATA_STALE"), (8, ETH, "DATA_RESUMED")]


def test_a_restored_monitor_has_the_same_future() -> None:
    closes = _walk(200, 3)
    hours = [h for h in range(1, 200) if h % 17]
    one = _make(window_bars=30)
    for k in hours[:90]:
        _run(one, k, _bar(k, closes[k]))
    two = _make(window_bars=30)
    two.restore(one.snapshot())
    for k in hours[90:]:
        assert repr(_run(one, k, _bar(k, closes[k]))) == repr(_run(two, k, _bar(k, closes[k])))
    assert one.snapshot() == two.snapshot()


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(InvalidParamsError, match="clear_above"):
        _make(alert_below=0.9, clear_above=0.8)


@pytest.mark.shared_data
def test_real_gaps_are_seen_and_a_crash_is_not_a_flood_of_outliers(shared_data: Any) -> None:
    frame = pd.read_parquet(shared_data / "ohlcv/binance_spot/BTCUSDT_1h.parquet")
    frame = frame[(frame["timestamp"] >= "2020-02-01") & (frame["timestamp"] < "2020-05-01")]
    agent = _make()
    outliers, lowest = 0.0, 1.0
    for row in frame.itertuples():
        hour = int(row.timestamp.value) // HOUR + 1
        bar = BarClosed(
            ts_event_ns=hour * HOUR, source="market-data", instrument_id=BTC, open_ns=(hour - 1) * HOUR,
            close_ns=hour * HOUR, open=row.open, high=row.high, low=row.low,
            close=row.close, volume=row.volume,
        )  # fmt: skip
        q = _quality(_run(agent, hour, bar))
        lowest = min(lowest, q.completeness)
        outliers = max(outliers, 1.0 - q.outlier_free)
    missing = (int(frame["timestamp"].iloc[-1].value) - int(frame["timestamp"].iloc[0].value)) // HOUR + 1
    assert (lowest < 1.0) == (missing > len(frame))
    assert outliers <= 0.05
