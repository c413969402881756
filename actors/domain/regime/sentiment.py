"""Sentiment regimes: Fearful, Anxious, Neutral, Optimistic, Euphoric, from a score in [-1, 1] per bar.

The score is smoothed by an EMA, set against all of its own past (or left as it is, with cut-points of its own
units), and put into levels with Schmitt bands, so that news around a cut-point does not make the regime flicker.
"""

from __future__ import annotations

from itertools import pairwise
from math import sqrt
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import FitRunner
from actors.domain.params import Param
from actors.domain.regime.base import UNIFORM, WARMING_UP, Assessment, Detector, Observation, silent
from actors.domain.regime.vocabulary import distinctness, softmax, top
from actors.domain.registry import Params, component
from actors.domain.sentiment.levels import LEVELS, SchmittLevels

# what each level says of the common regimes, in the order of REGIMES; mild, for a mood is no price
_MEANING: tuple[tuple[float, ...], ...] = (
    (0.08, 0.36, 0.12, 0.12, 0.26, 0.06),
    (0.12, 0.27, 0.22, 0.05, 0.21, 0.13),
    (0.18, 0.14, 0.30, 0.02, 0.12, 0.24),
    (0.35, 0.10, 0.22, 0.01, 0.12, 0.20),
    (0.44, 0.08, 0.12, 0.01, 0.27, 0.08),
)

NO_NEWS = "no news, or none that can be read"


class SentimentParams(Params):
    """Parameters of `Sentiment`."""

    span_bars: int = Param(default=24, ge=1, about="of the EMA over the score", low=4, high=168, log=True)
    scale: Literal["zscore", "fixed"] = Field(
        default="zscore",
        description="cut-points in standard deviations of the past, or in units of the score",
    )
    cuts: tuple[float, float, float, float] = (-1.2, -0.4, 0.4, 1.2)
    band: float = Param(
        default=0.15, ge=0.0, about="beyond a cut-point before the level changes", low=0.0, high=0.35
    )
    sharpness: float = Param(
        default=2.0, gt=0.0, about="1/τ of the probabilities, in squared gaps of the cuts", low=0.5, high=8.0
    )
    min_history_bars: int = Param(default=100, ge=2, about="readings before the first view", low=50, high=300)
    patience_bars: int = Param(
        default=48, ge=1, about="bars without a reading after which confidence is halved", low=12, high=168
    )

    @model_validator(mode="after")
    def _apart(self) -> SentimentParams:
        if any(b - a <= 2.0 * self.band for a, b in pairwise(self.cuts)):
            raise ValueError(
                f"cuts: expected rising ones more than two bands of {self.band} apart, found {self.cuts}"
            )
        return self


@component
class Sentiment(Detector):
    """Says what mood the news are in, and mildly what that means for the market.

    `native_label` is one of the five levels; their probabilities are the softmax of ``−(x − centre)²/τ``. While no
    reading comes the level is held, confidence halves every `patience_bars`, and `reason` says so. Warm-up:
    `min_history_bars` readings. O(1) per bar.

    Attributes
    ----------
    levels : SchmittLevels
        With the crossings of the bare cut-points, the switches, and the bars that the bands cost.
    """

    Params: ClassVar[type[Params]] = SentimentParams
    MEASURES: ClassVar[tuple[str, ...]] = ("mood_score", "mood_level_cuts", "silent_bars")
    learns: ClassVar[bool] = True  # z-scores are against all of the past
    STATE: ClassVar[tuple[str, ...]] = (
        "levels", "_own", "_x", "_ema", "_count", "_mean", "_squares", "_silent", "_known", "_bars_in_state",
        "_probabilities",
    )  # fmt: skip

    def __init__(self, params: Any, *, fits: FitRunner, name: str, seed: int) -> None:
        super().__init__(params, fits=fits, name=name, seed=seed)
        p: SentimentParams = params
        self._p = p
        self.warmup_bars = p.min_history_bars
        self._weight = 2.0 / (p.span_bars + 1.0)
        c = p.cuts
        gap = (c[3] - c[0]) / 3.0
        self._centres = (
            c[0] - 0.5 * gap,
            *((a + b) / 2.0 for a, b in pairwise(c)),
            c[3] + 0.5 * gap,
        )
        self._tightness = p.sharpness / (gap * gap)
        self.levels = SchmittLevels(c, band=p.band)
        self._own: tuple[float, ...] = ()
        self._x = 0.0  # the smoothed score in the units of the cut-points
        self._probabilities: tuple[float, ...] = UNIFORM
        self._ema = 0.0
        self._count = 0
        self._mean = self._squares = 0.0  # of the EMA, by Welford
        self._silent = 0
        self._known = 1.0  # what stood behind the last reading
        self._bars_in_state = 0

    @property
    def own_states(self) -> tuple[str, ...]:
        """The five levels, from fear to euphoria."""
        return LEVELS

    def update(self, obs: Observation) -> Assessment:
        """Take the next bar and return the view at its close."""
        score = obs.sentiment
        if score == score:
            self._silent = 0
            self._known = obs.sentiment_quality
            self._take(score)
        else:
            self._silent += 1
        if not self._own:
            return silent(NO_NEWS if self._silent else WARMING_UP)
        self._bars_in_state += 1
        confidence = distinctness(self._probabilities) * obs.quality * self._known
        if self._silent:
            confidence *= 0.5 ** (self._silent / self._p.patience_bars)
        return Assessment(
            label=REGIMES[top(self._probabilities)],
            probabilities=self._probabilities,
            confidence=confidence,
            native_label=LEVELS[self.levels.level],
            bars_in_state=self._bars_in_state,
            own_probabilities=self._own,
            features=(self._ema, self._x, float(self._silent)),
            data_quality=obs.quality * self._known,
            reason=NO_NEWS if self._silent else "",
        )

    def _take(self, score: float) -> None:
        self._count += 1
        n = self._count
        # a plain mean until the EMA's memory is full: it must not trust its first value
        self._ema += (score - self._ema) * max(self._weight, 1.0 / n)
        gap = self._ema - self._mean
        self._mean += gap / n
        self._squares += gap * (self._ema - self._mean)
        if n < self._p.min_history_bars:
            return
        x = self._ema
        if self._p.scale == "zscore":
            spread = sqrt(self._squares / n)
            x = (self._ema - self._mean) / spread if spread > 1e-12 else 0.0
        before = self.levels.level
        if self.levels.update(x) != before:
            self._bars_in_state = 0
        native = softmax([-self._tightness * (x - centre) * (x - centre) for centre in self._centres])
        self._own, self._x = native, x
        mixed = [
            sum([p * row[k] for p, row in zip(native, _MEANING, strict=True)]) for k in range(len(REGIMES))
        ]
        total = sum(mixed)
        self._probabilities = tuple([m / total for m in mixed])
