"""The four factors of confidence, each in [0, 1]; None where there is no data for one."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Protocol

import msgspec


class View(Protocol):
    """What confidence needs of a member's assessment."""

    @property
    def label(self) -> str: ...

    @property
    def probabilities(self) -> tuple[float, ...]: ...

    @property
    def confidence(self) -> float: ...


class Quality(msgspec.Struct, frozen=True, gc=False):
    """Quality of a pair's data in [0, 1]: `score`, the product of the three shares."""

    score: float
    completeness: float = 1.0
    freshness: float = 1.0
    outlier_free: float = 1.0

    def aged(self, silent_bars: int, stale_after_bars: int) -> Quality:
        """Return the quality after so many bars without data: freshness falls to 0 in a line.

        Examples
        --------
        >>> Quality(0.9, completeness=0.9).aged(1, 5).score
        0.7200000000000001
        """
        left = max(0.0, 1.0 - silent_bars / stale_after_bars)
        return Quality(self.score * left, self.completeness, self.freshness * left, self.outlier_free)


def agreement(views: Sequence[View | None], weights: Sequence[float], label: str) -> float | None:
    """Return the weighted share of the members with a view whose own label is `label`; None if none has a view.

    The other reading, `concentration`, ranked worse on the tuning markets: it mixes doubt with dissent.
    """
    heard = voted = 0.0
    for view, weight in zip(views, weights, strict=True):
        if view is not None and view.confidence > 0.0:
            heard += weight
            if view.label == label:
                voted += weight
    return voted / heard if heard > 0.0 else None


def concentration(views: Sequence[View | None], weights: Sequence[float]) -> float | None:
    """Return one minus the normalised entropy of the weighted member distribution; None if no member has a view.

    Examples
    --------
    >>> from actors.domain.regime.base import Assessment
    >>> concentration([Assessment("bull", (1.0, 0.0), 1.0), Assessment("bear", (0.0, 1.0), 1.0)], (1.0, 1.0))
    0.0
    """
    mixed: list[float] = []
    heard = 0.0
    for view, weight in zip(views, weights, strict=True):
        if view is not None and view.confidence > 0.0 and weight > 0.0:
            heard += weight
            mixed = mixed or [0.0] * len(view.probabilities)
            mixed = [m + weight * p for m, p in zip(mixed, view.probabilities, strict=True)]
    if heard == 0.0:
        return None
    entropy = -sum(m / heard * log(m / heard) for m in mixed if m > 0.0)
    return max(0.0, 1.0 - entropy / log(len(mixed)))
