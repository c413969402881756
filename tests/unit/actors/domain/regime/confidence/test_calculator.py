"""The calculator: factors, calibration on what has become known, levels, reasons, cache, state."""

from __future__ import annotations

from itertools import pairwise
from math import nan

import numpy as np
import pytest
from pydantic import ValidationError

from actors.domain import state as codec
from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import HIGH, LOW, MEDIUM, REGIMES
from actors.domain.regime.base import Assessment
from actors.domain.regime.confidence.calculator import ConfidenceCalculator
from actors.domain.regime.confidence.factors import Quality, agreement
from actors.domain.regime.confidence.params import ConfidenceParams

SURE = (0.9, 0.02, 0.02, 0.02, 0.02, 0.02)
TORN = (0.42, 0.4, 0.045, 0.045, 0.045, 0.045)
GOOD = Quality(1.0)


def view(label: str, confidence: float = 0.8) -> Assessment:
    return Assessment(label, tuple(0.5 if r == label else 0.1 for r in REGIMES), confidence)


def make(own_labels: bool = False, **params: object) -> ConfidenceCalculator:
    return ConfidenceCalculator(ConfidenceParams(**params), stay_probability=0.99, own_labels=own_labels)


def teach(c: ConfidenceCalculator, bars: int, rate_sure: float, rate_torn: float, seed: int = 1) -> None:
    """Alternate sure and torn bars of label 0 that are right at these rates; each bar is sampled."""
    rng = np.random.default_rng(seed)
    for t in range(bars):
        sure = t % 2 == 0
        views = [view("bull"), view("bull" if sure else "bear")]
        c.assess(0, SURE if sure else TORN, views, (1.0, 1.0), quality=GOOD)
        c.learn(0 if rng.random() < (rate_sure if sure else rate_torn) else 1)


EVERY = {"learn_every_bars": 1, "known_after_bars": 48, "leave_horizon_bars": 24}


@pytest.mark.parametrize(("own_labels", "most"), [(False, 0.85), (True, 0.9)])
def test_before_anything_is_known_the_prior_is_that_of_its_outcomes(own_labels: bool, most: float) -> None:
    found = make(own_labels).assess(0, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0), [view("bull")], (1.0,), quality=GOOD)
    assert (found.raw, found.score) == (1.0, pytest.approx(most))


def test_members_vote_by_weight_and_silent_ones_do_not() -> None:
    views = [view("bull"), view("bear"), None, view("bear", confidence=0.0)]
    assert agreement(views, (1.0, 3.0, 5.0, 7.0), "bull") == 0.25
    assert agreement([None, view("bull", 0.0)], (1.0, 1.0), "bull") is None


def test_a_factor_without_data_is_left_out_and_the_rest_renormalised() -> None:
    c = make(agreement_weight=0.5, history_weight=0.3, quality_weight=0.1, boundary_weight=0.1)
    found = c.assess(0, SURE, [view("bull")], (1.0,))
    assert (found.history, found.data_quality) == (None, None)
    assert found.raw == pytest.approx((0.5 * 1.0 + 0.1 * 0.88) / 0.6)
    nobody = c.assess(0, SURE, [None], (1.0,))
    assert nobody.agreement is None
    assert nobody.raw == pytest.approx(found.boundary)


def test_before_enough_outcomes_nothing_is_high_and_the_reason_says_so() -> None:
    c = make(**EVERY)
    first = c.assess(0, SURE, [view("bull")], (1.0,), quality=GOOD)
    assert not first.calibrated
    assert first.score > 0.75
    assert first.level == MEDIUM
    assert "too few outcomes" in first.reason
    assert first.conformal is None  # not known, unlike the empty one of a HIGH
    c.learn(0)
    teach(c, 400, 0.95, 0.5)
    later = c.assess(0, SURE, [view("bull"), view("bull")], (1.0, 1.0), quality=GOOD)
    assert later.calibrated
    assert (later.level, later.reason, later.conformal) == (HIGH, "", ())


