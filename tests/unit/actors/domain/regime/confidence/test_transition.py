"""The forecast that a regime ends: the formula, skill where there is some, none where there is none."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from actors.domain.regime.confidence.logistic import fit_logistic
from actors.domain.regime.confidence.skill import FALSE_CLAIMS, NO_SKILL, SKILL, UNKNOWN, BrierSkill
from actors.domain.regime.confidence.transition import TransitionForecast

HORIZON = 4


def chain(stay: tuple[float, ...], n: int, seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    state, out = 0, []
    for _ in range(n):
        if rng.random() > stay[state]:
            state = int((state + 1 + rng.integers(len(stay) - 1)) % len(stay))
        out.append(state)
    return out


def run(forecast: TransitionForecast, states: list[int], sharp: float, seed: int) -> None:
    """Ask at every sample with a belief that holds the truth with probability `sharp`; learn 8 samples later."""
    rng = np.random.default_rng(seed)
    k = max(states) + 1
    age = 1
    for t, state in enumerate(states):
        age = age + 1 if t and state == states[t - 1] else 1
        told = state if rng.random() < sharp else int(rng.integers(k))
        rest = (1.0 - sharp) / (k - 1)
        forecast.ask([sharp if j == told else rest for j in range(k)], age, 1.0)
        if t >= 8:
            forecast.learn(states[t - 8])


def test_probability_is_one_less_the_held_share() -> None:
    f = TransitionForecast(states=2, stay_probability=0.9, horizon=3)
    assert f.probability((0.25, 0.75), 1, 1.0) == pytest.approx(1.0 - 0.9**3)
    # many samples: stay probabilities are the counted ones, expected duration 1/(1 − p)
    states = chain((0.98, 0.8), 20_000, 3)
    for s in states:
        f.ask((1.0, 0.0) if s == 0 else (0.0, 1.0), 1, 1.0)
        f.learn(s)
    stay = f.stay_probabilities()
    assert stay[0] == pytest.approx(0.98, abs=0.005)
    assert stay[1] == pytest.approx(0.8, abs=0.02)
    assert 1.0 / (1.0 - stay[1]) == pytest.approx(5.0, abs=0.5)


def test_skill_where_states_differ_in_length_and_base_rate_is_of_the_past() -> None:
    f = TransitionForecast(states=2, stay_probability=0.9, horizon=HORIZON)
    run(f, chain((0.99, 0.85), 6000, 4), 0.97, 5)
    assert f.skill.verdict == SKILL
    assert f.known
    assert f.skill.value > 0.1
    assert 0.0 < f.base_rate < 0.5


@pytest.mark.parametrize("seed", range(6))
def test_no_skill_on_noise(seed: int) -> None:
    # states that all last alike, beliefs that say nothing of them
    f = TransitionForecast(states=3, stay_probability=0.9, horizon=HORIZON)
    states = chain((0.95, 0.95, 0.95), 6000, 100 + seed)
    rng = np.random.default_rng(200 + seed)
    for t in range(len(states)):
        p = rng.dirichlet((1.0, 1.0, 1.0)).tolist()
        f.ask(p, int(rng.integers(1, 100)), float(rng.uniform(0.5, 2.0)))
        if t >= 8:
            f.learn(states[t - 8])
    assert f.skill.verdict == NO_SKILL
    assert not f.known
    assert f.skill.value < 0.01


def test_age_is_learnt_where_it_matters() -> None:
    # a regime of exactly 30 samples: its end is certain from its age, and a chain without memory cannot know
    states = [(t // 30) % 2 for t in range(9000)]
    f = TransitionForecast(states=2, stay_probability=0.9, horizon=HORIZON)
    run(f, states, 0.999, 1)
    young, old = (f.probability((0.999, 0.001), age, 1.0) for age in (2, 29))
    assert old > 2.0 * young
    assert f.skill.verdict == SKILL


def test_skill_says_nothing_before_enough_blocks() -> None:
    s = BrierSkill(block=5, min_blocks=20)
    assert (s.value, s.t, s.verdict) == (None, None, UNKNOWN)
    for i in range(99):
        s.add(0.9, 0.5, 1.0)
        assert s.verdict == UNKNOWN, i
    s.add(0.9, 0.5, 1.0)
    assert s.verdict == SKILL


def test_noise_claims_no_skill_however_often_it_is_looked_at() -> None:
    rng = np.random.default_rng(8)
    markets, blocks = 200, 600
    by_bound = by_two = 0
    for _ in range(markets):
        s = BrierSkill(block=1)
        claimed = exceeded = False
        for mine, other, y in rng.integers(2, size=(blocks, 3)).tolist():
            s.add(0.3 + 0.4 * mine, 0.3 + 0.4 * other, float(y))
            claimed |= s.verdict == SKILL
            exceeded |= s.count >= 20 and (s.t or 0.0) > 2.0
        by_bound += claimed
        by_two += exceeded
    assert by_bound <= markets * (FALSE_CLAIMS + 2.0 * (FALSE_CLAIMS * 0.95 / markets) ** 0.5)
    assert by_two > 2 * markets * FALSE_CLAIMS  # what looking again and again comes to without a bound


def test_logistic_without_ridge_is_the_log_odds_and_with_it_stays_near_the_prior() -> None:
    rows = np.ones((100, 1))
    y = np.concatenate([np.ones(20), np.zeros(80)])
    free = fit_logistic(rows, y, prior=np.zeros(1), ridge=np.full(1, 1e-9))
    assert free[0] == pytest.approx(log(0.2 / 0.8), abs=1e-6)
    held = fit_logistic(rows, y, prior=np.full(1, 3.0), ridge=np.full(1, 1e9))
    assert held[0] == pytest.approx(3.0, abs=1e-6)


def test_logistic_equals_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(2)
    x = rng.standard_normal((400, 3))
    y = (rng.random(400) < 1.0 / (1.0 + np.exp(-(x @ [1.0, -2.0, 0.3])))).astype(float)
    peer = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=1000).fit(x, y)
    mine = fit_logistic(x, y, prior=np.zeros(3), ridge=np.full(3, 2.0))
    np.testing.assert_allclose(mine, peer.coef_[0], atol=1e-6)
