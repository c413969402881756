"""What a strategy is: per pair and bar, an opinion with direction, confidence and horizon.

A strategy has a streaming form (`Strategy.update`, what every host runs) and may have a batch form
(`Strategy.batch`, what the fast backtest path runs). **The law: batch equals streaming to the bit.** For a
strategy built as ``registry.build("actors.domain.strategies", kind, params)``::

    direction, confidence = strategy.batch(columns)      # two float64 arrays, shape (n_bars,) each

    columns     anything with the float64 arrays ``open high low close volume`` of shape (n_bars,): a `BarFrame`
                of one pair, or `MarketColumns` where the strategy reads more than bars (see `reads`)
    direction   in [-1, 1]; 0.0 where flat, NaN nowhere
    confidence  in [0, 1]; 0.0 where there is nothing to say

Row k of both is what the (k+1)-th `update` of a fresh instance returns, as ``Opinion.direction`` and
``Opinion.confidence``; ``horizon_bars`` of a strategy with a batch form is 1. Rows before `warmup_bars` are
flat. `batch` is pure: it neither reads nor changes what `update` remembers, so one instance may serve many
calls, and row k depends on rows up to k only. Cost O(n_bars).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import DataError
from actors.domain.events.regime import REGIMES
from actors.domain.registry import Params
from actors.domain.state import Stateful

FloatArray = NDArray[np.float64]
REGIME, PREDICTIONS = "regime", "predictions"
"""What a strategy may read besides bars."""


class Market(msgspec.Struct, frozen=True, gc=False):
    """What a strategy sees of one pair at a close.

    `regime` and `regime_confidence` are the ensemble's; `predictions` maps model name → P(up) (NaN: untrained).
    """

    step: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    regime: str
    regime_confidence: float
    predictions: Mapping[str, float]


class Opinion(msgspec.Struct, frozen=True, gc=False):
    """Direction in [-1, 1] (sign: side; size: strength), confidence in [0, 1], horizon in bars. Flat is (0, 0)."""

    direction: float
    confidence: float
    horizon_bars: int = 1


FLAT = Opinion(0.0, 0.0)


class Columns(Protocol):
    """Bars of one pair as float64 arrays of shape (n_bars,); every `BarFrame` is one."""

    @property
    def open(self) -> FloatArray:
        """Prices, quote currency."""

    @property
    def high(self) -> FloatArray:
        """Prices, quote currency."""

    @property
    def low(self) -> FloatArray:
        """Prices, quote currency."""

    @property
    def close(self) -> FloatArray:
        """Prices, quote currency."""

    @property
    def volume(self) -> FloatArray:
        """Traded in the bar, base currency."""


@dataclass(frozen=True, eq=False)
class MarketColumns:
    """Bars with what the fleet knew at each close: `Market`, as columns.

    Attributes
    ----------
    open, high, low, close, volume : float64 array, shape (n_bars,)
    regime : int8 array, shape (n_bars,)
        Index into `REGIMES` of the ensemble's label; -1: unknown. Default: unknown throughout.
    regime_confidence : float64 array, shape (n_bars,)
        In [0, 1]; 0 by default.
    predictions : mapping model name → float64 array of shape (n_bars,)
        P(up); NaN where there is none. In the order in which the strategy hears the models.

    Raises
    ------
    DataError
        If the lengths differ.

    Examples
    --------
    >>> x = np.array([1.0, 2.0])
    >>> MarketColumns(x, x, x, x, x, regime=np.array([0, -1], dtype=np.int8)).regime_confidence.tolist()
    [0.0, 0.0]
    """

    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    regime: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, dtype=np.int8))
    regime_confidence: FloatArray = field(default_factory=lambda: np.zeros(0))
    predictions: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.close)
        if n and not len(self.regime):
            object.__setattr__(self, "regime", np.full(n, -1, dtype=np.int8))
        if n and not len(self.regime_confidence):
            object.__setattr__(self, "regime_confidence", np.zeros(n))
        columns = ("open", "high", "low", "close", "volume", "regime", "regime_confidence")
        sizes = {name: len(getattr(self, name)) for name in columns}
        sizes |= {name: len(x) for name, x in self.predictions.items()}
        if set(sizes.values()) != {n}:
            raise DataError("COLUMNS_SHAPE", f"columns: expected {n} rows each, found {sizes}")

    @classmethod
    def of(cls, columns: Columns) -> MarketColumns:
        """Return columns with regime and predictions: the same ones, or unknown throughout for plain bars."""
        if isinstance(columns, MarketColumns):
            return columns
        return cls(columns.open, columns.high, columns.low, columns.close, columns.volume)

    @classmethod
    def from_markets(cls, markets: Sequence[Market]) -> MarketColumns:
        """Return the columns of a sequence of `Market`; a model missing in a row is NaN there."""
        labels = {label: k for k, label in enumerate(REGIMES)}
        models = list(dict.fromkeys(name for m in markets for name in m.predictions))

        def column(name: str) -> FloatArray:
            return np.array([getattr(m, name) for m in markets], dtype=np.float64)

        return cls(
            column("open"), column("high"), column("low"), column("close"), column("volume"),
            np.array([labels.get(m.regime, -1) for m in markets], dtype=np.int8),
            column("regime_confidence"),
            {n: np.array([m.predictions.get(n, np.nan) for m in markets]) for n in models},
        )  # fmt: skip


class Strategy(Stateful):
    """Base of strategies: one instance per pair; a subclass takes ``(params)``.

    Attributes
    ----------
    warmup_bars : int
        Bars before the first opinion other than flat.
    settling_bars : int or None
        Bars after which it no longer matters where the data began, where that is more than a few times the
        warm-up: a memory of events. `recursive-analysis` holds a strategy to it.
    has_batch : bool
        True if `batch` exists; then it equals `update` to the bit.
    reads : tuple of str
        What the opinion depends on besides bars: of `REGIME`, `PREDICTIONS`. A strategy that reads nothing
        more needs no detectors and no models in its fleet. May depend on the parameters: ask an instance.
    """

    Params: ClassVar[type[Params]] = Params
    has_batch: ClassVar[bool] = False
    reads: tuple[str, ...] = ()
    warmup_bars: int
    settling_bars: int | None = None

    def __init__(self, params: Any) -> None:
        self.params = params

    @property
    def switch(self) -> tuple[str, str, float, str] | None:
        """What the last bar changed of the parameters in force; None of a strategy that never changes them."""
        return None

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        raise NotImplementedError

    def batch(self, columns: Columns) -> tuple[FloatArray, FloatArray]:
        """Return ``(direction, confidence)`` per bar, shape (n_bars,) each; see the module's first lines."""
        raise NotImplementedError


__all__: Sequence[str] = [
    "FLAT", "PREDICTIONS", "REGIME", "Columns", "FloatArray", "Market", "MarketColumns", "Opinion", "Strategy",
]  # fmt: skip
