"""Sentiment as feature columns: the reading, how much stands behind it, its change and how unusual it is."""

from __future__ import annotations

from collections import deque
from math import nan, sqrt
from typing import ClassVar, Final

from actors.domain.events.sentiment import SentimentScored
from actors.domain.state import Stateful

_LAG = 24
_MEMORY = 168
SENTIMENT_COLUMNS: Final = (
    "sentiment",
    "sentiment_quality",
    f"sentiment_change_{_LAG}",
    "sentiment_surprise",
)


class SentimentFeatures(Stateful):
    """The columns of `SENTIMENT_COLUMNS`, one row per step; NaN until 24 steps were seen.

    The surprise is in standard deviations of the steps before (memory 168); 0 where there was no deviation at all.
    """

    STATE: ClassVar[tuple[str, ...]] = ("_recent", "_n", "_mean", "_variance", "_row")

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=_LAG)
        self._n = 0
        self._mean = self._variance = 0.0
        self._row: tuple[float, ...] = (nan,) * len(SENTIMENT_COLUMNS)

    @property
    def row(self) -> tuple[float, ...]:
        """The newest row."""
        return self._row

    def update(self, reading: SentimentScored) -> tuple[float, ...]:
        """Take the reading of a step, return its row."""
        score, recent = reading.score, self._recent
        change = surprise = nan
        if len(recent) == _LAG:
            change = score - recent[0]
            spread = sqrt(self._variance)
            surprise = (score - self._mean) / spread if spread > 1e-9 else 0.0
        recent.append(score)
        self._n += 1
        weight = 1.0 / min(self._n, _MEMORY)
        gap = score - self._mean
        self._mean += weight * gap
        self._variance = (1.0 - weight) * (self._variance + weight * gap * gap)
        self._row = (score, reading.quality, change, surprise)
        return self._row
