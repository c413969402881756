"""Gaussian hidden Markov model: fitted on past bars only, refitted walk-forward, read by the forward filter.

Baum and Welch's algorithm from several starts; the live view is the filtered distribution (Hamilton 1989), never a
smoothed one. The fit is a maximum a posteriori one: each state has a conjugate prior at one regime's prototype,
worth `anchor_bars` bars. Without it the likelihood spends its states on shades of volatility, and which state means
what changes from refit to refit.
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, nan, sqrt
from operator import mul
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from actors.domain import kernels
from actors.domain.errors import ConvergenceError
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner, Refit
from actors.domain.params import Param
from actors.domain.regime.base import UNIFORM, Assessment, Detector, Observation
from actors.domain.regime.vocabulary import PROTOTYPES, UNDECIDED, distinctness, soft_labels, top
from actors.domain.registry import Params, component

FloatArray = NDArray[np.float64]
_CLIP = 12.0  # standard deviations: beyond them a bar says nothing more about the state
_QUIET_RANGE = 1e-6  # range of a bar that did not move; its logarithm must exist
_RANGE_VARIANCE = 0.17  # of a bar's log range around its level, for a random walk with fat tails
_ANCHORS = (5, 4, 0, 1, 2, 3)  # regimes that fewer than six states stand for: the most different ones first


class HmmParams(Params):
    """Parameters of `Hmm`."""

    states: int = Param(default=6, ge=2, le=len(REGIMES), low=2, high=6)
    starts: int = Field(default=3, ge=3, description="starting points of a fit; the best posterior wins")
    max_iterations: int = Field(default=30, ge=1)
    window_bars: int = Param(default=3000, ge=100, about="past that a fit sees", low=1000, high=6000)
    min_history_bars: int = Field(default=400, ge=50, description="bars before the first fit")
    refit_every_bars: int = Field(default=500, ge=1)
    lag_steps: int = Field(default=24, ge=1, description="steps from asking for a fit to using it")
    burn_in_bars: int = Field(default=200, ge=1, description="past bars a new filter is run over")
    anchor_bars: float = Param(
        default=1000.0,
        ge=1.0,
        about="weight of the prior, in bars per state",
        low=100.0,
        high=5000.0,
        log=True,
    )
    mean_dwell_bars: float = Param(
        default=150.0, gt=1.0, about="prior of a state's duration", low=24.0, high=500.0, log=True
    )
    drift_sd: float = Field(default=0.15, gt=0.0, description="width of a prototype when states are read")
    volatility_sd: float = Field(default=0.4, gt=0.0)


@component
class Hmm(Detector):
    """Filters hidden states out of returns and ranges and reads each state as a mixture of regimes.

    `native_label` is ``state_k``, states ordered by variance. State: the window of past bars, the fitted model,
    its filter and a pending fit. Warm-up: `min_history_bars` returns and `lag_steps`. O(states²) per bar.
    """

    Params: ClassVar[type[Params]] = HmmParams
    fit: ClassVar[Callable[..., dict[str, Any]]]
    STATE: ClassVar[tuple[str, ...]] = (
        "_bars", "_window", "_refit", "_model", "_filter", "_native", "_bars_in_state",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: HmmParams = params
        self._p = p
        self.warmup_bars = p.min_history_bars + p.lag_steps + 1
        self._bars = 0  # bars with a return
        self._window = np.full((p.window_bars, 2), nan)  # ring; bar i at row i % window
        self._refit = Refit(fits, name, type(self).fit, p.lag_steps)
        self._model: dict[str, Any] | None = None
        self._filter: Any = None
        self._native = -1
        self._bars_in_state = 0
        self._read_model()

    def update(self, obs: Observation) -> Assessment:
        """Take the next bar and return the view at its close."""
        fitted = self._refit.take(obs.step)
        if fitted is not None:
            self._adopt(fitted)
        r = obs.log_return
        if r != r:  # the first bar has no return
            return Assessment(UNDECIDED, UNIFORM, 0.0)
        p = self._p
        spread = log(max(log(obs.high / obs.low), _QUIET_RANGE))
        self._window[self._bars % p.window_bars] = (r, spread)
        self._bars += 1
        view = Assessment(UNDECIDED, UNIFORM, 0.0) if self._filter is None else self._view(r, spread, obs)
        due = self._bars - p.min_history_bars
        if due >= 0 and due % p.refit_every_bars == 0 and not self._refit.pending:
            self._refit.ask(obs.step, (self._past(p.window_bars), *self._arguments()))
        return view

    def _arguments(self) -> tuple[Any, ...]:
        """Return what the fit takes beside the past."""
        p = self._p
        return p.states, p.starts, p.max_iterations, self.seed, p.anchor_bars, p.mean_dwell_bars

    def _view(self, r: float, spread: float, obs: Observation) -> Assessment:
        (m0, m1), (s0, s1) = self._centre, self._scale
        x = min(max((r - m0) / s0, -_CLIP), _CLIP), min(max((spread - m1) / s1, -_CLIP), _CLIP)
        alpha = self._filter.update(np.array(x)).tolist()
        probabilities = tuple([sum(map(mul, alpha, column)) for column in self._columns])
        state, best = top(alpha), top(probabilities)
        self._bars_in_state = self._bars_in_state + 1 if state == self._native else 1
        self._native = state
        return Assessment(
            label=REGIMES[best],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * obs.quality,
            native_label=f"state_{state}",
            bars_in_state=self._bars_in_state,
        )

    def _past(self, bars: int) -> FloatArray:
        """Return the last `bars` observations, oldest first."""
        count = min(bars, self._bars, self._p.window_bars)
        rows = np.arange(self._bars - count, self._bars) % self._p.window_bars
        out: FloatArray = self._window[rows]
        return out

    def _adopt(self, model: dict[str, Any]) -> None:
        self._model = model
        self._filter = self._new_filter(model)
        self._read_model()
        self._native, self._bars_in_state = -1, 0
        z = (self._past(self._p.burn_in_bars) - model["centre"]) / model["scale"]
        for row in np.clip(z, -_CLIP, _CLIP):
            self._filter.update(row)

    def _new_filter(self, model: dict[str, Any]) -> Any:
        return kernels.hmm_filter_stream(
            model["start"], model["transitions"], model["means"], model["variances"]
        )

    def _read_model(self) -> None:
        """Work out what `_view` needs of the model: plain floats, and each state as a mixture of regimes."""
        model = self._model
        if model is None:
            return
        self._centre = tuple(model["centre"].tolist())
        self._scale = tuple(model["scale"].tolist())
        rows = _mixtures(model, self._p.drift_sd, self._p.volatility_sd)
        self._columns = tuple(zip(*rows, strict=True))

    def state(self) -> dict[str, Any]:
        """Return the state; the filter as its own snapshot."""
        tree = super().state()
        tree["_filter"] = None if self._filter is None else self._filter.snapshot()
        return tree

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; the filter is built from the stored model first."""
        self._filter = None
        super().load_state({**tree, "_filter": None})
        self._read_model()
        if self._model is not None:
            self._filter = self._new_filter(self._model)
            self._filter.restore(tree["_filter"])


