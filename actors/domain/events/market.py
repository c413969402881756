"""Market facts: closed bars, gaps and how good the data is."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import Event

FLAG_FORWARD_FILLED = 1
FLAG_REPAIRED = 2


class BarClosed(Event, frozen=True, kw_only=True, gc=False):
    """A finished bar over ``[open_ns, close_ns)``; prices in quote, volume in base; float64 for statistics."""

    stage: ClassVar[str] = "market"
    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    flags: int = 0
    synthetic: bool = False


class DataGapDetected(Event, frozen=True, kw_only=True, gc=False):
    """`missing_bars` bars did not arrive between the last bar and this one."""

    stage: ClassVar[str] = "market"
    missing_bars: int
    last_close_ns: int


class DataQualityAssessed(Event, frozen=True, kw_only=True, gc=False):
    """Rolling quality of one pair's feed: product of the three shares, each in [0, 1]."""

    stage: ClassVar[str] = "market"
    score: float
    completeness: float
    freshness: float
    outlier_free: float
