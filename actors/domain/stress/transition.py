"""How fast the regime label follows a shock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STRESSED: Final = ("bear", "crash", "high_volatility")


@dataclass(frozen=True)
class Transition:
    """What a pair's label did.

    Attributes
    ----------
    before : str
        At the last close before the shock.
    first : str or None
        The first other label; None if it never changed.
    bars_to_change, bars_to_stress : int or None
        Bars from the shock to the first other label, and to the first of bear, crash or high volatility (0: it was
        so already).
    """

    before: str
    first: str | None
    bars_to_change: int | None
    bars_to_stress: int | None


def transition(labels: Sequence[str], bars: Sequence[int]) -> Transition | None:
    """Follow a label from a shock on; None if it is not known on both sides of it.

    Parameters
    ----------
    labels : sequence of str
        At each close.
    bars : sequence of int
        Of the same closes: bars since the shock by the clock, 1 at the first close after it, 0 or less before.

    Examples
    --------
    >>> transition(["bull", "bull", "sideways", "crash"], [0, 1, 2, 5])
    Transition(before='bull', first='sideways', bars_to_change=2, bars_to_stress=5)
    """
    known = [label for label, k in zip(labels, bars, strict=True) if k <= 0]
    after = [(label, k) for label, k in zip(labels, bars, strict=True) if k > 0]
    if not known or not after:
        return None
    before = known[-1]
    change = next(((label, k) for label, k in after if label != before), None)
    stress = 0 if before in STRESSED else next((k for label, k in after if label in STRESSED), None)
    return Transition(
        before=before,
        first=None if change is None else change[0],
        bars_to_change=None if change is None else change[1],
        bars_to_stress=stress,
    )
