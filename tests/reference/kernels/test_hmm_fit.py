"""Fit, smoother, most likely path and t densities against hmmlearn, SciPy and statsmodels."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest
from scipy import stats

from actors.domain import kernels
from actors.domain.kernels import HmmModels, HmmPrior

hmm = pytest.importorskip("hmmlearn.hmm")


def market(bars: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    p = np.array([[0.97, 0.02, 0.01], [0.04, 0.94, 0.02], [0.02, 0.05, 0.93]])
    state = np.zeros(bars, dtype=int)
    for t in range(1, bars):
        state[t] = rng.choice(3, p=p[state[t - 1]])
    mean = np.array([[0.0, 0.0], [1.0, -0.5], [-1.5, 1.0]])
    return mean[state] + (0.4 + 0.3 * state[:, None]) * rng.standard_normal((bars, 2)), p


def begin(full: bool) -> HmmModels:
    means = np.array([[0.2, 0.1], [0.8, -0.2], [-1.0, 0.5]])
    spread = np.tile(np.eye(2), (3, 1, 1)) if full else np.ones((3, 2))
    return HmmModels(
        np.full((1, 3), 1 / 3), (np.full((3, 3), 0.05) + 0.85 * np.eye(3))[None], means[None], spread[None]
    )


def peer(start: HmmModels, **settings: object) -> object:
    full = start.covariances.ndim == 4
    model = hmm.GaussianHMM(
        3, covariance_type="full" if full else "diag", init_params="", min_covar=0.0, **settings
    )
    model.startprob_, model.transmat_ = start.start[0], start.transitions[0]
    model.means_, model.covars_ = start.means[0], start.covariances[0]
    return model


@pytest.mark.parametrize("full", [False, True])
def test_maximum_likelihood_equals_hmmlearn(full: bool) -> None:
    logging.getLogger("hmmlearn.base").disabled = True
    x, _ = market()
    start = begin(full)
    # hmmlearn divides by max(covars_weight - 1, 0) + Σγ, with full covariances by max(covars_weight - D, 0) + Σγ
    other = peer(start, n_iter=15, tol=-np.inf, covars_prior=0.0, covars_weight=0.0 if full else 1.0).fit(x)
    fits = kernels.hmm_fit(x, start, max_iterations=15, tolerance=-np.inf)
    assert fits.log_likelihood[0] == pytest.approx(other.score(x), rel=1e-8)
    np.testing.assert_allclose(fits.models.means[0], other.means_, atol=1e-8)
    np.testing.assert_allclose(fits.models.transitions[0], other.transmat_, atol=1e-8)
    np.testing.assert_allclose(fits.models.start[0], other.startprob_, atol=1e-8)
    spread = other.covars_ if full else np.array([np.diag(c) for c in other.covars_])
    np.testing.assert_allclose(fits.models.covariances[0], spread, atol=1e-8)


@pytest.mark.parametrize("full", [False, True])
def test_posterior_with_priors_equals_hmmlearn(full: bool) -> None:
    logging.getLogger("hmmlearn.base").disabled = True
    x, _ = market()
    start = begin(full)
    moves, means = 2.0 + 30.0 * np.eye(3), start.means[0] * 1.5
    scatter = 40.0 * (np.tile(np.eye(2), (3, 1, 1)) if full else np.ones((3, 2)))
    other = peer(
        start, n_iter=10, tol=-np.inf, params="tmc", transmat_prior=1.0 + moves, means_prior=means,
        means_weight=25.0, covars_prior=scatter, covars_weight=50.0 + (2 if full else 1),
    ).fit(x)  # fmt: skip
    prior = HmmPrior(moves=moves, means=means, mean_weight=25.0, scatter=scatter, weight=50.0)
    fits = kernels.hmm_fit(x, start, prior=prior, max_iterations=10, tolerance=-np.inf, fit_start=False)
    assert fits.log_likelihood[0] == pytest.approx(other.score(x), rel=1e-8)
    np.testing.assert_allclose(fits.models.means[0], other.means_, atol=1e-8)
    np.testing.assert_allclose(fits.models.transitions[0], other.transmat_, atol=1e-8)
    np.testing.assert_array_equal(fits.models.start[0], start.start[0])


def test_smoother_and_path_equal_hmmlearn() -> None:
    x, _ = market(600)
    x[100] += 30.0
    model = peer(begin(False))
    log_b = model._compute_log_likelihood(x)
    gamma, total = kernels.hmm_smooth(log_b, model.startprob_, model.transmat_)
    np.testing.assert_allclose(gamma, model.predict_proba(x), rtol=0, atol=1e-8)
    assert total == pytest.approx(model.score(x), rel=1e-8)
    states, log_probability = kernels.hmm_viterbi(log_b, model.startprob_, model.transmat_)
    expected, path = model.decode(x)
    np.testing.assert_array_equal(states, path)
    assert log_probability == pytest.approx(expected, rel=1e-8)


def test_t_densities_equal_scipy() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_t(3, (50, 2)) * 3.0
    means, scales, dof = rng.standard_normal((2, 2)), rng.random((2, 2)) + 0.3, np.array([3.5, 8.0])
    density = [
        stats.multivariate_t(loc=m, shape=np.diag(s), df=v).logpdf(x)
        for m, s, v in zip(means, scales, dof, strict=True)
    ]
    pi, moves = np.array([0.3, 0.7]), np.array([[0.9, 0.1], [0.2, 0.8]])
    alpha, total = kernels.hmm_forward_filter(np.ascontiguousarray(np.transpose(density)), pi, moves)
    stream = kernels.hmm_student_stream(pi, moves, means, scales, dof)
    np.testing.assert_allclose([stream.update(row) for row in x], alpha, rtol=0, atol=1e-11)
    assert stream.log_likelihood == pytest.approx(total, rel=1e-11)
    one = HmmModels(pi[None], moves[None], means[None], scales[None], dof[None])
    for spread in (scales[None], np.array([[np.diag(s) for s in scales]])):
        fits = kernels.hmm_fit(x, one._replace(covariances=spread), max_iterations=0)
        assert fits.log_likelihood[0] == pytest.approx(total, rel=1e-11)


def test_t_fit_of_one_state_equals_scipy() -> None:
    x = stats.t.rvs(4.0, loc=1.0, scale=2.0, size=4000, random_state=3)[:, None]
    start = HmmModels(
        np.ones((1, 1)), np.ones((1, 1, 1)), np.zeros((1, 1, 1)), np.ones((1, 1, 1)), np.full((1, 1), 20.0)
    )
    fits = kernels.hmm_fit(x, start, max_iterations=2000, tolerance=1e-10, fit_dof=True)
    dof, loc, scale = stats.t.fit(x[:, 0])
    assert fits.log_likelihood[0] == pytest.approx(stats.t(dof, loc, scale).logpdf(x).sum(), abs=1e-3)
    assert fits.models.dof[0, 0] == pytest.approx(dof, rel=5e-3)
    assert fits.models.means[0, 0, 0] == pytest.approx(loc, abs=5e-3)
    assert np.sqrt(fits.models.covariances[0, 0, 0]) == pytest.approx(scale, rel=5e-3)


def test_filter_and_smoother_equal_statsmodels() -> None:
    regression = pytest.importorskip("statsmodels.tsa.regime_switching.markov_regression")
    x, _ = market(500)
    y = x[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = regression.MarkovRegression(y, k_regimes=2, switching_variance=True)
        stay = np.array([0.97, 0.06])  # P(0→0), P(1→0)
        found = model.smooth(np.concatenate([stay, [0.2, -0.8], [0.5, 1.4]]))
    moves = np.array([[stay[0], 1 - stay[0]], [stay[1], 1 - stay[1]]])
    stationary = np.array([stay[1], 1 - stay[0]]) / (1 - stay[0] + stay[1])
    log_b = stats.norm.logpdf(y[:, None], [0.2, -0.8], np.sqrt([0.5, 1.4]))
    alpha, total = kernels.hmm_forward_filter(log_b, stationary, moves)
    gamma, _ = kernels.hmm_smooth(log_b, stationary, moves)
    np.testing.assert_allclose(alpha, np.asarray(found.filtered_marginal_probabilities), atol=1e-6)
    np.testing.assert_allclose(gamma, np.asarray(found.smoothed_marginal_probabilities), atol=1e-6)
    assert total == pytest.approx(found.llf, rel=1e-6)
