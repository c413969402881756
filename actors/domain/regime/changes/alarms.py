"""Bars to an alarm by simulation: to a false one (ARL0) and, after a shift, to the true one (ARL1)."""

from __future__ import annotations

from math import nan, sqrt
from typing import NamedTuple

import numpy as np

from actors.domain.errors import InvalidParamsError
from actors.domain.regime.changes.costs import FloatArray
from actors.domain.regime.changes.online import Prior, bocpd_alarms, run_lengths


class RunLength(NamedTuple):
    """Mean bars to an alarm.

    Attributes
    ----------
    mean, standard_error : float
        NaN where no path counts.
    paths : int
        Paths that count: of a delay, those without an alarm before the shift.
    open_frac : float
        Share of the paths that had no alarm to the end of the simulation and count with that many bars, so that `mean`
        is then too low.
    """

    mean: float
    standard_error: float
    paths: int
    open_frac: float


def cusum_run_length(
    allowance: float, threshold: float, shift: float, *, paths: int, seed: int, longest: int = 20_000
) -> RunLength:
    """Simulate a two-sided CUSUM over independent normal values whose mean is `shift` from the first bar on.

    The recursion is that of `actors.domain.regime.changes.cusum.Cusum`, for all paths at once.
    """
    rng = np.random.default_rng(seed)
    up, down = np.zeros(paths), np.zeros(paths)
    bars = np.full(paths, longest, dtype=np.int64)
    left = np.arange(paths)
    for t in range(1, longest + 1):
        z = rng.standard_normal(left.size) + shift
        up = np.maximum(0.0, up + z - allowance)
        down = np.maximum(0.0, down - z - allowance)
        rang = (up > threshold) | (down > threshold)
        if rang.any():
            bars[left[rang]] = t
            left, up, down = left[~rang], up[~rang], down[~rang]
            if not left.size:
                break
    return _summary(bars.astype(np.float64), left.size)


def bocpd_run_length(
    prior: Prior,
    shift: float,
    *,
    paths: int,
    seed: int,
    settle_bars: int = 100,
    longest: int = 2000,
    recent_bars: int = 30,
    threshold: float = 0.5,
    scale: float = 1.0,
) -> RunLength:
    """Simulate BOCPD over normal values of unit variance that go on at another mean, or deviation, after `settle_bars`.

    An alarm is a rise of the mass of runs of at most `recent_bars` above `threshold`. Runs are short at the beginning
    of any series, so bars count from `settle_bars`; a path with an alarm in the second half of those does not count.

    Parameters
    ----------
    prior : Prior
    shift, scale : float
        Mean and deviation afterwards; 0 and 1: no change, so that the alarms are false ones.
    """
    if settle_bars < 2 * recent_bars + 2:
        raise InvalidParamsError(
            "ALARMS_SETTLE",
            f"settle_bars: expected at least {2 * recent_bars + 2}, found {settle_bars}",
        )
    rng = np.random.default_rng(seed)
    bars, still_open = [], 0
    for _ in range(paths):
        x = rng.standard_normal(settle_bars + longest)
        x[settle_bars:] = shift + scale * x[settle_bars:]
        when = _first_alarm(x, prior, settle_bars, recent_bars, threshold)
        if when is None:
            continue
        still_open += when > longest
        bars.append(float(min(when, longest)))
    return _summary(np.array(bars), still_open)


def _first_alarm(x: FloatArray, prior: Prior, settle: int, recent_bars: int, threshold: float) -> int | None:
    """Bars from `settle` to the first alarm; one more than there are if none; None if one came before."""
    chunk = settle + 100  # most delays are short: the rest is only looked at where it must be
    while True:
        part = x[: min(chunk, len(x))]
        rises = bocpd_alarms(
            run_lengths(part, prior, recent_bars=recent_bars, max_run=300)[:, 0], threshold=threshold
        )
        if ((rises >= settle // 2) & (rises < settle)).any():
            return None
        later = rises[rises >= settle]
        if later.size:
            return int(later[0]) - settle + 1
        if len(part) == len(x):
            return len(x) - settle + 1
        chunk *= 4


def _summary(bars: FloatArray, still_open: int) -> RunLength:
    n = len(bars)
    if n < 2:
        return RunLength(nan, nan, n, nan)
    return RunLength(float(bars.mean()), float(bars.std(ddof=1)) / sqrt(n), n, still_open / n)
