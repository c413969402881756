"""Disturbances are inputs like bars: a fleet of Ray actors decides on them as one process does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small import frames

from actors.domain.stress.scenario import Shock
from cluster.runs.execute import run_local
from cluster.runs.stress_trial import Trial, trial_plan
from config.load import resolve

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


@pytest.mark.usefixtures("ray_for_tests")
def test_an_exchange_that_is_down_is_the_same_on_both_hosts() -> None:
    from cluster.runs.execute import run_ray

    market = frames(420)
    first = next(iter(market.values()))
    start, at = int(first.open_ns[200]), int(first.open_ns[300])
    sets = ['pairs=["BTC/USDT", "ETH/USDT"]', 'strategies=[{"kind": "ma_crossover"}]', "regime.detectors=[]",
            "learning.predictors=[]", "features.indicators=[]"]  # fmt: skip
    config = resolve("paper", sets=sets, env={})
    shock = Shock(name="down", kind="exchange_down", bars=12, size_frac=0.2)
    trial = Trial("fleet", start, first.end_ns, at, shock=shock)
    local = run_local(trial_plan(market, config, trial)).recorder
    there = run_ray(trial_plan(market, config, trial)).recorder
    assert there.log.digest() == local.log.digest()
    calm = run_local(trial_plan(market, config, replace(trial, shock=None))).recorder
    assert calm.log.digest() != local.log.digest()
    assert any('"venue_lost"' in line for line in local.lines)
