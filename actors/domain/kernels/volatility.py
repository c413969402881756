"""Width of the market: the public functions and the factories of their streaming objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl
from actors.domain.kernels.trend import PriceStream


class BarStream(Stream, Protocol):
    """A streaming object that takes high, low and close and gives one value."""

    def update(self, high: float, low: float, close: float, /) -> float:
        """Take one bar, return the value after it (NaN while warming up)."""


class BandStream(Stream, Protocol):
    """Streaming Bollinger bands."""

    def update(self, x: float, /) -> tuple[float, float, float]:
        """Take one bar, return upper band, middle and lower band (NaN while warming up)."""

    def advance(self, x: float, /) -> float:
        """Take one bar, return the upper band only: less than half the cost of `update`."""

    @property
    def upper(self) -> float:
        """Upper band after the last bar; NaN before the first and after a restore."""

    @property
    def middle(self) -> float:
        """Middle after the last bar; NaN before the first and after a restore."""

    @property
    def lower(self) -> float:
        """Lower band after the last bar; NaN before the first and after a restore."""


class BandLines(NamedTuple):
    """Upper band, middle and lower band."""

    upper: FloatArray
    middle: FloatArray
    lower: FloatArray


def rolling_std(x: FloatArray, window_bars: int, *, out: FloatArray | None = None) -> FloatArray:
    """Return the rolling standard deviation, ddof 0.

    The error stays below 1e-11 of the newest input, also where a calm stretch follows a jump.

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
    >>> rolling_std(np.array([1.0, 3.0, 3.0]), 2).tolist()
    [nan, 1.0, 0.0]
    """
    x = check.series("x", x)
    window_bars = check.window("window_bars", window_bars)
    out = check.buffer("out", out, x.shape[0], x)
    impl().std(x, window_bars, out)
    return out


def bollinger(
    x: FloatArray, window_bars: int = 20, k_dev: float = 2.0, *, out: Sequence[FloatArray] | None = None
) -> BandLines:
    """Return the Bollinger bands: moving average plus and minus `k_dev` deviations (ddof 0).

    Parameters
    ----------
    x : array, shape (n_bars,)
    window_bars : int
        At least 1.
    k_dev : float
        Half width in deviations, above 0.
    out : three arrays, shape (n_bars,), optional
        Buffers for upper, middle and lower band.

    Returns
    -------
    BandLines
        Arrays in the unit of `x`; warm-up and NaN as in `rolling_std`.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> bollinger(np.array([1.0, 3.0]), 2).upper.tolist()
    [nan, 4.0]
    """
    x = check.series("x", x)
    window_bars = check.window("window_bars", window_bars)
    k_dev = check.positive("k_dev", k_dev)
    lines = check.buffers("out", out, 3, x.shape[0], x)
    impl().bollinger(x, window_bars, k_dev, *lines)
    return BandLines(*lines)


def atr(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    window_bars: int = 14,
    *,
    out: FloatArray | None = None,
) -> FloatArray:
    """Return Wilder's average true range, seeded like TA-Lib with the first `window_bars` true ranges.

    Parameters
    ----------
    high, low, close : array, shape (n_bars,)
        ``low <= high`` on every bar.
    window_bars : int
        At least 1.
    out : array, shape (n_bars,), optional
        Buffer for the result.

    Returns
    -------
    array, shape (n_bars,), unit of price
        The first `window_bars` values are NaN; every value after a non-finite price is non-finite.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> c = np.array([1.0, 2.0, 2.0, 4.0])
    >>> atr(c, c, c, 2).tolist()
    [nan, nan, 0.5, 1.25]
    """
    close = check.series("close", close)
    high = check.series("high", high, close.shape[0])
    low = check.series("low", low, close.shape[0])
    window_bars = check.window("window_bars", window_bars)
    out = check.buffer("out", out, close.shape[0], high, low, close)
    impl().atr(high, low, close, window_bars, out)
    return out


def rolling_std_stream(window_bars: int) -> PriceStream:
    """Return a streaming standard deviation (ddof 0); O(window) memory, O(1) per bar.

    Examples
    --------
    >>> s = rolling_std_stream(2)
    >>> [s.update(v) for v in (1.0, 3.0, 3.0)]
    [nan, 1.0, 0.0]
    """
    stream: PriceStream = impl().Std(check.window("window_bars", window_bars))
    return stream


def bollinger_stream(window_bars: int = 20, k_dev: float = 2.0) -> BandStream:
    """Return streaming Bollinger bands; ``update`` gives upper band, middle and lower band.

    Examples
    --------
    >>> bollinger_stream(1).update(3.0)
    (3.0, 3.0, 3.0)
    >>> s = bollinger_stream(1)
    >>> s.advance(3.0), s.lower
    (3.0, 3.0)
    """
    stream: BandStream = impl().Bollinger(
        check.window("window_bars", window_bars), check.positive("k_dev", k_dev)
    )
    return stream


def atr_stream(window_bars: int = 14) -> BarStream:
    """Return a streaming average true range; O(1) memory and work.

    Examples
    --------
    >>> s = atr_stream(1)
    >>> [s.update(2.0, 1.0, 1.5), s.update(3.0, 2.0, 2.5)]
    [nan, 1.5]
    """
    stream: BarStream = impl().Atr(check.window("window_bars", window_bars))
    return stream
