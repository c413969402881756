"""What detectors that learn from their past share: a window of features, refits on schedule, a model frozen between.

A fit sees bars up to the one that asked for it and takes effect a fixed number of steps later (see
`actors.domain.fitting`); with the model come its scaler and what its states mean. Until the first one the detector is
silent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import exp, log
from operator import mul
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner, Refit
from actors.domain.params import Param
from actors.domain.regime.base import STILL_BARS, WARMING_UP, Assessment, Observation, PriceDetector, silent
from actors.domain.regime.vocabulary import distinctness, soft_labels, top
from actors.domain.regime.window import PastRows
from actors.domain.registry import Params
from actors.domain.state import Stateful

FloatArray = NDArray[np.float64]
CLIP = 8.0
"""Standard deviations: beyond them a feature says nothing more about the state."""
QUIET_RANGE = 1e-6
"""Range of a bar that did not move; its logarithm must exist."""


class WalkForwardParams(Params):
    """When to learn from what, and how a state is read."""

    window_bars: int = Param(3000, ge=100, low=1000, high=6000, step=500, about="past that a fit sees")
    min_history_bars: int = Param(400, ge=50, low=200, high=1000, step=100, about="bars before the first fit")
    refit_every_bars: int = Param(500, ge=1, low=100, high=2000, step=100, about="bars from fit to fit")
    lag_steps: int = Param(24, ge=1, about="steps from asking for a fit to using it")
    burn_in_bars: int = Param(
        200, ge=1, low=50, high=500, step=50, about="past bars that a new model is run over"
    )
    drift_sd: float = Param(
        0.15, gt=0.0, low=0.05, high=0.3, about="width of a prototype when states are read"
    )
    volatility_sd: float = Param(0.4, gt=0.0, low=0.2, high=0.8)
    switch_margin_frac: float = Param(
        0.25, ge=0.0, lt=1.0, low=0.0, high=0.5,
        about="lead in probability over the own state in force that another needs to take its place",
    )  # fmt: skip


class WalkForward(PriceDetector):
    """Base of detectors with walk-forward fits.

    A subclass gives `FEATURES` and `fit` (a pure function of module level: ``fit(past, *args) -> model``, a dict of
    arrays with at least ``centre``, ``scale``, ``drift`` and ``level``), `_features`, `_arguments`, and `_live` with
    `_probabilities`: an object for the running state and what it says of the next standardised bar. `LIMIT` is in
    standard deviations: beyond it a feature says nothing more about the state. `FIGURES` of a model, one number each,
    follow the features among the measures.
    """

    FEATURES: ClassVar[int]
    LIMIT: ClassVar[float] = CLIP
    FIGURES: ClassVar[tuple[str, ...]] = ()
    fit: ClassVar[Callable[..., dict[str, Any]]]
    STATE: ClassVar[tuple[str, ...]] = (
        "_past", "_refit", "_model", "_running", "_native", "_bars_in_state",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: WalkForwardParams = params
        self._w = p
        self.warmup_bars = p.min_history_bars + p.lag_steps + 1
        self._past = PastRows(p.window_bars + STILL_BARS, self.FEATURES)  # a halt takes back rows
        self._refit = Refit(fits, name, type(self).fit, p.lag_steps)
        self._model: dict[str, Any] | None = None
        self._running: Any = None
        self._native = -1
        self._bars_in_state = 0

    # -- what a subclass gives --------------------------------------------------------------------------------

    def _features(self, obs: Observation) -> Sequence[float]:
        """Return the features of a bar that has a return."""
        raise NotImplementedError

    def _arguments(self) -> tuple[Any, ...]:
        """Return what the fit takes beside the past."""
        raise NotImplementedError

    def _live(self, model: dict[str, Any]) -> Any:
        """Return the running state of a new model."""
        raise NotImplementedError

    def _probabilities(self, x: FloatArray) -> Sequence[float]:
        """Take a standardised bar, return the probabilities of the model's own states."""
        raise NotImplementedError

    def _live_figures(self) -> tuple[float, ...]:
        """Return measures of the running state, the last ones of `MEASURES`."""
        return ()

    # -- the rest ---------------------------------------------------------------------------------------------

    @property
    def own_states(self) -> tuple[str, ...]:
        """States of the model, numbered; none before the first fit."""
        return () if self._model is None else tuple(f"state_{k}" for k in range(len(self._model["drift"])))

    def _stopped(self) -> None:
        # a few dozen equal rows make a state of their own for as long as the window holds them
        self._past.drop(STILL_BARS - 1)

    def _update(self, obs: Observation) -> Assessment:
        fitted = self._refit.take(obs.step)
        if fitted is not None:
            self._adopt(fitted)
        r = obs.log_return
        if r != r:  # the first bar has no return
            return silent(WARMING_UP)
        w = self._w
        row = self._features(obs)
        self._past.add(row)
        view = silent(WARMING_UP) if self._model is None else self._view(row, obs)
        due = self._past.count - w.min_history_bars
        if due >= 0 and due % w.refit_every_bars == 0 and not self._refit.pending:
            self._refit.ask(obs.step, (self._past.last(w.window_bars), *self._arguments()))
        return view

    def _view(self, row: Sequence[float], obs: Observation) -> Assessment:
        limit = self.LIMIT
        x = [
            -limit if (z := (v - m) / s) < -limit else limit if z > limit else z
            for v, m, s in zip(row, *self._scaler, strict=True)
        ]
        own = self._probabilities(np.array(x))
        state = top(own)
        if self._native >= 0 and own[state] - own[self._native] < self._w.switch_margin_frac:
            state = self._native
        probabilities = tuple([sum(map(mul, own, column)) for column in self._columns])
        best = top(probabilities)
        self._bars_in_state = self._bars_in_state + 1 if state == self._native else 1
        self._native = state
        return Assessment(
            label=REGIMES[best],
            probabilities=probabilities,
            confidence=distinctness(probabilities) * obs.quality,
            native_label=f"state_{state}",
            bars_in_state=self._bars_in_state,
            own_probabilities=tuple(own),
            features=(*x, *self._figures, *self._live_figures()),
            data_quality=obs.quality,
        )

    def _adopt(self, model: dict[str, Any]) -> None:
        self._model = model
        self._running = self._live(model)
        self._read_model()
        self._native, self._bars_in_state = -1, 0
        rows = (self._past.last(self._w.burn_in_bars) - model["centre"]) / model["scale"]
        for row in np.clip(rows, -self.LIMIT, self.LIMIT):
            self._probabilities(row)

    def _read_model(self) -> None:
        """Work out what a view needs of the model: plain floats, and each state as a mixture of regimes."""
        model = self._model
        if model is not None:
            self._scaler = (model["centre"].tolist(), model["scale"].tolist())
            figures = [float(model[name]) for name in self.FIGURES]
            self._figures = tuple(v if v == v else None for v in figures)
            rows = [
                soft_labels(d, v, drift_sd=self._w.drift_sd, volatility_sd=self._w.volatility_sd)
                for d, v in zip(model["drift"].tolist(), model["level"].tolist(), strict=True)
            ]
            self._columns = tuple(zip(*rows, strict=True))

    def state(self) -> dict[str, Any]:
        """Return the state; what runs as its own snapshot."""
        tree = super().state()
        tree["_running"] = None if self._running is None else self._running.snapshot()
        return tree

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore; what runs is built from the stored model first."""
        self._running = None
        super().load_state({**tree, "_running": None})
        self._read_model()
        if self._model is not None:
            self._running = self._live(self._model)
            if tree["_running"] is not None:
                self._running.restore(tree["_running"])


def standardiser(past: FloatArray, limit: float = CLIP) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return centre and scale of the columns, and the standardised rows, clipped at `limit` deviations."""
    centre, scale = past.mean(axis=0), past.std(axis=0)
    scale = np.where(scale > 0.0, scale, 1.0)
    return centre, scale, np.clip((past - centre) / scale, -limit, limit)


