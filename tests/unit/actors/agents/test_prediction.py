"""The prediction agent: what it says per pair, when a selection counts, and its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from actors.agents.prediction import PredictionAgent
from actors.domain.errors import InvalidParamsError, ModelError, UnknownComponentError
from actors.domain.events.base import Event
from actors.domain.events.features import FeaturesComputed, FeatureSetRevised
from actors.domain.events.prediction import DriftDetected, ModelTrained, PredictionMade
from actors.domain.fitting import InlineFits
from actors.domain.learning.base import Notice, Predictor, Sample
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step
from actors.domain.registry import Params

BTC, ETH = "BTC/USDT", "ETH/USDT"
NAMES = ("a", "b", "c")
FOREST: dict[str, Any] = {
    "window_bars": 100,
    "min_samples": 40,
    "refit_every_bars": 50,
    "refit_lag_steps": 2,
    "trees": 3,
}


class Scripted(Predictor):
    """A stranger's predictor: says 0.75 from its second bar on, notes what it is told."""

    Params: ClassVar[type[Params]] = Params
    STATE: ClassVar[tuple[str, ...]] = ("seen", "columns", "version")
    horizon_bars = 5

    def __init__(self, params: Any, **context: Any) -> None:
        super().__init__(params, **context)
        self.seen = 0
        self.version = 3
        self.columns: list[list[Any]] = []

    def select(self, names: Sequence[str]) -> None:
        """Note the columns with the bar they came before."""
        self.columns.append([self.seen, list(names)])

    def update(self, sample: Sample) -> tuple[float, Sequence[Notice]]:
        """Return the script's next line."""
        self.seen += 1
        if self.seen == 3:
            return 0.75, (Notice("drift", {"statistic": 0.6}),)
        return (0.75 if self.seen > 1 else float("nan")), ()


SCRIPTED = f"{__name__}:Scripted"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this file importable under its own name, as a stranger's module is."""
    import sys

    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or _module())


def _module() -> Any:
    import types

    module = types.ModuleType(__name__)
    module.__dict__["Scripted"] = Scripted
    return module


def _make(kind: str = SCRIPTED, params: Any = None, names: Any = NAMES) -> PredictionAgent:
    instruments = {p: Instrument(pair=p) for p in (BTC, ETH)}
    ctx = AgentContext("predict-test", instruments, 3600 * 10**9, 7, InlineFits())
    return PredictionAgent(ctx, kind, params, names)


def _features(pair: str, values: tuple[float, ...] = (1.0, 2.0, 3.0), close: float = 1.0) -> FeaturesComputed:
    return FeaturesComputed(
        ts_event_ns=1, source="features", instrument_id=pair, values=values, close=close, log_return=0.0,
        bar_index=0, ready=True,
    )  # fmt: skip


def _revised(step: int, *names: str, pair: str | None = BTC) -> FeatureSetRevised:
    return FeatureSetRevised(
        ts_event_ns=1, source="features", instrument_id=pair, effective_step=step, selected=names, scores=()
    )


def _run(agent: PredictionAgent, number: int, *inbox: Event) -> list[Event]:
    return list(agent.process(Step(number, 100 + number, inbox)))


def test_each_pair_with_features_gets_a_prediction_once_there_is_one() -> None:
    agent = _make()
    assert _run(agent, 0, _features(BTC)) == []
    got = _run(agent, 1, _features(BTC), _features(ETH))
    assert got == [
        PredictionMade(
            ts_event_ns=101, source="predict-test", instrument_id=BTC, model="test", probability_up=0.75,
            horizon_bars=5, model_version=3,
        )
    ]  # fmt: skip
    assert _run(agent, 2) == []


def test_drift_is_told_before_the_prediction_of_its_step() -> None:
    agent = _make()
    for k in range(2):
        _run(agent, k, _features(ETH))
    drift, prediction = _run(agent, 2, _features(ETH))
    assert isinstance(drift, DriftDetected)
    assert (drift.model, drift.statistic, drift.instrument_id) == ("test", 0.6, ETH)
    assert isinstance(prediction, PredictionMade)


@pytest.mark.parametrize("pair", [BTC, None])
def test_a_selection_waits_for_its_step_and_its_pair(pair: str | None) -> None:
    agent = _make()
    for k in range(6):
        extra = [_revised(4, "a", "c", pair=pair)] if k == 2 else []
        _run(agent, k, *extra, _features(BTC), _features(ETH))
    models: dict[str, Any] = agent._models
    assert models[BTC].columns == [[4, ["a", "c"]]]
    assert models[ETH].columns == ([] if pair else [[4, ["a", "c"]]])


def test_a_selection_for_the_present_step_counts_before_the_features() -> None:
    agent = _make()
    _run(agent, 0, _features(BTC))
    _run(agent, 1, _features(BTC), _revised(1, "b"))
    assert agent._models[BTC].columns == [[1, ["b"]]]  # type: ignore[attr-defined]


def _real(kind: str, params: Any, steps: range, agent: PredictionAgent | None = None) -> tuple[Any, str]:
    agent = agent or _make(kind, params)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 2, 3))
    close = 100 * np.exp(np.cumsum(rng.normal(size=(400, 2)) * 0.01, axis=0))
    out = []
    for k in steps:
        inbox = [
            _features(p, tuple(rows[k, i].tolist()), float(close[k, i])) for i, p in enumerate((BTC, ETH))
        ]
        if k % 5 == 0:
            inbox = inbox[:1]  # the second pair has no bar in this step
        extra = [_revised(k + 3, "a", "c", pair=None)] if k == 120 else []
        out.append(_run(agent, k, *extra, *inbox))
    return agent, repr(out)


@pytest.mark.parametrize(("kind", "params"), [("online", {"min_samples": 30}), ("forest", FOREST)])
@pytest.mark.parametrize("cut", [20, 61, 121])
def test_a_restored_agent_has_the_same_future(kind: str, params: Any, cut: int) -> None:
    """Also with a fit pending (61) and a selection waiting (121)."""
    one, _ = _real(kind, params, range(cut))
    two = _make(kind, params)
    two.restore(one.snapshot())
    (_, a), (_, b) = (_real(kind, params, range(cut, 260), agent) for agent in (one, two))
    assert a == b
    assert one.snapshot() == two.snapshot()
    assert "PredictionMade" in a


def test_the_forest_tells_each_version_with_the_step_it_was_asked_at() -> None:
    agent = _make("forest", FOREST)
    rng = np.random.default_rng(0)
    trained: list[ModelTrained] = []
    for k in range(200):
        row, close = tuple(rng.normal(size=3).tolist()), float(100 + rng.normal())
        trained += [e for e in _run(agent, k, _features(BTC, row, close)) if isinstance(e, ModelTrained)]
    assert [(e.model_version, e.requested_step) for e in trained] == [(1, 49), (2, 99), (3, 149)]
    assert [e.ts_event_ns - 100 for e in trained] == [51, 101, 151]
    assert trained[0].score != trained[0].score
    assert all(0.0 <= e.score <= 1.0 for e in trained[1:])


def test_rows_of_another_pipeline_are_refused() -> None:
    with pytest.raises(ModelError, match="expected 3 columns, found 2"):
        _run(_make(), 0, _features(BTC, (1.0, 2.0)))


def test_an_unknown_kind_and_missing_features_are_refused() -> None:
    with pytest.raises(UnknownComponentError, match="forest"):
        _make("crystal_ball")
    with pytest.raises(InvalidParamsError):
        _make("online", None, ())
    with pytest.raises(InvalidParamsError, match="learning_rate"):
        _make("online", {"learning_rate": -1})
