"""The square-root law of impact, Y·σ·√(Q/V) (Tóth et al. 2011, "Anomalous price impact").

σ and V are per bar: σ_day·√(Q/V_day) = σ_bar·√(Q/V_bar), the law does not depend on the bar length.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from pydantic import Field, model_validator

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params, component
from actors.domain.simulation.slippage.base import SlippageModel

_PARKINSON = 1.0 / (4.0 * math.log(2.0))


class SquareRootParams(Params):
    """Prefactor Y, memory of σ and V, and a ceiling for bars almost without volume."""

    prefactor: float = Field(default=1.0, ge=0.0, le=10.0)
    half_life_bars: float = Field(default=48.0, gt=0.0)
    max_cost_bps: float = Field(default=500.0, gt=0.0, le=5000.0)

    @model_validator(mode="before")
    @classmethod
    def _spread_stands_apart(cls, values: Any) -> Any:
        if isinstance(values, dict) and "half_spread_bps" in values:
            raise ValueError(
                "expected no half_spread_bps here, the spread is a cost of its own; set "
                "venue.spread.params.half_spread_bps"
            )
        return values


@component
class SquareRoot(SlippageModel):
    """Impact from exponentially weighted range variance (Parkinson 1980) and volume of the bars before.

    State: two floats per pair. Warm-up: 1 bar (until then the bar of the execution itself is used).
    """

    STATE: ClassVar[tuple[str, ...]] = ("_variance", "_volume")
    Params = SquareRootParams

    def __init__(self, params: Any) -> None:
        self._prefactor: float = params.prefactor
        self._max: float = params.max_cost_bps / 10_000.0
        self._alpha: float = 1.0 - 0.5 ** (1.0 / params.half_life_bars)
        self._variance: dict[str, float] = {}
        self._volume: dict[str, float] = {}

    def cost_frac(self, pair: str, quantity: float, bar: BarClosed) -> float:
        """Return the impact, at most `max_cost_bps`.

        Examples
        --------
        >>> bar = BarClosed(ts_event_ns=1, source="x", open_ns=0, close_ns=1,
        ...                 open=100.0, high=101.0, low=99.0, close=100.0, volume=50.0)
        >>> model = SquareRoot(SquareRootParams())
        >>> model.cost_frac("BTC/USDT", 0.5, bar) < model.cost_frac("BTC/USDT", 5.0, bar)
        True
        """
        variance = self._variance.get(pair)
        if variance is None:
            variance, volume = math.log(bar.high / bar.low) ** 2 * _PARKINSON, bar.volume
        else:
            volume = self._volume[pair]
        if volume <= 0.0:
            return self._max
        return min(self._max, self._prefactor * math.sqrt(variance * abs(quantity) / volume))

    def observe(self, pair: str, bar: BarClosed) -> None:
        """Update σ² and V."""
        spread = math.log(bar.high / bar.low)
        now = spread * spread * _PARKINSON
        old = self._variance.get(pair)
        if old is None:
            self._variance[pair], self._volume[pair] = now, bar.volume
            return
        self._variance[pair] = old + self._alpha * (now - old)
        volume = self._volume[pair]
        self._volume[pair] = volume + self._alpha * (bar.volume - volume)
