"""Averages of price: the public functions and the factories of their streaming objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl


class PriceStream(Stream, Protocol):
    """A streaming object that takes one number per bar."""

    def update(self, x: float, /) -> float:
        """Take one bar, return the value after it (NaN while warming up)."""


class MacdStream(Stream, Protocol):
    """A streaming MACD."""

    def update(self, x: float, /) -> tuple[float, float, float]:
        """Take one bar, return line, signal, histogram (NaN while warming up)."""

    def advance(self, x: float, /) -> float:
        """Take one bar, return the line only: less than half the cost of `update`."""

    @property
    def line(self) -> float:
        """Fast less slow average after the last bar; NaN before the first and after a restore."""

    @property
    def signal(self) -> float:
        """Average of the line after the last bar; NaN before the first and after a restore."""

    @property
    def histogram(self) -> float:
        """Line less signal after the last bar; NaN before the first and after a restore."""


class MacdLines(NamedTuple):
    """Fast less slow average, its average, and the difference of the two."""

    line: FloatArray
    signal: FloatArray
    histogram: FloatArray


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


def ema(x: FloatArray, window_bars: int, *, out: FloatArray | None = None) -> FloatArray:
    """Return the exponential moving average, ``alpha = 2 / (window_bars + 1)``, seeded like TA-Lib.

    Parameters
    ----------
    x : array, shape (n_bars,)
    window_bars : int
        At least 1. The seed is the mean of the first `window_bars` values.
    out : array, shape (n_bars,), optional
        Buffer for the result.

    Returns
    -------
    array, shape (n_bars,), unit of `x`
        The first ``window_bars - 1`` values are NaN; after a non-finite input every value is non-finite.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> ema(np.array([1.0, 3.0, 5.0]), 2).round(6).tolist()
    [nan, 2.0, 4.0]
    """
    x = check.series("x", x)
    window_bars = check.window("window_bars", window_bars)
    out = check.buffer("out", out, x.shape[0], x)
    impl().ema(x, window_bars, out)
    return out


def macd(
    x: FloatArray,
    fast_bars: int = 12,
    slow_bars: int = 26,
    signal_bars: int = 9,
    *,
    out: Sequence[FloatArray] | None = None,
) -> MacdLines:
    """Return line, signal and histogram of the moving average convergence and divergence, like TA-Lib.

    Both averages are seeded on bar ``slow_bars - 1``, the signal with the mean of the line's first values.

    Parameters
    ----------
    x : array, shape (n_bars,)
    fast_bars, slow_bars, signal_bars : int
        Spans; fast must be shorter than slow.
    out : three arrays, shape (n_bars,), optional
        Buffers for line, signal and histogram.

    Returns
    -------
    MacdLines
        Arrays in the unit of `x`; the first ``slow_bars + signal_bars - 2`` values of each are NaN, and every
        value after a non-finite input is non-finite.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> macd(np.array([1.0, 2.0, 4.0]), 1, 2, 1).line.round(6).tolist()
    [nan, 0.5, 0.833333]
    """
    x = check.series("x", x)
    fast_bars, slow_bars, signal_bars = _spans(fast_bars, slow_bars, signal_bars)
    lines = check.buffers("out", out, 3, x.shape[0], x)
    impl().macd(x, fast_bars, slow_bars, signal_bars, *lines)
    return MacdLines(*lines)


def ema_stream(window_bars: int) -> PriceStream:
    """Return a streaming exponential moving average; O(1) memory and work.

    Examples
    --------
    >>> s = ema_stream(2)
    >>> [round(s.update(v), 6) for v in (1.0, 3.0, 5.0)]
    [nan, 2.0, 4.0]
    """
    stream: PriceStream = impl().Ema(check.window("window_bars", window_bars))
    return stream


def macd_stream(fast_bars: int = 12, slow_bars: int = 26, signal_bars: int = 9) -> MacdStream:
    """Return a streaming MACD; O(1) memory and work, ``update`` gives line, signal and histogram.

    Examples
    --------
    >>> macd_stream(1, 2, 1).update(1.0)
    (nan, nan, nan)
    >>> s = macd_stream(1, 2, 1)
    >>> s.advance(1.0), s.advance(2.0), s.signal
    (nan, 0.5, 0.5)
    """
    stream: MacdStream = impl().Macd(*_spans(fast_bars, slow_bars, signal_bars))
    return stream


def _spans(fast_bars: int, slow_bars: int, signal_bars: int) -> tuple[int, int, int]:
    fast = check.window("fast_bars", fast_bars)
    slow = check.window("slow_bars", slow_bars)
    if fast >= slow:
        raise KernelError(
            "KERNEL_WINDOW_ORDER",
            f"fast_bars: expected less than slow_bars = {slow}, found {fast}: swap them",
            argument="fast_bars",
        )
    return fast, slow, check.window("signal_bars", signal_bars)


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
