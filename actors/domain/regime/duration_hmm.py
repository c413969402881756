"""Hidden semi-Markov model: states whose duration has a shape of its own, read by an exact forward filter.

In a plain hidden Markov model a state is likeliest to end at once, whatever its mean duration. Here a state passes
through `phases` stages that all look alike, so its duration is negative binomial: with more stages it is less likely to
end early or to drag on (Johnson 2005; Langrock and Zucchini 2011). Spelt out in stages the model is an ordinary Markov
chain, so filter, smoother and updates stay exact. Otherwise as `actors.domain.regime.hmm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from actors.domain import kernels
from actors.domain.errors import ConvergenceError
from actors.domain.params import Param
from actors.domain.regime.hmm import Hmm, HmmParams, fit_hmm
from actors.domain.regime.walk_forward import FloatArray
from actors.domain.registry import Params, component

_LEAST_MOVE, _MOST_MOVE = 1e-6, 0.95


class DurationHmmParams(HmmParams):
    """Parameters of `DurationHmm`."""

    phases: int = Param(
        3, ge=1, le=8, low=1, high=5, about="stages of a state; 1 is a plain hidden Markov model"
    )
    duration_iterations: int = Param(12, ge=1, low=5, high=40, about="updates of a fit after the plain one")


@component
class DurationHmm(Hmm):
    """Filters hidden states that last neither too short nor too long and reads each as a mixture of regimes.

    State and warm-up as `Hmm`. O((states · phases)²) per bar.
    """

    Params: ClassVar[type[Params]] = DurationHmmParams
    MEASURES: ClassVar[tuple[str, ...]] = (*Hmm.MEASURES, "leave_frac")

    def _arguments(self) -> tuple[Any, ...]:
        p: Any = self._p
        return (*super()._arguments(), p.phases, p.duration_iterations)

    def _live(self, model: dict[str, Any]) -> Any:
        phases = int(model["phases"])
        start, moves = spelt_out(model["start"], model["leave"], model["follow"], phases)
        # of each stage: the chance that its state ends with this bar
        self._ends = np.zeros(len(start))
        self._ends[phases - 1 :: phases] = model["leave"]
        return kernels.hmm_filter_stream(
            start,
            moves,
            np.repeat(model["means"], phases, axis=0),
            np.repeat(model["variances"], phases, axis=0),
        )

    def _probabilities(self, x: FloatArray) -> Sequence[float]:
        model = self._model
        assert model is not None
        stages = self._running.update(x)
        out: list[float] = stages.reshape(-1, int(model["phases"])).sum(axis=1).tolist()
        return out

    def _live_figures(self) -> tuple[float, ...]:
        return (float(self._running.alpha @ self._ends),)


def spelt_out(
    start: FloatArray, leave: FloatArray, follow: FloatArray, phases: int
) -> tuple[FloatArray, FloatArray]:
    """Return first-bar distribution and transitions of the chain of stages, state by state.

    Parameters
    ----------
    start : array, shape (K,)
    leave : array, shape (K,)
        Chance that a stage ends with a bar; a duration's mean is ``phases / leave``.
    follow : array, shape (K, K)
        Which state follows; zeros on the diagonal.
    phases : int

    Examples
    --------
    >>> start, moves = spelt_out(np.array([0.5, 0.5]), np.array([0.2, 0.4]), np.array([[0.0, 1.0], [1.0, 0.0]]), 2)
    >>> moves.round(2).tolist()[:2]
    [[0.8, 0.2, 0.0, 0.0], [0.0, 0.8, 0.2, 0.0]]
    """
    k = len(leave)
    moves = np.zeros((k * phases, k * phases))
    stage = np.arange(k * phases)
    ends = np.repeat(leave, phases)
    moves[stage, stage] = 1.0 - ends
    inner = stage[stage % phases != phases - 1]
    moves[inner, inner + 1] = ends[inner]
    last, first = stage[phases - 1 :: phases], stage[::phases]
    moves[np.ix_(last, first)] += leave[:, None] * follow
    return np.repeat(start / phases, phases), moves


def fit_duration_hmm(
    past: FloatArray,
    states: int,
    starts: int,
    max_iterations: int,
    seed: int,
    anchor_bars: float,
    mean_dwell_bars: float,
    phases: int,
    duration_iterations: int,
) -> dict[str, Any]:
    """Fit the plain model, then durations of `phases` stages with it, by expectation and maximisation.

    Parameters
    ----------
    past, states, starts, max_iterations, seed, anchor_bars, mean_dwell_bars
        As `actors.domain.regime.hmm.fit_hmm`; the prior is the same, its dwell that of a whole state.
    phases : int
    duration_iterations : int
        Updates at most.

    Returns
    -------
    dict
        As of `fit_hmm`, and ``leave`` (K,), ``follow`` (K, K), ``phases``: see `spelt_out`; ``log_likelihood`` is per
        bar of the whole model.

    Raises
    ------
    ConvergenceError
        If no finite parameters are found.
    """
    model = fit_hmm(past, states, starts, max_iterations, seed, anchor_bars, mean_dwell_bars)
    z = np.clip((past - model["centre"]) / model["scale"], -12.0, 12.0)
    means, variances = model["means"].copy(), model["variances"].copy()
    out = 1.0 - np.diagonal(model["transitions"])
    leave = np.clip(phases * out, _LEAST_MOVE, _MOST_MOVE)
    follow = model["transitions"] * (1.0 - np.eye(states))
    follow /= follow.sum(axis=1, keepdims=True)
    reached, pull = -np.inf, anchor_bars / mean_dwell_bars
    for _ in range(duration_iterations):
        log_b = _log_density(z, means, variances)
        gamma, moved, log_likelihood = _expected(log_b, model["start"], leave, follow, phases)
        if not np.isfinite(log_likelihood):
            raise ConvergenceError(
                "DURATIONS_NOT_FITTED", f"duration_hmm: expected a finite likelihood, found {log_likelihood}"
            )
        if log_likelihood - reached < 1e-4 * len(z):
            break
        reached = log_likelihood
        stays, passes, follows = moved
        passes = passes + phases * pull
        leave = np.clip(passes / (stays + anchor_bars - phases * pull + passes), _LEAST_MOVE, _MOST_MOVE)
        counts = (follows + pull / max(states - 1, 1)) * (1.0 - np.eye(states))
        follow = counts / counts.sum(axis=1, keepdims=True)
        mass = gamma.sum(axis=0)[:, None]
        means = (gamma.T @ z + anchor_bars * model["anchor_means"]) / (mass + anchor_bars)
        about = np.stack([gamma[:, k] @ (z - means[k]) ** 2 for k in range(states)])
        off = means - model["anchor_means"]
        variances = (about + anchor_bars * (model["anchor_variances"] + off * off)) / (mass + anchor_bars)
        variances = np.maximum(variances, 1e-6)
    order = np.argsort(variances[:, 0], kind="stable")
    deviation = model["scale"][0] * np.sqrt(variances[:, 0])
    drift = (model["centre"][0] + model["scale"][0] * means[:, 0]) / deviation
    return model | {
        "start": model["start"][order], "means": means[order], "variances": variances[order],
        "leave": leave[order], "follow": follow[np.ix_(order, order)], "phases": phases,
        "drift": drift[order], "level": np.log(deviation / model["usual"])[order],
        "log_likelihood": float(log_likelihood) / len(z),
    }  # fmt: skip


def _log_density(z: FloatArray, means: FloatArray, variances: FloatArray) -> FloatArray:
    q = ((z[:, None, :] - means) ** 2 / variances).sum(axis=2)
    out: FloatArray = -0.5 * (q + np.log(2.0 * np.pi * variances).sum(axis=1))
    return out


def _expected(
    log_b: FloatArray, start: FloatArray, leave: FloatArray, follow: FloatArray, phases: int
) -> tuple[FloatArray, tuple[FloatArray, FloatArray, FloatArray], float]:
    """Expected states, shape (n, K), and moves: stays and passings of stages per state, and which state follows."""
    k = len(leave)
    first, moves = spelt_out(start, leave, follow, phases)
    wide = np.ascontiguousarray(np.repeat(log_b, phases, axis=1))
    alpha, log_likelihood = kernels.hmm_forward_filter(wide, first, moves)
    gamma, _ = kernels.hmm_smooth(wide, first, moves)
    # not by BLAS: for arrays this thin its threads cost more than the work
    ahead = np.einsum("ti,ij->tj", alpha[:-1], moves)
    share = np.divide(gamma[1:], ahead, out=np.zeros_like(ahead), where=ahead > 0.0)
    joint = moves * np.einsum("ti,tj->ij", alpha[:-1], share)
    # with one stage a state's own stay and its passing to itself are told apart by the zero diagonal of `follow`
    stays = np.diagonal(joint).reshape(k, phases).sum(axis=1)
    passes = joint.sum(axis=1).reshape(k, phases).sum(axis=1) - stays
    follows = joint[phases - 1 :: phases, ::phases]
    return gamma.reshape(len(gamma), k, phases).sum(axis=2), (stays, passes, follows), log_likelihood


DurationHmm.fit = staticmethod(fit_duration_hmm)