def test_scores_become_the_rates_at_which_they_were_right() -> None:
    c = make(**EVERY, prior_weight=1.0, half_life=1e6)
    teach(c, 4000, 0.9, 0.3)
    sure = c.assess(0, SURE, [view("bull"), view("bull")], (1.0, 1.0), quality=GOOD)
    torn = c.assess(0, TORN, [view("bull"), view("bear")], (1.0, 1.0), quality=GOOD)
    assert sure.score == pytest.approx(0.9, abs=0.03)
    assert torn.score == pytest.approx(0.3, abs=0.03)
    assert (sure.level, torn.level) == (HIGH, LOW)
    assert {"bull", "bear"} <= set(torn.conformal)
    assert "members disagree" in torn.reason
    assert "another regime is close" in torn.reason
    figures = c.figures()
    assert figures.assessed == 4002
    assert figures.outcomes == 4000
    assert figures.hit_rate == pytest.approx(0.6, abs=0.03)
    assert sum(figures.levels.values()) == 4002
    assert 0.0 < figures.brier < 0.25


def test_a_score_knows_outcomes_of_the_past_only() -> None:
    one, other = make(**EVERY), make(**EVERY)
    for c, seed in ((one, 1), (other, 2)):
        teach(c, 300, 0.9, 0.5, seed=3)
        if c is other:  # what comes later must not matter to what was said before
            said = c.assess(0, SURE, [view("bull")], (1.0,), quality=GOOD)
            teach(c, 300, 0.1, 0.1, seed=seed)
        else:
            expected = c.assess(0, SURE, [view("bull")], (1.0,), quality=GOOD)
    assert said == expected


def test_the_same_question_at_the_same_bar_is_answered_from_memory() -> None:
    c = make(**EVERY)
    first = c.assess(0, SURE, [view("bull")], (1.0,), step=7, quality=GOOD)
    again = c.assess(0, SURE, [view("bull")], (1.0,), step=7, quality=GOOD)
    assert again is first
    other = c.assess(0, TORN, [view("bull")], (1.0,), step=7, quality=GOOD)
    assert other.boundary < first.boundary
    assert (c.figures().assessed, c.figures().cache_hits) == (1, 1)
    c.learn(0)
    with pytest.raises(InvalidParamsError, match="found none"):
        c.learn(0)


def test_poor_data_and_wild_markets_take_confidence_away() -> None:
    c = make(**EVERY)
    teach(c, 400, 0.95, 0.5)
    views, weights = [view("bull"), view("bull")], (1.0, 1.0)
    good = c.assess(0, SURE, views, weights, quality=GOOD, volatility_ratio=1.0)
    poor = c.assess(0, SURE, views, weights, quality=Quality(0.5, completeness=0.5), volatility_ratio=1.0)
    wild = c.assess(0, SURE, views, weights, quality=GOOD, volatility_ratio=4.0)
    assert poor.score <= 0.5 * good.score
    assert poor.reason.startswith("data quality 0.50 (bars are missing)")
    assert wild.raw == pytest.approx(good.raw * 4.0**-0.1)
    assert wild.volatility_modifier == pytest.approx(4.0**-0.1)
    assert good.volatility_modifier == 1.0
    assert c.assess(0, SURE, views, weights, quality=GOOD, volatility_ratio=nan).volatility_modifier == 1.0


def test_a_silent_feed_lets_confidence_fall_to_nothing() -> None:
    c = make(**EVERY)
    teach(c, 400, 0.95, 0.5)
    before = c.figures()
    scores = [c.silent(0, SURE, silent_bars=n, quality=GOOD) for n in range(1, 7)]
    assert all(a.score > b.score for a, b in pairwise(scores[:5]))
    assert scores[4].score == scores[5].score == 0.0
    assert scores[0].reason.startswith("no bar for 1 bars")
    assert scores[3].level == LOW
    assert c.figures() == before  # nothing was learnt or counted


