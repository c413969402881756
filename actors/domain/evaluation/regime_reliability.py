"""How often the regime in force was right at the confidence stated: against planted truth, or labels known later.

Where nobody planted the truth there is none. What can be had then is hindsight: the belief of the same ensemble about
the same bar once further bars were seen (`actors.domain.regime.retrospect`). It shares the ensemble's errors, so it
tells how stable a label was and not whether the market agreed; a report has to say so. Scores state how often a
label is *true*, so hindsight should be of their opinion more often than they state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import msgspec

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.calibration import Calibration, Tally
from actors.domain.evaluation.metrics.proportion import Estimate, wilson
from actors.domain.events.regime import HIGH, LOW, MEDIUM, REGIMES
from actors.domain.regime.retrospect import FixedLagSmoother

PLANTED, LATER = "planted", "later"
LEVELS = (LOW, MEDIUM, HIGH)
"""Level by its code; -1 is none."""
SAMPLE_BARS, LAG_BARS = 4, 48
"""Hindsight takes every fourth bar (neighbours tell the same story) and knows it at least 48 bars later."""
LATEST_BARS = 2 * LAG_BARS - SAMPLE_BARS
"""Twelve sampled bars become known at once, so the oldest of them waited so long: 92 bars."""


class Level(msgspec.Struct, frozen=True, kw_only=True):
    """Bars with a known outcome on which one level was stated, and the share of them with the right regime."""

    name: str
    bars: int
    right: Estimate


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """Scores against outcomes.

    Attributes
    ----------
    source : str
        `PLANTED` or `LATER`.
    sample_bars, lag_bars : int
        Every how manieth bar counts, and how much later its outcome was known at least; 1 and 0 for planted truth.
    latest_bars : int
        How much later an outcome was known at most.
    """

    source: str
    calibration: Calibration
    levels: tuple[Level, ...]
    sample_bars: int = 1
    lag_bars: int = 0
    latest_bars: int = 0


def against_truth(
    scores: Sequence[float], levels: Sequence[int], labels: Sequence[str], truth: Sequence[str]
) -> Reliability | None:
    """Return how scores of the labels in force hold against planted regimes; None if no bar has all three.

    Parameters
    ----------
    scores : sequence of float
        NaN where there was none.
    levels : sequence of int
        Codes of `LEVELS`, -1 for none.
    labels, truth : sequence of str
        "" where there is none.

    Raises
    ------
    InvalidParamsError
        If lengths differ.

    Examples
    --------
    >>> r = against_truth([0.9, 0.6], [2, 1], ["bull", "bear"], ["bull", "bull"])
    >>> r.calibration.base_rate, [(x.name, x.bars, x.right.value) for x in r.levels]
    (0.5, [('MEDIUM', 1, 0.0), ('HIGH', 1, 1.0)])
    """
    if len({len(scores), len(levels), len(labels), len(truth)}) != 1:
        raise InvalidParamsError(
            "LENGTHS_DIFFER",
            "reliability: expected equal lengths, found "
            f"{len(scores)}, {len(levels)}, {len(labels)} and {len(truth)}",
        )
    count = _Count()
    for score, level, label, true in zip(scores, levels, labels, truth, strict=True):
        if score == score and label and true:
            count.add(score, level, label == true)
    return count.result(PLANTED)


class Hindsight:
    """Compares scores with labels that become known on the way, in bounded memory.

    Parameters
    ----------
    stay_probability : float
        Of the chain that the beliefs were filtered with.
    """

    def __init__(self, stay_probability: float) -> None:
        states = len(REGIMES)
        decay = (stay_probability - (1.0 - stay_probability) / (states - 1)) ** SAMPLE_BARS
        lag = LAG_BARS // SAMPLE_BARS
        self._smoother = FixedLagSmoother(
            states=states,
            stay_probability=(1.0 + (states - 1) * decay) / states,
            lag_bars=lag,
            stride_bars=lag,
        )
        self._bars = -1
        self._waiting: deque[tuple[int, float, int]] = deque()
        self._count = _Count()

    def add(self, label: int, belief: Sequence[float], score: float, level: int) -> None:
        """Take one bar: label in force as index into `REGIMES`, belief, score and level's code."""
        self._bars += 1
        if self._bars % SAMPLE_BARS:
            return
        self._waiting.append((label, score, level))
        for known in self._smoother.update(belief):
            said, stated, code = self._waiting.popleft()
            self._count.add(stated, code, said == known.label)

    def result(self) -> Reliability | None:
        """Return what is known so far; None if nothing is."""
        return self._count.result(LATER, sample_bars=SAMPLE_BARS, lag_bars=LAG_BARS, latest_bars=LATEST_BARS)


class _Count:
    def __init__(self) -> None:
        self._tally = Tally()
        self._levels = [[0, 0] for _ in LEVELS]

    def add(self, score: float, level: int, right: bool) -> None:
        # scores are sums of floats: one may stand some 1e-16 above 1
        self._tally.add(min(max(score, 0.0), 1.0), float(right))
        if level >= 0:
            self._levels[level][0] += 1
            self._levels[level][1] += right

    def result(
        self, source: str, *, sample_bars: int = 1, lag_bars: int = 0, latest_bars: int = 0
    ) -> Reliability | None:
        found = self._tally.result()
        if not found.count:
            return None
        levels = tuple(
            Level(name=name, bars=bars, right=wilson(right, bars))
            for name, (bars, right) in zip(LEVELS, self._levels, strict=True)
            if bars
        )
        return Reliability(
            source=source,
            calibration=found,
            levels=levels,
            sample_bars=sample_bars,
            lag_bars=lag_bars,
            latest_bars=latest_bars,
        )
