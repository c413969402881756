"""How the constants of `reliability_table` are learnt: labels in hindsight against the truth, on markets of many kinds.

The model is a conditional logit over the six regimes: concave, so there is one optimum whatever the start, and Newton
steps find it. What it is worth on a kind of market it has not seen is told by fits that leave a family out. What it
says of the label in force is then held against the truth, bin by bin, on markets of six regimes under the default
detectors: that is the map that corrects it there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.confidence_markets import FAMILIES, Row
from actors.domain.evaluation.metrics.calibration import Tally
from actors.domain.events.regime import REGIMES
from actors.domain.regime.confidence.calculator import ConfidenceCalculator
from actors.domain.regime.confidence.factors import Quality
from actors.domain.regime.confidence.isotonic import IsotonicMap
from actors.domain.regime.confidence.params import ConfidenceParams
from actors.domain.regime.confidence.reliability import (
    FEW_KINDS,
    LEAST,
    MANY_KINDS,
    TERMS,
    Evidence,
    LabelReliability,
)
from actors.domain.regime.confidence.turbulence import Turbulence
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble

FIRST_SEED, SEEDS_PER_FAMILY = 20_000, 1_000
MARKETS, BARS, WARM_UP_OUTCOMES = 24, 6_000, 200
"""Per family, and per market; what detectors say in their first 1,200 bars is worse than what they say ever after."""
SHARES = {"chains": 3}
"""How many times as many markets a family has: the only one whose members come near the truth must not be outvoted."""
CORRECTED = {"six": 4, "dwell": 1, "separation": 1, "assets": 1}
"""Families that the correction is learnt on, and how many times as many markets each has for it."""
_EDGES = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)  # of its bins
_LATE, _LATE_KINDS = 0, 2  # columns of the terms: the second is the first times the entropy
_N = len(REGIMES)
_FREE_BIASES = tuple(
    k for k, name in enumerate(REGIMES) if name != "sideways"
)  # against which the others are measured
_RIDGE, _STEPS, _SETTLED = 5.0, 30, 1e-8
FloatArray = NDArray[np.float64]


class Lesson(NamedTuple):
    """One market's bars that became known: terms (n, 6, D), truth (n,), label in force (n,)."""

    terms: FloatArray
    truth: NDArray[np.int64]
    said: NDArray[np.int64]


class Worth(NamedTuple):
    """Outcomes against the truth: mean probability that the label was right, share of it, calibration error."""

    stated: float
    right: float
    ece: float


class _Notes(LabelReliability):
    """Writes down the terms that go with each outcome."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[int] = []
        self.terms: list[list[list[float]]] = []

    def shares(self, said: int, hindsight: Sequence[float], heard: Evidence) -> tuple[float, ...]:
        rows, doubt = self.rows(said, hindsight, heard)
        self.said.append(said)
        self.terms.append([
            [*row, *(doubt if k == j else 0.0 for j in _FREE_BIASES)] for k, row in enumerate(rows)
        ])  # fmt: skip
        return (1.0 / _N,) * _N


class _Student(ConfidenceCalculator):
    def __init__(self, params: ConfidenceParams, *, stay_probability: float) -> None:
        super().__init__(params, stay_probability=stay_probability)
        self.notes = self._reliability = _Notes()


def market(family: str, number: int, bars: int = BARS) -> list[Row]:
    """Return a market of a family; the same number, the same market."""
    seed = FIRST_SEED + SEEDS_PER_FAMILY * list(FAMILIES).index(family) + number
    return FAMILIES[family](bars, seed, np.random.default_rng(seed))


def lesson(rows: Sequence[Row]) -> Lesson:
    """Return what a market teaches.

    Raises
    ------
    InvalidParamsError
        If it ends before an outcome counts.
    """
    params, settings = ConfidenceParams(), EnsembleParams()
    members = len(rows[0][0])
    ensemble, volatility = RegimeEnsemble(settings, members=members), Turbulence()
    student = _Student(params, stay_probability=settings.stay_probability)
    truth: list[int] = []
    assessed = 0
    for views, obs, true in rows:
        ratio = volatility.update(obs.log_return)
        view = ensemble.update(views)
        if not ensemble.informed:
            continue
        if assessed % params.learn_every_bars == 0:
            truth.append(true)
        assessed += 1
        student.assess(
            REGIMES.index(view.label), view.probabilities, views, (1.0,) * members, quality=Quality(1.0),
            volatility_ratio=ratio, bars_in_state=view.bars_in_state,
        )  # fmt: skip
    notes, known = student.notes, slice(WARM_UP_OUTCOMES, len(student.notes.said))
    if len(notes.said) <= WARM_UP_OUTCOMES:
        least = WARM_UP_OUTCOMES * params.learn_every_bars + params.known_after_bars
        raise InvalidParamsError(
            "TUNING_SHORT", f"tuning: expected a market of more than {least} bars, found {len(rows)}"
        )
    return Lesson(np.array(notes.terms[known]), np.array(truth[known]), np.array(notes.said[known]))


def fit(lessons: Sequence[Lesson]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return coefficients and biases that make the truth most likely, less a small ridge."""
    terms = np.concatenate([x.terms for x in lessons])
    truth = np.concatenate([x.truth for x in lessons])
    found = np.zeros(terms.shape[2])
    at = np.arange(len(truth))
    for _ in range(_STEPS):
        shares = probabilities(terms, found)
        mean = np.einsum("nk,nkd->nd", shares, terms)
        slope = (terms[at, truth] - mean).sum(axis=0) - _RIDGE * found
        heavy = (terms * np.sqrt(shares)[:, :, None]).reshape(-1, terms.shape[2])
        curve = heavy.T @ heavy - mean.T @ mean + _RIDGE * np.eye(len(found))
        move = np.linalg.solve(curve, slope)
        size = float(np.abs(move).max())
        found += move * min(1.0, 2.0 / size) if size > 0.0 else move
        if size < _SETTLED:
            break
    biases = [0.0] * _N
    for k, bias in zip(_FREE_BIASES, found[TERMS:].tolist(), strict=True):
        biases[k] = bias
    return tuple(found[:TERMS].tolist()), tuple(biases)


