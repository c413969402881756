"""Statistical jump model, decoded online: persistent states by a penalty on every change of state.

Features are causal and smooth: drift over volatility at a slow half-life, log volatility at a fast and a slow one
(Shu, Yu and Mulvey 2024 use such features). Centres are frozen between refits and the live label is the online decode
of Nystrup, Lindström and Madsen (2020), so a label once given never changes. The penalty is chosen at every refit by
how well the states decoded online on the newest third of the window foretell the next return, fitted on the rest:
never by fit. The continuous model (Aydınhan, Kolm, Mulvey and Shu 2024) lets the state be a point of the simplex, so
that probabilities are the model's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, exp, inf, lgamma, log, pi
from typing import Any, ClassVar

import numpy as np
from pydantic import field_validator, model_validator

from actors.domain import kernels
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import Observation
from actors.domain.regime.mixtures import MixtureDecode
from actors.domain.regime.starts import kmeans_starts
from actors.domain.regime.walk_forward import (
    CLIP,
    FloatArray,
    Smooth,
    WalkForward,
    WalkForwardParams,
    standardiser,
    state_moments,
)
from actors.domain.registry import Params, component

MOST_POINTS = 500
_DOF = 5.0  # of the t density that returns are foretold with
_LOG_T = lgamma(0.5 * (_DOF + 1.0)) - lgamma(0.5 * _DOF) - 0.5 * log(pi * (_DOF - 2.0))


class JumpParams(WalkForwardParams):
    """Parameters of `Jump`."""

    states: int = Param(3, ge=2, le=6, low=2, high=4)
    penalties: tuple[float, ...] = (5.0, 15.0, 50.0, 150.0)
    starts: int = Param(5, ge=1, low=2, high=10, about="k-means++ starts of a fit; the best objective wins")
    fast_half_life_bars: float = Param(8.0, gt=0.0, low=4.0, high=24.0)
    slow_half_life_bars: float = Param(48.0, gt=0.0, low=24.0, high=168.0)
    temperature: float = Param(
        10.0, gt=0.0, low=2.0, high=50.0, about="what a value over the best counts as one e-fold"
    )
    continuous: bool = Param(False, about="whether a state may be a mixture of states")
    grid_step: float = Param(0.1, gt=0.0, le=0.5, about="of the mixtures: 1 over a whole number")

    @field_validator("penalties")
    @classmethod
    def _sound(cls, penalties: tuple[float, ...]) -> tuple[float, ...]:
        if not penalties or not all(0.0 <= p < inf for p in penalties):
            raise ValueError("penalties must be one or more finite numbers, none below 0")
        return penalties

    @model_validator(mode="after")
    def _grid(self) -> JumpParams:
        if self.continuous:
            points = comb(round(1.0 / self.grid_step) + self.states - 1, self.states - 1)
            if abs(round(1.0 / self.grid_step) * self.grid_step - 1.0) > 1e-9 or points > MOST_POINTS:
                raise ValueError(
                    f"grid_step: expected 1 over a whole number and at most {MOST_POINTS} mixtures of {self.states} "
                    f"states, found {self.grid_step}, which gives {points}"
                )
        return self


@component
class Jump(WalkForward):
    """Reads persistent states out of smoothed drift and volatility.

    `native_label` is ``state_k``, states ordered by volatility. Probabilities of the states are ``exp(−V/temperature)``
    of their values over the best; of a continuous model the mean of the mixtures with those weights. State: four
    smoothed moments, the window, the model and its values. Warm-up: `min_history_bars` returns and `lag_steps`.
    O(states · features) per bar, continuous O(mixtures²).
    """

    Params: ClassVar[type[Params]] = JumpParams
    FEATURES: ClassVar[int] = 4
    MEASURES: ClassVar[tuple[str, ...]] = (
        "drift_sd", "fast_volatility_sd", "slow_volatility_sd", "return_sd", "penalty", "switches_per_1000",
    )  # fmt: skip
    FIGURES: ClassVar[tuple[str, ...]] = ("penalty", "switches_per_1000")
    STATE: ClassVar[tuple[str, ...]] = ("_smooth",)

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        self._p: JumpParams = params
        self._smooth = Smooth(self._p.fast_half_life_bars, self._p.slow_half_life_bars)

    def _features(self, obs: Observation) -> Sequence[float]:
        return (*self._smooth.update(obs.log_return), obs.log_return)

    def _arguments(self) -> tuple[Any, ...]:
        p = self._p
        return p.states, tuple(p.penalties), p.starts, self.seed, p.grid_step if p.continuous else None

    def _live(self, model: dict[str, Any]) -> Any:
        if self._p.continuous:
            return MixtureDecode(model["centres"], float(model["penalty"]), self._p.grid_step)
        return kernels.jump_stream(model["centres"], float(model["penalty"]))

    def _probabilities(self, x: FloatArray) -> Sequence[float]:
        seen = np.ascontiguousarray(x[:3])
        if self._p.continuous:
            mixed: list[float] = self._running.shares(seen, self._p.temperature).tolist()
            return mixed
        values = self._running.update(seen).tolist()
        raw = [exp(-v / self._p.temperature) for v in values]
        total = sum(raw)
        return [r / total for r in raw]


def fit_jump(
    past: FloatArray,
    states: int,
    penalties: tuple[float, ...],
    starts: int,
    seed: int,
    grid_step: float | None = None,
) -> dict[str, Any]:
    """Fit a jump model to features whose last column is the return, which is only used to read and to judge states.

    Parameters
    ----------
    past : array, shape (n, 4)
    states : int
    penalties : tuple of float
        One is taken; several are judged on the newest third.
    starts, seed : int
    grid_step : float, optional
        Makes the model continuous: states are mixtures on a grid of the simplex.

    Returns
    -------
    dict
        ``centre``, ``scale`` (4,), ``centres`` (K, 3), ``penalty``, ``drift`` and ``level`` (K,), ``scores`` (one per
        penalty; nan when not judged), ``switches_per_1000``; states ordered by level.
    """
    centre, scale, z = standardiser(past)
    x, returns = np.ascontiguousarray(z[:, :3]), past[:, 3]
    scores = np.full(len(penalties), np.nan)
    penalty = penalties[0]
    cut = 2 * len(x) // 3
    if len(penalties) > 1 and cut >= 20 * states:
        # by centre and scale of what is fitted: those of the whole window know the bars that are foretold
        seen, wide, _ = standardiser(past[:cut, :3])
        y = np.ascontiguousarray(np.clip((past[:, :3] - seen) / wide, -CLIP, CLIP))
        begin = kmeans_starts(y[:cut], states, starts, seed)
        for i, candidate in enumerate(penalties):
            scores[i] = _score(y, returns, cut, begin, candidate, grid_step)
        penalty = penalties[int(np.argmax(scores))]
    fit = kernels.jump_fit(x, kmeans_starts(x, states, starts, seed), penalty, grid_step=grid_step)
    shares = np.eye(states)[fit.labels] if fit.probabilities is None else fit.probabilities
    drift, level = state_moments(returns, shares)
    order = np.argsort(level, kind="stable")
    return {
        "centre": centre,
        "scale": scale,
        "centres": np.ascontiguousarray(fit.centres[order]),
        "penalty": float(penalty),
        "drift": drift[order],
        "level": level[order],
        "scores": scores,
        "switches_per_1000": 1000.0 * float((np.diff(fit.labels) != 0).sum()) / len(x),
    }


def _score(
    x: FloatArray, returns: FloatArray, cut: int, begin: FloatArray, penalty: float, grid_step: float | None
) -> float:
    """Mean log density of each held-out return, foretold by the state decoded online at the bar before.

    `x` is standardised by its first `cut` rows.
    """
    states = begin.shape[1]
    fit = kernels.jump_fit(np.ascontiguousarray(x[:cut]), begin, penalty, grid_step=grid_step)
    if grid_step is None:
        values = np.empty((len(x), states))
        kernels.jump_stream(fit.centres, penalty).run(x, values)
        live = values.argmin(axis=1)
    else:
        decode = MixtureDecode(fit.centres, penalty, grid_step)
        live = np.array([decode.shares(row, 1.0).argmax() for row in x])
    # moments of the return that follows a state, as the live decode sees the state
    shares = np.eye(states)[live[: cut - 1]]
    following = returns[1:cut]
    mass = shares.sum(axis=0) + 20.0
    means = (shares.T @ following + 20.0 * following.mean()) / mass
    away = (following[:, None] - means) ** 2
    variances = ((shares * away).sum(axis=0) + 20.0 * following.var()) / mass
    variances = np.maximum(variances, 1e-18)
    state, target = live[cut - 1 : -1], returns[cut:]
    q = (target - means[state]) ** 2 / variances[state] / (_DOF - 2.0)
    density = _LOG_T - 0.5 * np.log(variances[state]) - 0.5 * (_DOF + 1.0) * np.log1p(q)
    return float(density.mean())


Jump.fit = staticmethod(fit_jump)
