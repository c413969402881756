"""Twin of Baum and Welch's algorithm (see ``hmm_em``): the textbook's scaled recursions, whole arrays at a time.

Sums run in another order than in the native kernel, so both agree to rounding, not to the bit.
"""

from __future__ import annotations

from math import log, pi

import numpy as np

from actors.domain.kernels.twins._grid import FloatArray

_MAX_STATES = 8


def hmm_fit(
    x: FloatArray, start: FloatArray, transitions: FloatArray, means: FloatArray, covariances: FloatArray,
    dof: FloatArray, prior_start: FloatArray, prior_moves: FloatArray, prior_means: FloatArray,
    prior_scatter: FloatArray, mean_weight: float, weight: float, full: bool, max_iterations: int, tolerance: float,
    fit_start: bool, fit_dof: bool, min_variance: float, threads: int, out: FloatArray, /,
) -> None:  # fmt: skip
    """Fit every start in place; rows of `out` are log-likelihood, objective, iterations, converged."""
    starts, k = start.shape
    d = x.shape[1]
    if not 1 <= k <= _MAX_STATES:
        raise ValueError("parameter out of range: a fit needs 1 to 8 states and at least one feature")
    if tolerance != tolerance:
        raise ValueError("parameter out of range: min_variance must be above 0 and tolerance a number")
    if not x.shape[0]:
        raise ValueError("parameter out of range: x must be T x D with at least one row")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise ValueError(f"row {int(np.argmax(bad))}: an observation is not finite")
    shape = (k, d, d) if full else (k, d)
    prior = _Prior(
        prior_start, prior_moves.reshape(k, k), mean_weight, prior_means.reshape(k, d), weight,
        prior_scatter.reshape(shape), full,
    )  # fmt: skip
    for s in range(starts):
        model = _Model(
            start[s], transitions[s].reshape(k, k), means[s].reshape(k, d), covariances[s].reshape(shape),
            dof[s], full,
        )  # fmt: skip
        model.check()
        with np.errstate(all="ignore"):
            out[s] = _climb(x, model, prior, max_iterations, tolerance, fit_start, fit_dof, min_variance)


class _Model:
    """One start: views of the caller's arrays, so changes are seen there."""

    def __init__(
        self, start: FloatArray, moves: FloatArray, means: FloatArray, spread: FloatArray, dof: FloatArray,
        full: bool,
    ) -> None:  # fmt: skip
        self.start, self.moves, self.means, self.spread, self.dof, self.full = (
            start, moves, means, spread, dof, full,
        )  # fmt: skip

    def check(self) -> None:
        """Refuse what is no model."""
        rows = np.vstack([self.start, self.moves])
        if not ((rows >= 0.0).all() and (np.abs(rows.sum(axis=1) - 1.0) <= 1e-6).all()):
            raise ValueError(
                "parameter out of range: pi and the rows of P must be non-negative and sum to 1 within 1e-6"
            )
        if not (np.isfinite(self.means).all() and np.isfinite(self.spread).all()):
            raise ValueError("parameter out of range: means and covariances must be finite")
        if not (self.variances() > 0.0).all():
            raise ValueError("parameter out of range: variances must be positive")
        if not (np.isfinite(self.dof).all() and (self.dof > 0.0).all()):
            raise ValueError("parameter out of range: degrees of freedom must be finite and positive")

    def variances(self) -> FloatArray:
        """Diagonals of the covariances, shape (K, D)."""
        found: FloatArray = np.diagonal(self.spread, axis1=1, axis2=2) if self.full else self.spread
        return found

    def distances(self, x: FloatArray) -> FloatArray | None:
        """Squared Mahalanobis distances, shape (T, K); None if a covariance is not positive definite."""
        away = x[:, None, :] - self.means
        if not self.full:
            near: FloatArray = (away * away / self.spread).sum(axis=2)
            return near
        try:
            roots = np.linalg.inv(np.linalg.cholesky(self.spread))
        except np.linalg.LinAlgError:
            return None
        along = np.einsum("kij,tkj->tki", roots, away)
        far: FloatArray = (along * along).sum(axis=2)
        return far

    def log_density(self, q: FloatArray) -> FloatArray:
        """Log densities from squared distances, shape (T, K)."""
        d = self.means.shape[1]
        half_log_det = 0.5 * (
            np.linalg.slogdet(self.spread)[1] if self.full else np.log(self.spread).sum(axis=1)
        )
        if not self.dof.size:
            gauss: FloatArray = -0.5 * q - 0.5 * d * log(2 * pi) - half_log_det
            return gauss
        nu = self.dof
        from scipy.special import gammaln  # 6 MiB that an agent without such a fit need not hold

        norm = gammaln(0.5 * (nu + d)) - gammaln(0.5 * nu) - 0.5 * d * np.log(nu * pi)
        student: FloatArray = norm - half_log_det - 0.5 * (nu + d) * np.log1p(q / nu)
        return student


