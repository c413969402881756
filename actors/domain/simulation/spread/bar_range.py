"""A spread that widens with volatility, read from the ranges of the bars before.

Spreads are proportional to volatility (Wyart, Bouchaud, Kockelkoren, Potters and Vettorazzo 2008, "Relation
between bid-ask spread, impact and volatility in order-driven markets").
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import Field

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params, component
from actors.domain.simulation.spread.base import SpreadModel

_PARKINSON = 1.0 / (4.0 * math.log(2.0))
_DAY_NS = 86_400_000_000_000


class BarRangeSpreadParams(Params):
    """Half spread = `floor_bps` + `share_of_sigma_day` · σ of a day, at most `max_bps`.

    The default share makes 1 bps of a day's volatility of 3 %, which is what `fixed_bps` assumes always.
    """

    floor_bps: float = Field(default=0.1, ge=0.0, le=1000.0)
    share_of_sigma_day: float = Field(default=0.003, ge=0.0, le=1.0)
    half_life_bars: float = Field(default=24.0, gt=0.0)
    max_bps: float = Field(default=100.0, gt=0.0, le=5000.0)


@component
class BarRangeSpread(SpreadModel):
    """Half spread from the exponentially weighted range variance (Parkinson 1980) of the bars before.

    State: one float per pair. Warm-up: 1 bar (until then the bar of the execution itself is used). Variances are
    per day, so bars of any length give the same spread.

    Examples
    --------
    >>> def bar(high):
    ...     return BarClosed(ts_event_ns=1, source="x", open_ns=0, close_ns=3_600_000_000_000,
    ...                      open=100.0, high=high, low=100.0, close=100.0, volume=5.0)
    >>> model = BarRangeSpread(BarRangeSpreadParams())
    >>> model.observe("BTC/USDT", bar(101.0))
    >>> round(model.half_frac("BTC/USDT", bar(150.0)) * 1e4, 3)
    0.978
    """

    STATE: ClassVar[tuple[str, ...]] = ("_variance",)
    Params = BarRangeSpreadParams

    def __init__(self, params: Any) -> None:
        self._floor: float = params.floor_bps / 10_000.0
        self._share: float = params.share_of_sigma_day
        self._max: float = params.max_bps / 10_000.0
        self._alpha: float = 1.0 - 0.5 ** (1.0 / params.half_life_bars)
        self._variance: dict[str, float] = {}

    def half_frac(self, pair: str, bar: BarClosed) -> float:
        """Return the half spread of the moment before the bar."""
        variance = self._variance.get(pair)
        if variance is None:
            variance = _per_day(bar)
        return min(self._max, self._floor + self._share * math.sqrt(variance))

    def observe(self, pair: str, bar: BarClosed) -> None:
        """Update the variance."""
        now, old = _per_day(bar), self._variance.get(pair)
        self._variance[pair] = now if old is None else old + self._alpha * (now - old)


def _per_day(bar: BarClosed) -> float:
    spread = math.log(bar.high / bar.low)
    return spread * spread * _PARKINSON * (_DAY_NS / (bar.close_ns - bar.open_ns))
