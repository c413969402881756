"""What a regime detector is: one view per bar, causal, over its own states and the common vocabulary."""

from __future__ import annotations

from functools import cache
from math import inf, nan, sqrt
from typing import Any, ClassVar

import msgspec

from actors.domain.errors import InvalidBarError
from actors.domain.events.regime import REGIMES, RegimeConfidence
from actors.domain.fitting import FitRunner
from actors.domain.registry import Params
from actors.domain.state import Stateful

UNIFORM: tuple[float, ...] = tuple(1.0 / len(REGIMES) for _ in REGIMES)
WARMING_UP = "too few bars so far"
STANDING_STILL = "prices have not moved"
STILL_BARS = 48
"""Bars in a row without any movement from which on a detector of prices says nothing and learns nothing."""


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One bar as a detector sees it. Prices in quote; `log_return` fraction per bar (NaN on the first bar).

    `missing_bars` never came between the bar before and this one; the return over them is brought to the size of one
    bar's (`return_per_bar`).
    `volume` in base (NaN: unknown) and `close_ns` (UTC; None: unknown) tell an ensemble in what market the bar lies.
    `open` is NaN where it is not known; estimators that need it say so.
    `sentiment` is what was known of the market's mood at the close, in [-1, 1] (NaN: no reading), and
    `sentiment_quality` in [0, 1] how much stands behind it.

    Raises
    ------
    InvalidBarError
        If prices are not finite, positive and in order, the return is infinite, the volume negative, or the quality
        lies outside [0, 1]: a detector fed such a bar would be wrong for as long as it remembers.
    """

    step: int
    high: float
    low: float
    close: float
    log_return: float
    quality: float = 1.0
    volume: float = nan
    close_ns: int | None = None
    open: float = nan
    sentiment: float = nan
    sentiment_quality: float = 1.0
    missing_bars: int = 0

    def __post_init__(self) -> None:
        # each comparison is false for NaN
        if not (
            0.0 < self.low <= self.close <= self.high < inf
            and -inf != self.log_return != inf
            and 0.0 <= self.quality <= 1.0
            and (self.volume != self.volume or 0.0 <= self.volume < inf)
            and (self.sentiment != self.sentiment or -1.0 <= self.sentiment <= 1.0)
            and 0.0 <= self.sentiment_quality <= 1.0
            and (self.open != self.open or self.low <= self.open <= self.high)
            and self.missing_bars >= 0
        ):
            raise InvalidBarError(
                "OBSERVATION",
                "bar: expected finite prices with 0 < low <= open, close <= high, a return that is not infinite, a "
                f"volume from 0, a quality in [0, 1] and a sentiment in [-1, 1], found {self}: repair it or "
                "leave it out",
            )


def bars_missing(due_ns: int, open_ns: int, length_ns: int) -> int:
    """Return how many bars are missing before one that begins at `open_ns`; `due_ns` is where the last one ended.

    A `due_ns` below 0 says that there was none.

    Examples
    --------
    >>> bars_missing(100, 100, 10), bars_missing(100, 130, 10), bars_missing(-1, 130, 10)
    (0, 3, 0)
    """
    return (open_ns - due_ns) // max(1, length_ns) if 0 <= due_ns < open_ns else 0


def return_per_bar(log_return: float, missing: int) -> float:
    """Return what a return over a gap is as one bar's: a random walk's deviation grows with the root of its length.

    Examples
    --------
    >>> return_per_bar(-0.3, 0), return_per_bar(-0.3, 8)
    (-0.3, -0.09999999999999999)
    """
    return log_return / sqrt(missing + 1.0) if missing else log_return


class Assessment(msgspec.Struct, frozen=True, gc=False):
    """A detector's view: probabilities over `REGIMES` (sum 1), label = their argmax, confidence in [0, 1].

    Before its warm-up a detector says `UNIFORM` with confidence 0 and why (`reason`). `detail`, `context` and `weights`
    are an ensemble's: see `actors.domain.events.regime.RegimeAssessed`.

    `own_probabilities` are over the detector's own states, in the order of `Detector.own_states` (sum 1; empty while it
    is silent), `features` its own measures, in the order of `Detector.MEASURES` (None where undefined), `data_quality`
    what the bar came with.
    """

    label: str
    probabilities: tuple[float, ...]
    confidence: float
    native_label: str = ""
    bars_in_state: int = 0
    detail: RegimeConfidence | None = None
    context: str = ""
    weights: tuple[float, ...] = ()
    own_probabilities: tuple[float, ...] = ()
    features: tuple[float | None, ...] = ()
    data_quality: float = 1.0
    reason: str = ""


@cache
def silent(reason: str) -> Assessment:
    """Return the view that says nothing: uniform, no confidence, and why.

    Examples
    --------
    >>> silent(WARMING_UP).confidence, silent(WARMING_UP).reason
    (0.0, 'too few bars so far')
    """
    return Assessment("sideways", UNIFORM, 0.0, reason=reason)


class Detector(Stateful):
    """Base of detectors: one instance per pair; a subclass takes ``(params, *, fits, name, seed)``.

    `fits` runs its walk-forward refits (see `actors.domain.fitting`); `name` is unique in the fleet. `learns` is
    True if its thresholds come from all of its past: then where the data begin matters, by design. `settling_bars`
    says after how many bars that no longer matters, where it is more than a few times the warm-up. `MEASURES` names
    the entries of `Assessment.features`, unit last.
    """

    Params: ClassVar[type[Params]] = Params
    MEASURES: ClassVar[tuple[str, ...]] = ()
    learns: ClassVar[bool] = False
    warmup_bars: int
    settling_bars: int | None = None

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        self.params = params
        self.name = name
        self.seed = seed

    @property
    def own_states(self) -> tuple[str, ...]:
        """Names of the detector's own states, in the order of `Assessment.own_probabilities`."""
        raise NotImplementedError

    def update(self, obs: Observation) -> Assessment:
        """Take the next bar and return the view at its close."""
        raise NotImplementedError


class PriceDetector(Detector):
    """Base of detectors that hear prices; a subclass gives `_update`.

    A market that does not trade is no regime: from the `STILL_BARS`-th bar in a row without any movement until the
    next that moves, the detector is silent (`STANDING_STILL`) and stays as it was, models, thresholds and pending
    refits included. What it knows of the market, it then knows of the market that trades.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_still",)

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        self._still = 0  # bars in a row that did not move

    def update(self, obs: Observation) -> Assessment:
        """Take the next bar and return the view at its close."""
        r = obs.log_return
        if obs.high > obs.low:
            self._still = 0
        elif r == 0.0:
            self._still += 1
        elif r == r:  # a return that is not known (NaN) tells neither
            self._still = 0
        if self._still >= STILL_BARS:
            if self._still == STILL_BARS:
                self._stopped()
            return silent(STANDING_STILL)
        if obs.missing_bars:
            self._skip(obs.missing_bars)
        return self._update(obs)

    def _stopped(self) -> None:
        """Take back what the `STILL_BARS` - 1 still bars before taught, where that would last."""

    def _skip(self, bars: int) -> None:
        """Let time pass for bars that never came, where the detector has a law of what happens meanwhile."""

    def _update(self, obs: Observation) -> Assessment:
        """Take the next bar of a market that trades and return the view at its close."""
        raise NotImplementedError
