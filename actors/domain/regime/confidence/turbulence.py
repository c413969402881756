"""Present volatility over the usual one, for ensembles that know of no context."""

from __future__ import annotations

from math import nan, sqrt
from typing import ClassVar

from actors.domain.state import Stateful

_FAST, _SLOW = 1.0 - 0.5 ** (1.0 / 12.0), 1.0 - 0.5 ** (1.0 / 300.0)  # half-lives in bars
_WARM_UP_BARS = 48
_LEAST = 1e-18  # mean square below which a market stands still


class Turbulence(Stateful):
    """Two exponential mean squares of returns; the first bars weigh evenly, so nothing depends on a seed.

    Examples
    --------
    >>> t = Turbulence()
    >>> ratios = [t.update(r) for r in [0.01] * 60 + [0.03] * 30]
    >>> ratios[0] != ratios[0], round(ratios[55], 3), ratios[-1] > 1.4
    (True, 1.0, True)
    """

    STATE: ClassVar[tuple[str, ...]] = ("_bars", "_fast", "_slow")

    def __init__(self) -> None:
        self._bars = 0
        self._fast = self._slow = 0.0

    def update(self, log_return: float) -> float:
        """Take a bar's return (NaN: none), return the ratio of deviations; NaN in the warm-up."""
        if log_return == log_return:
            self._bars = n = self._bars + 1
            square = log_return * log_return
            self._fast += max(_FAST, 1.0 / n) * (square - self._fast)
            self._slow += max(_SLOW, 1.0 / n) * (square - self._slow)
        if self._bars <= _WARM_UP_BARS or self._slow < _LEAST:
            return nan
        return sqrt(self._fast / self._slow)