class _Prior:
    """Conjugate prior in pseudo-observations."""

    def __init__(
        self, start: FloatArray, moves: FloatArray, mean_weight: float, means: FloatArray, weight: float,
        scatter: FloatArray, full: bool,
    ) -> None:  # fmt: skip
        counts = np.concatenate([start, moves.ravel(), [mean_weight, weight]])
        spread = np.diagonal(scatter, axis1=1, axis2=2) if full else scatter
        sound = np.isfinite(counts).all() and (counts >= 0.0).all() and (spread >= 0.0).all()
        if not (sound and np.isfinite(means).all() and np.isfinite(scatter).all()):
            raise ValueError(
                "parameter out of range: a prior's counts and variances must be finite and not negative"
            )
        self.start, self.moves, self.mean_weight = start, moves, mean_weight
        self.means, self.weight, self.scatter = means, weight, scatter

    def log_density(self, model: _Model) -> float:
        """Log density of a model, up to a constant."""
        total = 0.0
        for counts, p in ((self.start, model.start), (self.moves, model.moves)):
            used = counts > 0.0
            total += float((counts[used] * np.log(p[used])).sum())
        if not (self.weight or self.mean_weight or self.scatter.any()):
            return total
        pull = model.means - self.means
        if not model.full:
            force = self.scatter + self.mean_weight * pull * pull
            return total - 0.5 * float((self.weight * np.log(model.spread) + force / model.spread).sum())
        matrix = self.scatter + self.mean_weight * np.einsum("ki,kj->kij", pull, pull)
        force = np.einsum("kij,kji->", np.linalg.inv(model.spread), matrix)
        return total - 0.5 * float(self.weight * np.linalg.slogdet(model.spread)[1].sum() + force)


def _climb(
    x: FloatArray, model: _Model, prior: _Prior, max_iterations: int, tolerance: float, fit_start: bool,
    fit_dof: bool, min_variance: float,
) -> list[float]:  # fmt: skip
    lost = [float("nan")] * 4
    before, done = -np.inf, 0
    while True:
        q = model.distances(x)
        if q is None:
            return lost
        found = _recursions(model, model.log_density(q))
        if found is None:
            return lost
        log_likelihood, gamma, moves = found
        objective = log_likelihood + prior.log_density(model)
        if not np.isfinite(objective):
            return lost
        if done and objective - before < tolerance and done < max_iterations:
            return [log_likelihood, objective, float(done), 1.0]
        if done == max_iterations:
            return [log_likelihood, objective, float(done), 0.0]
        before = objective
        if not np.isfinite(gamma).all():
            return lost
        _maximise(x, model, prior, q, gamma, moves, fit_start, fit_dof, min_variance)
        done += 1


def _recursions(model: _Model, log_b: FloatArray) -> tuple[float, FloatArray, FloatArray] | None:
    """Return log-likelihood, responsibilities (T, K) and expected transitions (K, K)."""
    bars, k = log_b.shape
    p = model.moves
    alpha, dense, total = np.empty((bars, k)), np.empty((bars, k)), 0.0
    prior = model.start
    for t in range(bars):
        reached = prior > 0.0
        top = log_b[t][reached].max() if reached.any() else -np.inf
        if not np.isfinite(top):
            return None
        b = np.where(reached, np.exp(np.minimum(log_b[t] - top, 0.0)), 0.0)
        u = prior * b
        c = u.sum()
        if not (c > 0.0 and np.isfinite(c)):
            return None
        total += top + log(c)
        now = u / c
        now[now <= 1e-280] = 0.0
        alpha[t], dense[t] = now, b / c
        prior = now @ p
    back = np.empty((bars, k))
    back[-1] = 1.0
    for t in range(bars - 1, 0, -1):
        back[t - 1] = np.minimum(p @ (dense[t] * back[t]), 1e290)
    moves = p * (alpha[:-1].T @ (dense[1:] * back[1:]))
    return total, alpha * back, moves


def _maximise(
    x: FloatArray, model: _Model, prior: _Prior, q: FloatArray, gamma: FloatArray, moves: FloatArray,
    fit_start: bool, fit_dof: bool, min_variance: float,
) -> None:  # fmt: skip
    k, d = model.means.shape
    if fit_start:
        counts = prior.start + gamma[0]
        if counts.sum() > 0.0:
            model.start[:] = counts / counts.sum()
    counts = prior.moves + moves
    rows = counts.sum(axis=1)
    model.moves[rows > 0.0] = counts[rows > 0.0] / rows[rows > 0.0, None]
    mass = gamma.sum(axis=0)
    w, term = gamma, 0.0
    if model.dof.size:
        robust = (model.dof + d) / (model.dof + q)
        w = gamma * robust
        term = float((gamma * np.log(robust) - w).sum())
    for s in range(k):
        weight = float(w[:, s].sum())
        whole, spread_mass = prior.mean_weight + weight, prior.weight + float(mass[s])
        if not (whole > 1e-8 and spread_mass > 1e-8):
            continue
        old = model.means[s].copy()
        away = x - old
        first = w[:, s] @ away
        to_prior = prior.means[s] - old
        shift = (prior.mean_weight * to_prior + first) / whole
        pull = shift - to_prior
        model.means[s] = old + shift
        second = (w[:, s, None] * away).T @ away
        about = second - np.outer(first, shift) - np.outer(shift, first) + weight * np.outer(shift, shift)
        about = about + prior.mean_weight * np.outer(pull, pull)
        if model.full:
            v = (prior.scatter[s] + about) / spread_mass
            np.fill_diagonal(v, np.maximum(np.diag(v), min_variance))
            model.spread[s] = v
        else:
            v = (prior.scatter[s] + np.diag(about)) / spread_mass
            model.spread[s] = np.maximum(v, min_variance)
    if fit_dof and model.dof.size:
        from scipy.special import digamma

        half = 0.5 * (float(model.dof[0]) + d)
        level = 1.0 + term / float(mass.sum()) + float(digamma(half)) - log(half)
        model.dof[:] = _dof_root(level)


def _dof_root(level: float) -> float:
    from scipy.special import digamma

    low, high = log(2.1), log(200.0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        nu = float(np.exp(middle))
        if log(0.5 * nu) - float(digamma(0.5 * nu)) + level > 0.0:
            low = middle
        else:
            high = middle
    return float(np.exp(0.5 * (low + high)))
