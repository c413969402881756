"""The canonical decision log: its lines, its order, what counts as a change, and the short way to a float's grid."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from math import copysign, inf, nextafter

from hypothesis import example, given
from hypothesis import strategies as st

from actors.domain.events.codec import DecisionLog, canonical, on_grid
from actors.domain.events.execution import OrderExpired
from actors.domain.events.prediction import PredictionMade
from actors.domain.events.signal import SignalEmitted, TargetExposureSet

_TIES = st.integers(-(10**12), 10**12).map(lambda k: (k + 0.5) / 1e9)


@given(st.floats() | st.floats(-2.0, 2.0) | _TIES | _TIES.map(lambda x: nextafter(x, inf)))
@example(0.0000000005)
@example(0.0000000015)
@example(-0.0)
@example(-1e-12)
@example(1000.0000000005)
@example(inf)
def test_a_float_on_its_grid_is_what_the_canonical_form_says(value: float):
    short, whole = on_grid(value), canonical(value)
    assert type(short) is type(whole)
    assert short == whole
    assert not isinstance(short, float) or copysign(1.0, short) == copysign(1.0, whole)


def _signal(ts: int, direction: float, source: str = "strategy-rsi") -> SignalEmitted:
    return SignalEmitted(
        ts_event_ns=ts, source=source, instrument_id="BTC/USDT", strategy="rsi", direction=direction,
        confidence=0.5,
    )  # fmt: skip


def _target(ts: int) -> TargetExposureSet:
    return TargetExposureSet(
        ts_event_ns=ts, source="coordinator-strategy", instrument_id="BTC/USDT", target_frac=0.1, confidence=0.2,
        regime="bull",
    )  # fmt: skip


def _silent(ts: int) -> PredictionMade:
    return PredictionMade(
        ts_event_ns=ts,
        source="predict-online",
        model="online",
        probability_up=0.5,
        horizon_bars=1,
        model_version=1,
    )


def test_lines_are_in_canonical_order_and_hashed_as_they_are_written():
    log = DecisionLog()
    text = log.add_text(
        3,
        [
            ("coordinator-strategy", [_target(7)]),
            ("strategy-rsi", [_signal(7, 0.25)]),
            ("predict-online", [_silent(7)]),
            ("strategy-macd", [_silent(7), _signal(7, 0.1 + 0.2)]),
            ("health", []),
        ],
    )
    rows = [json.loads(line) for line in text.decode().splitlines()]
    assert [row[:3] for row in rows] == [
        [3, "SignalEmitted", "strategy-macd"],
        [3, "SignalEmitted", "strategy-rsi"],
        [3, "TargetExposureSet", "coordinator-strategy"],
    ]
    assert rows[0][3][0] == ["ts_event_ns", 7]
    assert ["direction", 0.3] in rows[0][3]
    assert log.count == 3
    assert (
        DecisionLog().add_step(3, [("strategy-rsi", [_signal(7, 0.25)])]) == text.decode().splitlines()[1:2]
    )
    assert log.digest() == hashlib.sha256(text).hexdigest()


def test_an_unchanged_opinion_is_logged_once_also_by_a_resumed_log():
    log = DecisionLog()
    text = log.add_text(0, [("strategy-rsi", [_signal(1, 0.5)])])
    # another time, and a difference below the grid, are no change
    assert log.add_text(1, [("strategy-rsi", [_signal(2, 0.5 + 1e-13)])]) == b""
    resumed = DecisionLog.resumed(text, log.state())
    for one in (log, resumed):
        assert one.add_text(2, [("strategy-rsi", [_signal(3, 0.5)])]) == b""
        assert one.add_text(3, [("strategy-rsi", [_signal(4, -0.5)])]).count(b"\n") == 1
    assert log.digest() == resumed.digest()
    assert log.count == resumed.count == 2


def test_what_is_no_opinion_is_logged_each_time():
    log = DecisionLog()
    event = OrderExpired(
        ts_event_ns=1,
        source="venue",
        instrument_id="BTC/USDT",
        client_order_id="a",
        intent_id="i",
        filled_quantity=Decimal(0),
    )
    assert log.add_text(0, [("venue", [event, event])]).count(b"OrderExpired") == 2
