"""Models fitted to one series of returns for the studies: standardised, several starts, states ordered by variance."""

from __future__ import annotations

from math import lgamma
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.kernels import HmmModels, HmmPrior
from actors.domain.regime.study.process import stationary

FloatArray = NDArray[np.float64]
_STICKY_BARS, _DWELL_BARS = 25.0, 50.0
_PRIOR_BARS = 30.0
_LEVELS = (-0.5, 1.0)
"""Log variances, of a standardised series, that the prior gives the calmest and the wildest state."""


class Model(NamedTuple):
    """A fitted hidden Markov model of returns.

    Attributes
    ----------
    centre, scale : float
        Standardise a return with them.
    start, transitions, means, scales : array
        Of states ordered by variance; `scales` are variances, or squared scales of t emissions.
    dof : array or None
    log_likelihood : float
        Of the standardised series.
    """

    centre: float
    scale: float
    start: FloatArray
    transitions: FloatArray
    means: FloatArray
    scales: FloatArray
    dof: FloatArray | None
    log_likelihood: float

    def standardised(self, y: FloatArray) -> FloatArray:
        """Returns as the model sees them, shape (n, 1)."""
        return np.ascontiguousarray(((y - self.centre) / self.scale)[:, None])

    def filtered(self, y: FloatArray) -> FloatArray:
        """Causal probabilities of the states, shape (n, K)."""
        x = self.standardised(y)
        alpha = np.empty((x.shape[0], self.start.shape[0]))
        if self.dof is None:
            kernels.hmm_filter_stream(self.start, self.transitions, self.means, self.scales).run(x, alpha)
        else:
            kernels.hmm_student_stream(
                self.start, self.transitions, self.means, self.scales, self.dof
            ).run(x, alpha)  # fmt: skip
        return alpha

    def path(self, y: FloatArray) -> NDArray[np.int64]:
        """The most likely states of a whole series (sees all of it); Gaussian emissions only."""
        x = self.standardised(y)[:, 0]
        log_b = -0.5 * ((x[:, None] - self.means[:, 0]) ** 2 / self.scales[:, 0] + np.log(self.scales[:, 0]))
        return kernels.hmm_viterbi(log_b, self.start, self.transitions)[0]

    def smoothed(self, y: FloatArray) -> FloatArray:
        """Probabilities of the states of a whole series (sees all of it), shape (n, K)."""
        log_b = np.ascontiguousarray(self._log_density(self.standardised(y)))
        return kernels.hmm_smooth(log_b, self.start, self.transitions)[0]

    def _log_density(self, x: FloatArray) -> FloatArray:
        """Of standardised returns in each state, shape (n, K)."""
        mean, scale = self.means[:, 0], self.scales[:, 0]
        square = (x - mean) ** 2 / scale
        if self.dof is None:
            normal: FloatArray = -0.5 * (square + np.log(2.0 * np.pi * scale))
            return normal
        nu = self.dof
        constant = np.array([lgamma(0.5 * (v + 1.0)) - lgamma(0.5 * v) for v in nu.tolist()])
        heavy: FloatArray = (
            constant - 0.5 * np.log(np.pi * nu * scale) - 0.5 * (nu + 1.0) * np.log1p(square / nu)
        )
        return heavy

    def shares(self) -> FloatArray:
        """Long-run shares of the states."""
        return stationary(self.transitions)


def fit_model(
    y: FloatArray,
    states: int,
    starts: int,
    rng: np.random.Generator,
    *,
    student: bool = False,
    sticky: bool = False,
) -> Model | None:
    """Fit by maximum likelihood, or with a weak prior of states that last and differ; None if no start can be fitted.

    Parameters
    ----------
    y : array, shape (n,)
    states, starts : int
    rng : Generator
        Draws the starts: variances spread around the series' own, transitions that stay.
    student : bool
        t emissions with one fitted number of degrees of freedom.
    sticky : bool
        Add `_STICKY_BARS` bars per state of a mean dwell of `_DWELL_BARS`, and `_PRIOR_BARS` bars per state of mean 0
        and variances spread over `_LEVELS`. A short series that has not left its first state yet would be split by
        likelihood alone into shades of it.
    """
    centre, scale = float(y.mean()), float(y.std()) or 1.0
    x = np.ascontiguousarray(((y - centre) / scale)[:, None])
    levels = np.linspace(-0.8, 0.8, states)
    stay = rng.uniform(0.9, 0.995, (starts, states))
    moves = np.repeat(((1.0 - stay) / max(states - 1, 1))[:, :, None], states, axis=2)
    moves[:, np.arange(states), np.arange(states)] = stay if states > 1 else 1.0
    begin = HmmModels(
        np.full((starts, states), 1.0 / states),
        moves,
        0.3 * rng.standard_normal((starts, states, 1)),
        np.exp(2.0 * levels + 0.5 * rng.standard_normal((starts, states)))[:, :, None],
        np.full((starts, states), 6.0) if student else None,
    )
    prior = None
    if sticky:
        counts = np.full((states, states), _STICKY_BARS / _DWELL_BARS / max(states - 1, 1))
        np.fill_diagonal(counts, _STICKY_BARS * (1.0 - 1.0 / _DWELL_BARS))
        spread = np.exp(np.linspace(*_LEVELS, states))[:, None]
        prior = HmmPrior(
            moves=counts, means=np.zeros((states, 1)), mean_weight=_PRIOR_BARS, scatter=_PRIOR_BARS * spread,
            weight=_PRIOR_BARS,
        )  # fmt: skip
    fits = kernels.hmm_fit(
        x, begin, prior=prior, max_iterations=300, tolerance=1e-5 * len(y), fit_dof=student, min_variance=1e-3
    )
    best = fits.best
    if best is None:
        return None
    found = fits.models.covariances[best]
    order = np.argsort(found[:, 0], kind="stable")
    dof = None if fits.models.dof is None else fits.models.dof[best][order]
    return Model(
        centre, scale, fits.models.start[best][order],
        np.ascontiguousarray(fits.models.transitions[best][np.ix_(order, order)]),
        np.ascontiguousarray(fits.models.means[best][order]), np.ascontiguousarray(found[order]), dof,
        float(fits.log_likelihood[best]),
    )  # fmt: skip
