"""Forward filter against hmmlearn: the last row of ``predict_proba`` on every prefix, and ``score``."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import kernels

hmm = pytest.importorskip("hmmlearn.hmm")


def fitted(states: int, features: int) -> tuple[object, np.ndarray]:
    rng = np.random.default_rng(states + features)
    model = hmm.GaussianHMM(states, covariance_type="diag", init_params="", params="")
    transitions = rng.random((states, states)) + 5 * np.eye(states)
    model.transmat_ = transitions / transitions.sum(axis=1, keepdims=True)
    model.startprob_ = np.full(states, 1.0 / states)
    model.means_ = rng.standard_normal((states, features))
    model.covars_ = rng.random((states, features)) + 0.3
    x, _ = model.sample(300, random_state=1)
    x[100] += 30.0  # an outlier far from every state
    return model, x


@pytest.mark.parametrize(("states", "features"), [(2, 1), (3, 2), (5, 3)])
def test_filter_and_likelihood_equal_hmmlearn(states: int, features: int) -> None:
    model, x = fitted(states, features)
    variances = np.ascontiguousarray(np.array([np.diag(c) for c in model.covars_]))
    alpha, total = kernels.hmm_forward_filter(
        model._compute_log_likelihood(x), model.startprob_, model.transmat_
    )
    stream = kernels.hmm_filter_stream(model.startprob_, model.transmat_, model.means_, variances)
    live = np.array([stream.update(row) for row in x])
    np.testing.assert_allclose(live, alpha, rtol=0, atol=1e-12)
    for t in [1, 2, 3, 50, 100, 101, 102, 200, 300]:
        expected = model.predict_proba(x[:t])[-1]
        np.testing.assert_allclose(alpha[t - 1], expected, rtol=0, atol=1e-8)
    assert total == pytest.approx(model.score(x), rel=1e-8)
    assert stream.log_likelihood == pytest.approx(model.score(x), rel=1e-8)
