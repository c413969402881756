"""A share of counts with its interval: Wilson's score interval (Wilson 1927), which stays inside [0, 1]."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import msgspec

from actors.domain.errors import InvalidParamsError


class Estimate(msgspec.Struct, frozen=True):
    """A figure and the bounds of its interval; each is None where it is undefined."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def wilson(hits: int, trials: int, *, confidence: float = 0.95) -> Estimate:
    """Return the share ``hits / trials`` with its score interval; nothing is defined for no trials.

    Parameters
    ----------
    hits, trials : int
        Independent trials, ``0 <= hits <= trials``.
    confidence : float in (0, 1)

    Raises
    ------
    InvalidParamsError
        If a count or the confidence is out of range.

    Examples
    --------
    >>> e = wilson(8, 10)
    >>> e.value, round(e.low, 4), round(e.high, 4)
    (0.8, 0.4902, 0.9433)
    >>> wilson(0, 0)
    Estimate(value=None, low=None, high=None)
    """
    if not 0 <= hits <= trials or not 0.0 < confidence < 1.0:
        raise InvalidParamsError(
            "PROPORTION_INVALID",
            "proportion: expected 0 <= hits <= trials and a confidence in (0, 1), found "
            f"{hits} of {trials} at {confidence}",
        )
    if trials == 0:
        return Estimate()
    z = NormalDist().inv_cdf(0.5 + confidence / 2.0)
    p, square = hits / trials, z * z / trials
    centre = (p + square / 2.0) / (1.0 + square)
    half = z * sqrt(p * (1.0 - p) / trials + square / (4.0 * trials)) / (1.0 + square)
    # at the ends rounding would leave some 1e-17 of a bound that is exactly 0 or 1
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == trials else min(1.0, centre + half)
    return Estimate(p, low, high)
