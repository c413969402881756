"""Log prices with fat tails and volatility clustering around a regime's drift and volatility.

Bollerslev (1987), "A conditionally heteroskedastic time series model": GARCH(1,1) with Student-t shocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.domain.simulation.synthetic.params import SyntheticParams

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paths:
    """Unrounded paths, all of shape (n_bars, n_assets).

    Attributes
    ----------
    log_price : log of the closing price
    scale : standard deviation of the bar's log return as known before the bar
    """

    log_price: FloatArray
    scale: FloatArray


def draw_paths(
    params: SyntheticParams,
    truth: npt.NDArray[np.int8],
    factor_rng: np.random.Generator,
    own_rng: np.random.Generator,
) -> Paths:
    """Return log prices that follow the planted regimes.

    An asset's return is ``beta * (drift + volatility * (sqrt(w) F + sqrt(1 - w) I))`` with a common
    shock F and one of its own, I, each a unit-variance GARCH(1,1) process with Student-t innovations.
    Each generator is used for one array only, drawn row by row: more bars extend, never change.
    """
    n, assets = params.n_bars, params.assets
    beta = np.array([a.beta for a in assets])
    share = np.array([a.common_share for a in assets])
    common, own = np.sqrt(share), np.sqrt(1 - share)
    drift = np.array([r.drift_bars for r in params.regimes])[truth]
    vol = np.array([r.volatility_bars for r in params.regimes])[truth]
    pull = np.array([r.pull_bars for r in params.regimes])[truth]
    entered = np.flatnonzero(np.diff(truth, prepend=-1) != 0)
    entry = np.zeros(n, dtype=bool)
    entry[entered] = True

    unit = np.sqrt((params.shock_dof - 2) / params.shock_dof)
    shocks = np.empty((n, len(assets) + 1))
    shocks[:, 0] = factor_rng.standard_t(params.shock_dof, n) * unit
    shocks[:, 1:] = own_rng.standard_t(params.shock_dof, (n, len(assets))) * unit
    alpha, memory = params.garch_alpha, params.garch_beta
    floor = 1.0 - alpha - memory

    log_price = np.empty((n, len(assets)))
    scale = np.empty((n, len(assets)))
    variance = np.ones(len(assets) + 1)
    price = np.log([a.start_price for a in assets])
    anchor = price
    for t in range(n):
        if entry[t]:
            anchor = price
        moves = np.sqrt(variance) * shocks[t]
        scale[t] = vol[t] * beta * np.sqrt(share * variance[0] + (1 - share) * variance[1:])
        price = (
            price
            + beta * (drift[t] + vol[t] * (common * moves[0] + own * moves[1:]))
            + pull[t] * (anchor - price)
        )
        log_price[t] = price
        variance = floor + alpha * moves * moves + memory * variance
    return Paths(log_price, scale)
