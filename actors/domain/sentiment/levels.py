"""Five levels of sentiment with Schmitt bands: a level changes only where a cut-point is passed by a margin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar

from actors.domain.errors import InvalidParamsError
from actors.domain.state import Stateful

LEVELS: tuple[str, ...] = ("Fearful", "Anxious", "Neutral", "Optimistic", "Euphoric")


class SchmittLevels(Stateful):
    """Levels 0..n over n rising cut-points ``c_1 < … < c_n``.

    From level k the next one up is entered only where ``x > c + band``, the next one down only where ``x < c − band``;
    inside a band nothing moves. A bar moves one level, unless x itself jumped by more than two bands (of width
    ``2·band`` each) since the last bar: then it goes where x is.

    Between two switches over one cut-point x has crossed it, so `switches` never exceeds `crossings`.

    Parameters
    ----------
    cuts : sequence of float
        Rising, further apart than ``2·band``.
    band : float
        At least 0, in the units of x.

    Attributes
    ----------
    level : int
        -1 before the first value.
    crossings, switches : int
        Cut-points that x passed, and that the level passed: what the bands saved.
    late_bars : int
        Bars on which the level differed from that of the bare cut-points before it followed: what the bands cost.

    Raises
    ------
    InvalidParamsError

    Examples
    --------
    >>> s = SchmittLevels([-1.0, 1.0], band=0.25)
    >>> [s.update(x) for x in (0.0, 1.1, 0.9, 1.1, 1.3, 0.9, 0.5)]
    [1, 1, 1, 1, 2, 2, 1]
    >>> s.crossings, s.switches
    (4, 2)
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "level", "crossings", "switches", "late_bars", "_raw", "_last", "_waiting",
    )  # fmt: skip

    def __init__(self, cuts: Sequence[float], *, band: float) -> None:
        gaps = [b - a for a, b in pairwise(cuts)]
        if not cuts or band < 0.0 or not all(g > 2.0 * band and g > 0.0 for g in gaps):
            raise InvalidParamsError(
                "LEVEL_CUTS",
                f"cut-points: expected rising ones more than two bands of {band} apart, found {list(cuts)}",
            )
        self._cuts, self._band = tuple(cuts), band
        self.level = -1
        self.crossings = self.switches = self.late_bars = 0
        self._raw = -1
        self._last = 0.0
        self._waiting = 0

    def bare(self, x: float) -> int:
        """Return the level by the cut-points alone."""
        return sum(x > c for c in self._cuts)

    def update(self, x: float) -> int:
        """Take the next value, return the level in force."""
        raw = self.bare(x)
        if self.level < 0:
            self.level = self._raw = raw
            self._last = x
            return raw
        self.crossings += abs(raw - self._raw)
        jumped = abs(x - self._last) > 4.0 * self._band
        self._raw, self._last = raw, x
        before = self.level
        self._move(x, len(self._cuts) if jumped else 1)
        self.switches += abs(self.level - before)
        if self.level != before:
            self.late_bars += self._waiting
        # waiting: x is beyond a cut-point, the level not yet
        self._waiting = self._waiting + 1 if raw != self.level else 0
        return self.level

    def _move(self, x: float, steps: int) -> None:
        for _ in range(steps):
            if self.level < len(self._cuts) and x > self._cuts[self.level] + self._band:
                self.level += 1
            elif self.level > 0 and x < self._cuts[self.level - 1] - self._band:
                self.level -= 1
            else:
                return
