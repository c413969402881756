"""Swing patterns: double bottoms and tops, head and shoulders, taken when the close breaks the neckline.

Lo, Mamaysky & Wang (2000), "Foundations of technical analysis", Journal of Finance 55(4), for the definitions by
successive extremes and their tolerance of 1.5 %; Edwards & Magee (1948), "Technical analysis of stock trends",
for neckline and measured target. Extremes are swings of the bars, not of a smoothed price.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.state import Stateful
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.swings import Swings, swings

_NOTHING = (0.0, 0.0)
_POINTS = 5


class SwingPatternsParams(Params):
    """Parameters of `SwingPatterns`.

    Attributes
    ----------
    span_bars : int
        Bars on each side that a swing stands out from.
    tolerance_frac : float
        Extremes that should be level may differ by this fraction of their mean, at most.
    wait_bars : int
        Bars that a pattern waits for the close to break its neckline.
    hold_bars : int
        Bars that an opinion lives, at most.
    confidence : float
        In a pattern whose extremes are exactly level; half of it where they differ by the tolerance.
    """

    span_bars: int = Param(5, ge=1, low=2, high=24, log=True)
    tolerance_frac: float = Param(0.015, gt=0, lt=1, low=0.003, high=0.05, log=True)
    wait_bars: int = Param(24, ge=1, low=6, high=96, log=True)
    hold_bars: int = Param(48, ge=1, low=12, high=240, log=True)
    confidence: float = Param(0.7, gt=0, le=1)


class _Patterns(Stateful):
    """What both forms of the strategy run: swings and closes in, ``(direction, confidence)`` out."""

    STATE: ClassVar[tuple[str, ...]] = ("_points", "_setup", "_trade")

    def __init__(self, p: SwingPatternsParams) -> None:
        self._tolerance, self._wait, self._hold, self._sure = (
            p.tolerance_frac, p.wait_bars, p.hold_bars, p.confidence
        )  # fmt: skip
        self._points: list[tuple[float, float]] = []  # (1 high or -1 low, price), alternating, oldest first
        self._setup: tuple[float, ...] = ()  # side, neckline, stop, target, confidence, age
        self._trade: tuple[float, ...] = ()  # side, stop, target, confidence, age

    def step(self, close: float, top: float, bottom: float) -> tuple[float, float]:
        """Take a bar: its close, and the swings that it makes known (NaN: none)."""
        if self._trade:
            side, stop, target, sure, age = self._trade
            over = (close - stop) * side <= 0.0 or (close - target) * side >= 0.0 or age + 1 >= self._hold
            self._trade = () if over else (side, stop, target, sure, age + 1)
        if top == top:
            self._point(1.0, top)
        if bottom == bottom:
            self._point(-1.0, bottom)
        if self._setup:
            side, neckline, stop, target, sure, age = self._setup
            if (close - neckline) * side > 0.0:
                self._setup = ()
                if (close - target) * side < 0.0:
                    self._trade = (side, stop, target, sure, 0.0)
            elif (close - stop) * side < 0.0 or age + 1 >= self._wait:
                self._setup = ()
            else:
                self._setup = (side, neckline, stop, target, sure, age + 1)
        return (self._trade[0], self._trade[3]) if self._trade else _NOTHING

    def _point(self, kind: float, price: float) -> None:
        points = self._points
        if points and points[-1][0] == kind:
            # the second of two highs in a row counts only if it is higher
            if (price - points[-1][1]) * kind <= 0.0:
                return
            points.pop()
        points.append((kind, price))
        del points[:-_POINTS]
        found = self._pattern(-kind)
        if found:
            self._setup = found

    def _pattern(self, side: float) -> tuple[float, ...]:
        """Return the setup that the last swings make for a side, bottoms for 1 and tops for -1; () if none."""
        # upside down for tops: then every pattern is a bottom
        x = [price * side for _, price in self._points]
        if len(x) == _POINTS:
            left, neck, head, neck_2, right = x
            if head < left and head < right:
                off = max(self._apart(left, right), self._apart(neck, neck_2))
                if off <= 1.0:
                    line = 0.5 * (neck + neck_2)
                    return self._made(side, line, right, line + (line - head), off)
        if len(x) >= 3:
            first, neck, last = x[-3:]
            off, least = self._apart(first, last), first if first < last else last
            # lower than its tolerance it is no pattern but noise
            if off <= 1.0 and self._apart(neck, least) > 2.0:
                return self._made(side, neck, least, neck + (neck - least), off)
        return ()

    def _apart(self, a: float, b: float) -> float:
        """Return how far two prices are apart, in tolerances."""
        mean = 0.5 * (a + b)
        return abs(a - b) / (self._tolerance * abs(mean))

    def _made(
        self, side: float, neckline: float, stop: float, target: float, off: float
    ) -> tuple[float, ...]:
        sure = self._sure * (1.0 - 0.5 * off)
        return (side, neckline * side, stop * side, target * side, sure, 0.0)


@component
class SwingPatterns(Strategy):
    """Double bottoms and tops, and heads with shoulders, from neckline to target.

    Notes
    -----
    State: running swings, the last five of them, the pattern that waits and the one that is followed. Warm-up:
    ``2 * span_bars`` bars. O(1) amortised per bar; the batch form finds swings in whole columns and walks
    through the bars in Python. A followed pattern ends at its stop (the last extreme), its target (as far
    beyond the neckline as the pattern is deep), after ``hold_bars``, or with the next pattern.

    Examples
    --------
    >>> s = SwingPatterns(SwingPatternsParams(span_bars=1))
    >>> path = (110.0, 100.0, 106.0, 100.5, 104.0, 107.0)
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate(path)]
    >>> [s.update(b).direction for b in bars]
    [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    """

    Params = SwingPatternsParams
    STATE: ClassVar[tuple[str, ...]] = ("_swings", "_patterns")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._swings = Swings(params.span_bars)
        self._patterns = _Patterns(params)
        self.warmup_bars = 2 * params.span_bars

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        top, bottom = self._swings.update(market.high, market.low)
        direction, confidence = self._patterns.step(market.close, top, bottom)
        return Opinion(direction, confidence) if direction != 0.0 else FLAT

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        tops, bottoms = swings(columns.high, columns.low, self.params.span_bars)
        step = _Patterns(self.params).step
        rows = list(map(step, columns.close.tolist(), tops.tolist(), bottoms.tolist()))
        table = np.array(rows, dtype=np.float64).reshape(len(rows), 2)
        return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
