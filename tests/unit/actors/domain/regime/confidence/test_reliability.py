"""How far hindsight is trusted: probabilities, what moves them, where the constants come from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from actors.domain import state as codec
from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation import confidence_tuning as tuning
from actors.domain.evaluation.confidence_markets import FAMILIES
from actors.domain.evaluation.confidence_study import FIRST_JUDGED
from actors.domain.events.regime import REGIMES
from actors.domain.regime.base import Assessment
from actors.domain.regime.confidence.reliability import TERMS, Evidence, LabelReliability, evidence
from actors.domain.regime.confidence.reliability_table import BIASES, COEFFICIENTS, CORRECTION
from cluster.bench import confidence_reliability as bench

BULL = (0.95, 0.01, 0.01, 0.01, 0.01, 0.01)
UNIFORM = (1 / 6,) * 6
ALL_BULL = Evidence((1.0, 0.0, 0.0, 0.0, 0.0, 0.0), BULL, 0.9)
SPLIT = Evidence((1 / 3, 1 / 3, 1 / 3, 0.0, 0.0, 0.0), (0.3, 0.25, 0.25, 0.05, 0.05, 0.1), 0.9)


def settled(heard: Evidence, said: int = 0) -> tuple[float, ...]:
    model = LabelReliability()
    for _ in range(300):
        found = model.shares(said, BULL, heard)
    return found


def test_evidence_is_weighted_and_silent_members_are_left_out() -> None:
    views = [
        Assessment("bull", BULL, 0.9),
        None,
        Assessment("bear", UNIFORM, 0.0),
        Assessment("crash", UNIFORM, 0.5),
    ]
    found = evidence(views, (3.0, 9.0, 9.0, 1.0), 0.4)
    assert found.votes == (0.75, 0.0, 0.0, 0.25, 0.0, 0.0)
    assert found.views[0] == pytest.approx(0.75 * 0.95 + 0.25 / 6)
    assert found.lead == 0.4
    assert evidence([None], (1.0,), 0.0).views == pytest.approx(UNIFORM)


def test_members_that_agree_make_hindsight_believable() -> None:
    agreed, split = settled(ALL_BULL), settled(SPLIT)
    for shares in (agreed, split):
        assert sum(shares) == pytest.approx(1.0)
        assert min(shares) > 0.0
    assert agreed[0] > 0.85 > 2.0 * split[0]


def test_a_crash_in_hindsight_is_seldom_one_where_members_are_unsure() -> None:
    model = LabelReliability()
    heard = Evidence((0.0, 0.0, 0.0, 1 / 3, 2 / 3, 0.0), (0.1, 0.1, 0.1, 0.3, 0.3, 0.1), 0.5)
    for _ in range(100):
        shares = model.shares(3, (0.01, 0.01, 0.01, 0.9, 0.06, 0.01), heard)
    assert shares[3] < 0.5


def test_a_restored_one_goes_on_alike() -> None:
    one, other = LabelReliability(), LabelReliability()
    for _ in range(50):
        one.shares(0, BULL, SPLIT)
    other.load_state(codec.loads(codec.dumps(one.state())))
    assert one.shares(1, BULL, ALL_BULL) == other.shares(1, BULL, ALL_BULL)
    assert codec.dumps(one.state()) == codec.dumps(other.state())


def lesson(n: int, coefficients: list[float], seed: int) -> tuning.Lesson:
    rng = np.random.default_rng(seed)
    terms = rng.standard_normal((n, 6, len(coefficients)))
    shares = tuning.probabilities(terms, np.array(coefficients))
    truth = (shares.cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1)
    return tuning.Lesson(terms, np.minimum(truth, 5), rng.integers(6, size=n))


def test_the_fit_finds_what_made_the_truth_and_states_what_is_right() -> None:
    planted = [
        0.8,
        0.0,
        -0.5,
        1.0,
        0.3,
        0.0,
        -0.2,
        0.6,
        0.0,
        0.4,
        -0.9,
        0.7,
        0.0,
        -0.6,
        0.3,
        0.2,
        0.1,
        -0.3,
        0.5,
        0.0,
        0.2,
    ]
    assert len(planted) == TERMS + 5
    coefficients, biases = tuning.fit([lesson(6000, planted, 1), lesson(6000, planted, 2)])
    assert biases[REGIMES.index("sideways")] == 0.0
    found = [*coefficients, *(b for k, b in enumerate(biases) if REGIMES[k] != "sideways")]
    assert np.abs(np.array(found) - planted).max() < 0.08
    worth = tuning.worth([lesson(6000, planted, 3)], coefficients, biases)
    assert worth.stated == pytest.approx(worth.right, abs=0.02)
    assert worth.ece < 0.03


def test_what_is_fitted_is_what_runs() -> None:
    model, notes = LabelReliability(), tuning._Notes()
    rng = np.random.default_rng(4)
    said, by_model = [], []
    for _ in range(200):
        gamma, views = (tuple(rng.dirichlet(np.full(6, 0.3)).tolist()) for _ in range(2))
        heard = Evidence(tuple(rng.dirichlet(np.ones(6)).tolist()), views, float(rng.random()))
        label = int(rng.integers(6))
        said.append(label)
        by_model.append(model.shares(label, gamma, heard))
        notes.shares(label, gamma, heard)
    flat = np.array([*COEFFICIENTS, *(b for k, b in enumerate(BIASES) if REGIMES[k] != "sideways")])
    expected = np.maximum(tuning.probabilities(np.array(notes.terms), flat), 0.002)  # no regime is ruled out
    expected /= expected.sum(axis=1, keepdims=True)
    terms = np.array(notes.terms)
    kinds = terms[:, :, 2].sum(axis=1) / terms[:, :, 0].sum(axis=1)
    assert kinds.min() < 1.0 < 1.5 < kinds.max()  # not, partly and wholly corrected
    at = np.arange(len(said))
    before = expected[at, said]
    after = before + np.clip((kinds - 1.0) / 0.5, 0.0, 1.0) * (
        np.interp(before, *np.array(CORRECTION).T) - before
    )
    expected *= ((1.0 - after) / (1.0 - before))[:, None]
    expected[at, said] = after
    np.testing.assert_allclose(expected, by_model, atol=1e-12)
    assert notes.said == said


def test_the_correction_rises_from_end_to_end() -> None:
    stated, right = zip(*CORRECTION, strict=True)
    assert CORRECTION[0] == (0.0, 0.0)
    assert CORRECTION[-1] == (1.0, 1.0)
    assert all(a < b for a, b in pairwise(stated))
    assert all(a <= b for a, b in pairwise(right))


def test_the_correction_is_what_was_right_where_many_regimes_are_in_use() -> None:
    # a label of probability 0.5 that is right every fourth time, with six regimes in use; always, with two
    terms = np.zeros((800, 6, 21))
    terms[:, :, 0] = 1.0
    terms[:, 0, 3] = np.log(5.0)
    terms[:400, :, 2], terms[400:, :, 2] = 1.7, 0.6
    truth = np.where(np.arange(800) < 400, np.where(np.arange(800) % 4, 1, 0), 0)
    taught = tuning.Lesson(terms, truth, np.zeros(800, dtype=np.int64))
    found = tuning.correction([taught], [0.0, 0.0, 0.0, 1.0, *[0.0] * (TERMS - 4)], [0.0] * 6)
    assert found == ((0.0, 0.0), (pytest.approx(0.5), pytest.approx(0.25)), (1.0, 1.0))


def test_a_market_too_short_to_teach_is_refused() -> None:
    with pytest.raises(InvalidParamsError, match="of more than 1248 bars"):
        tuning.lesson(tuning.market("chains", 0, 1200))


def test_no_market_of_tuning_judges() -> None:
    assert tuning.FIRST_SEED + tuning.SEEDS_PER_FAMILY * len(FAMILIES) < FIRST_JUDGED


@pytest.mark.native
def test_the_command_prints_what_it_learns_beside_what_is_committed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench.main(["--markets", "1", "--bars", "1500", "--no-progress"]) == 0
    printed = capsys.readouterr().out
    assert f"committed: {list(COEFFICIENTS)}" in printed
    assert f"committed: {list(BIASES)}" in printed
    assert f"committed: {[list(p) for p in CORRECTION]}" in printed
    assert all(f"  {family}: " in printed for family in FAMILIES)


@pytest.mark.native
def test_the_committed_table_states_what_is_right_on_markets_of_tuning() -> None:
    # few markets, so wide bounds; constants share what they explain, so what they state is compared, not they
    some = [tuning.lesson(tuning.market("six", n, 3000)) for n in range(4)]
    committed, mine = tuning.worth(some, COEFFICIENTS, BIASES), tuning.worth(some, *tuning.fit(some))
    assert committed.stated == pytest.approx(mine.stated, abs=0.1)
    assert committed.stated == pytest.approx(committed.right, abs=0.1)
    assert committed.ece < 0.12
    untaught = tuning.worth(some, [1.0, *[0.0] * (TERMS - 1)], [0.0] * 6)  # hindsight as it stands
    assert untaught.stated > untaught.right + 0.05
    assert committed.stated < committed.right + 0.03
    again = tuning.lesson(tuning.market("six", 0, 3000))
    np.testing.assert_array_equal(again.terms, some[0].terms)
