"""Pruners as limits: Optuna's median and percentile pruners decide the same."""

from __future__ import annotations

import numpy as np
import optuna
import pytest

from actors.domain.errors import ConfigError
from actors.domain.search.study.pruning import STARTUP, make_pruner, pruned_at
from actors.domain.search.study.trial import TrialResult

SLICES = 4


@pytest.mark.parametrize("maximize", [True, False])
@pytest.mark.parametrize("keep", [50.0, 25.0])
def test_the_limits_are_those_of_optunas_percentile_pruner(maximize: bool, keep: float) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    rng = np.random.default_rng(4)
    referee = optuna.pruners.PercentilePruner(keep, n_startup_trials=STARTUP, n_warmup_steps=0)
    study = optuna.create_study(direction="maximize" if maximize else "minimize", pruner=referee)
    pruner = make_pruner("percentile", keep=keep)
    told: list[TrialResult] = []
    decisions = set()
    for _ in range(60):
        path = rng.standard_normal(SLICES).cumsum()
        cuts = pruner(told, SLICES, maximize)
        trial = study.ask()
        reached: list[float | None] = []
        ended = False
        for k in range(SLICES - 1):
            reached.append(float(path[k]))
            trial.report(float(path[k]), k)
            ended = pruned_at(cuts, reached, maximize=maximize)
            assert ended == trial.should_prune()
            if ended:
                break
        decisions.add(ended)
        state = optuna.trial.TrialState.PRUNED if ended else optuna.trial.TrialState.COMPLETE
        study.tell(trial, None if ended else float(path[-1]), state=state)
        told.append(
            TrialResult(
                "pruned" if ended else "complete",
                () if ended else (float(path[-1]),),
                intermediate=tuple(reached),
            )
        )
    assert decisions == {True, False}


def test_halving_keeps_the_best_third() -> None:
    pruner = make_pruner("halving", factor=3)
    told = [TrialResult("complete", (0.0,), intermediate=(float(k), None)) for k in range(12)]
    assert pruner(told, 3, True) == (8.0, None)
    assert pruner(told, 3, False) == (3.0, None)
    assert pruner(told[:4], 3, True) == (None, None)


def test_nothing_is_pruned_without_a_value_or_a_limit() -> None:
    assert make_pruner("none")([], 4, True) == ()
    assert not pruned_at((), [1.0], maximize=True)
    assert not pruned_at((5.0,), [None], maximize=True)
    assert pruned_at((5.0,), [4.0], maximize=True)
    assert not pruned_at((5.0,), [5.0], maximize=True)
    with pytest.raises(ConfigError, match="PRUNER"):
        make_pruner("hyperband")
