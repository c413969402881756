"""CUSUM: the alarm of Page (1954) for a shift of the mean, two-sided, and the run lengths that theory gives it."""

from __future__ import annotations

from math import isfinite
from typing import ClassVar

import numpy as np

from actors.domain.errors import InvalidParamsError
from actors.domain.state import Stateful

_NODES = 60


class Cusum(Stateful):
    """``S⁺ = max(0, S⁺ + z − k)`` and ``S⁻ = max(0, S⁻ − z − k)``; alarm above h, then both start anew.

    Parameters
    ----------
    allowance : float
        k, half the shift that matters, in standard deviations; at least 0.
    threshold : float
        h, above 0.

    Attributes
    ----------
    up, down : float
        S⁺ and S⁻; 0 after an alarm.
    since_up, since_down : int
        Bars since each was last 0: where a shift, if there is one, most likely began.

    Examples
    --------
    >>> c = Cusum(0.5, 2.0)
    >>> [c.update(z) for z in (0.0, 2.0, 2.0, -3.0)]
    [0, 0, 1, -1]
    """

    STATE: ClassVar[tuple[str, ...]] = ("up", "down", "since_up", "since_down")

    def __init__(self, allowance: float, threshold: float) -> None:
        _sound(allowance, threshold)
        self._k, self._h = allowance, threshold
        self.up = self.down = 0.0
        self.since_up = self.since_down = 0

    def update(self, z: float) -> int:
        """Take a standardised value: 1 for an upward alarm, -1 for a downward one, else 0.

        At an alarm `since_up` and `since_down` still tell when it began; the next bar starts from 0.
        """
        if self.up == 0.0:
            self.since_up = 0
        if self.down == 0.0:
            self.since_down = 0
        self.up = max(0.0, self.up + z - self._k)
        self.down = max(0.0, self.down - z - self._k)
        self.since_up = self.since_up + 1 if self.up > 0.0 else 0
        self.since_down = self.since_down + 1 if self.down > 0.0 else 0
        found = 1 if self.up > self._h else -1 if self.down > self._h else 0
        if found:
            self.up = self.down = 0.0
        return found


def average_run_length(allowance: float, threshold: float, shift: float = 0.0) -> float:
    """Return the mean bars to an alarm of a two-sided CUSUM over independent normal values of unit variance.

    With no shift it is the mean time to a false alarm (ARL0), with one the mean delay (ARL1) from a start at 0. Page's
    integral equation ``L(u) = 1 + L(0) Φ(k − u − δ) + ∫₀ʰ L(x) φ(x + k − u − δ) dx`` per side, by Gauss and Legendre's
    nodes; the sides join as ``1/L = 1/L⁺ + 1/L⁻`` (Kemp 1961).

    Examples
    --------
    >>> round(average_run_length(0.5, 5.0)), round(average_run_length(0.5, 5.0, 1.0), 1)
    (465, 10.4)
    """
    _sound(allowance, threshold)
    up, down = (_one_sided(allowance, threshold, side * shift) for side in (1.0, -1.0))
    return 1.0 / (1.0 / up + 1.0 / down)


def _one_sided(k: float, h: float, shift: float) -> float:
    from scipy.special import ndtr

    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    x, w = 0.5 * h * (nodes + 1.0), 0.5 * h * weights
    # unknowns: L(0), then L at the nodes
    at = np.concatenate([[0.0], x])
    kernel = np.exp(-0.5 * (x[None, :] + k - shift - at[:, None]) ** 2) / np.sqrt(2.0 * np.pi) * w
    system = np.eye(_NODES + 1)
    system[:, 0] -= ndtr(k - shift - at)
    system[:, 1:] -= kernel
    return float(np.linalg.solve(system, np.ones(_NODES + 1))[0])


def _sound(allowance: float, threshold: float) -> None:
    if not (isfinite(allowance) and isfinite(threshold) and allowance >= 0.0 and threshold > 0.0):
        raise InvalidParamsError(
            "CUSUM_PARAMS",
            f"cusum: expected a finite allowance from 0 and a threshold above 0, found {allowance} and {threshold}",
        )
