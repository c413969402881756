"""Price channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl

Lines = tuple[FloatArray, FloatArray, FloatArray]


class DonchianStream(Stream, Protocol):
    """A streaming Donchian channel."""

    def update(self, high: float, low: float, /) -> tuple[float, float, float]:
        """Take one bar, return upper, lower, middle (NaN while warming up)."""


def donchian(
    high: FloatArray,
    low: FloatArray,
    window_bars: int = 20,
    *,
    out: Sequence[FloatArray] | None = None,
) -> Lines:
    """Return the Donchian channel: highest high, lowest low and their mean, this bar included.

    Parameters
    ----------
    high, low : array, shape (n_bars,), price
    window_bars : int
        At least 1.
    out : three arrays, each of shape (n_bars,), optional
        Buffers for upper, lower, middle.

    Returns
    -------
    tuple of three arrays, each of shape (n_bars,), price
        Upper, lower, middle. The first ``window_bars - 1`` values are NaN, and so are windows with a NaN.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> h, l = np.array([3.0, 5.0, 4.0, 2.0]), np.array([1.0, 2.0, 0.5, 1.5])
    >>> [x.tolist() for x in donchian(h, l, 2)]
    [[nan, 5.0, 5.0, 4.0], [nan, 1.0, 0.5, 0.5], [nan, 3.0, 2.75, 2.25]]

    References
    ----------
    van Herk (1992) for the running extremes in O(1) amortised.
    """
    high = check.series("high", high)
    bars = high.shape[0]
    low = check.series("low", low, bars)
    window_bars = check.window("window_bars", window_bars)
    upper, lower, middle = check.buffers("out", out, 3, bars, high, low)
    impl().donchian(high, low, window_bars, upper, lower, middle)
    return upper, lower, middle


def donchian_stream(window_bars: int = 20) -> DonchianStream:
    """Return a streaming Donchian channel; O(window) memory, O(1) amortised per bar.

    Examples
    --------
    >>> s = donchian_stream(2)
    >>> [s.update(3.0, 1.0), s.update(5.0, 2.0)]
    [(nan, nan, nan), (5.0, 1.0, 3.0)]
    """
    stream: DonchianStream = impl().Donchian(check.window("window_bars", window_bars))
    return stream
