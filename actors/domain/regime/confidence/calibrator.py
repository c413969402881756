"""From a raw score to a probability, learnt from outcomes that have since become known.

Scores are kept on a grid, as a count and a sum of outcomes per point, so that memory and refits do not grow with the
past; old outcomes fade. Until enough are known, and with a fixed weight ever after, a prior stands in: a line whose top
is capped, because the highest pool of an isotonic fit is the luckiest. Outcomes that are probabilities scatter less
than right and wrong do, so there is less luck in them and the cap is higher. The lines were chosen by hand on simulated
markets that judge nothing: the default synthetic market, 8,000 bars, seeds 30,001 to 30,050, and a dozen of either
process of two states, of other seeds than those that judge.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from actors.domain.regime.confidence.isotonic import IsotonicMap
from actors.domain.state import Stateful

GRID = 128
PRIOR_POINTS = (0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1.0)
"""Raw scores at which a prior stands; the last one keeps the highest pool from what luck alone gives it."""


class Prior(NamedTuple):
    """How often a raw score is taken to be right before anything is known: a line between two bounds.

    Examples
    --------
    >>> [round(OF_TRUTH(x), 2) for x in (0.2, 0.6, 0.95)]
    [0.06, 0.58, 0.85]
    """

    slope: float
    start: float
    least: float
    most: float

    def __call__(self, raw: float) -> float:
        """Return the share that goes with a raw score."""
        return min(max(self.slope * raw + self.start, self.least), self.most)


OF_TRUTH = Prior(1.3, -0.2, 0.05, 0.85)
"""Where outcomes are right or wrong."""
OF_LABELS = Prior(1.5, -0.37, 0.05, 0.9)
"""Where they are probabilities, from labels in hindsight."""


class Calibrator(Stateful):
    """Isotonic map of raw scores in [0, 1], refitted every so many outcomes on outcomes of the past only.

    Parameters
    ----------
    prior_weight : float
        Outcomes that the prior is worth, above zero.
    min_outcomes : int
        From so many on the map counts as calibrated.
    refit_every : int
        Outcomes from fit to fit.
    half_life : float
        Outcomes after which one counts half.
    prior : Prior

    Attributes
    ----------
    outcomes, refits : int
        Seen and made so far.
    map : IsotonicMap
        In force.

    Examples
    --------
    >>> c = Calibrator(prior_weight=10.0, min_outcomes=50, refit_every=50, half_life=1e6)
    >>> before = c(0.9)
    >>> for _ in range(50): c.learn(0.9, 0.2)
    >>> c.calibrated, round(before, 2), round(c(0.9), 2)
    (True, 0.85, 0.25)
    """

    STATE: ClassVar[tuple[str, ...]] = ("_counts", "_sums", "map", "outcomes", "refits", "_waiting")

    def __init__(
        self,
        *,
        prior_weight: float,
        min_outcomes: int,
        refit_every: int,
        half_life: float,
        prior: Prior = OF_TRUTH,
    ) -> None:
        self._min, self._every = min_outcomes, refit_every
        self._fade = 0.5 ** (refit_every / half_life)
        weight = prior_weight / len(PRIOR_POINTS)
        self._prior = [(round(x * GRID), prior(x), weight) for x in PRIOR_POINTS]
        self._counts = [0.0] * (GRID + 1)
        self._sums = [0.0] * (GRID + 1)
        self.map = IsotonicMap()
        self.outcomes = self.refits = self._waiting = 0
        self._fit()

    @property
    def calibrated(self) -> bool:
        """Whether enough outcomes are known."""
        return self.refits > 0

    def __call__(self, raw: float) -> float:
        """Return the probability that goes with a raw score."""
        return self.map(raw)

    def learn(self, raw: float, outcome: float) -> None:
        """Take what came of a score: 1 right, 0 wrong, or a share."""
        at = min(int(raw * GRID + 0.5), GRID)
        self._counts[at] += 1.0
        self._sums[at] += outcome
        self.outcomes += 1
        self._waiting += 1
        if self._waiting >= self._every and self.outcomes >= self._min:
            self._fit()
            self.refits += 1
            self._waiting = 0
            fade = self._fade
            self._counts = [n * fade for n in self._counts]
            self._sums = [s * fade for s in self._sums]

    def _fit(self) -> None:
        counts, sums = self._counts[:], self._sums[:]
        for at, value, weight in self._prior:
            counts[at] += weight
            sums[at] += weight * value
        used = [k for k, n in enumerate(counts) if n > 0.0]
        self.map.fit([k / GRID for k in used], [sums[k] / counts[k] for k in used], [counts[k] for k in used])
