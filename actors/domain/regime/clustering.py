"""Market states by clustering: a Gaussian mixture or k-means over causal features, aligned across refits.

A refit may number its clusters anew; the Hungarian method (Kuhn 1955) on the distances of centres gives each new
cluster the number of the old one that it continues. What a cluster means is read from the returns inside it, so its
number never matters for the probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log
from typing import Any, ClassVar, Literal

import numpy as np

from actors.domain import kernels
from actors.domain.errors import ConvergenceError
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import Observation
from actors.domain.regime.starts import kmeans_starts
from actors.domain.regime.walk_forward import (
    QUIET_RANGE,
    FloatArray,
    Smooth,
    WalkForward,
    WalkForwardParams,
    standardiser,
    state_moments,
)
from actors.domain.registry import Params, component

_USED = 4  # features that clusters are found in; the last column is the return itself


class ClusteringParams(WalkForwardParams):
    """Parameters of `Clustering`."""

    method: Literal["gmm", "kmeans"] = Param("gmm", choices=("gmm", "kmeans"))
    clusters: int = Param(4, ge=2, le=8, low=2, high=6)
    starts: int = Param(5, ge=1, low=2, high=10, about="k-means++ starts of a fit")
    max_iterations: int = Param(60, ge=1, low=20, high=200, about="updates of the mixture")
    fast_half_life_bars: float = Param(8.0, gt=0.0, low=4.0, high=24.0)
    slow_half_life_bars: float = Param(48.0, gt=0.0, low=24.0, high=168.0)


class _Alone:
    """A model without memory from bar to bar."""

    def snapshot(self) -> bytes:
        return b""

    def restore(self, data: bytes) -> None:
        del data


@component
class Clustering(WalkForward):
    """Says which cluster of past bars the present one resembles; no memory beyond its features.

    `native_label` is ``state_k`` with numbers kept across refits. State: four smoothed moments, the window and the
    model. Warm-up: `min_history_bars` returns and `lag_steps`. O(clusters · features²) per bar.

    Attributes
    ----------
    alignment : float or None
        Mean distance, in standard deviations of the new fit, that centres moved at the last refit.
    churn : float or None
        Share of the bars of the last refit's window that changed their cluster.
    """

    Params: ClassVar[type[Params]] = ClusteringParams
    FEATURES: ClassVar[int] = _USED + 1
    MEASURES: ClassVar[tuple[str, ...]] = (
        "drift_sd", "fast_volatility_sd", "slow_volatility_sd", "log_range_sd", "return_sd", "alignment", "churn_frac",
    )  # fmt: skip
    FIGURES: ClassVar[tuple[str, ...]] = ("alignment", "churn")
    STATE: ClassVar[tuple[str, ...]] = ("_smooth",)

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        self._p: ClusteringParams = params
        self._smooth = Smooth(self._p.fast_half_life_bars, self._p.slow_half_life_bars)

    @property
    def alignment(self) -> float | None:
        """See the class."""
        return self._figure("alignment")

    @property
    def churn(self) -> float | None:
        """See the class."""
        return self._figure("churn")

    def _figure(self, name: str) -> float | None:
        value = None if self._model is None else float(self._model[name])
        return None if value is None or value != value else value

    def _features(self, obs: Observation) -> Sequence[float]:
        spread = log(max(log(obs.high / obs.low), QUIET_RANGE))
        return (*self._smooth.update(obs.log_return), spread, obs.log_return)

    def _arguments(self) -> tuple[Any, ...]:
        p, before = self._p, self._model
        kept = (
            None if before is None else {k: before[k] for k in ("centre", "scale", "means", "roots", "norms")}
        )
        return p.method, p.clusters, p.starts, p.max_iterations, self.seed, kept

    def _live(self, model: dict[str, Any]) -> Any:
        return _Alone()

    def _probabilities(self, x: FloatArray) -> Sequence[float]:
        model = self._model
        assert model is not None
        log_p = _log_posterior(x[None, :_USED], model)[0].tolist()
        highest = max(log_p)
        raw = [exp(v - highest) for v in log_p]
        total = sum(raw)
        return [r / total for r in raw]


def _log_posterior(x: FloatArray, model: dict[str, Any]) -> FloatArray:
    """Log of share times density, up to a constant, shape (n, K)."""
    along = np.einsum("kij,nkj->nki", model["roots"], x[:, None, :] - model["means"])
    out: FloatArray = model["norms"] - 0.5 * (along * along).sum(axis=2)
    return out


def fit_clusters(
    past: FloatArray, method: str, clusters: int, starts: int, max_iterations: int, seed: int,
    before: dict[str, Any] | None,
) -> dict[str, Any]:  # fmt: skip
    """Fit clusters to features whose last column is the return, which is only used to read them.

    Parameters
    ----------
    past : array, shape (n, 5)
    method : {"gmm", "kmeans"}
    clusters, starts, max_iterations, seed : int
    before : dict, optional
        The model so far; its numbers are kept.

    Returns
    -------
    dict
        ``centre``, ``scale`` (5,), ``means`` (K, 4), ``roots`` (K, 4, 4; whiten a cluster), ``norms`` (K,), ``drift``,
        ``level`` (K,), ``alignment`` and ``churn``; nan without a model before.

    Raises
    ------
    ConvergenceError
        If the mixture cannot be fitted.
    """
    centre, scale, z = standardiser(past)
    x = np.ascontiguousarray(z[:, :_USED])
    rough = kernels.jump_fit(x, kmeans_starts(x, clusters, starts, seed), 0.0, max_iterations=300)
    model: dict[str, Any] = {"centre": centre, "scale": scale}
    if method == "gmm":
        model |= _mixture(x, rough.centres, rough.labels, max_iterations)
    else:
        # k-means: one round width for all, that of the bars around their centres
        spread = max(2.0 * rough.objective[rough.best] / x.size, 1e-6)
        model |= {
            "means": rough.centres,
            "roots": np.tile(np.eye(_USED) / spread**0.5, (clusters, 1, 1)),
            "norms": np.zeros(clusters),
        }
    order, alignment, churn = _aligned(past, x, model, before)
    model |= {name: np.ascontiguousarray(model[name][order]) for name in ("means", "roots", "norms")}
    log_p = _log_posterior(x, model)
    shares = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    drift, level = state_moments(past[:, -1], shares / shares.sum(axis=1, keepdims=True))
    return model | {"drift": drift, "level": level, "alignment": alignment, "churn": churn}


def _mixture(x: FloatArray, centres: FloatArray, labels: Any, max_iterations: int) -> dict[str, Any]:
    """Gaussian mixture with full covariances by EM from the k-means clusters; a ridge keeps it from collapsing."""
    n, d = x.shape
    k = centres.shape[0]
    shares = np.eye(k)[labels] * 0.9 + 0.1 / k
    ridge, prior, bound = 1e-3 * np.eye(d), 5.0, -np.inf
    for _ in range(max_iterations):
        mass = shares.sum(axis=0)
        means = shares.T @ x / mass[:, None]
        away = x[:, None, :] - means
        spread = np.einsum("nk,nki,nkj->kij", shares, away, away) + prior * np.eye(d)
        spread = spread / (mass + prior)[:, None, None] + ridge
        try:
            roots = np.linalg.inv(np.linalg.cholesky(spread))
        except np.linalg.LinAlgError as e:
            raise ConvergenceError(
                "CLUSTERS_NOT_FITTED", f"clustering: expected positive definite covariances, found {e}"
            ) from e
        norms = np.log(mass / n) + np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
        log_p = _log_posterior(x, {"means": means, "roots": roots, "norms": norms})
        highest = log_p.max(axis=1, keepdims=True)
        joint = np.exp(log_p - highest)
        total = joint.sum(axis=1, keepdims=True)
        shares = joint / total
        now = float((np.log(total) + highest).mean())
        if now - bound < 1e-5:
            break
        bound = now
    return {"means": means, "roots": roots, "norms": norms}


def _aligned(
    past: FloatArray, x: FloatArray, model: dict[str, Any], before: dict[str, Any] | None
) -> tuple[Any, float, float]:
    """Return the order that continues the old numbers, how far centres moved, and which share of bars changed."""
    from scipy.optimize import linear_sum_assignment

    means = model["means"]
    if before is None or before["means"].shape != means.shape:
        # by fast volatility, so that the first numbering does not depend on the draw
        return np.argsort(means[:, 1], kind="stable"), float("nan"), float("nan")
    raw = before["means"] * before["scale"][:_USED] + before["centre"][:_USED]
    moved = (raw - model["centre"][:_USED]) / model["scale"][:_USED]
    apart = np.linalg.norm(moved[:, None, :] - means[None, :, :], axis=2)
    rows, order = linear_sum_assignment(apart)
    then = _log_posterior((past[:, :_USED] - before["centre"][:_USED]) / before["scale"][:_USED], before)
    now = _log_posterior(x, {name: model[name][order] for name in ("means", "roots", "norms")})
    churn = float((then.argmax(axis=1) != now.argmax(axis=1)).mean())
    return order, float(apart[rows, order].mean()), churn


Clustering.fit = staticmethod(fit_clusters)
