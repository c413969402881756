"""Volatility regimes by GARCH: conditional volatility against its expanding quantiles, with hysteresis.

GJR-GARCH(1,1) (Glosten, Jagannathan and Runkle 1993) with t innovations (Bollerslev 1987), fitted walk-forward by
maximum likelihood; between refits only the recursion runs. The volatility of a bar's view is the forecast for the next
bar. Until the first fit it is RiskMetrics' EWMA, a GARCH with fixed weights and normal innovations.
"""

from __future__ import annotations

from math import inf, sqrt
from typing import Any, ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.domain.fitting import FitRunner, Refit
from actors.domain.params import Param
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.levels import LevelParams, Levels
from actors.domain.regime.window import PastRows
from actors.domain.registry import Params, component

FloatArray = NDArray[np.float64]
_EWMA = (0.0, 0.06, 0.0, 0.94)


class GarchParams(LevelParams):
    """Parameters of `Garch`."""

    asymmetric: bool = Param(True, about="whether losses may raise volatility more than gains (GJR)")
    innovations: Literal["t", "normal"] = Param(
        "t", choices=("t", "normal"), about="law of a return over its volatility"
    )
    window_bars: int = Param(2000, ge=200, low=1000, high=4000, step=500, about="past that a fit sees")
    refit_every_bars: int = Param(500, ge=1, low=100, high=2000, step=100, about="bars from fit to fit")
    lag_steps: int = Param(24, ge=1, about="steps from asking for a fit to using it")


@component
class Garch(Levels):
    """Says how turbulent the next bar will be; leaves direction open.

    `native_label` is ``low``, ``normal`` or ``high`` after hysteresis. State: the window of returns, the four weights
    of the recursion, its variance, and a histogram of past volatilities. Warm-up: `min_history_bars` bars.
    O(log bins) per bar.
    """

    Params: ClassVar[type[Params]] = GarchParams
    MEASURES: ClassVar[tuple[str, ...]] = (*Levels.MEASURES, "alpha", "gamma", "beta", "dof")
    STATE: ClassVar[tuple[str, ...]] = ("_past", "_refit", "_weights", "_dof", "_variance")

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: GarchParams = params
        self._p = p
        self._past = PastRows(p.window_bars, 0)
        self._refit = Refit(fits, name, fit_garch, p.lag_steps)
        self._weights: tuple[float, ...] = _EWMA
        self._dof = inf
        self._variance = -1.0  # no bar yet
        self._error = sqrt(0.5 * _EWMA[1] / (2.0 - _EWMA[1]))

    def _skip(self, bars: int) -> None:
        # the forecast for the bar after those that never came
        omega, alpha, gamma, beta = self._weights
        persistence = alpha + 0.5 * gamma + beta
        if self._variance >= 0.0 and omega > 0.0 and persistence < 1.0:
            usual = omega / (1.0 - persistence)
            self._variance = usual + persistence**bars * (self._variance - usual)

    def _update(self, obs: Observation) -> Assessment:
        p = self._p
        fitted = self._refit.take(obs.step)
        if fitted is not None:
            self._adopt(fitted)
        r = obs.log_return
        if r == r:  # the first bar has no return
            omega, alpha, gamma, beta = self._weights
            # `_variance` is the forecast for the bar that comes next; below 0 before the first
            before = self._variance
            self._variance = (
                omega + (alpha + gamma if r < 0.0 else alpha) * (r * r) + beta * before
                if before >= 0.0
                else r * r
            )
            self._past.add(r)
            self._seen += 1
            due = self._seen - p.min_history_bars
            if due >= 0 and due % p.refit_every_bars == 0 and not self._refit.pending:
                self._refit.ask(
                    obs.step, (self._past.last(p.window_bars), p.asymmetric, p.innovations == "t")
                )
        view = self._judge(sqrt(self._variance) if self._variance > 0.0 else 0.0, obs.quality)
        if not view.features:
            return view
        return msgspec.structs.replace(view, features=(*view.features, *self._weights[1:], self._dof))

    def _adopt(self, model: dict[str, Any]) -> None:
        weights = tuple(float(model[name]) for name in ("omega", "alpha", "gamma", "beta"))
        if weights[0] <= 0.0:  # a market that stood still cannot be fitted
            return
        self._weights, self._dof = weights, float(model["dof"])
        omega, alpha, gamma, beta = weights
        past = self._past.last(self._p.window_bars)
        variances, _ = kernels.garch_filter(past, omega=omega, alpha=alpha, gamma=gamma, beta=beta)
        self._variance = float(variances[-1])


def fit_garch(past: FloatArray, asymmetric: bool, student: bool = True) -> dict[str, Any]:
    """Fit GJR-GARCH(1,1) with t or normal innovations by maximum likelihood.

    Parameters
    ----------
    past : array, shape (n,)
        Log returns, oldest first; their mean is not taken away (it is far below their deviation).
    asymmetric : bool
        Whether γ is fitted.
    student : bool
        Whether innovations follow Student's t, whose degrees of freedom are fitted; else they are normal.

    Returns
    -------
    dict
        ``omega``, ``alpha``, ``gamma``, ``beta``, ``dof``, ``log_likelihood`` (per bar). ``omega`` is 0 where returns
        do not vary.

    Notes
    -----
    Returns are scaled to unit variance. The search runs over variance, persistence, shares of it and degrees of
    freedom, each mapped to the whole line, from two starts by Nelder and Mead's method and then BFGS.
    """
    from scipy.optimize import minimize

    nothing = dict.fromkeys(("omega", "alpha", "gamma", "beta", "dof", "log_likelihood"), 0.0)
    deviation = float(past.std())
    if not deviation > 0.0:
        return nothing
    # returns of the same prices in another unit differ in their last bits; the search must not take another way for it
    y = np.round(past / deviation, 9)

    def unfold(free: FloatArray) -> dict[str, float]:
        squash = 1.0 / (1.0 + np.exp(-np.clip(free, -30.0, 30.0)))
        level = float(np.exp(np.clip(free[0], -5.0, 5.0)))
        persistence = 0.9999 * float(squash[1])
        shocks = persistence * float(squash[2])  # α + γ/2
        lean = float(squash[-1]) if asymmetric else 0.0  # share of it that comes after losses only
        return {
            "omega": level * (1.0 - persistence),
            "alpha": shocks * (1.0 - lean),
            "gamma": 2.0 * shocks * lean,
            "beta": persistence - shocks,
            "dof": 2.05 + float(np.exp(np.clip(free[3], -3.0, 5.0))) if student else inf,
        }

    def cost(free: FloatArray) -> float:
        try:
            return -kernels.garch_filter(y, **unfold(free))[1] / len(y)
        except KernelError:
            return 1e6

    best: tuple[float, FloatArray] | None = None
    for persistence, share in ((3.5, -2.5), (2.0, -1.5)):
        start = np.array(
            [0.0, persistence, share, *([1.0] if student else []), *([-1.5] if asymmetric else [])]
        )
        rough = minimize(
            cost, start, method="Nelder-Mead", options={"maxiter": 300, "xatol": 1e-3, "fatol": 1e-6}
        )
        found = minimize(cost, rough.x, method="BFGS", options={"maxiter": 60, "gtol": 1e-6})
        value, at = (found.fun, found.x) if found.fun <= rough.fun else (rough.fun, rough.x)
        if best is None or value < best[0]:
            best = (float(value), at)
    if best is None or best[0] >= 1e6:
        return nothing
    model = unfold(best[1])
    model["omega"] *= deviation * deviation
    return model | {"log_likelihood": -best[0] - float(np.log(deviation))}
