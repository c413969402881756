"""Jump model against jumpmodels, change points against every segmentation one by one, GARCH against arch."""

from __future__ import annotations

import itertools
import warnings
from math import exp, lgamma, log, pi

import numpy as np
import pytest

from actors.domain import kernels


def market(bars: int, seed: int = 4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    state = (np.arange(bars) // 70 % 2).astype(float)
    x = np.column_stack([state + rng.standard_normal(bars), 2.0 * state + 1.5 * rng.standard_normal(bars)])
    return (x - x.mean(axis=0)) / x.std(axis=0)


@pytest.mark.parametrize("penalty", [0.0, 2.0, 20.0])
def test_discrete_jump_model_equals_jumpmodels(penalty: float) -> None:
    jump = pytest.importorskip("jumpmodels.jump")
    x = market(1000)
    peer = jump.JumpModel(n_components=2, jump_penalty=penalty, cont=False, n_init=1, random_state=0)
    start = np.array([[-0.5, -0.4], [0.6, 0.3]])
    peer.init_centers = lambda _: start[None]
    peer.fit(x, sort_by="freq")
    found = kernels.jump_fit(x, start[None], penalty)
    assert found.objective[0] == pytest.approx(peer.val_, rel=1e-10)
    order = np.argsort(found.centres[:, 0]), np.argsort(np.asarray(peer.centers_)[:, 0])
    np.testing.assert_allclose(found.centres[order[0]], np.asarray(peer.centers_)[order[1]], atol=1e-9)
    # the online decode of the same model
    online = np.asarray(peer.predict_online(x))
    values = np.empty((1000, 2))
    kernels.jump_stream(np.ascontiguousarray(np.asarray(peer.centers_)), penalty).run(x, values)
    np.testing.assert_array_equal(values.argmin(axis=1), online)


@pytest.mark.parametrize("mode_loss", [False, True])
def test_continuous_jump_model_equals_jumpmodels(mode_loss: bool) -> None:
    jump = pytest.importorskip("jumpmodels.jump")
    x = market(400)
    peer = jump.JumpModel(
        n_components=2, jump_penalty=30.0, cont=True, grid_size=0.05, mode_loss=mode_loss, n_init=1
    )
    start = np.array([[-0.5, -0.4], [0.6, 0.3]])
    peer.init_centers = lambda _: start[None]
    peer.fit(x, sort_by="freq")
    found = kernels.jump_fit(x, start[None], 30.0, grid_step=0.05, mode_loss=mode_loss)
    assert found.objective[0] == pytest.approx(peer.val_, rel=1e-9)


def test_without_penalty_it_is_k_means() -> None:
    cluster = pytest.importorskip("sklearn.cluster")
    x = market(500)
    start = x[[3, 80, 200]]
    peer = cluster.KMeans(3, init=start, n_init=1, tol=0.0, max_iter=1000).fit(x)
    found = kernels.jump_fit(x, start[None].copy(), 0.0)
    assert 2.0 * found.objective[0] == pytest.approx(peer.inertia_, rel=1e-9)
    np.testing.assert_array_equal(found.labels, peer.labels_)


def evidence(x: np.ndarray, mean: float, kappa: float, alpha: float, beta: float) -> float:
    """Log marginal likelihood of one segment under the normal-inverse-gamma prior, in closed form."""
    n = x.shape[0]
    if not n:
        return 0.0
    after = beta + 0.5 * ((x - x.mean()) ** 2).sum() + 0.5 * kappa * n / (kappa + n) * (x.mean() - mean) ** 2
    return (
        lgamma(alpha + 0.5 * n) - lgamma(alpha) + alpha * log(beta) - (alpha + 0.5 * n) * log(after)
        + 0.5 * log(kappa / (kappa + n)) - 0.5 * n * log(2.0 * pi)
    )  # fmt: skip


def test_change_points_equal_all_segmentations() -> None:
    x = np.array([0.1, -0.3, 0.2, 2.9, 3.3, 2.8, 3.0, -0.1, 0.2])
    hazard, prior, near = 0.2, (0.5, 0.8, 1.3, 0.6), 2
    live = kernels.bocpd_stream(
        hazard, mean=prior[0], kappa=prior[1], alpha=prior[2], beta=prior[3], max_run=50, recent_bars=near
    )
    total = 0.0
    for t in range(1, len(x) + 1):
        runs = np.zeros(t + 1)
        # after each bar either a change or none; the segment that is open at the end has `run` bars
        for changes in itertools.product((False, True), repeat=t):
            weight, begin = 1.0, 0
            for i, change in enumerate(changes):
                weight *= hazard if change else 1.0 - hazard
                if change:
                    weight *= exp(evidence(x[begin : i + 1], *prior))
                    begin = i + 1
            runs[t - begin] += weight * exp(evidence(x[begin:t], *prior))
        recent, mean_run, likely, surprise = live.update(x[t - 1])
        before, total = total, runs.sum()
        p = runs / total
        assert recent == pytest.approx(p[: near + 1].sum(), rel=1e-10)
        assert mean_run == pytest.approx((p * np.arange(t + 1)).sum(), rel=1e-10)
        assert likely == p.argmax()
        assert surprise == pytest.approx(-log(total / before) if before else -log(total), abs=1e-10)


@pytest.mark.parametrize("dist", ["normal", "t"])
@pytest.mark.parametrize("gamma", [0.0, 0.09])
def test_garch_equals_arch(dist: str, gamma: float) -> None:
    arch = pytest.importorskip("arch")
    r = np.random.default_rng(5).standard_t(6, 800)
    model = arch.arch_model(r, mean="Zero", vol="GARCH", p=1, o=int(gamma > 0), q=1, dist=dist, rescale=False)
    numbers = [0.07, 0.05, *([gamma] if gamma else []), 0.86, *([7.0] if dist == "t" else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = model.fix(numbers)
    variances, total = kernels.garch_filter(
        r, omega=0.07, alpha=0.05, gamma=gamma, beta=0.86, dof=7.0 if dist == "t" else np.inf
    )
    np.testing.assert_allclose(variances[:-1], np.asarray(peer.conditional_volatility) ** 2, rtol=1e-10)
    assert total == pytest.approx(peer.loglikelihood, rel=1e-10)
    forecast = peer.forecast(horizon=1, reindex=False).variance.to_numpy()[-1, 0]
    assert variances[-1] == pytest.approx(forecast, rel=1e-10)
