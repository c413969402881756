"""Parameters per regime out of a study's trials: who is chosen where, and where the global choice stays."""

from __future__ import annotations

from typing import Any

import pytest

from actors.domain.errors import ConfigError
from actors.domain.search.study.by_regime import LearnRule, adaptive_path, learn, regime_metrics
from actors.domain.search.study.trial import Trial, TrialResult

FAST, SLOW = "strategies.ma_crossover.params.fast_bars", "strategies.ma_crossover.params.slow_bars"


def _trial(
    k: int, fast: int, *, slow: int = 50, state: Any = "complete", broken: float = 0.0, **regimes: Any
) -> Trial:
    metrics: dict[str, Any] = {}
    for name, (value, bars, trades) in regimes.items():
        metrics |= regime_metrics(name, value, bars, trades)
    params = {FAST: fast, SLOW: slow, "risk.sizing.params.x": k}
    return Trial(k, params, TrialResult(state, (1.0,), violations=(broken,), metrics=metrics))


def test_each_regime_takes_what_differs_in_the_trial_that_did_best_in_it() -> None:
    best = _trial(0, 10, bull=(1.0, 400, 20), bear=(0.5, 300, 15))
    other = _trial(1, 20, bull=(2.0, 400, 12), bear=(0.4, 300, 11))
    third = _trial(2, 10, slow=99, bull=(0.0, 400, 12), bear=(0.9, 300, 11))
    found = learn([best, other, third], best, "maximize", LearnRule())
    at = "strategies.ma_crossover.adaptive.by_regime"
    assert dict(found.values) == {f"{at}.bull.fast_bars": 20, f"{at}.bear.slow_bars": 99}
    assert [(c.regime, c.trial, c.value, c.global_value) for c in found.choices] == [
        ("bull", 1, 2.0, 1.0), ("bear", 2, 0.9, 0.5)
    ]  # fmt: skip
    assert found.searched == 2
    assert found.notes == ()


def test_less_is_better_where_the_objective_is_minimised() -> None:
    best, other = (_trial(k, 10 + k, bull=(v, 400, 20)) for k, v in enumerate((0.3, 0.1)))
    assert learn([best, other], best, "minimize", LearnRule()).choices[0].trial == 1
    assert learn([best, other], best, "maximize", LearnRule()).choices[0].trial is None


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        (((1.0, 249, 50), (2.0, 249, 50)), "249 bars in the training, expected 250"),
        (((1.0, 250, 9), (2.0, 250, 9)), "no trial with 10 round trips in it"),
        (((None, 250, 0), (2.0, 250, 10)), "the global parameters have no value in it to compare with"),
        (((1.0, 250, 10), (1.0, 250, 10)), "no trial does better in it than the global parameters"),
        (((1.0, 250, 10), (2.0, 250, 9)), "no trial does better in it than the global parameters"),
    ],
)
def test_a_thin_regime_keeps_the_global_parameters_and_says_why(rows: Any, note: str) -> None:
    best, other = _trial(0, 10, bull=rows[0]), _trial(1, 20, bull=rows[1])
    found = learn([best, other], best, "maximize", LearnRule())
    assert (dict(found.values), found.searched, found.notes) == ({}, 0, (f"bull: {note}",))


def test_only_feasible_trials_are_asked() -> None:
    best = _trial(0, 10, bull=(1.0, 400, 20))
    broken, failed = (
        _trial(1, 20, broken=1.0, bull=(9.0, 400, 20)),
        _trial(2, 30, state="fail", bull=(9.0, 400, 20)),
    )
    assert learn([best, broken, failed], best, "maximize", LearnRule()).choices[0].trial is None
    assert learn([_trial(0, 10)], _trial(0, 10), "maximize", LearnRule()).choices == ()


def test_what_is_no_parameter_of_a_strategy_stays_global() -> None:
    assert adaptive_path("strategies.0.params.x", "crash") == "strategies.0.adaptive.by_regime.crash.x"
    assert adaptive_path("strategies.rsi.weight", "crash") is None
    assert adaptive_path("strategies.rsi.adaptive.min_dwell_bars", "crash") is None
    assert adaptive_path("exits.stop.frac", "crash") is None


def test_a_rule_that_asks_for_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 bar"):
        LearnRule(least_bars=0)
