"""Confidence against known truth: one simulated market per trial, scored by calculators that learn as they go.

Two calculators see the same ensemble. One learns from the true regime, told when it would become known; that is what
confidence is worth where outcomes can be known. The other learns from retrospective labels, all that live data has, and
is scored against the truth and against those labels. Trials are pure, so they can run anywhere in any order.
"""

from __future__ import annotations

from collections import deque
from math import exp, log, nan
from typing import Any, NamedTuple

import numpy as np

from actors.domain import registry
from actors.domain.evaluation.metrics.calibration import Tally
from actors.domain.events.regime import HIGH, LOW, MEDIUM, REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.confidence.calculator import ConfidenceCalculator
from actors.domain.regime.confidence.factors import Quality
from actors.domain.regime.confidence.params import ConfidenceParams
from actors.domain.regime.confidence.turbulence import Turbulence
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble
from actors.domain.regime.study.models import Model, fit_model
from actors.domain.regime.study.process import TWO_STATES, TWO_STATES_T, Process, simulate
from actors.domain.regime.vocabulary import distinctness
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams

TUNING = (101, 102, 103, 104, 105, 106, 111, 112, 113, 114)
"""Seeds of the synthetic markets on which the defaults were chosen; the two-state processes were not used for that."""
FIRST_JUDGED = 1 << 40
"""Markets that judge have seeds from here on: none of them can have been used in tuning."""
BARS, WARM_UP_BARS, TRAINING_BARS = 8000, 700, 5000
DEAF = Process("deaf", (0.0, 0.0), (0.01, 0.01), ((0.98, 0.02), (0.02, 0.98)))
"""States that leave no trace in the returns and end without a warning: nothing can be forecast."""
MARKETS: dict[str, Process | None] = {
    "six_regimes": None, "two_states": TWO_STATES, "two_states_t5": TWO_STATES_T, "noise": DEAF,
}  # fmt: skip
"""None: the synthetic market."""
LEVELS = (HIGH, MEDIUM, LOW)
_FIELD = (5, 4)  # where two states stand among the six: calm, wild
_MEMBERS = ("hmm", "volatility", "trend")
Row = tuple[list[Assessment], Observation, int]


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
    rows = six_regimes(bars, seed) if process is None else two_states(process, bars, rng)
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

    def learn(self, label: int) -> None:
        self.heard.append(label)
        super().learn(label)


def _ending(calculator: ConfidenceCalculator) -> Ending:
    skill = calculator.forecast.skill
    return Ending(skill.count, skill.loss, skill.base_loss, skill.verdict)


def six_regimes(bars: int, seed: int) -> list[Row]:
    """Return, per bar of the synthetic market's first pair, the default fleet's views and the truth."""
    market = generate(SyntheticParams(n_bars=bars), seed)
    place = [REGIMES.index(name) for name in market.regime_names]
    frame = next(iter(market.frames.values()))
    fits = InlineFits()
    members = [
        registry.build("actors.domain.regime", kind, None, fits=fits, name=f"study/{kind}", seed=seed)
        for kind in _MEMBERS
    ]
    out: list[Row] = []
    before = nan
    columns = (frame.high.tolist(), frame.low.tolist(), frame.close.tolist(), market.truth.tolist())
    for t, (high, low, close, state) in enumerate(zip(*columns, strict=True)):
        obs = Observation(step=t, high=high, low=low, close=close, log_return=log(close / before))
        before = close
        out.append(([m.update(obs) for m in members], obs, place[state]))
    return out


def two_states(process: Process, bars: int, rng: np.random.Generator) -> list[Row]:
    """Return, per bar of a process of two states, the views of two frozen hidden Markov models and the truth.

    The models, with normal and with t emissions, are fitted to independent bars of the same process.
    """
    truth, y = simulate(process, bars, rng)
    _, training = simulate(process, TRAINING_BARS, rng)
    models = [fit_model(training, 2, 5, rng, student=student) for student in (False, True)]
    filtered = [m.filtered(y) for m in models if isinstance(m, Model)]
    said = [[_embedded(p) for p in alpha.tolist()] for alpha in filtered]
    out: list[Row] = []
    for t, (r, state) in enumerate(zip(y.tolist(), truth.tolist(), strict=True)):
        obs = Observation(step=t, high=exp(abs(r)), low=exp(-abs(r)), close=1.0, log_return=r)
        out.append(([views[t] for views in said], obs, _FIELD[state]))
    return out


def _embedded(p: list[float]) -> Assessment:
    probabilities = [0.0] * len(REGIMES)
    for place, share in zip(_FIELD, p, strict=True):
        probabilities[place] = share
    best = max(_FIELD, key=lambda k: probabilities[k])
    return Assessment(REGIMES[best], tuple(probabilities), distinctness(probabilities))
