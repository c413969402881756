"""The four factors of confidence, each in [0, 1]; None where there is no data for one."""

from __future__ import annotations

from collections.abc import Sequence
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

    The other reading, one minus the normalised entropy of the weighted member distribution, ranked worse on the markets
    of tuning: it mixes doubt with dissent.
    """
    heard = voted = 0.0
    for view, weight in zip(views, weights, strict=True):
        if view is not None and view.confidence > 0.0:
            heard += weight
            if view.label == label:
                voted += weight
    return voted / heard if heard > 0.0 else None
