"""The detectors and ensembles of a fleet, as they ship, on a trial: defaults, causal, online, with their own warm-up.

The other rows of a study are models of the same kinds in the study's own form: fitted elsewhere, fed with returns. Here
each bar goes through `actors.domain.regime.panel.Panel`, as in a fleet. The defaults are made for hourly bars of six
regimes and not for the two states of daily returns here, so these rows are reported and not held to an accuracy. A
trial has closes only: bars open at the close before, high and low are the two, volume is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import nan

import numpy as np
from numpy.typing import NDArray

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Observation
from actors.domain.regime.enhanced import build_ensemble
from actors.domain.regime.ensemble import EnsembleParams
from actors.domain.regime.panel import ENSEMBLE, Panel

FloatArray = NDArray[np.float64]
States = NDArray[np.int64]
KINDS = ("hmm", "volatility", "trend")
"""Detectors of the default fleet."""
TURBULENT = ("bear", "crash", "high_volatility")
"""Regimes whose probabilities together, above one half, mean the turbulent state."""
FIRST_BAR = 500
"""Bars before it are not scored: the slowest detector (425 bars) warms up in them."""
LEAST_BARS = 1000
TRIALS = 20
"""How many trials of a cell, the first ones, are run as shipped: a fleet's bars cost more than kernels."""
PREFIX = "shipped_"
NAMES = (*(PREFIX + kind for kind in KINDS), f"{PREFIX}standard", f"{PREFIX}enhanced")
_SEED, _DAY_NS = 7, 86_400 * 10**9
_INDEX = tuple(REGIMES.index(name) for name in TURBULENT)


def shipped_labels(y: FloatArray) -> Mapping[str, States]:
    """Return the state, 1 turbulent, that each of `NAMES` gives at every bar; 0 while it says nothing.

    Parameters
    ----------
    y : array, shape (n,)
        Log returns of daily bars.

    Examples
    --------
    >>> found = shipped_labels(np.zeros(3))
    >>> sorted(found), found["shipped_standard"].tolist()
    (['shipped_enhanced', 'shipped_hmm', 'shipped_standard', 'shipped_trend', 'shipped_volatility'], [0, 0, 0])
    """
    panel = Panel(
        [(kind, {}) for kind in KINDS], {}, pair="TRIAL", seed=_SEED, fits=InlineFits(), timeframe="1d"
    )
    # over the same views, so that the detectors run once
    enhanced = build_ensemble(EnsembleParams(kind="enhanced"), members=len(KINDS), names=KINDS)
    names = [PREFIX + (name if name != ENSEMBLE else "standard") for name in panel.names]
    out = {name: np.zeros(y.shape[0], dtype=np.int64) for name in NAMES}
    before = 100.0
    closes = (before * np.exp(np.cumsum(y))).tolist()
    for t, (close, r) in enumerate(zip(closes, y.tolist(), strict=True)):
        high, low = max(before, close), min(before, close)
        said = panel.update(high, low, close, open_ns=t * _DAY_NS, volume=1.0, open=before)
        obs = Observation(
            step=t, high=high, low=low, close=close, log_return=r if t else nan, volume=1.0,
            close_ns=(t + 1) * _DAY_NS, open=before,
        )  # fmt: skip
        pooled = enhanced.update(said[:-1], obs)
        for name, view in zip((*names, NAMES[-1]), (*said, pooled), strict=True):
            out[name][t] = sum(view.probabilities[k] for k in _INDEX) > 0.5
        before = close
    return out
