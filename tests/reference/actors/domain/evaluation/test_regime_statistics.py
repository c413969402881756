"""Statistics of regimes against numbers worked out by hand, and Wilson's interval against scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.proportion import wilson
from actors.domain.evaluation.regime_statistics import (
    LEAST_RETURNS,
    ProbabilityTotals,
    Spell,
    regime_statistics,
)

# spells: a a | b b b | a | c | b b | a a a a (cut off)
LABELS = list("aabbbacbbaaaa")
CLOSES = [100.0, 110.0, 99.0, 99.0, 108.9, 87.12, 87.12, 87.12, 43.56, 43.56, 43.56, 87.12, 87.12]


def found(labels=LABELS, closes=CLOSES, **more):
    settings = {"periods_per_year": 4.0, "seed": 3} | more
    return regime_statistics(labels, closes, ("c", "a", "b", "d"), **settings)


def test_spells_shares_and_switches_of_a_record_by_hand():
    s = found()
    c, a, b = s.rows
    assert [r.label for r in s.rows] == ["c", "a", "b"]
    assert (a.bars, b.bars, c.bars) == (7, 5, 1)
    assert a.share_frac == 7 / 13
    # the first and the last spell of a are cut: one whole spell of one bar is left
    assert (a.spells, a.mean_bars, a.median_bars, a.longest_bars) == (1, 1.0, 1.0, 4)
    assert (b.spells, b.mean_bars, b.median_bars, b.longest_bars) == (2, 2.5, 2.5, 3)
    assert (s.first_spell, s.last_spell) == (Spell("a", 2), Spell("a", 4))
    assert (s.switches, s.switches_per_1000) == (5, 1000 * 5 / 13)


def test_transitions_and_expected_durations_by_hand():
    s = found()
    # rows and columns c, a, b
    assert s.counts == ((0, 0, 1), (1, 4, 1), (0, 2, 3))
    assert [[e.value for e in row] for row in s.transitions] == [
        [0.0, 0.0, 1.0], [1 / 6, 4 / 6, 1 / 6], [0.0, 2 / 5, 3 / 5],
    ]  # fmt: skip
    c, a, b = s.rows
    assert c.expected_bars.value == 1.0
    assert a.expected_bars.value == pytest.approx(3.0)
    assert b.expected_bars.value == pytest.approx(2.5)
    assert (a.exits, b.exits, c.exits) == (2, 2, 1)
    stay = wilson(4, 6)
    assert a.expected_bars.low == pytest.approx(1 / (1 - stay.low))
    assert a.expected_bars.high == pytest.approx(1 / (1 - stay.high))


def test_a_return_belongs_to_the_regime_known_before_it():
    s = found()
    c, a, b = s.rows
    # returns by bar: 10 % a, -10 % a, 0 b, 10 % b, -20 % b, 0 a, 0 c, -50 % b, 0 b, 0 a, 100 % a, 0 a
    assert (a.return_bars, b.return_bars, c.return_bars) == (6, 5, 1)
    of_a, of_b = np.array([0.1, -0.1, 0.0, 0.0, 1.0, 0.0]), np.array([0.0, 0.1, -0.2, -0.5, 0.0])
    assert a.mean_return_ann.value == pytest.approx(4 * of_a.mean())
    assert b.mean_return_ann.value == pytest.approx(4 * of_b.mean())
    assert a.volatility_ann.value == pytest.approx(2 * of_a.std(ddof=1))
    assert b.volatility_ann.value == pytest.approx(2 * of_b.std(ddof=1))
    # one return has a mean and no deviation; a handful have no interval
    assert (c.mean_return_ann.value, c.volatility_ann.value) == (0.0, None)
    assert a.mean_return_ann.low is None


def test_a_regime_that_is_never_left_has_no_expected_duration():
    s = found(["a"] * 5, [1.0] * 5)
    assert s.transitions[0][0].value == 1.0
    assert s.rows[0].expected_bars.value is None
    assert s.rows[0].expected_bars.high is None
    assert s.rows[0].expected_bars.low > 1.0
    assert (s.rows[0].spells, s.rows[0].mean_bars, s.switches) == (0, None, 0)


def test_bars_without_a_label_part_spells_and_have_no_transitions():
    s = found(["", "a", "b", "", "b", "a"], [1.0] * 6)
    assert (s.bars, s.unlabelled_bars, s.switches) == (6, 2, 2)
    assert s.counts == ((0, 1), (1, 0))
    # every spell touches a bar without a label or an end
    assert [r.spells for r in s.rows] == [0, 0]
    empty = found(["", ""], [1.0, 1.0])
    assert (empty.rows, empty.switches_per_1000, empty.first_spell) == ((), None, None)
    assert found([], []).switches_per_1000 is None


def test_intervals_of_returns_cover_what_made_them():
    rng = np.random.default_rng(11)
    n, inside_mean, inside_vol = 400, 0, 0
    for trial in range(60):
        calm = np.arange(n) % 100 < 50
        r = np.where(calm, 0.001 + 0.01 * rng.standard_normal(n), 0.03 * rng.standard_normal(n))
        closes = np.cumprod(np.concatenate([[100.0], 1 + r]))
        s = found(
            ["a" if c else "b" for c in calm] + ["b"], closes.tolist(), seed=trial, periods_per_year=1.0
        )
        a, b = s.rows
        inside_mean += a.mean_return_ann.low <= 0.001 <= a.mean_return_ann.high
        inside_vol += b.volatility_ann.low <= 0.03 <= b.volatility_ann.high
    # 95 % intervals, 60 trials: below 49 would come by chance less than once in 10,000 times
    assert inside_mean >= 49
    assert inside_vol >= 49


def test_intervals_begin_with_enough_returns_and_depend_on_the_seed_alone():
    closes = [1.0 + 0.1 * (k % 3) for k in range(LEAST_RETURNS + 1)]
    labels = ["a"] * len(closes)
    assert found(labels, closes).rows[0].mean_return_ann.low is not None
    assert found(labels[1:], closes[1:]).rows[0].mean_return_ann.low is None
    assert found(labels, closes) == found(labels, closes)
    assert found(labels, closes) != found(labels, closes, seed=4)


def test_wilson_is_scipys():
    for hits, trials in ((0, 7), (3, 7), (7, 7), (1, 1), (999, 1000), (40, 100)):
        for confidence in (0.8, 0.95, 0.99):
            ours = wilson(hits, trials, confidence=confidence)
            theirs = binomtest(hits, trials).proportion_ci(confidence, method="wilson")
            assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
            assert ours.value == hits / trials


def test_probabilities_by_hand():
    totals = ProbabilityTotals(("c", "a", "b", "d"))
    assert (totals.mean("a"), totals.in_force("a")) == (None, None)
    for label, p in (("a", (0.1, 0.6, 0.2, 0.1)), ("a", (0.0, 0.8, 0.1, 0.1)), ("b", (0.0, 0.1, 0.9, 0.0))):
        totals.add(label, p)
    s = found(["a", "a", "b"], [1.0, 1.0, 1.0], totals=totals)
    a, b = s.rows
    assert a.mean_probability == pytest.approx(0.5)
    assert a.probability_in_force == pytest.approx(0.7)
    assert b.probability_in_force == pytest.approx(0.9)
    assert found().rows[0].mean_probability is None


@pytest.mark.parametrize(
    ("labels", "closes", "says"),
    [(["a"], [1.0, 2.0], "1 and 2"), (["x"], [1.0], "found x"), (["a", "a"], [1.0, 0.0], "above 0"),
     (["a"], [float("nan")], "above 0")],
)  # fmt: skip
def test_it_refuses_what_makes_no_sense(labels, closes, says):
    with pytest.raises(InvalidParamsError, match=says):
        found(labels, closes)


@pytest.mark.parametrize(("hits", "trials", "confidence"), [(3, 2, 0.9), (-1, 2, 0.9), (1, 2, 1.0)])
def test_wilson_refuses_what_is_no_share(hits, trials, confidence):
    with pytest.raises(InvalidParamsError, match="expected 0 <= hits"):
        wilson(hits, trials, confidence=confidence)
