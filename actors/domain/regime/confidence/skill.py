"""Whether probabilities say more than the base rate of the past does: Brier skill, and its significance."""

from __future__ import annotations

from math import log, sqrt
from typing import ClassVar

from actors.domain.state import Stateful

SKILL, NO_SKILL, UNKNOWN = "skill", "no skill", "not yet known"
FALSE_CLAIMS = 0.05
"""Share of forecasts without skill that may ever, however often they are looked at, be said to have some."""
_SHARPEST_AT = 60.0  # blocks at which the bound is about as low as it can be made


class BrierSkill(Stateful):
    """Brier skill ``1 − BS/BS_base`` of forecasts that have come due, in order.

    Neighbouring forecasts share their outcomes, so differences are averaged over blocks and the blocks compared
    (Diebold and Mariano 1995, by batch means). The verdict is read again at every outcome, so it is held to a bound
    for all of them at once (a one-sided asymptotic confidence sequence, Waudby-Smith, Arbour, Sinha, Kennedy and
    Ramdas 2024): two standard errors would be exceeded by chance sooner or later.

    Parameters
    ----------
    block : int
        Forecasts per block, several horizons long.
    min_blocks : int
        Before so many nothing is said.

    Examples
    --------
    >>> s = BrierSkill(block=1, min_blocks=3)
    >>> for y in (1, 0, 1, 0): s.add(0.9 - 0.8 * (1 - y), 0.5, y)
    >>> round(s.value, 2), s.verdict
    (0.96, 'skill')
    """

    STATE: ClassVar[tuple[str, ...]] = ("count", "loss", "base_loss", "_block_sum", "_blocks", "_mean", "_m2")

    def __init__(self, *, block: int, min_blocks: int = 20) -> None:
        self._block, self._min = block, min_blocks
        self.count = 0
        self.loss = self.base_loss = 0.0  # sums
        self._block_sum = self._mean = self._m2 = 0.0
        self._blocks = 0

    def add(self, probability: float, base: float, outcome: float) -> None:
        """Take a forecast, the base rate known when it was made, and what came."""
        mine, other = (probability - outcome) ** 2, (base - outcome) ** 2
        self.count += 1
        self.loss += mine
        self.base_loss += other
        self._block_sum += other - mine
        if self.count % self._block == 0:
            self._blocks += 1
            away = self._block_sum / self._block - self._mean
            self._mean += away / self._blocks
            self._m2 += away * (self._block_sum / self._block - self._mean)
            self._block_sum = 0.0

    @property
    def value(self) -> float | None:
        """The skill; None before a forecast has come due, or where the base rate has no error."""
        return 1.0 - self.loss / self.base_loss if self.base_loss > 0.0 else None

    @property
    def t(self) -> float | None:
        """Mean gain over its standard error; None before two blocks, or where the blocks do not differ."""
        if self._blocks < 2 or self._m2 <= 0.0:
            return None
        return self._mean / sqrt(self._m2 / (self._blocks - 1) / self._blocks)

    @property
    def verdict(self) -> str:
        """`SKILL`, `NO_SKILL`, or `UNKNOWN` while too few blocks are over."""
        if self._blocks < self._min:
            return UNKNOWN
        t = self.t
        return SKILL if (self._mean > 0.0 if t is None else t > bound(self._blocks)) else NO_SKILL


def bound(blocks: int) -> float:
    """Return the standard errors above 0 that a mean of so many blocks must have to count, at any time.

    Examples
    --------
    >>> [round(bound(n), 2) for n in (20, 60, 1000)]
    [2.94, 2.78, 3.06]
    """
    scaled = blocks * _RHO_2 + 1.0
    return sqrt(2.0 * scaled / (blocks * _RHO_2) * log(1.0 + sqrt(scaled) / (2.0 * FALSE_CLAIMS)))


def _rho_2(alpha: float, blocks: float) -> float:
    """The mixture's variance that makes the bound lowest at so many blocks, to first order."""
    spent = -2.0 * log(2.0 * alpha)
    return (spent + log(spent + 1.0)) / blocks


_RHO_2 = _rho_2(FALSE_CLAIMS, _SHARPEST_AT)
