"""What a strategy is: per pair and bar, an opinion with direction, confidence and horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from actors.domain.registry import Params
from actors.domain.state import Stateful

if TYPE_CHECKING:
    from actors.domain.model.bars import BarFrame


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


class Strategy(Stateful):
    """Base of strategies: one instance per pair; a subclass takes ``(params)``.

    Attributes
    ----------
    warmup_bars : int
        Bars before the first opinion other than flat.
    has_batch : bool
        True if `batch` exists; then it equals `update` to the bit.
    """

    Params: ClassVar[type[Params]] = Params
    has_batch: ClassVar[bool] = False
    warmup_bars: int

    def __init__(self, params: Any) -> None:
        self.params = params

    def update(self, market: Market) -> Opinion:
        """Return the opinion at this close."""
        raise NotImplementedError

    def batch(self, frame: BarFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``(direction, confidence)`` per bar, shape (n_bars,) each."""
        raise NotImplementedError


__all__: Sequence[str] = ["FLAT", "Market", "Opinion", "Strategy"]
