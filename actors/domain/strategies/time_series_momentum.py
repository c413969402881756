"""Time-series momentum: long what has risen over each of several spans, short what has fallen, steadied by risk.

Moskowitz, Ooi & Pedersen (2012), "Time series momentum", Journal of Financial Economics 104(2): the sign of the
past return, each position scaled by target over forecast volatility, the forecast an exponential average of
squared returns known one bar before.
"""

from __future__ import annotations

from math import sqrt
from typing import Any, ClassVar

import numpy as np
import pydantic

from actors.domain import kernels
from actors.domain.params import Param
from actors.domain.registry import Params, component
from actors.domain.strategies.base import FLAT, Columns, FloatArray, Market, Opinion, Strategy
from actors.domain.strategies.rows import shifted


class TimeSeriesMomentumParams(Params):
    """Parameters of `TimeSeriesMomentum`.

    Attributes
    ----------
    short_bars, middle_bars, long_bars : int
        Spans of the past returns, increasing; each has one vote.
    volatility_bars : int
        Span of the exponential average of squared returns.
    target_volatility_frac : float
        Volatility per bar up to which the confidence is 1; above it, the ratio.
    """

    short_bars: int = Param(24, ge=1, low=6, high=72, log=True)
    middle_bars: int = Param(96, ge=2, low=24, high=240, log=True)
    long_bars: int = Param(240, ge=3, low=96, high=720, log=True)
    volatility_bars: int = Param(60, ge=2, low=20, high=200, log=True)
    target_volatility_frac: float = Param(0.005, gt=0, low=0.001, high=0.03, log=True)

    @pydantic.model_validator(mode="after")
    def _ordered(self) -> TimeSeriesMomentumParams:
        if not self.short_bars < self.middle_bars < self.long_bars:
            raise ValueError(
                "short_bars < middle_bars < long_bars: expected increasing values, found "
                f"{self.short_bars}, {self.middle_bars}, {self.long_bars}"
            )
        return self


@component
class TimeSeriesMomentum(Strategy):
    """The vote of three past returns, sized by the volatility known before.

    Notes
    -----
    State: the last ``long_bars + 1`` closes in a ring, and the average of squared returns. Warm-up: the longer
    of ``long_bars`` and ``volatility_bars + 1`` bars. O(1) per bar. The direction is the mean of the three
    signs: a third, two thirds or the whole.

    Examples
    --------
    >>> p = TimeSeriesMomentumParams(short_bars=1, middle_bars=2, long_bars=3, volatility_bars=2)
    >>> s = TimeSeriesMomentum(p)
    >>> bars = [Market(i, c, c, c, c, 1.0, "", 0.0, {}) for i, c in enumerate((100.0, 101.0, 102.0, 101.5))]
    >>> [round(s.update(b).direction, 3) for b in bars]
    [0.0, 0.0, 0.0, 0.333]
    """

    Params = TimeSeriesMomentumParams
    STATE: ClassVar[tuple[str, ...]] = ("_closes", "_bars", "_squares", "_variance")
    has_batch: ClassVar[bool] = True

    def __init__(self, params: Any) -> None:
        super().__init__(params)
        self._spans = params.short_bars, params.middle_bars, params.long_bars
        self._closes = [0.0] * (params.long_bars + 1)  # close of bar k at k % length
        self._bars = 0
        self._squares = kernels.ema_stream(params.volatility_bars)
        self._variance = float("nan")  # of the returns up to the bar before
        self._target = params.target_volatility_frac
        self.warmup_bars = max(params.long_bars, params.volatility_bars + 1)

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        close, k, closes, variance = market.close, self._bars, self._closes, self._variance
        length = len(closes)
        if k:
            move = close / closes[(k - 1) % length] - 1.0
            self._variance = self._squares.update(move * move)
        closes[k % length] = close
        self._bars = k + 1
        if k < self.warmup_bars:
            return FLAT
        votes = 0.0
        for span in self._spans:
            past = closes[(k - span) % length]
            votes += 1.0 if close > past else -1.0 if close < past else 0.0
        if votes == 0.0 or not variance > 0.0:
            return FLAT
        calm = self._target / sqrt(variance)
        return Opinion(votes / 3.0, calm if calm < 1.0 else 1.0)

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar."""
        close = columns.close
        votes = np.zeros(len(close))
        for span in self._spans:
            past = shifted(close, span)
            votes += (close > past).astype(np.float64) - (close < past)
        variance = np.full(len(close), np.nan)
        if len(close) > 2:
            move = close[1:] / close[:-1] - 1.0
            variance[2:] = kernels.ema(move * move, self.params.volatility_bars)[:-1]
        live = (votes != 0.0) & (variance > 0.0)
        live[: self.warmup_bars] = False
        calm = np.divide(self._target, np.sqrt(variance), out=np.zeros(len(close)), where=live)
        return np.where(live, votes / 3.0, 0.0), np.minimum(calm, 1.0)
