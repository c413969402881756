"""Donchian breakout: in with a close beyond the channel of the bars before, out beyond a shorter channel.

Donchian (1960), "High finance in copper", Financial Analysts Journal 16(6), the four-week rule; the shorter
channel for leaving is that of Faith (2003), "The original turtle trading rules", systems 1 and 2.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.rows import shifted
from actors.domain.strategies.sides import held_side


class DonchianParams(Params):
    """Parameters of `Donchian`.

    Attributes
    ----------
    entry_bars : int
        Bars before this one whose highest high or lowest low the close must leave behind.
    exit_bars : int
        Bars before this one whose opposite extreme ends the side; at most `entry_bars`.
    scale_frac : float
        Distance of the close from the level of leaving, as a fraction of the channel, at which the confidence
        reaches one half.
    """

    entry_bars: int = Param(55, ge=2, low=10, high=240, log=True)
    exit_bars: int = Param(20, ge=1, low=5, high=120, log=True)
    scale_frac: float = Param(0.5, gt=0, low=0.1, high=2.0, log=True)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> DonchianParams:
        if self.exit_bars > self.entry_bars:
            raise ValueError(
                f"exit_bars: expected at most entry_bars ({self.entry_bars}), found {self.exit_bars}"
            )
        return self


@component
class Donchian(Strategy):
    """The breakout rule with a channel for coming and a shorter one for going.

    Notes
    -----
    State: two streaming channels, which hold the bars before this one while it is judged, and the side held.
    Warm-up: ``entry_bars`` bars. O(1) amortised per bar.

    Examples
    --------
    >>> s = Donchian(DonchianParams(entry_bars=2, exit_bars=1))
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate((10.0, 11.0, 12.0, 11.5))]
    >>> [s.update(b).direction for b in bars]
    [0.0, 0.0, 1.0, 0.0]
    """

    Params = DonchianParams
    STATE: ClassVar[tuple[str, ...]] = ("_entry", "_exit", "_side", "_levels")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._entry = kernels.donchian_stream(params.entry_bars)
        self._exit = kernels.donchian_stream(params.exit_bars)
        self._scale = params.scale_frac
        self._side = 0.0
        nan = float("nan")
        self._levels = (nan, nan, nan, nan)  # of the bars before: highs and lows of both channels
        self.warmup_bars = params.entry_bars

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        close, side = market.close, self._side
        upper, lower, out_upper, out_lower = self._levels
        if close > upper:
            side = 1.0
        elif close < lower:
            side = -1.0
        elif (side > 0.0 and close < out_lower) or (side < 0.0 and close > out_upper):
            side = 0.0
        self._side = side
        entry, leave = self._entry, self._exit
        high, low = market.high, market.low
        self._levels = (
            entry.advance(high, low), entry.lower, leave.advance(high, low), leave.lower
        )  # fmt: skip
        width = upper - lower
        if side == 0.0 or not width > 0.0:
            return FLAT
        size = (close - out_lower if side > 0.0 else out_upper - close) / width
        return Opinion(side, size / (size + self._scale))

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        p, close = self.params, columns.close
        upper, lower, _ = (shifted(x, 1) for x in kernels.donchian(columns.high, columns.low, p.entry_bars))
        out_upper, out_lower, _ = (
            shifted(x, 1) for x in kernels.donchian(columns.high, columns.low, p.exit_bars)
        )
        side = held_side(close > upper, close < out_lower, close < lower, close > out_upper)
        width = upper - lower
        live = (side != 0.0) & (width > 0.0)
        gap = np.where(side > 0.0, close - out_lower, out_upper - close)
        size = np.divide(gap, width, out=np.zeros_like(width), where=live)
        return np.where(live, side, 0.0), np.where(live, size / (size + self._scale), 0.0)
