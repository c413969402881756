"""Optuna's samplers, each trial with a seed of its own, and the grid; all as `actors.domain.search.study` asks them.

What a sampler knows lives in a study in memory, which is asked and told in one order, so the next trial follows from
the seed, the number and what was told. Values that a component would refuse, or that were asked before, are told as
failed, which no sampler learns from, and drawn again with the next seed.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from actors.adapters.studies.distributions import distributions, drawn_of, values_of
from actors.adapters.studies.names import SAMPLERS
from actors.domain.errors import ConfigError
from actors.domain.processor import derive_seed
from actors.domain.search.objectives.base import Direction
from actors.domain.search.ranges import grid
from actors.domain.search.space import Space
from actors.domain.search.study.trial import TrialResult

NAMES = SAMPLERS
_TRIES = 64
_TWICE = 16
"""Draws after which a sampler may ask for what was asked before: it has come together there."""
_VIOLATIONS = "violations"
LARGEST_GRID = 200_000
"""Combinations of a grid whose trials are backtests of their own."""


def make_sampler(
    name: str,
    space: Space,
    directions: Sequence[Direction],
    *,
    seed: int,
    epochs: int,
    startup: int = 10,
    points: int = 10,
) -> OptunaSampler | GridSampler:
    """Return a new sampler by name.

    Parameters
    ----------
    name : str
    space : Space
    directions : sequence of {"maximize", "minimize"}
        One per objective.
    seed : int
    epochs : int
        Trials that will be asked at most: the grid spreads them.
    startup : int
        Random trials before a model of the objective is made (TPE, GP).
    points : int
        Of a range that has more, or infinitely many, for the grid.

    Raises
    ------
    ConfigError
        If there is none of that name, it cannot do this study, or a package that it needs is missing.

    Examples
    --------
    >>> from actors.domain.search.space import Dimension
    >>> from actors.domain.params import Range
    >>> space = Space((Dimension("x", Range("float", 0.0, 1.0)),))
    >>> a, b = (make_sampler("tpe", space, ("maximize",), seed=3, epochs=9) for _ in range(2))
    >>> a.ask(0) == b.ask(0)
    True
    """
    if name not in NAMES:
        raise ConfigError("SAMPLER", f"--sampler: expected one of {', '.join(NAMES)}, found {name!r}")
    if name == "grid":
        return GridSampler(space, epochs, points)
    several = len(directions) > 1
    numbers = [d for d in space.dimensions if d.range.kind != "choice"]
    if name == "cmaes" and (several or len(numbers) < 2):
        found = f"{len(directions)} objectives" if several else f"{len(numbers)}"
        raise ConfigError(
            "SAMPLER_CMAES",
            f"--sampler cmaes: expected one objective and at least two dimensions that are numbers, found {found}; "
            f"take {'nsga2' if several else 'tpe'}",
        )
    if name == "gp" and importlib.util.find_spec("torch") is None:
        raise ConfigError(
            "SAMPLER_GP",
            "--sampler gp: expected the package torch, which Optuna's Gaussian process needs, found none: install it "
            'with `pip install -e ".[gp]"`, or take tpe',
        )

    def constraints(trial: FrozenTrial) -> Sequence[float]:
        found: Sequence[float] = trial.user_attrs.get(_VIOLATIONS, ())
        return found

    makers: dict[str, Callable[[int], BaseSampler]] = {
        "random": lambda s: optuna.samplers.RandomSampler(seed=s),
        "qmc": lambda _s: optuna.samplers.QMCSampler(
            scramble=True, seed=seed % 2**31, warn_asynchronous_seeding=False, warn_independent_sampling=False,
            independent_sampler=optuna.samplers.RandomSampler(seed=_s),
        ),
        "tpe": lambda s: optuna.samplers.TPESampler(
            seed=s, n_startup_trials=startup, constraints_func=constraints, multivariate=False, constant_liar=True
        ),
        "cmaes": lambda s: optuna.samplers.CmaEsSampler(
            seed=s, n_startup_trials=1, warn_independent_sampling=False,
            independent_sampler=optuna.samplers.RandomSampler(seed=s),
        ),
        "nsga2": lambda s: optuna.samplers.NSGAIISampler(
            seed=s, population_size=max(4, min(50, epochs // 4)), constraints_func=constraints
        ),
        "gp": lambda s: optuna.samplers.GPSampler(
            seed=s, n_startup_trials=startup, constraints_func=constraints, deterministic_objective=True
        ),
    }  # fmt: skip
    return OptunaSampler(
        space, directions, makers[name], seed=seed, learns_rules=name in ("tpe", "nsga2", "gp")
    )


class OptunaSampler:
    """One of Optuna's samplers.

    Parameters
    ----------
    space : Space
    directions : sequence of {"maximize", "minimize"}
    make : callable
        ``make(seed)``: a new sampler, for one draw.
    seed : int
    learns_rules : bool
        True if the sampler reads violations; else a trial that breaks a rule is told as bad as the worst one.
    """

    def __init__(
        self, space: Space, directions: Sequence[Direction], make: Callable[[int], BaseSampler], *, seed: int,
        learns_rules: bool,
    ) -> None:  # fmt: skip
        logging.getLogger("optuna").setLevel(logging.ERROR)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space, self._directions, self._make, self._seed = space, tuple(directions), make, seed
        self._learns_rules = learns_rules
        self._distributions = distributions(space)
        self._size = space.size()
        self._trials: list[Any] = []
        self._asked: set[str] = set()
        self._worst: list[float | None] = [None] * len(directions)
        with _quietly():
            self._study = optuna.create_study(
                directions=list(directions), sampler=optuna.samplers.RandomSampler(0)
            )

    def ask(self, number: int) -> Mapping[str, Any] | None:
        """Return the values of a trial; None where every combination of the space was asked.

        Raises
        ------
        ConfigError
            If the space holds nothing that is not refused.
        """
        if self._size is not None and len(self._asked) >= self._size:
            return None
        problem: str | None = None
        for attempt in range(_TRIES):
            with _quietly():
                self._study.sampler = self._make(derive_seed(self._seed, "sampler", number, attempt) % 2**31)
                trial = self._study.ask(self._distributions)
            values = values_of(self._space, trial.params)
            problem = self._space.problem(values)
            if problem is None and (attempt >= _TWICE or repr(values) not in self._asked):
                return self._accept(trial, values)
            self._study.tell(trial, state=TrialState.FAIL)
        rng = np.random.default_rng(derive_seed(self._seed, "fallback", number))
        values = self._space.draw(rng)  # tells a contradiction
        fixed = {d.path: drawn_of(d.range, values[d.path]) for d in self._space.dimensions}
        self._study.enqueue_trial(fixed)
        with _quietly():
            trial = self._study.ask(self._distributions)
        return self._accept(trial, values)

    def tell(self, number: int, result: TrialResult) -> None:
        """Hear what came of a trial."""
        trial = self._trials[number]
        for k, value in enumerate(result.intermediate if len(self._directions) == 1 else ()):
            if value is not None:
                trial.report(value, k)
        with _quietly():
            if result.state == "complete":
                self._study.tell(trial, self._told(trial, result))
            elif result.state == "pruned" and any(v is not None for v in result.intermediate):
                self._study.tell(trial, state=TrialState.PRUNED)
            else:
                self._study.tell(trial, state=TrialState.FAIL)

    def _told(self, trial: Any, result: TrialResult) -> list[float]:
        for k, (value, direction) in enumerate(zip(result.values, self._directions, strict=True)):
            worst = self._worst[k]
            if worst is None or (value < worst) == (direction == "maximize"):
                self._worst[k] = value
        if self._learns_rules:
            trial.set_user_attr(_VIOLATIONS, list(result.violations))
            return list(result.values)
        if result.feasible:
            return list(result.values)
        return [value if w is None else w for value, w in zip(result.values, self._worst, strict=True)]

    def _accept(self, trial: Any, values: dict[str, Any]) -> dict[str, Any]:
        self._trials.append(trial)
        self._asked.add(repr(values))
        return values


class GridSampler:
    """Every point of the grid in the order of a product; of a larger grid as many as there are epochs, evenly spread.

    Parameters
    ----------
    space : Space
    epochs : int
    per_dimension : int
        Points of a range that has more, or infinitely many.
    """

    def __init__(self, space: Space, epochs: int, per_dimension: int = 10) -> None:
        count_all = math.prod(len(grid(d.range, per_dimension)) for d in space.dimensions)
        if count_all > LARGEST_GRID:
            raise ConfigError(
                "GRID_SIZE",
                f"--sampler grid: expected at most {LARGEST_GRID:,} combinations, found {count_all:,}; take fewer "
                "--grid-points or dimensions, ranges with a step, or a sampler that does not try everything",
            )
        points = list(space.points(per_dimension))
        if not points:
            raise ConfigError(
                "SPACE_CONTRADICTION", "search space: expected combinations that are not refused, found none"
            )
        self.size = len(points)
        self.exhaustive = epochs >= self.size
        count = min(epochs, self.size)
        self._points = [points[k * self.size // count] for k in range(count)]

    def ask(self, number: int) -> Mapping[str, Any] | None:
        """Return the values of a trial; None behind the last."""
        return self._points[number] if number < len(self._points) else None

    def tell(self, number: int, result: TrialResult) -> None:
        """A grid learns nothing."""


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the warnings of Optuna about what is still experimental there."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