def _mixtures(model: dict[str, Any], drift_sd: float, volatility_sd: float) -> list[tuple[float, ...]]:
    """Each state's probabilities over `REGIMES`, from its drift and its volatility against the usual one."""
    scale, centre, usual = float(model["scale"][0]), float(model["centre"][0]), log(model["usual"])
    out = []
    for mean, variance in zip(model["means"][:, 0].tolist(), model["variances"][:, 0].tolist(), strict=True):
        deviation = scale * sqrt(variance)
        drift, level = (centre + scale * mean) / deviation, log(deviation) - usual
        out.append(soft_labels(drift, level, drift_sd=drift_sd, volatility_sd=volatility_sd))
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
        ``scales`` (K, 2), ``dof`` (K,): of t emissions;
        ``usual``: usual standard deviation of a return; ``log_likelihood``: per bar; ``converged``: share of
        the starts.

    Raises
    ------
    ConvergenceError
        If no start leads to finite parameters.
    """
    centre, scale = past.mean(axis=0), past.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    z = np.clip((past - centre) / scale, -_CLIP, _CLIP)
    # median over normal deviates: a few wild bars do not move what is usual
    usual = float(np.median(np.abs(past[:, 0]))) / 0.6745 or float(scale[0])
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
    return {
        "centre": centre,
        "scale": scale,
        "start": fits.models.start[best][order],
        "transitions": fits.models.transitions[best][np.ix_(order, order)],
        "means": fits.models.means[best][order],
        "variances": found[order],
        "scales": scales[order],
        "dof": degrees[order],
        "usual": usual,
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
