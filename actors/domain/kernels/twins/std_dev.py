"""Twin of the rolling standard deviation (see ``std_dev.rs``)."""

from __future__ import annotations

import numpy as np

from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins.moments import Moments, mean_sd


class Std(Moments):
    """Streaming standard deviation, ddof 0."""

    __slots__ = ()

    def __init__(self, window: int, /) -> None:
        self.start(window)

    def update(self, x: float, /) -> float:
        """Take one bar; NaN until the window is full."""
        return self.take(x)[1]

    def snapshot(self) -> bytes:
        return self.write("Std")

    def restore(self, data: bytes, /) -> None:
        self.read(data, "Std", 0)


def std(x: FloatArray, window: int, out: FloatArray, /) -> None:
    """Write the rolling standard deviation (ddof 0) of `x` into `out`."""
    mean_sd(x, window, np.empty_like(x), out)
