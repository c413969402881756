"""A study over Ray's workers is that of one process, also where some trials take their worker with them."""

from __future__ import annotations

import dataclasses
import os
import signal
from typing import Any

import pytest
import small

from actors.domain.model.timerange import TimeRange
from cluster.runs.search_space import config_space
from cluster.runs.study import StudySpec, run_study
from config.load import resolve

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
SPEC = StudySpec(epochs=24, pruner="median", slices=3, rules=("trade_count>=3",))


@pytest.fixture(scope="module")
def asked() -> tuple[Any, ...]:
    """Configuration, bars, range and space of a small study."""
    frame = next(iter(small.frames(600).values()))
    sets = [
        "strategies=[{kind: ma_crossover}]", f"pairs=[{frame.pair}]", "regime.detectors=[]", "learning.predictors=[]",
        "features.indicators=[]",
    ]  # fmt: skip
    config = resolve("backtest", sets=sets)
    span = TimeRange(int(frame.open_ns[150]), None)
    return config, {frame.pair: frame}, span, config_space(config.model, ["strategies.ma_crossover"])


def test_any_number_of_workers_and_kills_give_the_same_trials(
    ray_for_tests: None, asked: tuple[Any, ...]
) -> None:
    from actors.runtime.fanout import RayFanOut

    want = run_study(*asked, SPEC)
    assert {t.result.state for t in want.trials} >= {"complete"}
    assert run_study(*asked, SPEC, pool=lambda shared: RayFanOut(shared, workers=1)).trials == want.trials
    made: list[Any] = []

    def pool(shared: Any) -> Any:
        made.append(RayFanOut(shared, workers=2))
        return made[-1]

    def kill(trial: Any) -> None:
        if trial.number in (3, 11):
            os.kill(made[-1].pids()[0], signal.SIGKILL)

    found = run_study(*asked, SPEC, pool=pool, heard=kill)
    assert found.study_hash == want.study_hash
    assert found.trials == want.trials


def test_a_trial_that_takes_every_worker_with_it_fails_alone(
    ray_for_tests: None, asked: tuple[Any, ...]
) -> None:
    from actors.runtime.fanout import RayFanOut

    spec = dataclasses.replace(
        SPEC, epochs=6, sampler="random", pruner="none", rules=(), objectives=(("study_work:deadly", {}),)
    )
    found = run_study(*asked, spec, pool=lambda shared: RayFanOut(shared, workers=2, max_losses=0))
    plain = run_study(*asked, dataclasses.replace(spec, objectives=(("sharpe", {}),)))
    for a, b in zip(found.trials, plain.trials, strict=True):
        assert a.params == b.params
        count = b.result.metrics["trade_count"]
        if count == 0:
            continue  # judged before the objective is asked
        if count % 3:
            assert a.result.values == (float(count),)
        else:
            assert a.result.state == "fail"
            assert "out of memory, or killed" in str(a.result.reason)
    assert any("WorkerLost" in str(t.result.reason) for t in found.trials)
