"""Conformal sets: the exact rank, coverage on exchangeable data, adaptation under drift."""

from __future__ import annotations

from math import ceil, inf, sqrt

import numpy as np
import pytest

from actors.domain.regime.confidence.conformal import Conformal, quantile

NOBODY = (0.0, 1.0)  # a regime at probability 1 leaves the limit as it is


def certain(scores: list[float]) -> list[tuple[float, float]]:
    return [(s, 1.0) for s in scores]


@pytest.mark.parametrize("n", [1, 8, 9, 10, 19, 99, 500])
def test_limit_is_the_stated_rank(n: int) -> None:
    scores = np.sort(np.random.default_rng(n).random(n)).tolist()
    # in whole numbers, so that no rounding decides
    rank = -(-9 * (n + 1) // 10)
    assert quantile(certain(scores), n, 0.1) == (inf if rank > n else scores[rank - 1])
    assert rank == ceil((n + 1) * 0.9 - 1e-9)


def draw(rng: np.random.Generator, n: int, sharp: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities over six regimes and the right one, drawn from flatter ones: overconfident on purpose."""
    logits = rng.standard_normal((n, 6))
    honest = np.exp(logits)
    honest /= honest.sum(axis=1, keepdims=True)
    told = np.exp(sharp * logits)
    told /= told.sum(axis=1, keepdims=True)
    truth = (honest.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    return told, np.minimum(truth, 5)


def test_coverage_is_as_stated_on_exchangeable_data() -> None:
    trials, hits, sizes, argmax = 1500, 0, 0, 0
    rng = np.random.default_rng(11)
    for _ in range(trials):
        told, truth = draw(rng, 100, 3.0)
        sets = Conformal(alpha=0.1, rate=0.0, window=1000, min_scores=50)
        for p, k in zip(told[:99].tolist(), truth[:99].tolist(), strict=True):
            sets.learn(certain([1.0 - p[k]]))
        given = sets.members(told[99].tolist())
        hits += int(truth[99]) in given
        sizes += len(given)
        argmax += int(told[99].argmax() == truth[99])
    se = sqrt(0.9 * 0.1 / trials)
    assert abs(hits / trials - 0.9) <= 2.0 * se
    assert argmax / trials < 0.6  # the probabilities by themselves are far off
    assert sizes / trials < 6.0


def test_adaptation_holds_the_rate_where_the_market_drifts() -> None:
    rng = np.random.default_rng(12)
    plain = Conformal(alpha=0.1, rate=0.0, window=1000, min_scores=100)
    adaptive = Conformal(alpha=0.1, rate=0.01, window=1000, min_scores=100)
    for t in range(6000):
        told, truth = draw(rng, 1, 1.0 + 4.0 * (t > 1000) * (t % 2000) / 2000)
        for sets in (plain, adaptive):
            sets.learn(certain([1.0 - float(told[0, truth[0]])]), sets.given(NOBODY))
    # Gibbs and Candès: |misses/T − alpha| <= (max(alpha, 1 − alpha) + rate) / (rate · T)
    bound = (0.9 + 0.01) / (0.01 * adaptive.known)
    assert abs(adaptive.missed / adaptive.known - 0.1) <= bound
    assert abs(adaptive.missed / adaptive.known - 0.1) < abs(plain.missed / plain.known - 0.1)


def test_window_forgets_and_a_restored_one_goes_on() -> None:
    sets = Conformal(alpha=0.2, rate=0.005, window=50, min_scores=10)
    assert sets.members((1.0, 0.0)) is None
    scores = np.random.default_rng(1).random(300).tolist()
    for s in scores[:200]:
        sets.learn(certain([s]), sets.given(NOBODY))
    other = Conformal(alpha=0.2, rate=0.005, window=50, min_scores=10)
    other.load_state(sets.state())
    for s in scores[200:]:
        sets.learn(certain([s]), sets.given(NOBODY))
        other.learn(certain([s]), other.given(NOBODY))
        assert sets.limit == other.limit
    assert sets.limit == quantile(certain(sorted(scores[-50:])), 50, sets.alpha)


def test_a_set_is_judged_by_the_limit_it_was_given_out_with() -> None:
    sets = Conformal(alpha=0.2, rate=0.01, window=50, min_scores=4)
    assert sets.given(NOBODY) is None
    for _ in range(4):
        sets.learn(certain([0.1]), sets.given(NOBODY))
    assert (sets.known, sets.given(NOBODY)) == (0, 0.1)
    waiting = sets.given(NOBODY)
    for _ in range(4):  # bars before it, whose regime has become known since
        sets.learn(certain([0.9]), None)
    assert sets.given(NOBODY) == 0.9
    sets.learn(certain([0.5]), waiting)
    assert (sets.known, sets.missed) == (1, 1)
    assert sets.alpha == pytest.approx(0.2 + 0.01 * (0.2 - 1.0))


def test_labels_that_may_be_wrong_cover_the_truth_once_they_are_weighted() -> None:
    # hindsight is wrong three times in ten and knows it; taken at its word, sets are too small
    rng = np.random.default_rng(13)
    trials, hits, naive_hits = 300, 0, 0
    for _ in range(trials):
        told, truth = draw(rng, 300, 1.5)
        weighted, naive = (Conformal(alpha=0.1, rate=0.0, window=1000, min_scores=50) for _ in range(2))
        for p, k in zip(told[:-1].tolist(), truth[:-1].tolist(), strict=True):
            best = int(np.argmax(p))
            label = k if rng.random() < 0.4 else best
            # what the label says of the truth, by Bayes over a truth drawn from the flatter probabilities
            honest = np.array(p) ** (1.0 / 1.5)
            honest /= honest.sum()
            shares = honest * np.array([0.6 * (label == best) + 0.4 * (label == j) for j in range(6)])
            shares /= shares.sum()
            weighted.learn([(1.0 - x, w) for x, w in zip(p, shares.tolist(), strict=True)])
            naive.learn(certain([1.0 - p[label]]))
        last = told[-1].tolist()
        hits += int(truth[-1]) in weighted.members(last)
        naive_hits += int(truth[-1]) in naive.members(last)
    se = sqrt(0.9 * 0.1 / trials)
    assert abs(hits / trials - 0.9) <= 2.5 * se
    assert naive_hits / trials < 0.85


def test_a_set_is_never_empty_and_a_miss_is_a_share_where_the_label_is_one() -> None:
    sets = Conformal(alpha=0.1, rate=0.0, window=50, min_scores=4)
    for _ in range(40):
        sets.learn(certain([0.0]))
    assert sets.limit == 0.0
    assert sets.members((0.3, 0.5, 0.2)) == (1,)
    given = sets.given((0.3, 0.5, 0.2))
    assert given == 0.5
    sets.learn([(0.7, 0.25), (0.5, 0.7), (0.8, 0.05)], given)
    assert sets.missed == pytest.approx(0.3)
