"""Confidence against known truth: one simulated market per trial, scored by calculators that learn as they go.

Two calculators see the same ensemble. One learns from the true regime, told when it would become known; that is what
confidence is worth where outcomes can be known. The other learns from retrospective labels, all that live data has, and
is scored against the truth and against those labels. Trials are pure, so they can run anywhere in any order.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np

from actors.domain.evaluation.confidence_markets import CALM_WILD, chain, synthetic
from actors.domain.evaluation.metrics.calibration import Tally
from actors.domain.events.regime import HIGH, LOW, MEDIUM, REGIMES
from actors.domain.regime.confidence.calculator import ConfidenceCalculator
from actors.domain.regime.confidence.factors import Quality
from actors.domain.regime.confidence.params import ConfidenceParams
from actors.domain.regime.confidence.turbulence import Turbulence
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble
from actors.domain.regime.retrospect import Known
from actors.domain.regime.study.process import THREE_STATES, TWO_STATES, TWO_STATES_T, Process
from actors.domain.simulation.synthetic.params import SyntheticParams

TUNING = (101, 102, 103, 104, 105, 106, 111, 112, 113, 114)
"""Seeds of the synthetic markets on which the factors' defaults were chosen; what is learnt of hindsight and the priors
have seeds of their own (`actors.domain.regime.confidence.reliability_table`, `calibrator`)."""
FIRST_JUDGED = 1 << 40
"""Markets that judge have seeds from here on: none of them can have been used in tuning."""
BARS, WARM_UP_BARS = 8000, 700
DEAF = Process("deaf", (0.0, 0.0), (0.01, 0.01), ((0.98, 0.02), (0.02, 0.98)))
"""States that leave no trace in the returns and end without a warning: nothing can be forecast."""
MARKETS: dict[str, Process | None] = {
    "six_regimes": None, "two_states": TWO_STATES, "two_states_t5": TWO_STATES_T, "three_states": THREE_STATES,
    "noise": DEAF,
}  # fmt: skip
"""None: the synthetic market."""
STRANGE = ("three_states", "noise")
"""No market of such a kind was among those that taught how far hindsight may be trusted (`confidence_tuning`)."""
LEVELS = (HIGH, MEDIUM, LOW)
_FIELDS = {"three_states": (0, 2, 1)}  # which regimes a chain's states stand for, unless calm and wild


class ConfidenceCell(NamedTuple):
    """What a trial is about: a market of `MARKETS` by name."""

    market: str


class Scored(NamedTuple):
    """One calculator on one market against one kind of label.

    Attributes
    ----------
    tally : Tally
        Scores of bars after the warm-up against being right.
    levels : dict
        Level to (bars, right, sum of scores).
    sets : tuple of int
        Bars with a conformal set, sets that held the right regime, regimes in all sets.
    """

    tally: Tally
    levels: dict[str, tuple[int, int, float]]
    sets: tuple[int, int, int]


class Ending(NamedTuple):
    """Forecasts that the regime ends, as the calculator judged them itself: walk-forward, base rate of the past."""

    forecasts: int
    loss: float
    base_loss: float
    verdict: str


class ConfidenceScore(NamedTuple):
    """All of one trial, by how the calculator learnt and what it is held against.

    Attributes
    ----------
    scored : dict
        ``truth`` (learnt and scored by the truth), ``labels_truth`` and ``labels_labels`` (learnt from retrospective
        labels, scored by either).
    endings : dict
        ``truth`` and ``labels``.
    labels_right : float or None
        Share of retrospective labels that are the truth.
    """

    scored: dict[str, Scored]
    endings: dict[str, Ending]
    labels_right: float | None


class _Account:
    """Adds up what became of the scores."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.levels = {level: [0, 0, 0.0] for level in LEVELS}
        self.sets = [0, 0, 0]

    def add(self, found: Any, said: int, truth: int) -> None:
        right = said == truth
        self.tally.add(min(found.score, 1.0), int(right))
        row = self.levels[found.level]
        row[0] += 1
        row[1] += right
        row[2] += found.score
        if found.conformal:
            self.sets[0] += 1
            self.sets[1] += REGIMES[truth] in found.conformal
            self.sets[2] += len(found.conformal)

    def done(self) -> Scored:
        levels = {k: (int(n), int(hits), float(total)) for k, (n, hits, total) in self.levels.items()}
        return Scored(self.tally, levels, (self.sets[0], self.sets[1], self.sets[2]))


