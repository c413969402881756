"""How far stated probabilities hold: Brier, log-loss, calibration errors and the reliability table.

Brier (1950); Murphy (1973) for the table; Naeini, Cooper and Hauskrecht (2015) for the expected and largest error.
Bins are of equal width, ``[0, w), …``, the last one closed; empty bins are skipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, log

import msgspec

from actors.domain.errors import InvalidParamsError

BINS = 10
_CLIP = 1e-15


class ReliabilityBin(msgspec.Struct, frozen=True):
    """Forecasts whose probability lay in ``[low, high)``.

    Attributes
    ----------
    low, high : float
    count : int
        Above 0.
    probability, rate : float
        Mean probability, and how often it came true.
    """

    low: float
    high: float
    count: int
    probability: float
    rate: float


class Calibration(msgspec.Struct, frozen=True):
    """What a set of forecasts of one event each is worth; None where there is none.

    Attributes
    ----------
    count : int
    brier, log_loss : float or None
        Mean of ``(p − y)²`` and of ``−ln`` of the probability that what came had, p clipped at 1e-15.
    ece, mce : float or None
        ``Σ (n_b/n)·|mean p − mean y|`` over the bins, and the largest of the differences.
    base_rate : float or None
        Mean outcome.
    bins : tuple of ReliabilityBin
        Those that are not empty, in order.
    """

    count: int
    brier: float | None
    log_loss: float | None
    ece: float | None
    mce: float | None
    base_rate: float | None
    bins: tuple[ReliabilityBin, ...]


def calibration(probabilities: Sequence[float], outcomes: Sequence[float], bins: int = BINS) -> Calibration:
    """Return the measures of probabilities of an event against whether it came (1) or not (0).

    Raises
    ------
    InvalidParamsError
        If the lengths differ, a probability is outside [0, 1], an outcome is neither 0 nor 1, or `bins` is below 1.

    Examples
    --------
    >>> c = calibration([0.9, 0.9, 0.2, 0.2], [1, 1, 0, 1])
    >>> round(c.brier, 4), round(c.ece, 4), round(c.mce, 4), [b.count for b in c.bins]
    (0.175, 0.2, 0.3, [2, 2])
    """
    if len(probabilities) != len(outcomes):
        raise InvalidParamsError(
            "CALIBRATION_LENGTHS",
            f"calibration: expected as many probabilities as outcomes, found {len(probabilities)} and {len(outcomes)}",
        )
    if bins < 1:
        raise InvalidParamsError("CALIBRATION_BINS", f"calibration: expected at least 1 bin, found {bins}")
    tally = Tally(bins)
    for p, y in zip(probabilities, outcomes, strict=True):
        tally.add(p, y)
    return tally.result()


class Tally:
    """Gathers forecasts one by one, so that tables of many trials can be added up.

    Parameters
    ----------
    bins : int
    """

    def __init__(self, bins: int = BINS) -> None:
        self.bins = bins
        self.counts = [0] * bins
        self.probabilities = [0.0] * bins
        self.outcomes = [0.0] * bins
        self.squares = self.logs = 0.0

    def add(self, p: float, y: float) -> None:
        """Take a probability and what came.

        Raises
        ------
        InvalidParamsError
            If one is out of range.
        """
        if not (isfinite(p) and 0.0 <= p <= 1.0 and y in (0, 1)):
            raise InvalidParamsError(
                "CALIBRATION_VALUES",
                f"calibration: expected a probability in [0, 1] and an outcome of 0 or 1, found {p} and {y}",
            )
        at = min(int(p * self.bins), self.bins - 1)
        self.counts[at] += 1
        self.probabilities[at] += p
        self.outcomes[at] += y
        self.squares += (p - y) * (p - y)
        self.logs -= log(max(p if y else 1.0 - p, _CLIP))

    def merge(self, other: Tally) -> None:
        """Take all that another one of as many bins has seen."""
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.probabilities = [a + b for a, b in zip(self.probabilities, other.probabilities, strict=True)]
        self.outcomes = [a + b for a, b in zip(self.outcomes, other.outcomes, strict=True)]
        self.squares += other.squares
        self.logs += other.logs

    def result(self) -> Calibration:
        """Return the measures of what was gathered."""
        n, width = sum(self.counts), 1.0 / self.bins
        if not n:
            return Calibration(0, None, None, None, None, None, ())
        rows = tuple(
            ReliabilityBin(k * width, (k + 1) * width, count, p / count, y / count)
            for k, (count, p, y) in enumerate(
                zip(self.counts, self.probabilities, self.outcomes, strict=True)
            )
            if count
        )
        gaps = [abs(b.probability - b.rate) for b in rows]
        return Calibration(
            count=n, brier=self.squares / n, log_loss=self.logs / n,
            ece=sum(b.count * g for b, g in zip(rows, gaps, strict=True)) / n, mce=max(gaps),
            base_rate=sum(self.outcomes) / n, bins=rows,
        )  # fmt: skip
