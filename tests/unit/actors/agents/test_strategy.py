"""The strategy agent: one signal per pair with a bar, from the facts of the same step."""

from __future__ import annotations

import json
import sys
import types
from typing import Any, ClassVar

import pytest

from actors.agents.strategy import StrategyAgent
from actors.domain.errors import InvalidParamsError, UnknownComponentError
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.prediction import PredictionMade
from actors.domain.events.regime import REGIMES, RegimeAssessed
from actors.domain.events.signal import ParametersSwitched, SignalEmitted
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step
from actors.domain.registry import Params
from actors.domain.strategies.base import Market, Opinion, Strategy

BTC, ETH = "BTC/USDT", "ETH/USDT"


class Witness(Strategy):
    """A stranger's strategy that keeps what it was shown."""

    Params: ClassVar[type[Params]] = Params
    STATE: ClassVar[tuple[str, ...]] = ("count",)
    warmup_bars = 0

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self.count = 0
        self.seen: list[Market] = []

    def update(self, market: Market) -> Opinion:
        """Keep and count."""
        self.count += 1
        self.seen.append(market)
        return Opinion(0.5, 0.25, self.count)


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> str:
    """Kind of the stranger's strategy."""
    module = types.ModuleType("strangers_strategies")
    module.__dict__["Witness"] = Witness
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return "strangers_strategies:Witness"


def _make(kind: str, params: Any = None, name: str = "strategy-test") -> StrategyAgent:
    instruments = {p: Instrument(pair=p) for p in (BTC, ETH)}
    return StrategyAgent(AgentContext(name, instruments, 3600 * 10**9, 7, InlineFits()), kind, params)


def _bar(pair: str, close: float = 100.0) -> BarClosed:
    return BarClosed(
        ts_event_ns=1, source="market-data", instrument_id=pair, open_ns=0, close_ns=1, open=close,
        high=close, low=close, close=close, volume=1.0,
    )  # fmt: skip


def _regime(pair: str, label: str, detector: str = "ensemble", sure: float = 0.9) -> RegimeAssessed:
    return RegimeAssessed(
        ts_event_ns=1, source=f"regime-{detector}", instrument_id=pair, detector=detector, label=label,
        probabilities=tuple(float(r == label) for r in REGIMES), confidence=sure,
    )  # fmt: skip


def _prediction(pair: str, model: str, p: float) -> PredictionMade:
    return PredictionMade(
        ts_event_ns=1, source=f"predict-{model}", instrument_id=pair, model=model, probability_up=p,
        horizon_bars=1, model_version=1,
    )  # fmt: skip


def _run(agent: StrategyAgent, number: int, *inbox: Event) -> list[Event]:
    return list(agent.process(Step(number, 100 + number, inbox)))


def test_each_pair_with_a_bar_gets_one_signal(witness: str) -> None:
    agent = _make(witness)
    assert _run(agent, 0, _regime(BTC, "bull"), _prediction(ETH, "online", 0.6)) == []
    got = _run(agent, 1, _bar(BTC), _bar(ETH))
    assert got[0] == SignalEmitted(
        ts_event_ns=101, source="strategy-test", instrument_id=BTC, strategy="test", direction=0.5,
        confidence=0.25, horizon_bars=1,
    )  # fmt: skip
    assert [e.instrument_id for e in got] == [BTC, ETH]


def test_the_strategy_sees_the_ensemble_and_predictions_of_this_step_and_pair_only(witness: str) -> None:
    agent = _make(witness)
    _run(
        agent, 0, _regime(BTC, "crash", "hmm"), _regime(BTC, "bull"), _regime(ETH, "bear"),
        _prediction(BTC, "online", 0.6), _prediction(BTC, "forest", 0.4), _bar(BTC), _bar(ETH),
    )  # fmt: skip
    _run(agent, 1, _bar(BTC, 101.0))
    seen: dict[str, Any] = {pair: s.seen for pair, s in agent._strategies.items()}  # type: ignore[attr-defined]
    first, second = seen[BTC]
    assert (first.regime, first.regime_confidence) == ("bull", 0.9)
    assert dict(first.predictions) == {"online": 0.6, "forest": 0.4}
    assert (seen[ETH][0].regime, dict(seen[ETH][0].predictions)) == ("bear", {})
    assert (second.regime, second.regime_confidence, dict(second.predictions)) == ("", 0.0, {})
    assert (second.step, second.close) == (1, 101.0)


def test_the_order_of_the_inbox_does_not_matter(witness: str) -> None:
    events = [_bar(BTC), _regime(BTC, "bull"), _prediction(BTC, "online", 0.6)]
    views = []
    for inbox in (events, events[::-1]):
        agent = _make(witness)
        _run(agent, 0, *inbox)
        views.append(repr(agent._strategies[BTC].seen))  # type: ignore[attr-defined]
    assert views[0] == views[1]


def test_a_restored_agent_has_the_same_future() -> None:
    params = {"fast_bars": 3, "slow_bars": 8, "band_frac": 0.0}
    one = _make("ma_crossover", params)
    closes = [100.0 + 5.0 * ((i * 7) % 11) for i in range(60)]
    for k, c in enumerate(closes[:20]):
        _run(one, k, _bar(BTC, c), *([_bar(ETH, 2 * c)] if k % 3 else []))
    two = _make("ma_crossover", params)
    two.restore(one.snapshot())
    for k, c in enumerate(closes[20:], 20):
        inbox = (_bar(BTC, c), _bar(ETH, 2 * c))
        assert repr(_run(one, k, *inbox)) == repr(_run(two, k, *inbox))
    assert one.snapshot() == two.snapshot()


def test_unknown_kinds_and_params_are_refused() -> None:
    with pytest.raises(UnknownComponentError, match="ma_crossover"):
        _make("divination")
    with pytest.raises(InvalidParamsError, match="fast_bars"):
        _make("ma_crossover", {"fast_bars": 50, "slow_bars": 20})


def test_a_switch_of_parameters_is_said_behind_its_signal() -> None:
    params = {
        "kind": "rsi",
        "by_regime": {"bull": {"window_bars": 5}},
        "min_dwell_bars": 0,
        "confirm_bars": 1,
    }
    agent = _make("adaptive", params, "strategy-rsi")
    out: list[tuple[int, Event]] = []
    for k in range(12):
        inbox = (
            _bar(BTC, 100.0 + k % 4),
            _bar(ETH, 50.0),
            _regime(BTC, "bull", sure=0.75),
            _regime(ETH, "bull", sure=0.1),
        )
        said = agent.process(Step(k, k, inbox))
        assert [type(e) for e in said if e.instrument_id == ETH] == [SignalEmitted]
        out += [(k, e) for e in said if isinstance(e, ParametersSwitched)]
    ((k, event),) = out
    assert (k, event.source, event.strategy, event.instrument_id) == (5, "strategy-rsi", "rsi", BTC)
    assert (event.previous, event.chosen, event.regime, event.confidence) == ("global", "bull", "bull", 0.75)
    assert json.loads(event.parameters)["window_bars"] == 5
