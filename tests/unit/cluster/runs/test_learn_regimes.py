"""A fold that learns parameters per regime: from its train alone, checked there as a whole, traded on the test."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import small

from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import TimeRange
from actors.domain.search.study.by_regime import LearnRule
from cluster.runs.search_space import config_space
from cluster.runs.study import StudySpec
from cluster.runs.study_trial import Question
from cluster.runs.walk_forward import FoldResult, FoldSpan, WalkQuestion, do_fold
from config.load import resolve

pytestmark = pytest.mark.native
BARS, CUT = 1500, 1050
SETS = (
    "strategies=[{kind: ma_crossover}]", "learning.predictors=[]", "features.indicators=[]",
    "regime.detectors=[{kind: volatility}, {kind: trend}]",
)  # fmt: skip
AT = "strategies.ma_crossover.params"


def _fold(frame: BarFrame, rule: LearnRule | None) -> FoldResult:
    config = resolve("backtest", sets=[f"pairs=['{frame.pair}']", *SETS])
    space = config_space(config.model, [f"{AT}.fast_bars", f"{AT}.slow_bars"])
    opened = frame.open_ns
    span = FoldSpan(
        0, TimeRange(int(opened[150]), int(opened[CUT])), TimeRange(int(opened[CUT]), int(opened[-1]))
    )
    question = Question(config, {frame.pair: frame}, TimeRange(None, None))
    spec = StudySpec(epochs=6, sampler="random", seed=3)
    return do_fold(WalkQuestion(question, space, spec, rule), span, np.random.default_rng(0))


@pytest.fixture(scope="module")
def frame() -> BarFrame:
    return next(iter(small.frames(BARS, seed=11).values()))


def _learnt(result: FoldResult) -> dict[str, Any]:
    return {p: v for p, v in (result.params or {}).items() if "by_regime" in p}


def test_a_map_is_learnt_used_and_told(frame: BarFrame) -> None:
    plain, found = _fold(frame, None), _fold(frame, LearnRule(60, 1))
    assert "regimes" not in plain.train
    told = found.train["regimes"]
    assert plain.train["study_hash"] == found.train["study_hash"]
    assert told["searched"] >= 1
    assert told["used"] == (told["value"] > found.train["value"])
    assert bool(_learnt(found)) == told["used"]
    assert found.params is not None
    assert {p: v for p, v in found.params.items() if "by_regime" not in p} == plain.params
    for choice in told["choices"]:
        assert (choice["trial"] is None) == bool(choice["note"])
        if choice["trial"] is not None:
            assert choice["value"] > choice["global_value"]
            assert choice["bars"] >= 60


def test_thin_regimes_keep_the_global_parameters(frame: BarFrame) -> None:
    plain, found = _fold(frame, None), _fold(frame, LearnRule(BARS, 1))
    told = found.train["regimes"]
    assert (told["searched"], told["used"], told["value"]) == (0, False, None)
    assert len(told["notes"]) == len(told["choices"]) > 1
    assert all(n.endswith(f"expected {BARS}") for n in told["notes"])
    assert found.params == plain.params
    assert np.array_equal(found.returns, plain.returns)


def test_nothing_behind_the_train_is_read(frame: BarFrame) -> None:
    columns = {c: getattr(frame, c).copy() for c in ("open", "high", "low", "close", "volume")}
    for name in ("open", "high", "low", "close"):
        columns[name][CUT:] *= np.linspace(1.0, 3.0, BARS - CUT)
    other = replace(frame, **columns)
    one, two = _fold(frame, LearnRule(60, 1)), _fold(other, LearnRule(60, 1))
    assert one.train == two.train
    assert one.params == two.params
    assert not np.array_equal(one.returns, two.returns)
