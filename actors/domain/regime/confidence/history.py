"""How often a regime was right when it was said, against labels that have since become known."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.state import Stateful

_BORROWED = 6.0
"""Outcomes' worth of the overall rate in each regime's own: a crash is said too seldom to stand alone."""
_LEAST = 10.0
"""Outcomes before there is a rate at all."""


class HitRates(Stateful):
    """Exponentially weighted hit rates of the member mix: overall, and for each regime that it says.

    Parameters
    ----------
    regimes : int
    half_life : float
        Outcomes after which one counts half.

    Attributes
    ----------
    rates : list of float or None
        How often each label was right; None while too few outcomes are known.

    Examples
    --------
    >>> rates = HitRates(2, 500.0)
    >>> for _ in range(20): rates.learn(0, True); rates.learn(1, False)
    >>> rates.rates[0] > 0.8 > 0.2 > rates.rates[1]
    True
    """

    STATE: ClassVar[tuple[str, ...]] = ("_said", "_right", "rates", "_count", "_sum")

    def __init__(self, regimes: int, half_life: float) -> None:
        self._fade = 0.5 ** (1.0 / half_life)
        self._said = [0.0] * regimes
        self._right = [0.0] * regimes
        self.rates: list[float | None] = [None] * regimes
        self._count = self._sum = 0.0

    def learn(self, label: int, right: float) -> None:
        """Take what came of a label: 1 right, 0 wrong, or the probability that it was right."""
        fade = self._fade
        self._said = said = [n * fade for n in self._said]
        self._right = hits = [n * fade for n in self._right]
        said[label] += 1.0
        self._count = self._count * fade + 1.0
        self._sum *= fade
        hits[label] += right
        self._sum += right
        if self._count >= _LEAST:
            lent = _BORROWED * self._sum / self._count
            self.rates = [(h + lent) / (n + _BORROWED) for h, n in zip(hits, said, strict=True)]
