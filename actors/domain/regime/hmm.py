"""Gaussian hidden Markov model: fitted on past bars only, refitted walk-forward, read by the forward filter.

Baum and Welch's algorithm from several starts; the live view is the filtered distribution (Hamilton 1989), never a
smoothed one. The fit is a maximum a posteriori one: each state has a conjugate prior at one regime's prototype,
worth `anchor_bars` bars, and its chain one at `mean_dwell_bars` (the sticky variant, Fox et al. 2011: large
`anchor_bars` hold the diagonal). Without it the likelihood spends its states on shades of volatility, and which state
means what changes from refit to refit.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, ClassVar

import numpy as np

from actors.domain import kernels
from actors.domain.errors import ConvergenceError
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import Observation
from actors.domain.regime.vocabulary import PROTOTYPES
from actors.domain.regime.walk_forward import (
    QUIET_RANGE,
    FloatArray,
    WalkForward,
    WalkForwardParams,
    standardiser,
    usual_volatility,
)
from actors.domain.registry import Params, component

_CLIP = 12.0  # standard deviations: beyond them a bar says nothing more about the state
_UNSEEN = np.full(2, np.nan)  # has density 1 in every state
_MOST_UNSEEN = 2000  # bars: later the chain is stationary
_RANGE_VARIANCE = 0.17  # of a bar's log range around its level, for a random walk with fat tails
_ANCHORS = (5, 4, 0, 1, 2, 3)  # regimes that fewer than six states stand for: the most different ones first


class HmmParams(WalkForwardParams):
    """Parameters of `Hmm`."""

    states: int = Param(6, ge=2, le=len(REGIMES), low=2, high=6)
    starts: int = Param(3, ge=3, about="starting points of a fit; the best posterior wins", low=3, high=8)
    max_iterations: int = Param(30, ge=1, low=10, high=100, about="updates of a fit")
    anchor_bars: float = Param(
        1000.0, ge=1.0, about="weight of the prior, in bars per state", low=100.0, high=5000.0, log=True
    )
    mean_dwell_bars: float = Param(
        150.0, gt=1.0, about="prior of a state's duration", low=24.0, high=500.0, log=True
    )


@component
class Hmm(WalkForward):
    """Filters hidden states around prototypes of the regimes out of returns and ranges; the prior outweighs the window.

    By default six anchors of 1000 bars each stand against a window of 3000: a fit moves the prototypes and finds no
    states of its own (for that lower `anchor_bars`). Each state is read as a mixture of regimes. `native_label` is
    ``state_k``, states ordered by variance. State: the window of past bars, the fitted model, its filter and a pending
    fit. Warm-up: `min_history_bars` returns and `lag_steps`. O(states²) per bar.
    """

    Params: ClassVar[type[Params]] = HmmParams
    FEATURES: ClassVar[int] = 2
    LIMIT: ClassVar[float] = _CLIP
    MEASURES: ClassVar[tuple[str, ...]] = ("return_sd", "log_range_sd", "log_likelihood")
    FIGURES: ClassVar[tuple[str, ...]] = ("log_likelihood",)

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        self._p: HmmParams = params

    def _skip(self, bars: int) -> None:
        # the chain moves on unseen, towards its stationary distribution
        if self._running is not None:
            for _ in range(min(bars, _MOST_UNSEEN)):
                self._probabilities(_UNSEEN)

    def _features(self, obs: Observation) -> Sequence[float]:
        return obs.log_return, log(max(log(obs.high / obs.low), QUIET_RANGE))

    def _arguments(self) -> tuple[Any, ...]:
        p = self._p
        return p.states, p.starts, p.max_iterations, self.seed, p.anchor_bars, p.mean_dwell_bars

    def _live(self, model: dict[str, Any]) -> Any:
        return kernels.hmm_filter_stream(
            model["start"], model["transitions"], model["means"], model["variances"]
        )

    def _probabilities(self, x: FloatArray) -> Sequence[float]:
        out: list[float] = self._running.update(x).tolist()
        return out


def fit_hmm(
    past: FloatArray,
    states: int,
    starts: int,
    max_iterations: int,
    seed: int,
    anchor_bars: float,
    mean_dwell_bars: float,
    dof: float | None = None,
) -> dict[str, Any]:
    """Fit an HMM with diagonal Gaussian or t emissions and return its parameters.

    Parameters
    ----------
    past : array, shape (n, 2)
        Log return and log range per bar, oldest first.
    states, starts, max_iterations, seed : int
    anchor_bars : float
        Weight of the prior on each state, in bars.
    mean_dwell_bars : float
        Prior mean of a state's duration.
    dof : float, optional
        Degrees of freedom to start from; makes emissions multivariate t, whose degrees are fitted, one value for all.

    Returns
    -------
    dict
        ``centre``, ``scale`` (2,): the scaler, part of the model. ``start`` (K,), ``transitions`` (K, K),
        ``means``, ``variances`` (K, 2) in standardised units, states ordered by the variance of returns;
        ``scales`` (K, 2), ``dof`` (K,), ``common_dof``: of t emissions;
        ``anchor_means``, ``anchor_variances`` (K, 2): the prior's, standardised; ``usual``: usual standard deviation of
        a return; ``drift``, ``level`` (K,): mean over deviation and log deviation over usual of returns in each state;
        ``log_likelihood``: per bar; ``converged``: share of the starts.

    Raises
    ------
    ConvergenceError
        If no start leads to finite parameters.
    """
    centre, scale, z = standardiser(past, _CLIP)
    usual = usual_volatility(past[:, 0])
    means, variances = _anchors(usual, float(np.median(past[:, 1])), centre, scale, states)
    moves = np.full((states, states), anchor_bars / mean_dwell_bars / max(states - 1, 1))
    np.fill_diagonal(moves, anchor_bars * (1.0 - 1.0 / mean_dwell_bars))
    rng = np.random.default_rng(seed)
    # the first start is the prior itself
    jitter = 0.3 * rng.standard_normal((starts, 2, states, 2)) * (np.arange(starts) > 0)[:, None, None, None]
    fits = kernels.hmm_fit(
        z,
        kernels.HmmModels(
            start=np.full((starts, states), 1.0 / states),
            transitions=np.tile(moves / moves.sum(axis=1, keepdims=True), (starts, 1, 1)),
            means=means + jitter[:, 0] * np.sqrt(variances),
            covariances=variances * np.exp(jitter[:, 1]),
            dof=None if dof is None else np.full((starts, states), dof),
        ),
        prior=kernels.HmmPrior(
            moves=moves, means=means, mean_weight=anchor_bars, scatter=anchor_bars * variances, weight=anchor_bars
        ),
        max_iterations=max_iterations,
        tolerance=1e-4 * len(z),
        fit_start=False,
        fit_dof=dof is not None,
        min_variance=1e-6,
    )  # fmt: skip
    best = fits.best
    if best is None:
        raise ConvergenceError(
            "HMM_NOT_FITTED",
            f"hmm: expected finite parameters from one of {starts} starts on {len(z)} bars, found "
            "none; look at the window's data",
        )
    found = scales = fits.models.covariances[best]
    degrees = np.full(states, np.inf)
    if fits.models.dof is not None:
        degrees = fits.models.dof[best]
        found = scales * (degrees / (degrees - 2.0))[:, None]
    order = np.argsort(found[:, 0], kind="stable")
    means_of, deviation = fits.models.means[best][order], scale[0] * np.sqrt(found[order][:, 0])
    return {
        "centre": centre,
        "scale": scale,
        "start": fits.models.start[best][order],
        "transitions": fits.models.transitions[best][np.ix_(order, order)],
        "means": means_of,
        "variances": found[order],
        "scales": scales[order],
        "dof": degrees[order],
        "common_dof": float(degrees[0]),
        "anchor_means": means[order],
        "anchor_variances": variances[order],
        "usual": usual,
        "drift": (centre[0] + scale[0] * means_of[:, 0]) / deviation,
        "level": np.log(deviation / usual),
        "log_likelihood": float(fits.log_likelihood[best]) / len(z),
        "converged": float(fits.converged.mean()),
    }


def _anchors(
    usual: float, usual_log_range: float, centre: FloatArray, scale: FloatArray, states: int
) -> tuple[FloatArray, FloatArray]:
    """Prototypes of the regimes in standardised units: means and variances, shape (states, 2)."""
    means, variances = np.empty((states, 2)), np.empty((states, 2))
    for k in range(states):
        drift, level = PROTOTYPES[_ANCHORS[k]]
        deviation = usual * float(np.exp(level))
        means[k] = (np.array([drift * deviation, usual_log_range + level]) - centre) / scale
        variances[k] = np.array([deviation * deviation, _RANGE_VARIANCE]) / (scale * scale)
    return means, variances


Hmm.fit = staticmethod(fit_hmm)
