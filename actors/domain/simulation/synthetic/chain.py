"""The planted regimes: a semi-Markov chain, so that a regime's age says something about its end.

Bulla & Bulla (2006), "Stylized facts of financial time series and hidden semi-Markov models".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from actors.domain.simulation.synthetic.params import RegimeParams

_SHAPE = 2


def draw_regimes(
    regimes: Sequence[RegimeParams], first: str, n_bars: int, rng: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Return the regime of each bar.

    Parameters
    ----------
    regimes : sequence of RegimeParams
    first : str
        Name of the regime of the first bar.
    n_bars : int
    rng : Generator
        Used by this function only, else a longer series would not begin like a shorter one.

    Returns
    -------
    int8 array, shape (n_bars,)
        Index into ``regimes``.

    Examples
    --------
    >>> from actors.domain.simulation.synthetic.params import DEFAULT_REGIMES
    >>> draw = lambda n: draw_regimes(DEFAULT_REGIMES, "bull", n, np.random.default_rng(7))
    >>> bool((draw(1000)[:300] == draw(300)).all()), int(draw(5)[0])
    (True, 0)
    """
    names = [r.name for r in regimes]
    weights = np.array([[r.next_weights.get(name, 0.0) for name in names] for r in regimes])
    thresholds = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    out = np.empty(n_bars, dtype=np.int8)
    state, at = names.index(first), 0
    while at < n_bars:
        regime = regimes[state]
        extra = regime.mean_duration_bars - regime.min_duration_bars
        length = regime.min_duration_bars + int(rng.negative_binomial(_SHAPE, _SHAPE / (_SHAPE + extra)))
        out[at : at + length] = state
        at += length
        # the last threshold may fall short of 1 by rounding
        state = min(int(np.searchsorted(thresholds[state], rng.random(), side="right")), len(names) - 1)
    return out
