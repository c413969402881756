"""Fits of the detectors against other people's: GARCH by arch, mixtures by scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.regime.clustering import fit_clusters
from actors.domain.regime.garch import fit_garch


def garch_returns(bars: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    e = rng.standard_t(6, bars) * np.sqrt(4 / 6)
    v, out = 1.0, np.empty(bars)
    for t in range(bars):
        out[t] = np.sqrt(v) * e[t]
        v = 0.03 + (0.04 + 0.08 * (out[t] < 0)) * out[t] ** 2 + 0.89 * v
    return out * 0.01


@pytest.mark.parametrize("asymmetric", [False, True])
def test_garch_reaches_the_likelihood_of_arch(asymmetric: bool) -> None:
    arch = pytest.importorskip("arch")
    r = garch_returns(2500, 3)
    peer = arch.arch_model(
        100.0 * r, mean="Zero", vol="GARCH", p=1, o=int(asymmetric), q=1, dist="t", rescale=False
    ).fit(disp="off")
    found = fit_garch(r, asymmetric)
    ours = len(r) * (found["log_likelihood"] - np.log(100.0))
    assert ours >= peer.loglikelihood - 0.05
    assert found["beta"] == pytest.approx(peer.params["beta[1]"], abs=0.02)
    assert found["alpha"] == pytest.approx(peer.params["alpha[1]"], abs=0.02)
    assert found["dof"] == pytest.approx(peer.params["nu"], rel=0.1)


def test_a_mixture_scores_like_scikit_learns() -> None:
    mixture = pytest.importorskip("sklearn.mixture")
    rng = np.random.default_rng(6)
    which = rng.integers(0, 3, 1500)
    x = rng.standard_normal((1500, 4)) @ np.diag([1.0, 0.6, 0.8, 0.5]) + 4.0 * np.eye(4)[which]
    past = np.column_stack([x, 0.01 * rng.standard_normal(1500) * (1.0 + which)])
    model = fit_clusters(past, "gmm", 3, 4, 100, 7, None)
    z = np.clip((x - model["centre"][:4]) / model["scale"][:4], -8.0, 8.0)
    peer = mixture.GaussianMixture(3, n_init=4, random_state=0).fit(z)
    along = np.einsum("kij,nkj->nki", model["roots"], z[:, None, :] - model["means"])
    log_p = model["norms"] - 0.5 * (along**2).sum(axis=2) - 2.0 * np.log(2 * np.pi)
    ours = np.log(np.exp(log_p).sum(axis=1)).mean()
    assert ours >= peer.score(z) - 0.01  # the prior and the ridge cost a little
    hits = [(log_p.argmax(axis=1)[which == k] == c).mean() for k in range(3) for c in range(3)]
    assert sorted(hits)[-3:] == pytest.approx([1.0] * 3, abs=0.02)
    # wider returns, higher level
    assert np.all(np.diff(np.sort(model["level"])) > 0.2)
