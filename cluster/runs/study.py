"""A study as a function: for the verb, and for whoever optimises inside something larger, such as a fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.adapters.studies.samplers import make_sampler
from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import BarDetail
from actors.domain.model.timerange import TimeRange
from actors.domain.search.objectives.base import Direction, load
from actors.domain.search.space import Space
from actors.domain.search.study.engine import Law, Pool, Store, run
from actors.domain.search.study.pruning import make_pruner
from actors.domain.search.study.ranking import pareto, ranked
from actors.domain.search.study.rules import parse_rules
from actors.domain.search.study.trial import Trial, study_hash
from actors.runtime.fanout_serial import SerialFanOut
from cluster.runs.perpetual import NONE, Perpetuals
from cluster.runs.search_space import applied
from cluster.runs.study_trial import KNOWN_METRICS, Question, evaluate
from config.load import ResolvedConfig

Objectives = tuple[tuple[str, Mapping[str, Any]], ...]
Frames = Mapping[str, BarFrame]


@dataclass(frozen=True)
class StudySpec:
    """How a study looks for what.

    Attributes
    ----------
    epochs : int
        Trials at most.
    sampler : str
        See `actors.adapters.studies.samplers.NAMES`.
    objectives : tuple of (name, parameters)
        As `objectives.load` takes them; several make a front.
    rules : tuple of str
        ``trade_count>=30``: what the best trial must keep.
    pruner : str
        ``none``, ``median``, ``percentile`` or ``halving``.
    slices : int
        Time slices at whose ends it prunes.
    patience : int or None
        Trials without improvement after which it stops.
    seed : int
    grid_points : int
        Points of a range that has more, for the grid.
    """

    epochs: int = 100
    sampler: str = "tpe"
    objectives: Objectives = (("sharpe", {}),)
    rules: tuple[str, ...] = ()
    pruner: str = "none"
    slices: int = 4
    patience: int | None = None
    seed: int = 7
    grid_points: int = 10

    def __post_init__(self) -> None:
        if not self.objectives:
            raise ConfigError("STUDY_OBJECTIVE", "study: expected at least one objective, found none")
        if self.pruner != "none" and len(self.objectives) > 1:
            raise ConfigError(
                "STUDY_PRUNER",
                f"--pruner {self.pruner}: expected one objective, since it compares by it, found "
                f"{len(self.objectives)}; leave the pruner out",
            )
        if self.pruner != "none" and self.slices < 2:
            raise ConfigError(
                "STUDY_SLICES", f"--slices: expected at least 2 to prune at, found {self.slices}"
            )

    @property
    def directions(self) -> tuple[Direction, ...]:
        """What is better, per objective."""
        return tuple(load(name, params).direction for name, params in self.objectives)

    def law(self) -> Law:
        """Return the law of the study."""
        prunes = self.pruner != "none"
        return Law(
            self.epochs,
            self.directions,
            make_pruner(self.pruner),
            self.slices if prunes else 1,
            self.patience,
        )


@dataclass(frozen=True)
class StudyResult:
    """What a study found.

    Attributes
    ----------
    trials : list of Trial
        By number; each holds its metrics and, for what compares trials, its returns over equal periods.
    directions : tuple of str
    """

    trials: list[Trial]
    directions: tuple[Direction, ...] = field(default=("maximize",))

    @property
    def study_hash(self) -> str:
        """Over number, parameters, values and state of every trial."""
        return study_hash(self.trials)

    @property
    def ranked(self) -> list[Trial]:
        """The feasible trials by the first objective, the best one first."""
        return ranked(self.trials, self.directions[0])

    @property
    def best(self) -> Trial | None:
        """The best one by the first objective; None if no trial is complete and keeps the rules."""
        return next(iter(self.ranked), None)

    @property
    def pareto(self) -> list[Trial]:
        """The trials that no other beats in all objectives."""
        return pareto(self.trials, self.directions)

    def best_config(self, config: ResolvedConfig) -> ResolvedConfig:
        """Return the configuration with the best parameters.

        Raises
        ------
        ConfigError
            If there is no best one.
        """
        best = self.best
        if best is None:
            raise ConfigError(
                "STUDY_NOTHING", f"study: expected a feasible trial, found none; {reasons(self.trials)}"
            )
        return applied(config, dict(best.params))


def run_study(
    config: ResolvedConfig,
    frames: Frames,
    span: TimeRange,
    space: Space,
    spec: StudySpec,
    *,
    pool: Callable[[Question], Any] | None = None,
    store: Store | None = None,
    heard: Callable[[Trial], None] | None = None,
    details: Mapping[str, BarDetail] | None = None,
    perpetuals: Perpetuals = NONE,
    by_regime: bool = False,
) -> StudyResult:
    """Run a study over a range of time.

    Parameters
    ----------
    config : ResolvedConfig
        What the drawn values are put into.
    frames : mapping pair → BarFrame
        All bars, those before the range among them: as many as the configuration allows warm up.
    span : TimeRange
        Decisions are bounded by it; no bar behind it is read.
    space : Space
        Such as `search_space.config_space(config.model, ["strategies.*"])`.
    spec : StudySpec
    pool : callable, optional
        Makes a pool around what the trials share, ``lambda shared: RayFanOut(shared, workers=2)``; closed at the end.
        Without one the trials are computed here, one after the other, which is what a Ray task wants that is itself one
        of many. The result is the same.
    store, heard
        See `actors.domain.search.study.engine.run`.
    details, perpetuals
        See `plan.build_plan`.
    by_regime : bool
        Judge each trial by its bars of each regime as well.

    Returns
    -------
    StudyResult
        ``.best`` (None if no trial was feasible), ``.best_config(config)``, ``.trials``, ``.study_hash``.

    Raises
    ------
    ConfigError
        Before any trial is computed: an empty or contradictory space, rules that contradict each other, a sampler that
        cannot do this. During it: a node that lacks a package.
    DataError
        If there are no bars to decide on.

    Examples
    --------
    >>> import numpy as np
    >>> from actors.domain.model.timerange import parse_timerange
    >>> from cluster.runs.search_space import config_space
    >>> from config.load import resolve
    >>> close = 100.0 + 10.0 * np.sin(np.arange(400) / 15.0)
    >>> hour = 3_600 * 10**9
    >>> bars = BarFrame("BTC/USDT", hour, np.arange(400) * hour, close, close, close, close, np.full(400, 1e6))
    >>> config = resolve("backtest", sets=[
    ...     "strategies=[{kind: ma_crossover}]", "regime.detectors=[]", "learning.predictors=[]",
    ...     "features.indicators=[]"])
    >>> space = config_space(config.model).only(
    ...     ["strategies.ma_crossover.params.fast_bars", "strategies.ma_crossover.params.slow_bars"])
    >>> found = run_study(config, {"BTC/USDT": bars}, parse_timerange("-"), space, StudySpec(epochs=10))
    >>> len(found.trials), sorted({t.result.state for t in found.trials}) <= ["complete", "fail"]
    (10, True)
    """
    question = Question(
        config, dict(frames), span, spec.objectives, parse_rules(spec.rules, KNOWN_METRICS),
        spec.slices if spec.pruner != "none" else 1, details or {}, perpetuals, by_regime,
    )  # fmt: skip
    sampler = make_sampler(
        spec.sampler, space, spec.directions, seed=spec.seed, epochs=spec.epochs, points=spec.grid_points
    )
    made: Pool = SerialFanOut(question) if pool is None else pool(question)
    try:
        trials = run(sampler, spec.law(), made, evaluate, store=store, heard=heard)
    finally:
        made.close()
    return StudyResult(trials, spec.directions)


def reasons(trials: Sequence[Trial], most: int = 3) -> str:
    """Return the most frequent reasons of trials that count for nothing, in one line.

    Examples
    --------
    >>> from actors.domain.search.study.trial import TrialResult
    >>> reasons([Trial(k, {}, TrialResult.failed("sharpe: x")) for k in range(2)])
    '2 trials: sharpe: x'
    """
    counts: dict[str, int] = {}
    for t in trials:
        if not t.result.feasible:
            why = t.result.reason or "a constraint is broken"
            counts[why] = counts.get(why, 0) + 1
    top = sorted(counts.items(), key=lambda row: (-row[1], row[0]))[:most]
    return "; ".join(f"{n} trials: {why}" for why, n in top) or "no trial failed"
