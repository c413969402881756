"""Marks for opinions from market outcomes alone: what each would have earned on the next bar, after costs.

An opinion held at the close of bar t is a position x in [-1, 1]; bar t+1 pays x·r − cost·|x − x'|, with x'
the position before it. Nothing here knows latency, fills or load: the same prices and opinions give the
same marks on any machine.
"""

from __future__ import annotations

import math
from typing import ClassVar

from actors.domain.state import Stateful


class OpinionRecord(Stateful):
    """One agent's positions and outcomes on one pair.

    Attributes
    ----------
    observations : int
        Bars held with a position.
    hits : int
        Of those, how many moved its way.
    earned_frac : float
        Sum of outcomes net of costs, fraction of the pair's price.

    Examples
    --------
    >>> r = OpinionRecord()
    >>> r.hold(1.0)
    >>> round(r.settle(0.02, cost_frac=0.001), 6), r.hits, r.observations
    (0.019, 1, 1)
    """

    STATE: ClassVar[tuple[str, ...]] = ("_position", "_before", "observations", "hits", "earned_frac")

    def __init__(self) -> None:
        self._position = 0.0
        self._before = 0.0
        self.observations = 0
        self.hits = 0
        self.earned_frac = 0.0

    def hold(self, position: float) -> None:
        """Take the position wanted from this close on."""
        self._position = position

    def settle(self, bar_return: float, *, cost_frac: float) -> float:
        """Return the outcome of the bar that has just closed, for the position held into it.

        Afterwards the position is flat until `hold` says otherwise: who has no view of the next bar has no
        position in it. Holding the same position again costs nothing.
        """
        x, before = self._position, self._before
        self._position = 0.0
        outcome = x * bar_return
        if x != before:
            outcome -= cost_frac * (x - before if x > before else before - x)
            self._before = x
        if x != 0.0:
            self.observations += 1
            if x * bar_return > 0.0:
                self.hits += 1
        self.earned_frac += outcome
        return outcome


class ReturnScale(Stateful):
    """EWMA root mean square of a pair's bar returns: the yardstick that makes losses comparable.

    Parameters
    ----------
    decay : float
        RiskMetrics' 0.94 by default.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_var",)

    def __init__(self, decay: float = 0.94) -> None:
        self._decay = decay
        self._var = math.nan

    @property
    def value(self) -> float:
        """Scale from the returns seen so far, NaN before the first."""
        return math.sqrt(self._var)

    def update(self, bar_return: float) -> None:
        """Take the next return."""
        sq = bar_return * bar_return
        var = self._var
        self._var = sq if var != var else self._decay * var + (1.0 - self._decay) * sq


def bounded_loss(outcome: float, scale: float, width: float = 3.0) -> float:
    """Return the loss in [0, 1] of an outcome: 1/2 for nothing, 0 at ``+width·scale`` and beyond.

    Examples
    --------
    >>> bounded_loss(0.0, 0.01), bounded_loss(0.03, 0.01), bounded_loss(-1.0, 0.01)
    (0.5, 0.0, 1.0)
    """
    if not scale > 0.0:
        return 0.5
    x = outcome / (width * scale)
    return 0.5 - 0.5 * (1.0 if x > 1.0 else -1.0 if x < -1.0 else x)
