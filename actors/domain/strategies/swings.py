"""Swing highs and lows: extremes that stand out on both sides, known once enough bars have followed.

Lo, Mamaysky & Wang (2000), "Foundations of technical analysis", Journal of Finance 55(4), build patterns on local
extremes of a smoothed price; Williams (1995), "Trading chaos", takes them from the bars as here ("fractals").
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from actors.domain import kernels
from actors.domain.state import Stateful
from actors.domain.strategies.base import FloatArray
from actors.domain.strategies.rows import shifted

_NAN = float("nan")


class Swings(Stateful):
    """Streaming swings of one pair.

    A bar's high is a swing high if it is above the highs of the `span_bars` bars before it and not below those
    of the `span_bars` bars after it; so it is known `span_bars` bars later. Lows likewise, upside down.

    Parameters
    ----------
    span_bars : int
        At least 1.

    Notes
    -----
    State: a running extreme and the last ``span_bars + 1`` bars. O(1) amortised per bar. The first swing can be
    told at bar ``2 * span_bars``.

    Examples
    --------
    >>> s = Swings(1)
    >>> [s.update(h, h - 1.0) for h in (10.0, 12.0, 11.0)]
    [(nan, nan), (nan, nan), (12.0, nan)]
    """

    STATE: ClassVar[tuple[str, ...]] = ("_extremes", "_ring", "_bars")

    def __init__(self, span_bars: int) -> None:
        self._extremes = kernels.donchian_stream(span_bars)
        # per bar: high, low, and the extremes of the span that ended with it
        self._ring = [(_NAN, _NAN, _NAN, _NAN)] * (span_bars + 1)
        self._bars = 0

    def update(self, high: float, low: float) -> tuple[float, float]:
        """Take a bar; return the swing high and the swing low that it makes known, NaN where there is none."""
        ring = self._ring
        size = len(ring)
        upper = self._extremes.advance(high, low)
        lower = self._extremes.lower
        k = self._bars
        _, _, before_upper, before_lower = ring[k % size]  # of span + 1 bars ago
        ring[k % size] = (high, low, upper, lower)
        top, bottom, _, _ = ring[(k + 1) % size]  # of span bars ago
        self._bars = k + 1
        return (
            top if top > before_upper and top >= upper else _NAN,
            bottom if bottom < before_lower and bottom <= lower else _NAN,
        )


def swings(high: FloatArray, low: FloatArray, span_bars: int) -> tuple[FloatArray, FloatArray]:
    """Return `Swings` over columns: swing highs and lows at the bars that make them known, NaN elsewhere.

    Examples
    --------
    >>> h = np.array([10.0, 12.0, 11.0])
    >>> [x.tolist() for x in swings(h, h - 1.0, 1)]
    [[nan, nan, 12.0], [nan, nan, nan]]
    """
    upper, lower, _ = kernels.donchian(high, low, span_bars)
    top, bottom = shifted(high, span_bars), shifted(low, span_bars)
    is_top = (top > shifted(upper, span_bars + 1)) & (top >= upper)
    is_bottom = (bottom < shifted(lower, span_bars + 1)) & (bottom <= lower)
    return np.where(is_top, top, np.nan), np.where(is_bottom, bottom, np.nan)