def run_confidence(bars: int, cell: ConfidenceCell, rng: np.random.Generator) -> ConfidenceScore:
    """Simulate and score one market.

    Parameters
    ----------
    bars : int
        Of the market; those of the warm-up are not scored.
    cell : ConfidenceCell
    rng : Generator
        Of this trial alone.
    """
    process = MARKETS[cell.market]
    seed = FIRST_JUDGED + int(rng.integers(FIRST_JUDGED))
    if process is None:
        rows = synthetic(SyntheticParams(n_bars=bars), seed)
    else:
        rows = chain(process, bars, rng, field=_FIELDS.get(cell.market, CALM_WILD))
    params = ConfidenceParams()
    settings = EnsembleParams()
    ensemble, stay = RegimeEnsemble(settings, members=len(rows[0][0])), settings.stay_probability
    taught = ConfidenceCalculator(params, stay_probability=stay, own_labels=False)
    alone = _Listening(params, stay_probability=stay)
    volatility, quality = Turbulence(), Quality(1.0)
    weights = (1.0,) * len(rows[0][0])
    by_truth, of_labels, by_labels = _Account(), _Account(), _Account()
    lag, every = params.known_after_bars, params.learn_every_bars
    due: deque[int] = deque()  # true regimes of sampled bars that are not told yet
    waiting: deque[Any] = deque()  # bars of the other calculator that wait for their label
    heard = right = assessed = 0
    for t, (views, obs, truth) in enumerate(rows):
        ratio = volatility.update(obs.log_return)
        view = ensemble.update(views)
        if view.confidence == 0.0 and not assessed:
            continue
        label = REGIMES.index(view.label)
        bars_in_state = view.bars_in_state
        if assessed % every == 0:
            if assessed >= lag:
                taught.learn(due.popleft())
            due.append(truth)
        first = taught.assess(
            label, view.probabilities, views, weights, quality=quality, volatility_ratio=ratio,
            bars_in_state=bars_in_state,
        )  # fmt: skip
        second = alone.assess(
            label, view.probabilities, views, weights, quality=quality, volatility_ratio=ratio,
            bars_in_state=bars_in_state,
        )  # fmt: skip
        if assessed % every == 0:
            waiting.append((second, label, truth, t))
        assessed += 1
        if t >= WARM_UP_BARS:
            by_truth.add(first, label, truth)
            of_labels.add(second, label, truth)
        for known in alone.heard:
            past, said, true, when = waiting.popleft()
            heard += 1
            right += known == true
            if when >= WARM_UP_BARS:
                by_labels.add(past, said, known)
        alone.heard.clear()
    return ConfidenceScore(
        {"truth": by_truth.done(), "labels_truth": of_labels.done(), "labels_labels": by_labels.done()},
        {"truth": _ending(taught), "labels": _ending(alone)},
        right / heard if heard else None,
    )


class _Listening(ConfidenceCalculator):
    """Tells which labels became known."""

    heard: list[int]

    def __init__(self, params: ConfidenceParams, *, stay_probability: float) -> None:
        super().__init__(params, stay_probability=stay_probability)
        self.heard = []

    def _learn_own(self, known: Known) -> None:
        self.heard.append(known.label)
        super()._learn_own(known)


def _ending(calculator: ConfidenceCalculator) -> Ending:
    skill = calculator.forecast.skill
    return Ending(skill.count, skill.loss, skill.base_loss, skill.verdict)
