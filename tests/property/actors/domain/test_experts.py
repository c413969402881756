"""Weights stay a distribution, and each scheme keeps its regret bound on losses made to break it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain.errors import InvalidParamsError
from actors.domain.experts import AdaHedge, ExpertWeights, FixedShare, Hedge

T, N = 600, 5
Adversary = Callable[[int, Sequence[float], np.random.Generator], list[float]]


def _stochastic(t: int, w: Sequence[float], rng: np.random.Generator) -> list[float]:
    p = np.linspace(0.3, 0.6, len(w))
    return [float(x) for x in rng.random(len(w)) < p]


def _switching(t: int, w: Sequence[float], rng: np.random.Generator) -> list[float]:
    best = (t // 100) % len(w)
    return [0.0 if i == best else 1.0 for i in range(len(w))]


def _adversarial(t: int, w: Sequence[float], rng: np.random.Generator) -> list[float]:
    """Hit whoever is trusted most."""
    worst = max(range(len(w)), key=lambda i: w[i])
    return [1.0 if i == worst else 0.0 for i in range(len(w))]


def _alternating(t: int, w: Sequence[float], rng: np.random.Generator) -> list[float]:
    """The sequence on which following the leader is always wrong."""
    return [0.5 if t == 0 and i == 0 else float((t + i) % 2) for i in range(len(w))]


def _constant(t: int, w: Sequence[float], rng: np.random.Generator) -> list[float]:
    return [0.5] * len(w)


def _random(t: int, w: Sequence[float], rng: np.random.Generator) -> list[float]:
    return [float(x) for x in rng.random(len(w))]


ADVERSARIES = (_stochastic, _switching, _adversarial, _alternating, _constant, _random)


def _play(scheme: ExpertWeights, adversary: Adversary, rounds: int, seed: int = 0) -> tuple[float, float]:
    """Return (loss of following the weights, loss of the best expert)."""
    rng = np.random.default_rng(seed)
    sums = [0.0] * scheme.n_experts
    followed = 0.0
    for t in range(rounds):
        losses = adversary(t, scheme.weights, rng)
        followed += sum(w * x for w, x in zip(scheme.weights, losses, strict=True))
        sums = [a + b for a, b in zip(sums, losses, strict=True)]
        scheme.update(losses)
    assert scheme.mix_loss == pytest.approx(followed, abs=1e-9)
    return followed, min(sums)


@pytest.mark.parametrize("adversary", ADVERSARIES)
@pytest.mark.parametrize("experts", [2, N])
def test_hedge_regret_is_at_most_its_bound(adversary: Adversary, experts: int) -> None:
    followed, best = _play(Hedge(experts, T), adversary, T)
    assert followed - best <= math.sqrt(T * math.log(experts) / 2) + 1e-9


@pytest.mark.parametrize("adversary", ADVERSARIES)
@pytest.mark.parametrize("experts", [2, N])
def test_adahedge_regret_is_at_most_its_bound(adversary: Adversary, experts: int) -> None:
    followed, best = _play(AdaHedge(experts), adversary, T)
    log_n = math.log(experts)
    assert followed - best <= 2 * math.sqrt(best * (T - best) / T * log_n) + 16 / 3 * log_n + 2


def test_adahedge_with_a_perfect_expert_loses_a_constant() -> None:
    """The bound with L* = 0 does not grow with T: a scheme with a fixed rate would not manage it."""
    scheme = AdaHedge(N)
    for _ in range(20_000):
        scheme.update([1.0, 1.0, 0.0, 1.0, 1.0])
    assert scheme.mix_loss <= 16 / 3 * math.log(N) + 2


@pytest.mark.parametrize("adversary", ADVERSARIES)
def test_fixed_share_regret_against_switching_experts_is_at_most_its_bound(adversary: Adversary) -> None:
    """Against the best sequence of experts with k switches (Herbster & Warmuth), k = T/100 here."""
    k, share = T // 100, 0.01
    scheme = FixedShare(N, T // k, share)
    rng = np.random.default_rng(1)
    table = []
    for t in range(T):
        losses = adversary(t, scheme.weights, rng)
        table.append(losses)
        scheme.update(losses)
    blocks = np.asarray(table).reshape(k, T // k, N).sum(axis=1)
    comparator = blocks.min(axis=1).sum()
    cost = math.log(N) + (k - 1) * math.log(N / share) - (T - k) * math.log(1 - share + share / N)
    assert scheme.mix_loss - comparator <= cost / scheme.eta + T * scheme.eta / 8 + 1e-9


def test_fixed_share_beats_the_best_fixed_expert_when_the_best_changes() -> None:
    followed, best = _play(FixedShare(N, 100, 0.01), _switching, T)
    assert followed < 0.5 * best


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), max_size=60))
def test_weights_are_a_distribution_after_any_losses(rows: list[list[float]]) -> None:
    for scheme in (Hedge(3, 50), FixedShare(3, 50, 0.05), AdaHedge(3)):
        for row in rows:
            scheme.update(row)
            assert min(scheme.weights) >= 0.0
            assert math.fsum(scheme.weights) == pytest.approx(1.0, abs=1e-12)
            if isinstance(scheme, FixedShare):
                assert min(scheme.weights) >= 0.05 / 3 - 1e-15


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=2, max_size=40), st.integers(0, 39)
)
def test_restored_weights_have_the_same_future(rows: list[list[float]], cut: int) -> None:
    for make in (lambda: Hedge(3, 50), lambda: FixedShare(3, 50, 0.05), lambda: AdaHedge(3)):
        one, other = make(), make()
        for i, row in enumerate(rows):
            if i == min(cut, len(rows) - 1):
                other.load_state(one.state())
            one.update(row)
            if i >= min(cut, len(rows) - 1):
                other.update(row)
        assert one.state() == other.state()


@pytest.mark.parametrize("losses", [[0.5], [0.5, 1.1], [0.5, -0.1], [0.5, math.nan]])
def test_unfit_losses_are_refused(losses: list[float]) -> None:
    with pytest.raises(InvalidParamsError):
        Hedge(2, 10).update(losses)


@pytest.mark.parametrize(
    "make", [lambda: Hedge(0, 10), lambda: Hedge(2, 0), lambda: FixedShare(2, 10, 1.0), lambda: AdaHedge(0)]
)
def test_unfit_parameters_are_refused(make: Callable[[], ExpertWeights]) -> None:
    with pytest.raises(InvalidParamsError):
        make()


def test_one_expert_has_all_the_weight() -> None:
    for scheme in (Hedge(1, 10), FixedShare(1, 10, 0.1), AdaHedge(1)):
        scheme.update([0.7])
        assert scheme.weights == (1.0,)
