"""How a detector's own measures become probabilities over the common regimes: distances to prototypes.

Each regime has a prototype in two numbers that need no currency and no time unit: *drift*, the mean of a
bar's log return over its standard deviation, and *volatility*, the logarithm of the standard deviation over
its usual value. They describe hourly crypto bars in round numbers; detectors start from them and learn the
rest. A detector that measures one axis leaves the other open, so that a log-opinion pool multiplies what its
members know and is not diluted by what they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, exp, log

from actors.domain.events.regime import REGIMES

BULL, BEAR, SIDEWAYS, CRASH, HIGH_VOLATILITY, LOW_VOLATILITY = range(len(REGIMES))
UNDECIDED = REGIMES[SIDEWAYS]
"""The label that goes with the uniform distribution: no view, hence no direction."""

# (drift, volatility) per regime, in the order of REGIMES
PROTOTYPES: tuple[tuple[float, float], ...] = (
    (0.20, 0.0),
    (-0.18, 0.25),
    (0.0, -0.35),
    (-0.45, 1.3),
    (0.0, 0.9),
    (0.0, -1.1),
)
_PRIOR = (0.0, 0.0, 0.0, -1.0, 0.0, 0.0)  # log prior: crashes are short, so most bars lie in none
_TABLE = tuple((drift, level, prior) for (drift, level), prior in zip(PROTOTYPES, _PRIOR, strict=True))
_FLOOR = 1e-4
_LOG_FLOOR = log(_FLOOR)
_ROOT_HALF = 0.7071067811865476


def softmax(scores: Sequence[float]) -> tuple[float, ...]:
    """Return probabilities proportional to ``exp(score)``, none below 1e-4 of the largest.

    The floor keeps every regime alive: in a product of opinions a zero could never be revised.

    Examples
    --------
    >>> softmax([0.0, 0.0])
    (0.5, 0.5)
    """
    highest = max(scores)
    raw = [exp(x) if (x := s - highest) > _LOG_FLOOR else _FLOOR for s in scores]
    total = sum(raw)
    return tuple([r / total for r in raw])


def soft_labels(
    drift: float | None, volatility: float | None, *, drift_sd: float = 0.1, volatility_sd: float = 0.3
) -> tuple[float, ...]:
    """Return probabilities over `REGIMES` from drift and volatility; None leaves an axis open.

    Examples
    --------
    >>> p = soft_labels(0.3, None)
    >>> REGIMES[p.index(max(p))]
    'bull'
    >>> p = soft_labels(None, 1.1)
    >>> p[HIGH_VOLATILITY] > p[CRASH] > p[BULL]
    True
    """
    if volatility is None:
        if drift is None:
            return softmax(_PRIOR)
        a = 0.5 / (drift_sd * drift_sd)
        return softmax([prior - a * (x := drift - pd) * x for pd, _, prior in _TABLE])
    b = 0.5 / (volatility_sd * volatility_sd)
    if drift is None:
        return softmax([prior - b * (x := volatility - pv) * x for _, pv, prior in _TABLE])
    a = 0.5 / (drift_sd * drift_sd)
    return softmax(
        [prior - a * (x := drift - pd) * x - b * (y := volatility - pv) * y for pd, pv, prior in _TABLE]
    )


def top(probabilities: Sequence[float]) -> int:
    """Return the index of the largest probability; ties go to the lower index."""
    return probabilities.index(max(probabilities))


def distinctness(probabilities: Sequence[float]) -> float:
    """Return how far the largest probability lies above uniform: 0 for uniform, 1 for certainty.

    Examples
    --------
    >>> distinctness((0.5, 0.5)), distinctness((1.0, 0.0))
    (0.0, 1.0)
    """
    n = len(probabilities)
    return max(0.0, (max(probabilities) * n - 1.0) / (n - 1.0))


def share_above(x: float, threshold: float, deviation: float) -> float:
    """Return the chance that a measure with normal error lies above a threshold.

    Examples
    --------
    >>> share_above(1.0, 1.0, 0.3)
    0.5
    """
    return 0.5 + 0.5 * erf((x - threshold) / deviation * _ROOT_HALF)


def beyond(x: float, threshold: float, deviation: float) -> tuple[float, float, float]:
    """Return the chances that a measure with normal error lies above a threshold, below its mirror, or between.

    Examples
    --------
    >>> [round(p, 3) for p in beyond(2.0, 2.0, 1.0)]
    [0.5, 0.0, 0.5]
    """
    above, below = share_above(x, threshold, deviation), share_above(-x, threshold, deviation)
    return above, below, max(0.0, 1.0 - above - below)
