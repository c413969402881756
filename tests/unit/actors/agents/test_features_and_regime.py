"""Features and regime actors: events, pairs that are missing, feedback of selections, restores."""

from __future__ import annotations

from itertools import pairwise
from math import isnan

import numpy as np
import pytest

from actors.agents.features import FeaturesAgent
from actors.agents.regime import EnsembleAgent, RegimeAgent
from actors.domain.errors import InvalidParamsError
from actors.domain.events.features import FeaturesComputed, FeatureSetRevised
from actors.domain.events.market import BarClosed, BarOverdue, DataQualityAssessed
from actors.domain.events.regime import REGIMES, RegimeAssessed, RegimeChanged
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

HOUR = 3_600_000_000_000
PAIRS = ("BTC/USDT", "ETH/USDT")
INDICATORS = [{"kind": "sma", "params": {"window_bars": 10}}, {"kind": "rsi", "params": {}}]
SELECTION = {"every_bars": 40, "window_bars": 100, "horizon_bars": 2, "lag_steps": 7, "max_features": 4}


def make_context(name: str) -> AgentContext:
    return AgentContext(name, {p: Instrument(pair=p) for p in PAIRS}, HOUR, 7, InlineFits())


def make_steps(n: int = 320, seed: int = 2, source: str = "market-data") -> list[Step]:
    """Two pairs; the second one is missing in steps 100..119."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.standard_t(4, (n, 2)) * 0.01, axis=0))
    before = np.vstack([[100.0, 100.0], close[:-1]])
    high, low = np.maximum(close, before) * 1.002, np.minimum(close, before) * 0.998
    steps = []
    for i in range(n):
        inbox = tuple(
            BarClosed(
                ts_event_ns=(i + 1) * HOUR, source=source, instrument_id=pair, open_ns=i * HOUR,
                close_ns=(i + 1) * HOUR, open=float(before[i, j]), high=float(high[i, j]),
                low=float(low[i, j]), close=float(close[i, j]), volume=float(5 + i % 7),
            )
            for j, pair in enumerate(PAIRS)
            if not (j == 1 and 100 <= i < 120)
        )  # fmt: skip
        steps.append(Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=inbox, warmup=i < 50))
    return steps


def test_features_follow_the_bars_and_their_own_names():
    agent = FeaturesAgent(make_context("features"), INDICATORS, SELECTION)
    assert agent.names == FeaturesAgent.feature_names(INDICATORS)
    rows = [e for s in make_steps() for e in agent.process(s) if isinstance(e, FeaturesComputed)]
    btc = [e for e in rows if e.instrument_id == PAIRS[0]]
    eth = [e for e in rows if e.instrument_id == PAIRS[1]]
    assert (len(btc), len(eth)) == (320, 300)
    assert [e.bar_index for e in eth] == list(range(300))
    assert all(type(v) is float for v in btc[-1].values)
    assert len(btc[0].values) == len(agent.names)
    assert isnan(btc[0].log_return)
    assert {e.source for e in rows} == {"features"}
    ready = [e.ready for e in btc]
    assert ready.index(True) == 96
    assert all(ready[96:])


def test_selection_takes_effect_after_its_lag_and_names_real_columns():
    agent = FeaturesAgent(make_context("features"), INDICATORS, SELECTION)
    found = [
        (s.number, e) for s in make_steps() for e in agent.process(s) if isinstance(e, FeatureSetRevised)
    ]
    btc = [(k, e) for k, e in found if e.instrument_id == PAIRS[0]]
    # every 40 bars; the selection asked for at bar 119 finds too few complete rows and says nothing
    assert [k for k, _ in btc] == [159 + 7, 199 + 7, 239 + 7, 279 + 7]
    for k, e in btc:
        assert e.effective_step == k + 1
        assert len(e.selected) == len(e.scores) == 4
        assert set(e.selected) <= set(agent.names)
        assert all(-1.0 <= x <= 1.0 for x in e.scores)


def test_selection_can_be_switched_off_and_bad_parameters_are_named():
    agent = FeaturesAgent(make_context("features"), INDICATORS, {"enabled": False})
    assert not any(isinstance(e, FeatureSetRevised) for s in make_steps() for e in agent.process(s))
    with pytest.raises(InvalidParamsError, match="horizon_bars"):
        FeaturesAgent(make_context("features"), INDICATORS, {"horizon_bars": 0})


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("volatility", {"min_history_bars": 60}),
        ("trend", {}),
        ("hmm", {"min_history_bars": 60, "refit_every_bars": 90, "window_bars": 100, "lag_steps": 4}),
    ],
)
def test_regime_agent_assesses_each_bar_and_restores(kind, params):
    steps = make_steps()
    first = RegimeAgent(make_context(f"regime-{kind}"), kind, params)
    out = [first.process(s) for s in steps[:150]]
    assert [len(o) for o in out] == [1 if 100 <= i < 120 else 2 for i in range(150)]
    assert all(e.detector == kind and e.source == f"regime-{kind}" for o in out for e in o)
    assert any(e.confidence > 0.0 for e in out[-1])
    second = RegimeAgent(make_context(f"regime-{kind}"), kind, params)
    second.restore(first.snapshot())
    assert [first.process(s) for s in steps[150:]] == [second.process(s) for s in steps[150:]]
    assert first.snapshot() == second.snapshot()


def test_quality_of_the_data_reaches_the_confidence():
    plain, poor = (RegimeAgent(make_context("regime-trend"), "trend") for _ in range(2))
    for s in make_steps(150):
        bad = DataQualityAssessed(
            ts_event_ns=s.ts_event_ns, source="zz", instrument_id=PAIRS[0], score=0.25, completeness=1.0,
            freshness=1.0, outlier_free=0.25,
        )  # fmt: skip
        a = plain.process(s)
        b = poor.process(Step(number=s.number, ts_event_ns=s.ts_event_ns, inbox=(*s.inbox, bad)))
    assert b[0].confidence == pytest.approx(0.25 * a[0].confidence)
    assert b[1] == a[1]


def say(i: int, source: str, pair: str, label: str, confidence: float = 0.9) -> RegimeAssessed:
    p = tuple(0.9 if r == label else 0.02 for r in REGIMES)
    return RegimeAssessed(
        ts_event_ns=(i + 1) * HOUR, source=source, instrument_id=pair, detector=source, label=label,
        probabilities=p, confidence=confidence,
    )  # fmt: skip


def test_ensemble_speaks_per_pair_and_announces_switches_once():
    agent = EnsembleAgent(make_context("regime-ensemble"), ["regime-a", "regime-b"])
    assessed, changed = [], []
    for i in range(60):
        label = "bull" if i < 30 else "bear"
        inbox = [say(i, "regime-a", PAIRS[0], label), say(i, "regime-b", PAIRS[0], label)]
        inbox.append(say(i, "regime-foreign", PAIRS[1], "crash"))
        if i >= 10:
            inbox.append(say(i, "regime-b", PAIRS[1], "low_volatility"))
        for e in agent.process(Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=tuple(inbox))):
            (changed if isinstance(e, RegimeChanged) else assessed).append((i, e))
    assert sum(e.instrument_id == PAIRS[0] for _, e in assessed) == 60
    assert sum(e.instrument_id == PAIRS[1] for _, e in assessed) == 50
    assert all(e.detector == "ensemble" and e.source == "regime-ensemble" for _, e in assessed)
    moves = [(e.instrument_id, e.previous, e.label) for _, e in changed]
    assert moves == [
        (PAIRS[0], "sideways", "bull"),
        (PAIRS[1], "sideways", "low_volatility"),
        (PAIRS[0], "bull", "bear"),
    ]


def test_ensemble_restores_and_refuses_doubled_members():
    first, second = (EnsembleAgent(make_context("regime-ensemble"), ["a", "b"]) for _ in range(2))
    steps = [
        Step(
            number=i,
            ts_event_ns=(i + 1) * HOUR,
            inbox=tuple(say(i, m, PAIRS[0], REGIMES[(i // 25 + j) % 6]) for j, m in enumerate("ab")),
        )
        for i in range(120)
    ]
    for s in steps[:40]:
        first.process(s)
    second.restore(first.snapshot())
    assert [first.process(s) for s in steps[40:]] == [second.process(s) for s in steps[40:]]
    with pytest.raises(InvalidParamsError, match="distinct"):
        EnsembleAgent(make_context("regime-ensemble"), ["a", "a"])


def test_features_agent_restores_with_a_selection_under_way():
    steps = make_steps()
    first = FeaturesAgent(make_context("features"), INDICATORS, SELECTION)
    for s in steps[:162]:  # asked at 159, due at 166
        first.process(s)
    second = FeaturesAgent(make_context("features"), INDICATORS, SELECTION)
    second.restore(first.snapshot())
    one = [first.process(s) for s in steps[162:]]
    assert repr(one) == repr([second.process(s) for s in steps[162:]])
    assert any(isinstance(e, FeatureSetRevised) for o in one[:6] for e in o)
    assert first.snapshot() == second.snapshot()


def bar_of(i: int, pair: str, close: float) -> BarClosed:
    return BarClosed(
        ts_event_ns=(i + 1) * HOUR, source="market-data", instrument_id=pair, open_ns=i * HOUR,
        close_ns=(i + 1) * HOUR, open=close, high=close, low=close, close=close, volume=1.0,
    )  # fmt: skip


def good(i: int, pair: str, score: float = 1.0) -> DataQualityAssessed:
    return DataQualityAssessed(
        ts_event_ns=(i + 1) * HOUR, source="health", instrument_id=pair, score=score, completeness=1.0,
        freshness=1.0, outlier_free=score,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["standard", "enhanced"])
def test_a_feed_that_stops_lets_confidence_fall_and_the_reason_says_why(kind):
    agent = EnsembleAgent(make_context("regime-ensemble"), ["a", "b"], {"kind": kind})
    rng = np.random.default_rng(3)

    def step(i: int, *events) -> list[RegimeAssessed]:
        out = agent.process(Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=events))
        return [e for e in out if isinstance(e, RegimeAssessed)]

    for i in range(60):
        said = step(
            i, bar_of(i, PAIRS[0], 100.0 + rng.normal()), good(i, PAIRS[0]), say(i, "a", PAIRS[0], "bull"),
            say(i, "b", PAIRS[0], "bull"),
        )  # fmt: skip
    live = said[0]
    assert live.confidence == live.detail.score > 0.5
    assert live.detail.data_quality == 1.0
    # a bar that is overdue is all that is heard from then on
    falling = []
    for i in range(60, 70):
        late = BarOverdue(ts_event_ns=(i + 1) * HOUR, source="market-data", instrument_id=PAIRS[0])
        falling += step(i, late)
    assert [e.label for e in falling] == ["bull"] * 5
    scores = [live.confidence, *[e.confidence for e in falling]]
    assert all(a > b for a, b in pairwise(scores))
    assert scores[-1] == 0.0
    assert [e.detail.reason.split(";")[0] for e in falling[:2]] == ["no bar for 1 bars", "no bar for 2 bars"]
    # the pair that never spoke has not stopped; the one that returns is believed again
    back = step(
        70, bar_of(70, PAIRS[0], 100.0), good(70, PAIRS[0]), say(70, "a", PAIRS[0], "bull"),
        say(70, "b", PAIRS[0], "bull"),
    )  # fmt: skip
    assert [e.instrument_id for e in back] == [PAIRS[0]]
    assert back[0].confidence > 0.5


def test_wild_bars_are_named_where_the_data_are_poor():
    agent = EnsembleAgent(make_context("regime-ensemble"), ["a"])
    for i in range(30):
        quality = good(i, PAIRS[0], 1.0 if i < 29 else 0.4)
        inbox = (bar_of(i, PAIRS[0], 100.0), quality, say(i, "a", PAIRS[0], "bull"))
        out = agent.process(Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=inbox))
    assert out[0].detail.reason.startswith("data quality 0.40 (wild bars)")


def test_an_enhanced_ensemble_says_context_and_weights_and_restores_what_it_has_learnt():
    params = {"kind": "enhanced", "learning": {"lag_bars": 6, "round_bars": 6, "horizon_rounds": 4}}

    def made() -> EnsembleAgent:
        return EnsembleAgent(make_context("regime-ensemble"), ["a", "b"], params)

    rng = np.random.default_rng(5)
    steps = []
    for i in range(240):
        truth = ("bull", "bear")[(i // 40) % 2]
        other = truth if rng.random() < 0.5 else ("bear" if truth == "bull" else "bull")
        events = (
            bar_of(i, PAIRS[0], float(100.0 * np.exp(0.01 * rng.normal()))), good(i, PAIRS[0]),
            say(i, "a", PAIRS[0], truth), say(i, "b", PAIRS[0], other),
        )  # fmt: skip
        steps.append(Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=events))
    first, second = made(), made()
    said = [e for s in steps[:160] for e in first.process(s) if isinstance(e, RegimeAssessed)]
    assert {e.context.count("/") for e in said} == {3}
    assert [sum(e.weights) for e in said] == pytest.approx([1.0] * len(said))
    assert said[0].weights == (0.5, 0.5)
    assert said[-1].weights[0] > 0.55
    second.restore(first.snapshot())
    assert [first.process(s) for s in steps[160:]] == [second.process(s) for s in steps[160:]]
    assert first.snapshot() == second.snapshot()
