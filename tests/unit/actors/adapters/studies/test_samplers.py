"""Every sampler: the same again for a seed, nothing refused, nothing twice while there is something else."""

from __future__ import annotations

from typing import Any

import pytest

from actors.adapters.studies import samplers
from actors.adapters.studies.distributions import distribution, drawn_of, value_of
from actors.domain.errors import ConfigError
from actors.domain.params import Range
from actors.domain.search.space import Constraint, Dimension, Space
from actors.domain.search.study.engine import Law, run
from actors.domain.search.study.ranking import ranked
from actors.domain.search.study.trial import Ask, TrialResult, study_hash
from actors.runtime.fanout_serial import SerialFanOut

SPACE = Space(
    (
        Dimension("a", Range("int", 5, 60, log=True)), Dimension("b", Range("int", 20, 400, 4)),
        Dimension("c", Range("float", 0.0, 1.0)), Dimension("d", Range("choice", choices=("x", "y", True))),
    ),
    constraints=(Constraint.parse("a < b"),),
)  # fmt: skip
ALL = [n for n in samplers.NAMES if n != "gp"]


def hill(shared: int, ask: Ask, _rng: Any) -> TrialResult:
    v = ask.values
    if ask.number % 9 == 5:
        return TrialResult.failed("told so")
    top = -abs(v["a"] - 30) / 10 - abs(v["b"] - 120) / 50 - abs(v["c"] - 0.4) - (v["d"] != "y")
    return TrialResult("complete", (top, *([v["c"]] if shared == 2 else [])), violations=(v["a"] - 45.0,))


def study(name: str, epochs: int = 60, objectives: int = 1, space: Space = SPACE, seed: int = 7) -> list[Any]:
    directions = ("maximize", "minimize")[:objectives]
    made = samplers.make_sampler(name, space, directions, seed=seed, epochs=epochs)
    return run(made, Law(epochs, directions), SerialFanOut(objectives), hill)


@pytest.mark.parametrize("name", ALL)
def test_it_is_the_same_again_and_asks_nothing_that_is_refused(name: str) -> None:
    trials = study(name)
    assert len(trials) == 60
    assert study_hash(study(name)) == study_hash(trials)
    if name != "grid":
        assert study_hash(study(name, seed=8)) != study_hash(trials)
    for t in trials:
        assert SPACE.problem(t.params) is None
        assert all(d.range.holds(t.params[d.path]) for d in SPACE.dimensions)
    assert len({repr(t.params) for t in trials}) == 60
    # a longer study begins like a shorter one: what is asked does not depend on how long it will be
    if name not in ("grid", "nsga2"):
        assert study_hash(study(name, 25)) == study_hash(trials[:25])


@pytest.mark.parametrize("name", ["tpe", "nsga2", "random", "qmc", "grid"])
def test_several_objectives(name: str) -> None:
    trials = study(name, 40, 2)
    assert study_hash(study(name, 40, 2)) == study_hash(trials)
    assert all(len(t.result.values) == 2 for t in trials if t.result.state == "complete")


def test_what_learns_finds_more_than_chance() -> None:
    def best(name: str) -> float:
        found = [ranked(study(name, 80, seed=s), "maximize")[0].result.values[0] for s in range(3)]
        return sum(found) / 3

    assert best("tpe") > best("random")


@pytest.mark.parametrize("name", ALL)
def test_a_small_space_ends_when_all_of_it_was_asked(name: str) -> None:
    if name == "cmaes":
        dims = (Dimension("a", Range("int", 1, 3)), Dimension("b", Range("int", 1, 2)))
    else:
        dims = (Dimension("a", Range("int", 1, 3)), Dimension("b", Range("choice", choices=(False, True))))
    space = Space(dims)

    def flat(_shared: Any, ask: Ask, _rng: Any) -> TrialResult:
        return TrialResult("complete", (float(ask.values["a"]),))

    made = samplers.make_sampler(name, space, ("maximize",), seed=1, epochs=40)
    trials = run(made, Law(40, ("maximize",)), SerialFanOut(), flat)
    assert len({repr(t.params) for t in trials}) == 6
    assert len(trials) == 6 or name in ("cmaes", "nsga2")  # which may have come together elsewhere before


def test_what_cannot_be_done_is_told() -> None:
    one = Space((Dimension("a", Range("int", 1, 9)),))
    with pytest.raises(ConfigError, match="take tpe"):
        samplers.make_sampler("cmaes", one, ("maximize",), seed=1, epochs=9)
    with pytest.raises(ConfigError, match="take nsga2"):
        samplers.make_sampler("cmaes", SPACE, ("maximize", "minimize"), seed=1, epochs=9)
    with pytest.raises(ConfigError, match="expected one of tpe"):
        samplers.make_sampler("bayes", one, ("maximize",), seed=1, epochs=9)
    nothing = Space(SPACE.dimensions[:2], constraints=(Constraint.parse("a > b"), Constraint.parse("b > a")))
    for name in ALL:
        with pytest.raises(ConfigError, match="SPACE_CONTRADICTION"):
            samplers.make_sampler(name, nothing, ("maximize",), seed=1, epochs=9).ask(0)


def test_a_grid_that_nobody_could_wait_for_is_refused() -> None:
    wide = Space(tuple(Dimension(f"x{k}", Range("float", 0.0, 1.0)) for k in range(6)))
    with pytest.raises(ConfigError, match="found 1,000,000; take fewer"):
        samplers.make_sampler("grid", wide, ("maximize",), seed=1, epochs=9)
    assert samplers.GridSampler(wide, 9, per_dimension=2).size == 64


def test_the_gaussian_process_is_refused_where_torch_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="torch"):
        samplers.make_sampler("gp", SPACE, ("maximize",), seed=1, epochs=9)


@pytest.mark.parametrize(
    "found",
    [
        Range("int", 2, 50, 7), Range("int", 3, 40, log=True), Range("float", 0.1, 0.9, 0.1), Range("float", 0.5, 2.0),
        Range("choice", choices=("a", 1, True, None)), Range("int", 2, 50, 7, log=True),
    ],
)  # fmt: skip
def test_values_go_to_optuna_and_back(found: Range) -> None:
    made = distribution(found)
    for value in found.values() or (0.5, 1.25, 2.0):
        drawn = drawn_of(found, value)
        assert made._contains(made.to_internal_repr(drawn))
        assert value_of(found, drawn) == value
        assert type(value_of(found, drawn)) is type(value)
