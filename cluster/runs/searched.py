"""From flags to what is searched over which bars: shared by the verbs that search inside something larger."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import ConfigError, DataError
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.search.space import Space
from actors.domain.search.study.rules import parse_rules
from cluster.cli import common
from cluster.runs import perpetual, session
from cluster.runs.detail import load_details
from cluster.runs.plan import RunPlan
from cluster.runs.study import StudySpec
from cluster.runs.study_args import objectives_of, space_of, split_constraints
from cluster.runs.study_trial import KNOWN_METRICS, Question
from config.load import ResolvedConfig

_LENGTH = re.compile(r"^(\d+)(m|h|d|w)?$")


@dataclass
class Searched:
    """A search that is about to begin.

    Attributes
    ----------
    plan : RunPlan
        Of one run over the whole range: what any trial would refuse is told by making it.
    times : int array
        Opening times of all steps of the range, warm-up excluded.
    """

    args: argparse.Namespace
    config: ResolvedConfig
    market: session.Market
    question: Question
    space: Space
    spec: StudySpec
    plan: RunPlan
    times: NDArray[np.int64]

    @property
    def timeframe_ns(self) -> int:
        """Length of a bar."""
        return self.plan.settings.timeframe_ns


def prepare(args: argparse.Namespace, run_id: str) -> Searched:
    """Return the search that the flags describe.

    Raises
    ------
    ConfigError, DataError
        Before anything is computed.
    """
    common.own_code(args)
    if args.epochs is None:
        args.epochs = args.usual_epochs
    if args.epochs < 1:
        raise ConfigError("EPOCHS", f"--epochs: expected 1 or more, found {args.epochs}")
    config = common.configuration(args, "backtest")
    objectives = objectives_of(args.objective)
    if len(objectives) > 1:
        raise ConfigError(
            "OBJECTIVE_ONE",
            f"--objective: expected one, by which each choice is made, found {', '.join(n for n, _ in objectives)}",
        )
    of_space, rules = split_constraints(args.constraint)
    kinds = [s.kind for s in config.model.strategies] if args.strategy else []
    space = space_of(config.model, args.space, of_space, kinds)
    spec = StudySpec(
        epochs=args.epochs, sampler=args.sampler, objectives=objectives, rules=tuple(rules), seed=config.model.seed
    )  # fmt: skip
    frames, loaded, notes = common.load_frames(args, config)
    market = session.Market(
        frames, loaded, notes, details=load_details(args.data, config.model, frames),
        perpetuals=perpetual.load(args, config.model),
    )  # fmt: skip
    span = common.timerange(args)
    # whole: a pool around it may serve a study as well as what comes after it
    question = Question(
        config,
        frames,
        span,
        objectives,
        parse_rules(spec.rules, KNOWN_METRICS),
        1,
        market.details,
        market.perpetuals,
    )
    plan = session.make_plan(args, config, market, span, run_id, journal=False)
    width = plan.settings.timeframe_ns
    times = np.asarray(plan.feed.times[plan.feed.warmup_steps :], dtype=np.int64) - width
    if len(times) < 2:
        raise DataError(
            "RANGE_EMPTY", f"timerange: expected at least 2 bars to decide on, found {len(times)}"
        )
    return Searched(args, config, market, question, space, spec, plan, times)


def bars_of(text: str, timeframe: str, flag: str) -> int:
    """Return how many bars a length is: a number of bars, or of minutes, hours, days or weeks.

    Raises
    ------
    ConfigError
        If it is neither, or shorter than a bar though not 0.

    Examples
    --------
    >>> bars_of("500", "1h", "--train"), bars_of("2d", "1h", "--train"), bars_of("0", "1h", "--embargo")
    (500, 48, 0)
    """
    found = _LENGTH.match(text.strip())
    if found is None:
        raise ConfigError(
            "LENGTH_TEXT", f"{flag}: expected bars (500) or a length (90d, 12h, 2w, 30m), found {text!r}"
        )
    count, unit = int(found[1]), found[2]
    if unit is None:
        return count
    bars = count * parse_timeframe(f"1{unit}") // parse_timeframe(timeframe)
    if bars < 1 and count:
        raise ConfigError("LENGTH_TEXT", f"{flag}: expected at least one bar of {timeframe}, found {text}")
    return bars
