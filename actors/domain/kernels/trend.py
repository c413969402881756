"""Averages of price: the public functions and the factories of their streaming objects."""

from __future__ import annotations

from typing import Protocol

from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl


class PriceStream(Stream, Protocol):
    """A streaming object that takes one number per bar."""

    def update(self, x: float, /) -> float:
        """Take one bar, return the value after it (NaN while warming up)."""


def sma(x: FloatArray, window_bars: int, *, out: FloatArray | None = None) -> FloatArray:
    """Return the simple moving average.

    Parameters
    ----------
    x : array, shape (n_bars,)
    window_bars : int
        At least 1.
    out : array, shape (n_bars,), optional
        Buffer for the result.

    Returns
    -------
    array, shape (n_bars,), unit of `x`
        The first ``window_bars - 1`` values are NaN. A value is non-finite exactly while a non-finite
        input is inside its window.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> sma(np.array([1.0, 2.0, 3.0, 5.0]), 2).tolist()
    [nan, 1.5, 2.5, 4.0]
    """
    x = check.series("x", x)
    window_bars = check.window("window_bars", window_bars)
    out = check.buffer("out", out, x.shape[0], x)
    impl().sma(x, window_bars, out)
    return out


def sma_stream(window_bars: int) -> PriceStream:
    """Return a streaming simple moving average; O(window) memory, O(1) per bar.

    Examples
    --------
    >>> s = sma_stream(2)
    >>> [s.update(v) for v in (1.0, 2.0, 3.0)]
    [nan, 1.5, 2.5]
    """
    stream: PriceStream = impl().Sma(check.window("window_bars", window_bars))
    return stream