@pytest.mark.parametrize("ratio", [nan, 1.0, 3.0])
@pytest.mark.parametrize("said", [("bull", "bull"), ("bear", "bull"), ("bear", "bear")])
@pytest.mark.parametrize("taught", [True, False])
def test_no_silence_makes_surer_than_the_last_bar_was(
    taught: bool, said: tuple[str, ...], ratio: float
) -> None:
    c = make(**EVERY)
    if taught:
        teach(c, 400, 0.95, 0.5)
    live = c.assess(0, SURE, [view(w) for w in said], (1.0, 1.0), quality=GOOD, volatility_ratio=ratio)
    scores = [live.score]
    for quality in (GOOD, None):
        scores += [c.silent(0, SURE, silent_bars=n, quality=quality).score for n in range(1, 6)]
        assert all(a > b for a, b in pairwise(scores))
        assert scores[-1] == 0.0
        scores = [live.score]


def test_the_same_belief_of_other_members_is_another_question() -> None:
    c = make(**EVERY)
    first = c.assess(0, SURE, [view("bull"), view("bull")], (1.0, 1.0), step=1, quality=GOOD)
    other = c.assess(0, SURE, [view("bear"), view("bull")], (1.0, 1.0), step=1, quality=GOOD)
    assert (first.agreement, other.agreement) == (1.0, 0.5)
    assert c.figures().cache_hits == 0
    assert c.assess(0, SURE, [view("bear"), view("bull")], (1.0, 1.0), step=1, quality=GOOD) == other
    assert c.figures().cache_hits == 1


def random_bars(n: int, seed: int) -> list[tuple]:
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(n):
        p = tuple(rng.dirichlet(np.full(6, 0.3)).tolist())
        label = int(np.argmax(p)) if rng.random() < 0.8 else int(rng.integers(6))
        views = [view(REGIMES[int(k)], float(rng.random())) for k in rng.integers(6, size=3)]
        out.append((label, p, views, float(rng.uniform(0.3, 3.0)), int(rng.integers(1, 200))))
    return out


@pytest.mark.parametrize("cut", [0, 5, 130, 1777])
def test_a_restored_one_goes_on_alike(cut: int) -> None:
    whole, part = make(own_labels=True), make(own_labels=True)
    said = []
    for i, (label, p, views, ratio, bars) in enumerate(random_bars(3000, 5)):
        if i == cut:
            part.load_state(codec.loads(codec.dumps(whole.state())))
        args = {"step": i, "quality": GOOD, "volatility_ratio": ratio, "bars_in_state": bars}
        said.append(whole.assess(label, p, views, (1.0, 2.0, 0.5), **args))
        if i >= cut:
            assert part.assess(label, p, views, (1.0, 2.0, 0.5), **args) == said[-1]
    assert whole.figures() == part.figures()
    assert codec.dumps(whole.state()) == codec.dumps(part.state())
    assert any(s.calibrated for s in said)
    assert len(codec.dumps(whole.state())) < 140_000  # bounded, whatever the past


@pytest.mark.parametrize(
    "bad",
    [
        {"agreement_weight": 0.0, "history_weight": 0.0, "quality_weight": 0.0, "boundary_weight": 0.0},
        {"medium_at": 0.8},
        {"leave_horizon_bars": 25},
        {"wieghts": 1},
    ],
)
def test_refuses_parameters_that_contradict_each_other(bad: dict) -> None:
    with pytest.raises(ValidationError):
        ConfidenceParams(**bad)


def test_hindsight_counts_for_what_it_is_worth() -> None:
    # the same beliefs and the same label in hindsight: once members that agree, once members that do not
    alike, apart = make(own_labels=True), make(own_labels=True)
    sure = [view("bull"), view("bull"), view("bull")]
    torn = [view("bull"), view("bear"), view("sideways")]
    for _ in range(3000):
        for c, views in ((alike, sure), (apart, torn)):
            c.assess(0, SURE, views, (1.0, 1.0, 1.0), quality=GOOD)
    trusted, doubted = alike.figures(), apart.figures()
    assert trusted.outcomes == doubted.outcomes > 400
    assert doubted.hit_rate < trusted.hit_rate < 1.0  # a label is never certain
    last = apart.assess(0, SURE, torn, (1.0, 1.0, 1.0), quality=GOOD)
    assert last.score == pytest.approx(doubted.hit_rate, abs=0.1)


def test_what_the_caller_says_is_certain() -> None:
    c = make(**EVERY)
    teach(c, 400, 1.0, 1.0)
    assert c.figures().hit_rate == 1.0
