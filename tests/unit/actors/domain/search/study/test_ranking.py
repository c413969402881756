"""Ranking, front, plateau, sensitivity and luck on hand-made trials."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.evaluation.metrics.deflated import deflated_sharpe
from actors.domain.evaluation.metrics.moments import skew_kurtosis
from actors.domain.params import Range
from actors.domain.search.space import Dimension, Space
from actors.domain.search.study.luck import overfitting, sharpes_per_bar
from actors.domain.search.study.ranking import pareto, ranked
from actors.domain.search.study.sensitivity import heat_maps, labels, parts, slices
from actors.domain.search.study.stability import plateau
from actors.domain.search.study.trial import Trial, TrialResult, study_hash
from actors.domain.validation.overfitting import overfitting_probability

SPACE = Space(
    (Dimension("x", Range("float", 0.0, 1.0)), Dimension("k", Range("choice", choices=("a", "b", "c"))))
)
YEAR = 400.0


def done(
    number: int, *values: float, x: float = 0.5, k: str = "a", broken: float = 0.0, **more: object
) -> Trial:
    result = TrialResult("complete", values, violations=(broken,), **more)  # type: ignore[arg-type]
    return Trial(number, {"x": x, "k": k}, result)


def test_only_feasible_trials_are_ranked_and_equals_by_number() -> None:
    trials = [
        done(0, 1.0),
        done(1, 9.0, broken=0.1),
        done(2, 3.0),
        done(3, 3.0),
        Trial(4, {}, TrialResult("pruned")),
    ]
    assert [t.number for t in ranked(trials, "maximize")] == [2, 3, 0]
    assert [t.number for t in ranked(trials, "minimize")] == [0, 2, 3]
    assert [t.number for t in pareto(trials, ("maximize",))] == [2, 3]


def test_the_front_is_that_of_a_comparison_of_all_with_all() -> None:
    rng = np.random.default_rng(2)
    trials = [done(k, *np.round(rng.random(3), 1)) for k in range(60)]

    def beats(a: Trial, b: Trial) -> bool:
        p, q = np.array(a.result.values) * [1, -1, 1], np.array(b.result.values) * [1, -1, 1]
        return bool((p >= q).all() and (p > q).any())

    want = [b.number for b in trials if not any(beats(a, b) for a in trials)]
    assert 1 < len(want) < 60
    assert [t.number for t in pareto(trials, ("maximize", "minimize", "maximize"))] == want


def test_a_plateau_is_preferred_to_a_spike_on_either_side() -> None:
    for sign, direction in ((1.0, "maximize"), (-1.0, "minimize")):
        level = {k: sign * (1.0 if k > 10 else 0.0) for k in range(21)} | {4: sign * 5.0}
        trials = [done(k, v, x=k / 20) for k, v in level.items()]
        found = plateau(trials, SPACE, direction)  # type: ignore[arg-type]
        assert found is not None
        assert found.trial.params["x"] > 0.6
        assert found.smoothed == pytest.approx(sign * 1.0, abs=0.02)
        assert abs(found.best_smoothed) < 1.0 + 0.5
        # where trials fail there is no plateau, however good their neighbours are
        holed = [
            t if t.number <= 15 or t.number % 2 else Trial(t.number, t.params, TrialResult.failed("x"))
            for t in trials
        ]
        again = plateau(holed, SPACE, direction)  # type: ignore[arg-type]
        assert again is not None
        assert again.trial.number <= 15


def test_no_plateau_without_neighbours() -> None:
    assert plateau([], SPACE, "maximize") is None
    assert plateau([done(0, 1.0, x=0.0), done(1, 2.0, x=1.0)], SPACE, "maximize") is None
    assert plateau([done(k, 1.0, broken=1.0) for k in range(9)], SPACE, "maximize") is None


def test_slices_and_maps_count_every_complete_trial_once() -> None:
    rng = np.random.default_rng(5)
    trials = [done(n, float(x), x=float(x), k="abc"[n % 3]) for n, x in enumerate(rng.random(50))]
    trials.append(Trial(50, {"x": 0.1, "k": "a"}, TrialResult.failed("no")))
    found = slices(trials, SPACE, "maximize")
    assert [sum(r["trials"] for r in found[p]) for p in SPACE.paths] == [50, 50]
    assert [r["value"] for r in found["k"]] == ["a", "b", "c"]
    means = [r["mean"] for r in found["x"]]
    assert means == sorted(means)
    (only,) = heat_maps(trials, SPACE, ["x", "k"])
    assert np.array(only["trials"]).sum() == 50
    assert (np.array(only["trials"]) == 0).tolist() == [[m is None for m in row] for row in only["mean"]]
    assert only["y_values"] == ["a", "b", "c"]
    assert len(only["x_values"]) == len(only["mean"][0]) == 8
    for d in SPACE.dimensions:
        assert parts([], d, 5).tolist() == []
        assert len(labels(d, 5)) == (5 if d.path == "x" else 3)


def returned(seed: int, trials: int = 30, edge: float = 0.0) -> list[Trial]:
    """Trials of noise; the first with an edge."""
    rng, out = np.random.default_rng(seed), []
    for k in range(trials):
        r = rng.standard_normal(800) * 0.01 + (edge if k == 0 else 0.0)
        ratio = float(r.mean() / r.std(ddof=1))
        moments = skew_kurtosis(r)
        assert moments is not None
        metrics = {"sharpe_ann": ratio * YEAR**0.5, "bars": 800, "skew": moments[0], "kurtosis": moments[1]}
        out.append(done(k, ratio, metrics=metrics, returns=r))
    return out


def test_luck_is_that_of_the_published_measures() -> None:
    trials = returned(1)
    best = ranked(trials, "maximize")[0]
    found = overfitting(trials, best, YEAR)
    ratios = [s for s in sharpes_per_bar(trials, YEAR) if s is not None]
    assert best.result.returns is not None
    assert found["dsr"] == pytest.approx(deflated_sharpe(best.result.returns, ratios), abs=1e-12)
    table = np.stack([t.result.returns for t in trials if t.result.returns is not None], axis=1)
    assert found["pbo"] == overfitting_probability(table).pbo
    assert found["effective_trials"] == 30
    assert found["dsr"] < 0.95
    planted = returned(1, edge=0.004)
    assert overfitting(planted, planted[0], YEAR)["dsr"] > 0.95
    assert overfitting(planted, planted[0], YEAR)["pbo"] < 0.05


def test_pruned_and_failed_trials_count_as_trials() -> None:
    trials = returned(3)
    best = ranked(trials, "maximize")[0]
    more = [*trials, *(Trial(30 + k, {}, TrialResult("pruned" if k % 2 else "fail")) for k in range(30))]
    few, many = overfitting(trials, best, YEAR), overfitting(more, best, YEAR)
    assert many["trials"] == 60
    assert many["pbo"] == few["pbo"]
    # as ratios of 0 they would halve the variance and lower the bar that the best must reach
    assert many["sharpe_variance"] == few["sharpe_variance"]
    assert many["luck_sharpe_ann"] > few["luck_sharpe_ann"]
    assert many["dsr"] < few["dsr"]


def test_what_cannot_be_said_is_none_with_its_reason() -> None:
    one = overfitting(returned(1, 1), None, YEAR)
    assert one["dsr"] is one["pbo"] is None
    assert "single trial" in one["why"]["dsr"]
    assert (
        overfitting(returned(1, 5), None, YEAR)["why"]["dsr"]
        == "no trial is complete and keeps the constraints"
    )
    alike = [Trial(k, {}, returned(1)[0].result) for k in range(4)]
    found = overfitting(alike, alike[0], YEAR)
    assert found["effective_trials"] == 1
    assert "alike" in found["why"]["dsr_effective"]


def test_the_hash_tells_everything_that_matters_and_nothing_else() -> None:
    trials = returned(1, 3)
    base = study_hash(trials)
    assert study_hash([done(k, *t.result.values) for k, t in enumerate(trials)]) == base
    changed = [*trials[:2], done(2, trials[2].result.values[0] + 1e-15)]
    assert study_hash(changed) != base
    assert study_hash([*trials[:2], done(2, *trials[2].result.values, x=0.25)]) != base
    assert study_hash(trials[:2]) != base
