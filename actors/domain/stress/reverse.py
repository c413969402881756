"""Reverse stress: the smallest shock that breaks a limit, and the most likely one by the market's own covariance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from actors.domain.errors import InsufficientDataError, InvalidParamsError

FloatArray = npt.NDArray[np.float64]
Breaks = Callable[[Sequence[float]], Sequence[bool]]
"""Whether the limit breaks at each of some sizes; they may be tried side by side."""


@dataclass(frozen=True)
class Bracket:
    """Where a limit breaks.

    Attributes
    ----------
    holds_frac : float
        Largest size tried below the smallest one that breaks.
    breaks_frac : float or None
        Smallest size that breaks; None if not even the largest does.
    tried : int
        Sizes tried.
    """

    holds_frac: float
    breaks_frac: float | None
    tried: int


def smallest_break(breaks: Breaks, *, most: float = 0.95, points: int = 3, rounds: int = 4) -> Bracket:
    """Find the smallest size in ``(0, most]`` that breaks a limit, by cutting the interval into ``points + 1`` parts.

    The sizes of a round do not depend on who tries them or how many at a time. If the limit breaks at some size and
    holds at a larger one, the smallest break that was seen counts.

    Examples
    --------
    >>> b = smallest_break(lambda sizes: [s >= 0.3 for s in sizes], most=1.0, rounds=5)
    >>> round(b.holds_frac, 3), round(b.breaks_frac, 3), b.tried
    (0.3, 0.301, 16)
    """
    if not 0.0 < most <= 1.0 or points < 1 or rounds < 1:
        raise InvalidParamsError(
            "REVERSE_NUMBERS",
            f"reverse stress: expected most in (0, 1], points and rounds >= 1, found {most}, {points}, {rounds}",
        )
    if not breaks([most])[0]:
        return Bracket(most, None, 1)
    low, high, tried = 0.0, most, 1
    for _ in range(rounds):
        sizes = [low + (high - low) * (i + 1) / (points + 1) for i in range(points)]
        tried += points
        for size, broken in zip(sizes, breaks(sizes), strict=True):
            if broken:
                high = size
                break
            low = size
    return Bracket(low, high, tried)


@dataclass(frozen=True)
class LikelyShock:
    """The least unusual move of the market that costs a given loss.

    Attributes
    ----------
    moves : array, shape (n,)
        Simple returns.
    distance : float
        Mahalanobis distance: how many standard deviations of the book's own return it is.
    """

    moves: FloatArray
    distance: float


def most_likely_shock(weights: FloatArray, covariance: FloatArray, loss_frac: float) -> LikelyShock | None:
    """Return the move ``s`` with the smallest ``sᵀ Σ⁻¹ s`` among those with ``−w·s ≥ loss_frac``.

    In closed form ``s = −L Σw / (wᵀΣw)``, at a distance of ``L / √(wᵀΣw)``.

    Parameters
    ----------
    weights : array, shape (n,)
        Signed exposures, fractions of equity.
    covariance : array, shape (n, n)
        Of simple returns over the horizon of the shock.
    loss_frac : float
        Above 0.

    Returns
    -------
    LikelyShock or None
        None if no move costs anything: nothing is held.

    Raises
    ------
    InvalidParamsError
        If shapes do not fit, the covariance is no such, or the loss is not above 0.

    Examples
    --------
    >>> found = most_likely_shock(np.array([0.5]), np.array([[0.04]]), 0.1)
    >>> round(float(found.moves[0]), 12), round(found.distance, 12)
    (-0.2, 1.0)
    """
    n = weights.shape[0]
    if covariance.shape != (n, n) or not loss_frac > 0.0 or not np.allclose(covariance, covariance.T):
        raise InvalidParamsError(
            "SHOCK_COVARIANCE",
            f"most likely shock: expected a symmetric {n} x {n} covariance and a loss above 0, found "
            f"{covariance.shape} and {loss_frac}",
        )
    along = covariance @ weights
    variance = float(weights @ along)
    if not variance > 0.0:
        return None
    return LikelyShock(-loss_frac * along / variance, loss_frac / float(np.sqrt(variance)))


def horizon_covariance(returns: FloatArray, bars: int) -> FloatArray:
    """Return the covariance of simple returns over `bars` bars, from overlapping windows of bar returns.

    Parameters
    ----------
    returns : array, shape (n_bars, n)
        Simple returns per bar; rows with NaN are left out.

    Raises
    ------
    InsufficientDataError
        If there are fewer than ten windows.
    """
    whole = returns[~np.isnan(returns).any(axis=1)]
    if len(whole) < bars + 10:
        raise InsufficientDataError(
            "SHOCK_HISTORY", f"covariance: expected at least {bars + 10} whole bars, found {len(whole)}"
        )
    logs = np.cumsum(np.log1p(np.vstack([np.zeros(whole.shape[1]), whole])), axis=0)
    moves = np.expm1(logs[bars:] - logs[:-bars])
    return np.atleast_2d(np.cov(moves, rowvar=False))
