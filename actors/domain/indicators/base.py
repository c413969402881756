"""What an indicator is: a causal filter over bars with a streaming and a batch form that agree to the bit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from actors.domain.events.market import BarClosed
from actors.domain.registry import Params
from actors.domain.state import Stateful

if TYPE_CHECKING:
    from actors.domain.model.bars import BarFrame

FloatArray = NDArray[np.float64]


class Indicator(Stateful):
    """Base of indicators; a subclass takes ``(params)`` and is marked `@component`.

    Attributes
    ----------
    names : tuple of str
        Output columns, e.g. ``("macd", "macd_signal", "macd_hist")``.
    warmup_bars : int
        Index of the first bar with a value in every column.
    settling_bars : int or None
        Bars after which it no longer matters where the data began, where that is more than a few times the warm-up.
    cumulative : bool
        True if the level depends on where the data begin, as a running total does: only its changes mean anything.
    """

    Params: ClassVar[type[Params]] = Params
    names: tuple[str, ...]
    warmup_bars: int
    settling_bars: int | None = None
    cumulative: ClassVar[bool] = False

    def update(self, bar: BarClosed) -> Sequence[float]:
        """Take the next bar and return one value per name; NaN before the warm-up is over."""
        raise NotImplementedError

    def batch(self, frame: BarFrame) -> FloatArray:
        """Return the columns over a whole frame, shape (n_names, n_bars), equal to `update` to the bit."""
        raise NotImplementedError
