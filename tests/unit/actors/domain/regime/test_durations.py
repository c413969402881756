"""The semi-Markov detector: with one stage a plain model, with more the better one where durations have a shape."""

from __future__ import annotations

from math import log, nan

import numpy as np
import pytest

from actors.domain import kernels, registry
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Observation
from actors.domain.regime.duration_hmm import fit_duration_hmm, spelt_out
from actors.domain.regime.hmm import fit_hmm


def semi_markov(
    bars: int, seed: int, stages: int = 6, mean_bars: float = 60.0
) -> tuple[np.ndarray, np.ndarray]:
    """States in turn whose durations are sums of geometric ones; returns and log ranges told apart by them."""
    rng = np.random.default_rng(seed)
    truth: list[int] = []
    while len(truth) < bars:
        truth += [1 - truth[-1] if truth else 0] * int(rng.geometric(stages / mean_bars, stages).sum())
    states = np.array(truth[:bars])
    sigma = np.where(states, 0.012, 0.006)
    spread = np.log(sigma * 1.6) + 0.4 * rng.standard_normal(bars)
    return states, np.column_stack([rng.standard_normal(bars) * sigma, spread])


def filtered(model: dict, past: np.ndarray, phases: int | None) -> tuple[np.ndarray, float]:
    z = np.clip((past - model["centre"]) / model["scale"], -12.0, 12.0)
    n = phases or 1
    start, moves = (
        spelt_out(model["start"], model["leave"], model["follow"], n)
        if phases
        else (model["start"], model["transitions"])
    )
    q = ((z[:, None, :] - model["means"]) ** 2 / model["variances"]).sum(axis=2)
    log_b = -0.5 * (q + np.log(2.0 * np.pi * model["variances"]).sum(axis=1))
    alpha, total = kernels.hmm_forward_filter(np.ascontiguousarray(np.repeat(log_b, n, axis=1)), start, moves)
    return alpha.reshape(len(z), -1, n).sum(axis=2), total / len(z)


def test_stages_spell_out_a_negative_binomial_duration() -> None:
    _, moves = spelt_out(np.array([1.0, 0.0]), np.array([0.3, 0.5]), np.array([[0.0, 1.0], [1.0, 0.0]]), 3)
    np.testing.assert_allclose(moves.sum(axis=1), 1.0, atol=1e-15)
    inside = moves[:3, :3]
    at, ends = np.array([1.0, 0.0, 0.0]), []
    for _ in range(400):
        ends.append(at[2] * 0.3)
        at = at @ inside
    d = np.arange(1.0, 401.0)
    assert sum(ends) == pytest.approx(1.0, abs=1e-12)
    assert d @ ends == pytest.approx(3 / 0.3, rel=1e-9)
    assert (d - 10) ** 2 @ ends == pytest.approx(3 * 0.7 / 0.09, rel=1e-6)
    assert ends[0] == ends[1] == 0.0


def test_with_one_stage_it_is_the_plain_model() -> None:
    _, past = semi_markov(1500, 1)
    plain = fit_hmm(past, 2, 3, 80, 7, 5.0, 60.0)
    one = fit_duration_hmm(past, 2, 3, 80, 7, 5.0, 60.0, 1, 30)
    np.testing.assert_allclose(1.0 - one["leave"], np.diagonal(plain["transitions"]), atol=2e-3)
    np.testing.assert_allclose(one["means"], plain["means"], atol=2e-2)
    np.testing.assert_allclose(filtered(one, past, 1)[0], filtered(plain, past, None)[0], atol=2e-2)


def test_updates_never_lower_the_likelihood_much_and_durations_are_found() -> None:
    _, past = semi_markov(3000, 2)
    fits = [fit_duration_hmm(past, 2, 3, 40, 7, 2.0, 60.0, 6, n) for n in (1, 2, 4, 8, 16)]
    likelihoods = [f["log_likelihood"] for f in fits]
    assert np.diff(likelihoods).min() > -1e-5  # the prior has a say too
    assert likelihoods[-1] > likelihoods[0]
    np.testing.assert_allclose(6 / fits[-1]["leave"], 60.0, rtol=0.35)


def test_durations_with_a_shape_are_better_foretold_on_bars_not_fitted() -> None:
    better, hits = [], []
    for seed in range(4):
        _, past = semi_markov(2500, seed)
        truth, ahead = semi_markov(2500, 50 + seed)
        plain = fit_hmm(past, 2, 3, 40, 7, 5.0, 60.0)
        shaped = fit_duration_hmm(past, 2, 3, 40, 7, 5.0, 60.0, 5, 20)
        (p, flat), (q, bent) = filtered(plain, ahead, None), filtered(shaped, ahead, 5)
        better.append(bent - flat)
        hits.append((q.argmax(axis=1) == truth).mean() - (p.argmax(axis=1) == truth).mean())
    assert min(better) > 0.002  # nats per bar, in every series
    assert np.mean(hits) > 0.0


def test_the_live_view_is_the_filter_of_the_stages_and_tells_when_the_state_ends() -> None:
    detector = registry.build(
        "actors.domain.regime", "duration_hmm",
        {"min_history_bars": 200, "refit_every_bars": 10_000, "burn_in_bars": 100, "lag_steps": 3, "states": 2},
        fits=InlineFits(), name="x", seed=3,
    )  # fmt: skip
    _, past = semi_markov(500, 3)
    close, rows = 100.0, []
    for i, (r, spread) in enumerate(past.tolist()):
        close *= np.exp(r)
        half = 0.5 * np.exp(spread)
        view = detector.update(
            Observation(i, close * np.exp(half), close * np.exp(-half), close, r if i else nan)
        )
        rows.append((r, log(2.0 * half)))
    model = detector._model
    alpha, _ = filtered(model, np.array(rows)[1:][203 - 1 - 100 :], 3)
    assert view.own_probabilities == pytest.approx(tuple(alpha[-1]), abs=1e-8)
    leave = view.features[detector.MEASURES.index("leave_frac")]
    assert 0.0 <= leave <= max(model["leave"])
