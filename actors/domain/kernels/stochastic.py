"""Stochastic RSI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl


class StochRsiStream(Stream, Protocol):
    """A streaming stochastic RSI."""

    def update(self, x: float, /) -> tuple[float, float]:
        """Take one close, return K and D (NaN while warming up or where the RSI stands still)."""

    def advance(self, x: float, /) -> float:
        """Take one close, return K only: no tuple is built."""

    @property
    def k(self) -> float:
        """K after the last bar; NaN before the first and after a restore."""

    @property
    def d(self) -> float:
        """D after the last bar; NaN before the first and after a restore."""


def stoch_rsi(
    x: FloatArray,
    rsi_bars: int = 14,
    range_bars: int = 14,
    k_bars: int = 3,
    d_bars: int = 3,
    *,
    out: Sequence[FloatArray] | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return the chart-style stochastic RSI: K and D in points of 100.

    ``raw = 100 (rsi - min) / (max - min)`` over `range_bars` values of the RSI; K is the mean of `k_bars` raw
    values, D the mean of `d_bars` values of K. TA-Lib's STOCHRSI is another variant: its FastK and FastD are
    K and D of ``rsi_bars=14, range_bars=5, k_bars=1, d_bars=3``.

    Parameters
    ----------
    x : array, shape (n_bars,), price
    rsi_bars : int
        At least 2.
    range_bars, k_bars, d_bars : int
        At least 1.
    out : two arrays, each of shape (n_bars,), optional
        Buffers for K and D.

    Returns
    -------
    tuple of two arrays, each of shape (n_bars,), in [0, 100]
        K is NaN before index ``rsi_bars + range_bars + k_bars - 2``, D for ``d_bars - 1`` bars more. A range
        of zero is undefined: NaN in every average that holds it (TA-Lib prints 0).

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> k, d = stoch_rsi(np.array([1.0, 2.0, 1.5, 2.5, 2.0]), rsi_bars=2, range_bars=2, k_bars=1, d_bars=1)
    >>> k.tolist()
    [nan, nan, nan, 100.0, 0.0]

    References
    ----------
    Chande & Kroll, "The New Technical Trader" (1994).
    """
    x = check.series("x", x)
    rsi_bars, range_bars = check.window("rsi_bars", rsi_bars, 2), check.window("range_bars", range_bars)
    k_bars, d_bars = check.window("k_bars", k_bars), check.window("d_bars", d_bars)
    k, d = check.buffers("out", out, 2, x.shape[0], x)
    impl().stoch_rsi(x, rsi_bars, range_bars, k_bars, d_bars, k, d)
    return k, d


def stoch_rsi_stream(
    rsi_bars: int = 14, range_bars: int = 14, k_bars: int = 3, d_bars: int = 3
) -> StochRsiStream:
    """Return a streaming stochastic RSI; O(window) memory, O(1) amortised per bar.

    Examples
    --------
    >>> s = stoch_rsi_stream(2, 2, 1, 1)
    >>> [s.update(x) for x in (1.0, 2.0, 1.5, 2.5)][-1]
    (100.0, 100.0)
    """
    stream: StochRsiStream = impl().StochRsi(
        check.window("rsi_bars", rsi_bars, 2),
        check.window("range_bars", range_bars),
        check.window("k_bars", k_bars),
        check.window("d_bars", d_bars),
    )
    return stream
