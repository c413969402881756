"""Deflated Sharpe ratio: the probabilistic one against the best of many trials (Bailey & López de Prado, 2014)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import msgspec
import numpy as np

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.growth import FloatArray
from actors.domain.evaluation.metrics.moments import skew_kurtosis
from actors.domain.evaluation.metrics.psr import psr_of
from actors.domain.evaluation.metrics.ratios import sharpe

_NORMAL = NormalDist()
EULER_GAMMA = 0.5772156649015329


def expected_max_normal(trials: int) -> float:
    """Return about the expected largest of `trials` independent standard normals.

    Raises
    ------
    InvalidParamsError
        For fewer than two trials: one trial was not chosen among others.

    Examples
    --------
    >>> [round(expected_max_normal(n), 3) for n in (40, 100, 1000)]
    [2.189, 2.531, 3.255]
    """
    if trials < 2:
        raise InvalidParamsError("TRIALS_TOO_FEW", f"trials: expected at least 2, found {trials}")
    return (1.0 - EULER_GAMMA) * _NORMAL.inv_cdf(1.0 - 1.0 / trials) + EULER_GAMMA * _NORMAL.inv_cdf(
        1.0 - 1.0 / (trials * math.e)
    )


def expected_max_sharpe(trials: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of `trials` worthless strategies is expected to show.

    Parameters
    ----------
    trials : int ≥ 2
    variance : float ≥ 0
        Of the trials' Sharpe ratios (ddof 1), **per period**, not annualised.

    Examples
    --------
    >>> round(expected_max_sharpe(100, 0.5 / 250), 4)
    0.1132
    """
    if not 0.0 <= variance < math.inf:
        raise InvalidParamsError(
            "VARIANCE_INVALID", f"variance: expected a finite value from 0, found {variance}"
        )
    return math.sqrt(variance) * expected_max_normal(trials)


def deflated_sharpe_of(
    sharpe_per_period: float, observations: int, skew: float, kurtosis: float, *, trials: int, variance: float
) -> float | None:
    """Return the probability that the true Sharpe ratio exceeds what chance gives the best of the trials.

    Parameters
    ----------
    sharpe_per_period : float
        **Not** annualised, of the strategy that was chosen.
    observations : int
    skew, kurtosis : float
        Population moments; kurtosis of a normal is 3.
    trials : int ≥ 2
    variance : float
        As in `expected_max_sharpe`.

    Examples
    --------
    >>> found = [deflated_sharpe_of(2.5 / 250**0.5, 1250, -3, 10, trials=n, variance=0.5 / 250) for n in (100, 46)]
    >>> [round(p, 4) for p in found]
    [0.9004, 0.9505]
    """
    benchmark = expected_max_sharpe(trials, variance)
    return psr_of(sharpe_per_period, observations, skew, kurtosis, benchmark)


class Trials(msgspec.Struct, frozen=True):
    """Among how many a strategy was chosen, as the study that chose it knows.

    Attributes
    ----------
    count : int ≥ 1
    variance : float or None
        As in `expected_max_sharpe`; None of a single trial.
    """

    count: int
    variance: float | None


def deflated_sharpe_among(returns: FloatArray, trials: Trials) -> float | None:
    """Return `deflated_sharpe_of` the chosen strategy's returns; None of a single trial and without variance.

    Examples
    --------
    >>> r = np.array([0.01, 0.02, -0.01, 0.03, 0.0, 0.01])
    >>> few, many = (deflated_sharpe_among(r, Trials(n, 0.02)) for n in (2, 200))
    >>> few > many, deflated_sharpe_among(r, Trials(1, None))
    (True, None)
    """
    ratio, moments = sharpe(returns), skew_kurtosis(returns)
    if ratio is None or moments is None or trials.variance is None or trials.count < 2:
        return None
    return deflated_sharpe_of(ratio, returns.size, *moments, trials=trials.count, variance=trials.variance)


def deflated_sharpe(returns: FloatArray, trial_sharpes: Sequence[float] | FloatArray) -> float | None:
    """Return `deflated_sharpe_of` the chosen strategy's returns.

    Parameters
    ----------
    returns : array, shape (n,), fraction per bar
    trial_sharpes : sequence of float
        **Per-period** Sharpe ratios of all trials of the study that produced it, the chosen one among them;
        undefined ones (NaN) are trials like all others, but say nothing of the variance: as zeros they would shrink
        it, and with it the bar, by more than their number raises it.

    Returns
    -------
    float or None
        None of a single trial, which was not chosen among others, and where fewer than two ratios are defined.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.standard_normal((200, 500)) * 0.01
    >>> ratios = noise.mean(axis=1) / noise.std(axis=1, ddof=1)
    >>> best = noise[ratios.argmax()]
    >>> deflated_sharpe(best, ratios) < 0.95 < deflated_sharpe(best, ratios[:2] * 0.0)
    True
    """
    ratios = np.asarray(trial_sharpes, dtype=np.float64)
    known = ratios[~np.isnan(ratios)]
    variance = float(known.var(ddof=1)) if known.size > 1 else None
    return deflated_sharpe_among(returns, Trials(int(ratios.size), variance))
