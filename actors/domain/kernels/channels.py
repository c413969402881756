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

    def advance(self, high: float, low: float, /) -> float:
        """Take one bar, return the upper line only: no tuple is built."""

    @property
    def upper(self) -> float:
        """Upper line after the last bar; NaN before the first and after a restore."""

    @property
    def middle(self) -> float:
        """Middle after the last bar; NaN before the first and after a restore."""

    @property
    def lower(self) -> float:
        """Lower line after the last bar; NaN before the first and after a restore."""


class KeltnerStream(Stream, Protocol):
    """A streaming Keltner channel."""

    def update(self, high: float, low: float, close: float, /) -> tuple[float, float, float]:
        """Take one bar, return upper, middle, lower (NaN while warming up)."""

    def advance(self, high: float, low: float, close: float, /) -> float:
        """Take one bar, return the upper line only: no tuple is built."""

    @property
    def upper(self) -> float:
        """Upper line after the last bar; NaN before the first and after a restore."""

    @property
    def middle(self) -> float:
        """Middle after the last bar; NaN before the first and after a restore."""

    @property
    def lower(self) -> float:
        """Lower line after the last bar; NaN before the first and after a restore."""


class SqueezeStream(Stream, Protocol):
    """A streaming squeeze."""

    def update(self, high: float, low: float, close: float, /) -> float:
        """Take one bar, return 1.0 in a squeeze, 0.0 outside, NaN while warming up."""


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


def keltner(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    ema_bars: int = 20,
    atr_bars: int = 10,
    width: float = 2.0,
    *,
    out: Sequence[FloatArray] | None = None,
) -> Lines:
    """Return the Keltner channel: EMA of the close plus and minus `width` average true ranges.

    Parameters
    ----------
    high, low, close : array, shape (n_bars,), price
    ema_bars : int
        Span of the average, seeded with the mean of the first `ema_bars` closes.
    atr_bars : int
        Bars of Wilder's average true range.
    width : float
        Half width in ranges, finite and above 0.
    out : three arrays, each of shape (n_bars,), optional
        Buffers for upper, middle, lower.

    Returns
    -------
    tuple of three arrays, each of shape (n_bars,), price
        Upper, middle, lower, all NaN before index ``max(ema_bars - 1, atr_bars)`` and after a NaN.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> c = np.array([10.0, 11.0, 12.0])
    >>> [x.tolist() for x in keltner(c + 1, c - 1, c, ema_bars=1, atr_bars=1, width=1.0)]
    [[nan, 13.0, 14.0], [nan, 11.0, 12.0], [nan, 9.0, 10.0]]

    References
    ----------
    Keltner (1960) in the form of Raschke: EMA and average true range.
    """
    high = check.series("high", high)
    bars = high.shape[0]
    low, close = check.series("low", low, bars), check.series("close", close, bars)
    ema_bars, atr_bars = check.window("ema_bars", ema_bars), check.window("atr_bars", atr_bars)
    width = check.positive("width", width)
    upper, middle, lower = check.buffers("out", out, 3, bars, high, low, close)
    impl().keltner(high, low, close, ema_bars, atr_bars, width, upper, middle, lower)
    return upper, middle, lower


def keltner_stream(ema_bars: int = 20, atr_bars: int = 10, width: float = 2.0) -> KeltnerStream:
    """Return a streaming Keltner channel; O(1) memory and time.

    Examples
    --------
    >>> s = keltner_stream(1, 1, 1.0)
    >>> [s.update(11.0, 9.0, 10.0), s.update(12.0, 10.0, 11.0)]
    [(nan, nan, nan), (13.0, 11.0, 9.0)]
    """
    stream: KeltnerStream = impl().Keltner(
        check.window("ema_bars", ema_bars),
        check.window("atr_bars", atr_bars),
        check.positive("width", width),
    )
    return stream


def squeeze(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    window_bars: int = 20,
    bands_width: float = 2.0,
    channel_width: float = 1.5,
    *,
    out: FloatArray | None = None,
) -> FloatArray:
    """Return 1.0 where both Bollinger bands lie strictly inside the Keltner channel, else 0.0.

    Parameters
    ----------
    high, low, close : array, shape (n_bars,), price
    window_bars : int
        Bars of bands, average and range alike.
    bands_width, channel_width : float
        Half widths in deviations (ddof 0) and in average true ranges, finite and above 0.
    out : array, shape (n_bars,), optional
        Buffer for the result.

    Returns
    -------
    array, shape (n_bars,), 0.0 or 1.0
        NaN before index `window_bars` and where a line is undefined.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> c = np.array([10.0, 10.1, 10.0, 10.1, 30.0])
    >>> squeeze(c + 1, c - 1, c, window_bars=2).tolist()
    [nan, nan, 1.0, 1.0, 0.0]

    References
    ----------
    Carter, "Mastering the Trade" (2005).
    """
    high = check.series("high", high)
    bars = high.shape[0]
    low, close = check.series("low", low, bars), check.series("close", close, bars)
    window_bars = check.window("window_bars", window_bars)
    bands_width = check.positive("bands_width", bands_width)
    channel_width = check.positive("channel_width", channel_width)
    out = check.buffer("out", out, bars, high, low, close)
    impl().squeeze(high, low, close, window_bars, bands_width, channel_width, out)
    return out


def squeeze_stream(
    window_bars: int = 20, bands_width: float = 2.0, channel_width: float = 1.5
) -> SqueezeStream:
    """Return a streaming squeeze; O(window) memory, O(1) per bar.

    Examples
    --------
    >>> s = squeeze_stream(2)
    >>> [s.update(c + 1, c - 1, c) for c in (10.0, 10.1, 10.0)]
    [nan, nan, 1.0]
    """
    stream: SqueezeStream = impl().Squeeze(
        check.window("window_bars", window_bars),
        check.positive("bands_width", bands_width),
        check.positive("channel_width", channel_width),
    )
    return stream
