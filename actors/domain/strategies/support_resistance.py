"""Support and resistance: long where the price comes to a level and turns, or breaks through one; short likewise.

Osler (2000), "Support for resistance: technical analysis and intraday exchange rates", FRBNY Economic Policy
Review 6(2): prices turn at published levels more often than at arbitrary ones; Osler (2003), Journal of Finance
58(5), for the runs once a level breaks. Levels here are swings that several times stopped at about one price.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np

from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.state import Stateful
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.swings import Swings, swings

_NAN = float("nan")
_NOTHING = (0.0, 0.0)


class SupportResistanceParams(Params):
    """Parameters of `SupportResistance`.

    Attributes
    ----------
    span_bars : int
        Bars on each side that a swing stands out from.
    tolerance_frac : float
        Swings within this fraction of a level belong to it; a close beyond a level by more has broken it.
    min_touches : int
        Swings that make a level.
    max_levels : int
        Levels kept; the one that was not touched for longest is forgotten first.
    memory_bars : int
        Bars without a touch after which a level is forgotten (when the next swing comes).
    hold_bars : int
        Bars that an opinion lives, at most.
    min_room : float
        A turn is taken only where the level on the other side is this many tolerances away from the close, or
        where there is none. A turn that fails loses two tolerances or more, so a nearer target does not pay.
    mode : str
        ``bounce``: turns at a level only; ``breakout``: breaks only; ``both``.
    """

    span_bars: int = Param(5, ge=1, low=2, high=24, log=True)
    tolerance_frac: float = Param(0.01, gt=0, lt=0.5, low=0.001, high=0.03, log=True)
    min_touches: int = Param(2, ge=1, low=1, high=5)
    max_levels: int = Param(12, ge=1)
    memory_bars: int = Param(500, ge=1, low=100, high=2000, log=True)
    hold_bars: int = Param(24, ge=1, low=6, high=120, log=True)
    min_room: float = Param(3.0, ge=0, low=0.0, high=12.0)
    mode: Literal["bounce", "breakout", "both"] = Param("both", choices=("bounce", "breakout", "both"))


class _Levels(Stateful):
    """What both forms of the strategy run: bars and swings in, ``(direction, confidence)`` out."""

    STATE: ClassVar[tuple[str, ...]] = ("_levels", "_bars", "_close", "_trade")

    def __init__(self, p: SupportResistanceParams) -> None:
        self._p = p
        self._tolerance, self._least, self._hold = p.tolerance_frac, p.min_touches, p.hold_bars
        self._room = p.min_room * p.tolerance_frac
        self._bounces, self._breaks = p.mode != "breakout", p.mode != "bounce"
        self._levels: list[tuple[float, int, int]] = []  # price, touches, bar of the last touch
        self._bars = 0
        self._close = _NAN  # of the bar before
        self._trade: tuple[float, ...] = ()  # side, level, target (NaN: none), confidence, age

    def step(self, high: float, low: float, close: float, top: float, bottom: float) -> tuple[float, float]:
        """Take a bar and the swings that it makes known (NaN: none)."""
        if self._trade:
            side, level, target, sure, age = self._trade
            reached = high >= target if side > 0.0 else low <= target
            failed = (close - level) * side < -self._tolerance * level
            over = failed or reached or age + 1 >= self._hold
            self._trade = () if over else (side, level, target, sure, age + 1)
        if top == top:
            self._touch(top)
        if bottom == bottom:
            self._touch(bottom)
        self._bars += 1
        if self._levels:
            self._judge(high, low, close)
        self._close = close
        return (self._trade[0], self._trade[3]) if self._trade else _NOTHING

    def _judge(self, high: float, low: float, close: float) -> None:
        """Look at the nearest level on either side of the close before."""
        before, least = self._close, self._least
        support, resistance, support_touches, resistance_touches = _NAN, _NAN, 0, 0
        for price, touches, _ in self._levels:
            if touches < least:
                continue
            if price < before:
                if not price <= support:
                    support, support_touches = price, touches
            elif price > before and not price >= resistance:
                resistance, resistance_touches = price, touches
        off, room = self._tolerance, self._room * close
        # a comparison with NaN, no level on that side, is false
        if self._breaks and close > resistance * (1.0 + off):
            self._follow(1.0, resistance, _NAN, resistance_touches)
        elif self._breaks and close < support * (1.0 - off):
            self._follow(-1.0, support, _NAN, support_touches)
        elif self._bounces and low <= support * (1.0 + off) < close and not resistance - close < room:
            self._follow(1.0, support, resistance, support_touches)
        elif self._bounces and high >= resistance * (1.0 - off) > close and not close - support < room:
            self._follow(-1.0, resistance, support, resistance_touches)

    def _follow(self, side: float, level: float, target: float, touches: int) -> None:
        self._trade = (side, level, target, touches / (touches + 2.0), 0.0)

    def _touch(self, price: float) -> None:
        """Add a swing to the level it is nearest to, or make a level of it."""
        now = self._bars
        levels = [x for x in self._levels if now - x[2] <= self._p.memory_bars]
        nearest, best = -1, self._tolerance * price
        for k, (level, _, _) in enumerate(levels):
            gap = level - price if level > price else price - level
            if gap <= best:
                nearest, best = k, gap
        if nearest >= 0:
            level, touches, _ = levels[nearest]
            levels[nearest] = ((level * touches + price) / (touches + 1), touches + 1, now)
        else:
            levels.append((price, 1, now))
            if len(levels) > self._p.max_levels:
                del levels[min(range(len(levels)), key=lambda k: levels[k][2])]
        self._levels = levels


@component
class SupportResistance(Strategy):
    """Turns at levels, and breaks of levels, that swings have made.

    Notes
    -----
    State: running swings, the levels, and the opinion followed. Warm-up: ``2 * span_bars`` bars. O(levels) per
    bar; the batch form finds swings in whole columns and walks through the bars in Python. With t touches of
    the level the confidence is t / (t + 2). An opinion ends when its level fails, at the level on the other
    side (for turns), after ``hold_bars``, or with the next one.

    Examples
    --------
    >>> s = SupportResistance(SupportResistanceParams(span_bars=1, min_touches=1))
    >>> path = (108.0, 100.0, 108.0, 100.2, 102.0)
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate(path)]
    >>> [s.update(b).direction for b in bars]
    [0.0, 0.0, 0.0, 0.0, 0.0]
    >>> s.update(Market(5, 102.0, 103.0, 100.1, 103.0, 1.0, "", 0.0, {})).direction
    1.0
    """

    Params = SupportResistanceParams
    STATE: ClassVar[tuple[str, ...]] = ("_swings", "_book")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._swings = Swings(params.span_bars)
        self._book = _Levels(params)
        self.warmup_bars = 2 * params.span_bars
        self.settling_bars = 2 * params.memory_bars  # a level lives on while it is touched

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        high, low = market.high, market.low
        top, bottom = self._swings.update(high, low)
        direction, confidence = self._book.step(high, low, market.close, top, bottom)
        return Opinion(direction, confidence) if direction != 0.0 else FLAT

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        high, low = columns.high, columns.low
        tops, bottoms = swings(high, low, self.params.span_bars)
        step = _Levels(self.params).step
        rows = list(map(step, *(x.tolist() for x in (high, low, columns.close, tops, bottoms))))
        table = np.array(rows, dtype=np.float64).reshape(len(rows), 2)
        return np.ascontiguousarray(table[:, 0]), np.ascontiguousarray(table[:, 1])
