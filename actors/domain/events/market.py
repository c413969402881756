"""Market facts: closed bars and finer ones inside them, funding and mark prices, gaps and how good the data is."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import PRIORITY_CONTROL, Event

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


class BarDetailed(Event, frozen=True, kw_only=True, gc=False):
    """The finer bars inside the bar of this pair that closes now; the venue alone hears of it.

    Attributes
    ----------
    step_ns : int
        Length of a finer bar.
    open_ns, open, high, low, close, volume : tuples of equal length
        In order of time; moments without a trade may have no bar.
    """

    stage: ClassVar[str] = "market"
    step_ns: int
    open_ns: tuple[int, ...]
    open: tuple[float, ...]
    high: tuple[float, ...]
    low: tuple[float, ...]
    close: tuple[float, ...]
    volume: tuple[float, ...]


class TradingEnded(Event, frozen=True, kw_only=True, gc=False):
    """The pair has no bars after this step: its orders end here and its position is closed at the last price."""

    stage: ClassVar[str] = "market"
    reason: str = "no more bars"


class FundingRateUpdated(Event, frozen=True, kw_only=True, gc=False):
    """A perpetual's funding falls due at the end of this step: what a long pays a short, per value of the position.

    Attributes
    ----------
    rate : float
        A fraction; below 0 the short pays.
    funding_ns : int
        When it was due: the step's time, or earlier if no bar closed then.
    assumed : bool
        There is no series for the pair and `rate` is the configured one: its sign is unknown, so either side pays it.
    """

    stage: ClassVar[str] = "market"
    rate: float
    funding_ns: int
    assumed: bool = False


class MarkPriceUpdated(Event, frozen=True, kw_only=True, gc=False):
    """By what the venue values a perpetual over ``[open_ns, close_ns)``: it liquidates by it, funding is on it."""

    stage: ClassVar[str] = "market"
    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float
    close: float


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


class BarUnseen(Event, frozen=True, kw_only=True, gc=False):
    """What the venue traded over ``[open_ns, close_ns)`` while our feed of this pair was silent: the venue alone knows.

    Only an injected disturbance says it; fields as in `BarClosed`.
    """

    stage: ClassVar[str] = "market"
    open_ns: int
    close_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float


class BarOverdue(Event, frozen=True, kw_only=True, gc=False):
    """The pair's bar that should close now did not arrive by its deadline: an input, so that silence is noticed."""

    stage: ClassVar[str] = "market"


class VenueDisturbed(Event, frozen=True, kw_only=True, gc=False):
    """From this step on the venue is like this, until the next one: an input of the simulated venue.

    Attributes
    ----------
    state : str
        ``open``; ``refusing``: it answers every order with a no, its book goes on; ``down``: it neither trades nor
        answers.
    reason : str
        Code of the refusals, e.g. ``CLOCK_SKEW``.
    spread_factor : float
        What half the spread is multiplied by.
    """

    stage: ClassVar[str] = "market"
    priority: ClassVar[int] = PRIORITY_CONTROL
    state: str = "open"
    reason: str = ""
    spread_factor: float = 1.0