def usual_volatility(returns: FloatArray) -> float:
    """Return the median absolute return over that of normal deviates: a few wild bars do not move what is usual.

    Examples
    --------
    >>> round(usual_volatility(np.array([0.01, -0.01, 0.01, -0.5])), 4)
    0.0148
    """
    return float(np.median(np.abs(returns))) / 0.6745 or float(returns.std()) or 1.0


def state_moments(
    returns: FloatArray, shares: FloatArray, *, prior_bars: float = 20.0
) -> tuple[FloatArray, FloatArray]:
    """Return drift (mean over deviation) and level (log deviation over usual) of returns in each state.

    A state's moments are pulled to those of all bars by `prior_bars`, so that one seen for some bars claims little.

    Parameters
    ----------
    returns : array, shape (n,)
    shares : array, shape (n, K)
        How far each bar belongs to each state.
    prior_bars : float

    Examples
    --------
    >>> drift, level = state_moments(np.array([0.01, -0.01] * 50), np.ones((100, 1)))
    >>> drift.round(6).tolist(), level.round(3).tolist()
    ([0.0], [-0.394])
    """
    usual = usual_volatility(returns)
    overall_mean, overall_var = float(returns.mean()), float(returns.var())
    mass = shares.sum(axis=0) + prior_bars
    means = (shares.T @ returns + prior_bars * overall_mean) / mass
    away = (returns[:, None] - means) ** 2
    variances = ((shares * away).sum(axis=0) + prior_bars * overall_var) / mass
    deviations = np.sqrt(np.maximum(variances, (1e-3 * usual) ** 2))
    return means / deviations, np.log(deviations / usual)


class Smooth(Stateful):
    """Exponentially weighted features of returns: mean over deviation at one half-life, log deviations at two.

    The first bars weigh evenly, so nothing depends on a seed.
    """

    STATE: ClassVar[tuple[str, ...]] = ("values",)

    def __init__(self, fast: float, slow: float) -> None:
        self._a = 1.0 - exp(-log(2.0) / fast)
        self._b = 1.0 - exp(-log(2.0) / slow)
        self.values = [0.0, 0.0, 0.0, 0.0]  # bars, mean (slow), mean square fast, slow

    def update(self, r: float) -> tuple[float, float, float]:
        """Take a return; (drift, log fast deviation, log slow deviation), the drift within ±1."""
        n, mean, fast, slow = self.values
        n += 1.0
        a, b = max(self._a, 1.0 / n), max(self._b, 1.0 / n)
        mean += b * (r - mean)
        fast += a * (r * r - fast)
        slow += b * (r * r - slow)
        self.values = [n, mean, fast, slow]
        if slow <= 0.0:
            return 0.0, log(QUIET_RANGE), log(QUIET_RANGE)
        deviation = slow**0.5
        return (
            min(max(mean / deviation, -1.0), 1.0),
            0.5 * log(max(fast, QUIET_RANGE**2)),
            0.5 * log(max(slow, QUIET_RANGE**2)),
        )
