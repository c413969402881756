"""How much of the objective's variance each parameter explains: functional ANOVA over a forest, as Optuna has it.

Hutter, Hoos & Leyton-Brown (2014), "An efficient approach for assessing hyperparameter importance".
"""

from __future__ import annotations

from collections.abc import Sequence

import optuna
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import TrialState, create_trial

from actors.adapters.studies.distributions import distributions, drawn_of
from actors.domain.search.space import Space
from actors.domain.search.study.trial import Trial

LEAST = 8
"""Complete trials below which nothing is said."""


def importance(trials: Sequence[Trial], space: Space, *, seed: int) -> dict[str, float] | None:
    """Return the share of each dimension, the largest first; they sum to 1.

    Returns
    -------
    dict path → float, or None
        None where fewer than `LEAST` trials are complete or the objective does not vary.

    Examples
    --------
    >>> from actors.domain.params import Range
    >>> from actors.domain.search.space import Dimension
    >>> from actors.domain.search.study.trial import TrialResult
    >>> space = Space((Dimension("x", Range("float", 0.0, 1.0)), Dimension("y", Range("float", 0.0, 1.0))))
    >>> ts = [Trial(k, {"x": k / 20, "y": k * 7 % 20 / 20}, TrialResult("complete", (k / 20,))) for k in range(20)]
    >>> found = importance(ts, space, seed=1)
    >>> list(found)[0], bool(found["x"] > 0.8)
    ('x', True)
    """
    known = [t for t in trials if t.result.state == "complete"]
    if len(known) < LEAST or len({t.result.values[0] for t in known}) < 2:
        return None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    made = distributions(space)
    study = optuna.create_study()
    study.add_trials(
        create_trial(
            state=TrialState.COMPLETE, value=t.result.values[0], distributions=made,
            params={d.path: drawn_of(d.range, t.params[d.path]) for d in space.dimensions},
        )
        for t in known
    )  # fmt: skip
    if len(space.dimensions) == 1:
        return {space.paths[0]: 1.0}
    found = FanovaImportanceEvaluator(seed=seed % 2**31).evaluate(study)
    total = sum(found.values())
    if not total > 0.0:
        return None
    shares = {path: float(found.get(path, 0.0)) / total for path in space.paths}
    return dict(sorted(shares.items(), key=lambda row: -row[1]))
