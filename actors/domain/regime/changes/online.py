"""BOCPD over a whole series: the segmentation that it ends with, and when it would have sounded an alarm."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.regime.changes.costs import FloatArray, series


class Prior(NamedTuple):
    """What BOCPD takes for granted; the defaults are those of the Turing benchmark, for a series of unit variance.

    A segment is ``μ | σ² ~ N(0, σ²/kappa)``, ``σ² ~ InvGamma(alpha, beta)``, and lasts `mean_bars` on average.
    """

    mean_bars: float = 100.0
    kappa: float = 1.0
    alpha: float = 1.0
    beta: float = 1.0


DEFAULT = Prior()


def run_lengths(
    x: Any, prior: Prior = DEFAULT, *, recent_bars: int = 5, max_run: int | None = None
) -> FloatArray:
    """Return BOCPD's four values per bar, shape (n, 4); see `actors.domain.kernels.bocpd_stream`.

    Runs are not cut off unless `max_run` says so. Row t uses the series up to t.
    """
    values = series(x)
    stream = kernels.bocpd_stream(
        1.0 / prior.mean_bars, mean=0.0, kappa=prior.kappa, alpha=prior.alpha, beta=prior.beta,
        max_run=max(len(values) + 1, recent_bars + 1, 2) if max_run is None else max_run, recent_bars=recent_bars,
    )  # fmt: skip
    out = np.empty((len(values), 4))
    stream.run(np.ascontiguousarray(values), out)
    return out


def bocpd_changes(x: Any, prior: Prior = DEFAULT) -> list[int]:
    """Return where segments begin, read backwards: the likeliest run at the end, then the one before it, and so on.

    Not causal: the reading starts from the last bar. A change is the index of the first bar of a new segment.

    Examples
    --------
    >>> bocpd_changes([0.0, 0.1] * 10 + [5.0, 5.1] * 10)
    [20]
    """
    likely = run_lengths(x, prior)[:, 2]
    found: list[int] = []
    t = len(likely) - 1
    while t >= 0:
        run = int(likely[t])
        if run == 0:  # a segment that begins after t has no bar yet
            t -= 1
            continue
        begin = t - run + 1
        if begin <= 0:
            break
        found.append(begin)
        t = begin - 1
    return found[::-1]


def bocpd_alarms(recent: FloatArray, *, threshold: float = 0.5) -> NDArray[np.intp]:
    """Return the bars at which the mass of short runs rises above a threshold, from below it.

    Parameters
    ----------
    recent : array, shape (n,)
        First column of `run_lengths`. The mass of run 0 is the hazard at every bar, so it says nothing; short runs do.
    threshold : float

    Examples
    --------
    >>> bocpd_alarms(np.array([0.9, 0.1, 0.6, 0.7, 0.1, 0.8])).tolist()
    [2, 5]
    """
    above = recent > threshold
    rises: NDArray[np.intp] = np.flatnonzero(above[1:] & ~above[:-1]) + 1
    return rises
