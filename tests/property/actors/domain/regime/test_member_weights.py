"""Weights per context keep their regret bounds, stay a distribution, and shrink to the table of all bars."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.errors import InvalidParamsError
from actors.domain.experts import AdaHedge, FixedShare
from actors.domain.regime.member_weights import LearningParams, MemberWeights
from actors.domain.state import dumps, loads

ROUNDS, MEMBERS = 480, 4
CONTEXTS = ("calm", "wild")


def losses(kind: str, t: int, weights: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
    if kind == "stochastic":
        return (rng.random(MEMBERS) < np.linspace(0.3, 0.6, MEMBERS)).astype(float)
    if kind == "switching":
        return 1.0 - np.eye(MEMBERS)[(t // 80) % MEMBERS]
    if kind == "adversarial":
        return np.eye(MEMBERS)[int(np.argmax(weights))]
    return rng.random(MEMBERS)


def play(learner: str, kind: str, bars: int) -> tuple[MemberWeights, dict[str, np.ndarray]]:
    """Rounds of some bars each, contexts in turn; returns what each table was charged, round by round."""
    params = LearningParams(learner=learner, horizon_rounds=80, share_frac=0.01)
    made, rng = MemberWeights(params, (1.0,) * MEMBERS), np.random.default_rng(3)
    charged: dict[str, list[np.ndarray]] = {"": [], **{c: [] for c in CONTEXTS}}
    for t in range(ROUNDS):
        context = CONTEXTS[t % 2]
        table = made.tables.get(context)
        watched = made.tables[""].weights if table is None or kind != "adversarial" else table.weights
        row = np.array([losses(kind, t, watched, rng) for _ in range(bars)])
        for name in ("", context):
            charged[name].append(row.mean(axis=0))
        made.learn([context] * bars, row, (row < 0.5).astype(float))
    return made, {name: np.array(rows) for name, rows in charged.items()}


KINDS = ("stochastic", "switching", "adversarial", "random")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bars", [1, 5])
def test_adahedge_tables_keep_their_bound_in_every_context(kind: str, bars: int):
    made, charged = play("adahedge", kind, bars)
    for name, rows in charged.items():
        table, n = made.tables[name], len(rows)
        assert isinstance(table, AdaHedge)
        best = float(rows.sum(axis=0).min())
        log_n = math.log(MEMBERS)
        bound = 2 * math.sqrt(best * (n - best) / n * log_n) + 16 / 3 * log_n + 2
        assert table.mix_loss - best <= bound


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bars", [1, 5])
def test_fixed_share_tables_keep_their_bound_against_switching_members(kind: str, bars: int):
    made, charged = play("fixed_share", kind, bars)
    for name, rows in charged.items():
        table, n = made.tables[name], len(rows)
        assert isinstance(table, FixedShare)
        spans = n // 80
        comparator = rows.reshape(spans, 80, MEMBERS).sum(axis=1).min(axis=1).sum()
        share = table.share_frac
        cost = math.log(MEMBERS) + (spans - 1) * math.log(MEMBERS / share)
        cost -= (n - spans) * math.log(1 - share + share / MEMBERS)
        assert table.mix_loss - comparator <= cost / table.eta + n * table.eta / 8 + 1e-9


def test_a_context_seldom_seen_says_what_all_say():
    params = LearningParams(horizon_rounds=20, shrink_rounds=20.0)
    made = MemberWeights(params, (1.0, 1.0))
    good_first, good_second = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    for _ in range(60):
        made.learn(["calm"], good_first, 1.0 - good_first)
    made.learn(["wild"], good_second, 1.0 - good_second)
    assert made.weights("never seen") == made.weights("") != (0.5, 0.5)
    # one round of twenty: hardly moved from the table of all bars, and towards its own
    own, general = made.tables["wild"].weights, made.tables[""].weights
    share = 1.0 / 21.0
    assert made.weights("wild") == pytest.approx(
        tuple(share * a + (1 - share) * b for a, b in zip(own, general, strict=True))
    )
    for _ in range(400):
        made.learn(["wild"], good_second, 1.0 - good_second)
        made.learn(["calm"], good_first, 1.0 - good_first)
    assert made.weights("wild")[1] > 0.9
    assert made.weights("calm")[0] > 0.9


def test_silence_is_neither_praised_nor_blamed():
    made = MemberWeights(LearningParams(share_frac=0.0), (1.0, 1.0, 1.0))
    row = np.array([[0.2, 0.8, math.nan]])
    for _ in range(50):
        before = made.weights("")
        made.learn([""], row, np.zeros((1, 3)))
        after = made.weights("")
        assert after[2] == pytest.approx(before[2], rel=0.02)
    assert after[0] > after[2] > after[1]
    made.learn([""], np.full((1, 3), math.nan), np.zeros((1, 3)))
    assert made.weights("") == after
    rows = {r.member: r for r in made.history() if r.context == ""}
    assert (rows[2].bars, rows[2].hit_rate, rows[2].loss) == (0, None, None)
    assert rows[0].loss == pytest.approx(0.2)


@pytest.mark.parametrize("memory", [1, 7, 100, 500])
@given(st.lists(st.tuples(st.integers(1, 48), st.floats(0, 1)), min_size=1, max_size=12))
def test_what_is_told_of_a_member_is_its_mean_until_the_memory_is_full(
    memory: int, rounds: list[tuple[int, float]]
):
    """However the bars come in rounds: each bar k moves the mean by 1 / k, later ones by 1 / memory."""
    made = MemberWeights(LearningParams(memory_bars=memory), (1.0,))
    bars, mean, loss_sum = 0, 0.0, 0.0
    for count, loss in rounds:
        made.learn([""] * count, np.full((count, 1), loss), np.full((count, 1), 1.0 - loss))
        for _ in range(count):
            bars += 1
            mean += max(1.0 / bars, 1.0 / memory) * (loss - mean)
        loss_sum += count * loss
    (row,) = made.history()
    assert row.loss == pytest.approx(mean, abs=1e-12)
    assert row.hit_rate == pytest.approx(1.0 - mean, abs=1e-12)
    if bars <= memory:
        assert row.loss == pytest.approx(loss_sum / bars, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(("", *CONTEXTS)), st.lists(st.floats(0, 1), min_size=3, max_size=3)),
        max_size=40,
    ),
    st.sampled_from(("fixed_share", "adahedge")),
)
def test_weights_are_a_distribution_and_survive_a_restore(rows: list[tuple[str, list[float]]], learner: str):
    made, again = (MemberWeights(LearningParams(learner=learner), (1.0, 2.0, 0.5)) for _ in range(2))
    for context, row in rows:
        made.learn([context], np.array([row]), np.ones((1, 3)))
    again.load_state(loads(dumps(made.state())))
    for context in ("", *CONTEXTS):
        weights = made.weights(context)
        assert min(weights) >= 0.0
        assert math.fsum(weights) == pytest.approx(1.0, abs=1e-12)
        assert again.weights(context) == weights
    assert again.history() == made.history()


def test_refuses_losses_of_another_shape():
    with pytest.raises(InvalidParamsError, match=r"expected shape \(1, 3\), found \(1, 2\)"):
        MemberWeights(LearningParams(), (1.0,) * 3).learn(["a"], np.zeros((1, 2)), np.zeros((1, 2)))
    with pytest.raises(InvalidParamsError, match="expected at least 1"):
        MemberWeights(LearningParams(), ())
