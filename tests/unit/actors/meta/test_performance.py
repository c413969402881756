"""The performance agent: outcomes of the next bar, honest marks, weights that follow the better strategy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.evaluation import AgentScored, WeightsRevised
from actors.domain.events.market import FLAG_FORWARD_FILLED, BarClosed
from actors.domain.events.prediction import PredictionMade
from actors.domain.events.signal import SignalEmitted
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step
from actors.meta.performance import PerformanceAgent

BTC, ETH = "BTC/USDT", "ETH/USDT"


def _make(
    strategies: Any = ("good", "bad"), predictors: Any = ("online",), lag: int = 2, **params: Any
) -> PerformanceAgent:
    instruments = {p: Instrument(pair=p) for p in (BTC, ETH)}
    ctx = AgentContext("performance", instruments, 3600 * 10**9, 7, InlineFits())
    return PerformanceAgent(ctx, strategies, predictors, lag, params)


def _bar(close: float, pair: str = BTC, flags: int = 0) -> BarClosed:
    return BarClosed(
        ts_event_ns=1, source="market-data", instrument_id=pair, open_ns=0, close_ns=1, open=close,
        high=close, low=close, close=close, volume=1.0, flags=flags,
    )  # fmt: skip


def _signal(strategy: str, direction: float, confidence: float = 1.0, pair: str = BTC) -> SignalEmitted:
    return SignalEmitted(
        ts_event_ns=1, source=f"strategy-{strategy}", instrument_id=pair, strategy=strategy,
        direction=direction, confidence=confidence,
    )  # fmt: skip


def _prediction(p: float, pair: str = BTC) -> PredictionMade:
    return PredictionMade(
        ts_event_ns=1, source="predict-online", instrument_id=pair, model="online", probability_up=p,
        horizon_bars=1, model_version=1,
    )  # fmt: skip


def _run(agent: PerformanceAgent, number: int, *inbox: Event) -> list[Event]:
    return list(agent.process(Step(number, 100 + number, inbox)))


def _scores(events: list[Event]) -> dict[str, AgentScored]:
    return {e.agent: e for e in events if isinstance(e, AgentScored)}


def test_marks_are_the_next_bars_outcomes_net_of_costs() -> None:
    agent = _make(cost_bps=10.0, revise_every_steps=3)
    assert (
        _run(agent, 0, _bar(100.0), _signal("good", 1.0, 0.5), _signal("bad", -1.0), _prediction(0.75)) == []
    )
    assert _run(agent, 1, _bar(102.0), _signal("good", 1.0, 0.5), _signal("bad", 0.0, 0.0)) == []
    got = _run(agent, 2, _bar(102.0 * 0.99))
    marks = _scores(got)
    # good: half a position twice, bought once; bad: short into a rise, then closed; online: 2p−1 = ½ once
    good = (0.5 * 0.02 - 0.5 * 0.001) + 0.5 * -0.01
    assert marks["strategy-good"].score == pytest.approx(good / 2 * 1e4)
    assert (marks["strategy-good"].observations, marks["strategy-good"].hit_rate_frac) == (2, 0.5)
    bad = (-0.02 - 0.001) - 0.001
    assert marks["strategy-bad"].score == pytest.approx(bad * 1e4)
    assert (marks["strategy-bad"].observations, marks["strategy-bad"].hit_rate_frac) == (1, 0.0)
    online = (0.5 * 0.02 - 0.5 * 0.001) - 0.5 * 0.001
    assert marks["predict-online"].score == pytest.approx(online * 1e4)


def test_without_outcomes_a_mark_is_undefined_not_zero() -> None:
    marks = _scores(_run(_make(revise_every_steps=1), 0, _bar(100.0)))
    assert math.isnan(marks["strategy-good"].score)
    assert math.isnan(marks["strategy-good"].hit_rate_frac)
    assert marks["strategy-good"].observations == 0


def test_revisions_come_on_schedule_and_take_effect_later() -> None:
    agent = _make(revise_every_steps=4, lag=3)
    revised = [
        (k, e)
        for k in range(12)
        for e in _run(agent, k, _bar(100.0 + k), _signal("good", 1.0), _signal("bad", -1.0))
        if isinstance(e, WeightsRevised)
    ]
    assert [(k, e.effective_step) for k, e in revised] == [(3, 6), (7, 10), (11, 14)]
    for _, e in revised:
        assert e.members == ("good", "bad")
        assert math.fsum(e.weights) == pytest.approx(1.0)


@pytest.mark.parametrize("scheme", ["fixed_share", "adahedge", "hedge"])
def test_weights_follow_the_strategy_that_earns(scheme: str) -> None:
    agent = _make(scheme=scheme, revise_every_steps=1, horizon_steps=100)
    rng = np.random.default_rng(2)
    close, weights = 100.0, []
    for k in range(300):
        r = rng.normal() * 0.01
        close *= 1.0 + r
        ahead = float(np.sign(rng.normal() + 0.0))
        got = _run(agent, k, _bar(close), _signal("good", ahead), _signal("bad", -ahead))
        weights.append(next(e.weights for e in got if isinstance(e, WeightsRevised)))
        # the next bar goes where "good" said, three times in four
        close *= 1.0 + 0.004 * ahead * (1 if k % 4 else -1)
    assert weights[0] == (0.5, 0.5)
    assert weights[-1][0] > 0.8


def test_costs_alone_separate_two_equal_opinions() -> None:
    """A strategy that flips for nothing pays for it."""
    agent = _make(cost_bps=50.0, revise_every_steps=1)
    got: list[Event] = []
    for k in range(200):
        flip = 1.0 if k % 2 else -1.0
        # prices stand still but for a tiny wobble, so only turnover matters
        got = _run(agent, k, _bar(100.0 + 0.01 * (k % 3)), _signal("good", 1.0), _signal("bad", flip))
    weights = next(e.weights for e in got if isinstance(e, WeightsRevised))
    assert weights[0] > 0.9


def test_a_signal_of_this_step_earns_nothing_on_this_steps_bar() -> None:
    agent = _make(cost_bps=0.0, revise_every_steps=1)
    _run(agent, 0, _bar(100.0))
    got = _run(agent, 1, _signal("good", 1.0), _bar(200.0))
    assert _scores(got)["strategy-good"].observations == 0
    got = _run(agent, 2, _bar(220.0))
    assert _scores(got)["strategy-good"].score == pytest.approx(1000.0)


def test_repeated_prices_are_no_outcomes() -> None:
    agent = _make(revise_every_steps=1)
    _run(agent, 0, _bar(100.0), _signal("good", 1.0))
    got = _run(agent, 1, _bar(100.0, flags=FLAG_FORWARD_FILLED))
    assert _scores(got)["strategy-good"].observations == 0


def test_strangers_opinions_are_ignored() -> None:
    agent = _make(revise_every_steps=1)
    _run(agent, 0, _bar(100.0), _signal("unknown", 1.0))
    assert set(_scores(_run(agent, 1, _bar(101.0)))) == {"strategy-good", "strategy-bad", "predict-online"}


def test_a_restored_agent_has_the_same_future() -> None:
    def inbox(k: int) -> list[Event]:
        side = 1.0 if k % 3 else -1.0
        both = [_bar(50.0 + math.sin(k), ETH), _signal("bad", side, 0.5, ETH)] if k % 4 else []
        return [_bar(100.0 + math.cos(k)), _signal("good", side), _prediction(0.5 + 0.3 * math.sin(k)), *both]

    one = _make(revise_every_steps=5)
    for k in range(23):
        _run(one, k, *inbox(k))
    two = _make(revise_every_steps=5)
    two.restore(one.snapshot())
    a, b = ([_run(agent, k, *inbox(k)) for k in range(23, 60)] for agent in (one, two))
    assert repr(a) == repr(b)
    assert one.snapshot() == two.snapshot()


@pytest.mark.parametrize(
    ("strategies", "lag", "params"),
    [((), 1, {}), (("a", "strategy-a"), 1, {}), (("a",), 0, {}), (("a",), 1, {"scheme": "luck"})],
)
def test_unfit_configuration_is_refused(strategies: Any, lag: int, params: dict[str, Any]) -> None:
    with pytest.raises(InvalidParamsError):
        _make(strategies, (), lag, **params)
