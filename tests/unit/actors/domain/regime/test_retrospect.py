"""Labels that have since become known: equal to a smoother of the prefix, never early, the same after a restore."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import InvalidParamsError
from actors.domain.regime.retrospect import FixedLagSmoother, Known
from actors.domain.state import dumps, loads

STATES, STAY = 4, 0.95


def chain() -> np.ndarray:
    moves = np.full((STATES, STATES), (1.0 - STAY) / (STATES - 1))
    np.fill_diagonal(moves, STAY)
    return moves


def beliefs(bars: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log likelihoods of a chain's bars, its filtered beliefs, and the chain itself."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.integers(STATES, size=bars // 20 + 1), 20)[:bars]
    log_b = np.ascontiguousarray(
        -0.5 * (truth[:, None] - np.arange(STATES) + rng.standard_normal((bars, 1))) ** 2
    )
    start = np.full(STATES, 1.0 / STATES)
    return log_b, kernels.hmm_forward_filter(log_b, start, chain())[0], truth


def walk(smoother: FixedLagSmoother, alpha: np.ndarray) -> list[tuple[Known, ...]]:
    return [smoother.update(row) for row in alpha.tolist()]


@pytest.mark.parametrize(("lag", "stride"), [(1, 1), (12, 1), (12, 5), (5, 12)])
def test_equals_the_smoother_of_what_was_known_then(lag: int, stride: int):
    log_b, alpha, _ = beliefs(90)
    said = walk(
        FixedLagSmoother(states=STATES, stay_probability=STAY, lag_bars=lag, stride_bars=stride), alpha
    )
    start, seen = np.full(STATES, 1.0 / STATES), []
    for t, known in enumerate(said):
        if known:
            gamma, _ = kernels.hmm_smooth(np.ascontiguousarray(log_b[: t + 1]), start, chain())
        for k in known:
            assert lag <= k.bars_ago <= lag + stride - 1
            assert np.allclose(k.probabilities, gamma[t - k.bars_ago], rtol=0.0, atol=1e-12)
            assert k.label == int(np.argmax(k.probabilities))
            seen.append(t - k.bars_ago)
    # every bar once, in order, none left behind for longer than stated
    assert seen == list(range(len(seen)))
    assert len(seen) > 90 - lag - stride


def test_hindsight_is_righter_than_the_live_belief():
    _, alpha, truth = beliefs(4000)
    said = walk(FixedLagSmoother(states=STATES, stay_probability=STAY, lag_bars=24, stride_bars=8), alpha)
    hits = [(k.label == truth[t - k.bars_ago], int(alpha[t - k.bars_ago].argmax()) == truth[t - k.bars_ago])
            for t, known in enumerate(said) for k in known]  # fmt: skip
    late, live = np.mean(hits, axis=0)
    assert late > live + 0.03


def test_a_label_does_not_know_later_bars():
    _, alpha, _ = beliefs(80)
    changed = np.vstack([alpha[:50], alpha[:49:-1]])
    pair = [
        walk(FixedLagSmoother(states=STATES, stay_probability=STAY, lag_bars=6, stride_bars=4), a)
        for a in (alpha, changed)
    ]
    assert pair[0][:50] == pair[1][:50]
    assert pair[0] != pair[1]


@pytest.mark.parametrize("cut", [0, 3, 6, 17, 40])
def test_a_restored_one_goes_on_alike(cut: int):
    _, alpha, _ = beliefs(60)

    def make() -> FixedLagSmoother:
        return FixedLagSmoother(states=STATES, stay_probability=STAY, lag_bars=6, stride_bars=4)

    whole, first, second = make(), make(), make()
    expected = walk(whole, alpha)
    walk(first, alpha[:cut])
    second.load_state(loads(dumps(first.state())))
    assert walk(second, alpha[cut:]) == expected[cut:]


@pytest.mark.parametrize(
    "params",
    [
        {"states": 1},
        {"stay_probability": 0.1},
        {"stay_probability": 1.0},
        {"lag_bars": 0},
        {"stride_bars": 0},
    ],
)
def test_refuses_what_it_cannot_smooth(params: dict[str, float]):
    with pytest.raises(InvalidParamsError, match="smoother: expected"):
        FixedLagSmoother(**{"states": 4, "stay_probability": 0.9, "lag_bars": 4, **params})


def test_refuses_another_number_of_states():
    with pytest.raises(InvalidParamsError, match="expected 4 probabilities, found 2"):
        FixedLagSmoother(states=4, stay_probability=0.9, lag_bars=4).update((0.5, 0.5))
