"""Holding a decision steady: a Schmitt trigger for one number, a margin-and-dwell rule for labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from actors.domain.errors import InvalidParamsError
from actors.domain.state import Stateful


class SchmittTrigger(Stateful):
    """On above the upper threshold, off below the lower one, unchanged between them.

    Examples
    --------
    >>> s = SchmittTrigger()
    >>> [s.update(x, low=1.0, high=2.0) for x in (1.5, 2.5, 1.5, 0.5)]
    [False, True, True, False]
    """

    STATE: ClassVar[tuple[str, ...]] = ("on",)

    def __init__(self) -> None:
        self.on = False

    def update(self, x: float, *, low: float, high: float) -> bool:
        """Return the new position; ``low <= high`` may move from bar to bar."""
        if x > high:
            self.on = True
        elif x < low:
            self.on = False
        return self.on


class LabelHysteresis(Stateful):
    """Switches to a challenger only after a dwell and only when it leads by a margin.

    Parameters
    ----------
    initial : int
        Label before the first switch.
    min_dwell_bars : int
        Bars that a label is kept at least.
    margin_frac : float
        Lead in probability that a challenger needs over the label in force, in [0, 1).
    confirm_bars : int
        Bars in a row that the lead must last.
    urgent : sequence of int
        Labels that need neither dwell nor confirmation (a crash cannot wait), only the margin.

    Raises
    ------
    InvalidParamsError
        If a parameter is out of range.

    Examples
    --------
    >>> h = LabelHysteresis(initial=0, min_dwell_bars=0, margin_frac=0.2)
    >>> [h.update(p) for p in ((0.45, 0.55), (0.3, 0.7), (0.45, 0.55))]
    [0, 1, 1]
    """

    STATE: ClassVar[tuple[str, ...]] = ("label", "bars_in_state", "_challenger", "_lead_bars")

    def __init__(
        self,
        *,
        initial: int,
        min_dwell_bars: int,
        margin_frac: float,
        confirm_bars: int = 1,
        urgent: Sequence[int] = (),
    ) -> None:
        if min_dwell_bars < 0 or confirm_bars < 1 or not 0.0 <= margin_frac < 1.0:
            raise InvalidParamsError(
                "HYSTERESIS_PARAMS",
                "hysteresis: expected min_dwell_bars >= 0, confirm_bars >= 1 and 0 <= margin_frac < 1, found "
                f"{min_dwell_bars}, {confirm_bars}, {margin_frac}",
            )
        self._dwell, self._margin, self._confirm = min_dwell_bars, margin_frac, confirm_bars
        self._urgent = tuple(urgent)
        self.label = initial
        self.bars_in_state = 0
        self._challenger = initial
        self._lead_bars = 0

    def update(self, probabilities: Sequence[float]) -> int:
        """Take the probabilities of this bar, return the label in force."""
        self.bars_in_state += 1
        best = probabilities.index(max(probabilities))
        if best == self.label or probabilities[best] - probabilities[self.label] < self._margin:
            self._lead_bars = 0
            return self.label
        self._lead_bars = self._lead_bars + 1 if best == self._challenger else 1
        self._challenger = best
        patient = self.bars_in_state > self._dwell and self._lead_bars >= self._confirm
        if patient or best in self._urgent:
            self.label, self.bars_in_state, self._lead_bars = best, 1, 0
        return self.label