def probabilities(terms: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Return the probability of each regime, shape (n, 6)."""
    scores = terms @ coefficients
    raw = np.exp(scores - scores.max(axis=1, keepdims=True))
    out: FloatArray = raw / raw.sum(axis=1, keepdims=True)
    return out


def correction(
    lessons: Sequence[Lesson], coefficients: Sequence[float], biases: Sequence[float]
) -> tuple[tuple[float, float], ...]:
    """Return the rising map from what is said of the label in force to how often that is right, ends included.

    An outcome counts for as much as the map then applies to it; an empty bin is left out.
    """
    flat = np.array([*coefficients, *(biases[k] for k in _FREE_BIASES)])
    stated, right, weight = [], [], []
    for x in lessons:
        shares = np.maximum(probabilities(x.terms, flat), LEAST)
        stated.append((shares / shares.sum(axis=1, keepdims=True))[np.arange(len(x.said)), x.said])
        right.append(x.said == x.truth)
        kinds = x.terms[:, :, _LATE_KINDS].sum(axis=1) / x.terms[:, :, _LATE].sum(axis=1)
        weight.append(np.clip((kinds - FEW_KINDS) / (MANY_KINDS - FEW_KINDS), 0.0, 1.0))
    p, y, w = np.concatenate(stated), np.concatenate(right), np.concatenate(weight)
    at = np.digitize(p, _EDGES)
    count, means, shares_right = (np.bincount(at, w * v, len(_EDGES) + 1) for v in (np.ones_like(p), p, y))
    used = count > 0.0
    found = IsotonicMap()
    found.fit(
        (means[used] / count[used]).tolist(),
        (shares_right[used] / count[used]).tolist(),
        count[used].tolist(),
    )
    return ((0.0, 0.0), *zip(found.scores, found.values, strict=True), (1.0, 1.0))


def worth(lessons: Sequence[Lesson], coefficients: Sequence[float], biases: Sequence[float]) -> Worth:
    """Return how outcomes by these constants compare with the truth, before the floor of a regime's share and
    the correction.

    Raises
    ------
    InvalidParamsError
        If there is no outcome.
    """
    flat = np.array([*coefficients, *(biases[k] for k in _FREE_BIASES)])
    tally = Tally()
    for x in lessons:
        stated = probabilities(x.terms, flat)[np.arange(len(x.said)), x.said]
        for p, right in zip(stated.tolist(), (x.said == x.truth).tolist(), strict=True):
            tally.add(min(p, 1.0), int(right))
    found = tally.result()
    if found.base_rate is None or found.ece is None:
        raise InvalidParamsError("TUNING_EMPTY", "tuning: expected outcomes, found none")
    mean = sum(b.probability * b.count for b in found.bins) / found.count
    return Worth(mean, found.base_rate, found.ece)


def left_out(lessons: Mapping[str, Sequence[Lesson]]) -> dict[str, tuple[Worth, Worth]]:
    """Return, per family, what outcomes are worth: fitted with it, and fitted to the other families only."""
    whole = fit([x for some in lessons.values() for x in some])
    out = {}
    for family, some in lessons.items():
        others = fit([x for name, rest in lessons.items() if name != family for x in rest])
        out[family] = (worth(some, *whole), worth(some, *others))
    return out
