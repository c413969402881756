"""Momentum and direction: the public functions and the factories of their streaming objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl
from actors.domain.kernels.trend import PriceStream


class AdxStream(Stream, Protocol):
    """A streaming directional movement."""

    def update(self, high: float, low: float, close: float, /) -> tuple[float, float, float]:
        """Take one bar, return ADX, +DI and -DI (NaN while warming up)."""

    def advance(self, high: float, low: float, close: float, /) -> float:
        """Take one bar, return ADX only: no tuple is built."""

    @property
    def adx(self) -> float:
        """Average directional index after the last bar; NaN before the first and after a restore."""

    @property
    def plus_di(self) -> float:
        """+DI after the last bar; NaN before the first and after a restore."""

    @property
    def minus_di(self) -> float:
        """-DI after the last bar; NaN before the first and after a restore."""


class AdxLines(NamedTuple):
    """Average directional index and the two directional indicators, points of 100."""

    adx: FloatArray
    plus_di: FloatArray
    minus_di: FloatArray


def rsi(x: FloatArray, window_bars: int = 14, *, out: FloatArray | None = None) -> FloatArray:
    """Return Wilder's relative strength index, seeded like TA-Lib with the first `window_bars` changes.

    Parameters
    ----------
    x : array, shape (n_bars,)
    window_bars : int
        At least 2.
    out : array, shape (n_bars,), optional
        Buffer for the result.

    Returns
    -------
    array, shape (n_bars,), points of 100
        The first `window_bars` values are NaN, and so is a value while the series has never moved (undefined;
        TA-Lib prints 0) and every value after a non-finite input.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> rsi(np.array([1.0, 2.0, 1.5, 3.5]), 2).round(4).tolist()
    [nan, nan, 66.6667, 90.9091]
    """
    x = check.series("x", x)
    window_bars = check.window("window_bars", window_bars, 2)
    out = check.buffer("out", out, x.shape[0], x)
    impl().rsi(x, window_bars, out)
    return out


def adx(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    window_bars: int = 14,
    *,
    out: Sequence[FloatArray] | None = None,
) -> AdxLines:
    """Return Wilder's directional movement, seeded like TA-Lib.

    Parameters
    ----------
    high, low, close : array, shape (n_bars,)
    window_bars : int
        At least 2.
    out : three arrays, shape (n_bars,), optional
        Buffers for ADX, +DI and -DI.

    Returns
    -------
    AdxLines
        The first `window_bars` values of the indicators and ``2 * window_bars - 1`` of ADX are NaN. Where
        neither direction ever moved the index is undefined: ADX keeps its value. Every value after a
        non-finite price is NaN.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> c = np.arange(6.0)
    >>> adx(c + 0.5, c - 0.5, c, 2).adx.round(6).tolist()
    [nan, nan, nan, 100.0, 100.0, 100.0]
    """
    close = check.series("close", close)
    high = check.series("high", high, close.shape[0])
    low = check.series("low", low, close.shape[0])
    window_bars = check.window("window_bars", window_bars, 2)
    lines = check.buffers("out", out, 3, close.shape[0], high, low, close)
    impl().adx(high, low, close, window_bars, *lines)
    return AdxLines(*lines)


def rsi_stream(window_bars: int = 14) -> PriceStream:
    """Return a streaming relative strength index; O(1) memory and work.

    Examples
    --------
    >>> s = rsi_stream(2)
    >>> [round(s.update(v), 4) for v in (1.0, 2.0, 1.5, 3.5)]
    [nan, nan, 66.6667, 90.9091]
    """
    stream: PriceStream = impl().Rsi(check.window("window_bars", window_bars, 2))
    return stream


def adx_stream(window_bars: int = 14) -> AdxStream:
    """Return a streaming directional movement; O(1) memory and work, ``update`` gives ADX, +DI and -DI.

    Examples
    --------
    >>> adx_stream(2).update(1.5, 0.5, 1.0)
    (nan, nan, nan)
    """
    stream: AdxStream = impl().Adx(check.window("window_bars", window_bars, 2))
    return stream
