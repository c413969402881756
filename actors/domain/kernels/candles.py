"""Averaged candles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl


class HeikinAshiStream(Stream, Protocol):
    """Streaming Heikin-Ashi candles."""

    def update(
        self, open_: float, high: float, low: float, close: float, /
    ) -> tuple[float, float, float, float]:
        """Take one bar, return the averaged open, high, low, close."""

    def advance(self, open_: float, high: float, low: float, close: float, /) -> float:
        """Take one bar, return the averaged open only: no tuple is built."""

    @property
    def open(self) -> float:
        """Averaged open after the last bar; NaN before the first and after a restore."""

    @property
    def high(self) -> float:
        """Averaged high after the last bar; NaN before the first and after a restore."""

    @property
    def low(self) -> float:
        """Averaged low after the last bar; NaN before the first and after a restore."""

    @property
    def close(self) -> float:
        """Averaged close after the last bar; NaN before the first and after a restore."""


def heikin_ashi(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    *,
    out: Sequence[FloatArray] | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return Heikin-Ashi candles: open, high, low, close.

    ``c' = (o + h + l + c) / 4``; ``o'`` is the middle of the candle before (of the bar itself at the start);
    ``h' = max(h, o', c')``, ``l' = min(l, o', c')``. These are averages, not prices one can trade at.

    Parameters
    ----------
    open_, high, low, close : array, shape (n_bars,), price
    out : four arrays, each of shape (n_bars,), optional
        Buffers for the result.

    Returns
    -------
    tuple of four arrays, each of shape (n_bars,), price
        No warm-up. A NaN in a bar makes every later open NaN.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> bars = [np.array(x) for x in ([1.0, 3.0], [4.0, 9.0], [0.0, 2.0], [3.0, 6.0])]
    >>> [x.tolist() for x in heikin_ashi(*bars)]
    [[2.0, 2.0], [4.0, 9.0], [0.0, 2.0], [2.0, 5.0]]
    """
    open_ = check.series("open_", open_)
    bars = open_.shape[0]
    high, low = check.series("high", high, bars), check.series("low", low, bars)
    close = check.series("close", close, bars)
    o, h, d, c = check.buffers("out", out, 4, bars, open_, high, low, close)
    impl().heikin_ashi(open_, high, low, close, o, h, d, c)
    return o, h, d, c


def heikin_ashi_stream() -> HeikinAshiStream:
    """Return streaming Heikin-Ashi candles; O(1) memory and time.

    Examples
    --------
    >>> heikin_ashi_stream().update(1.0, 4.0, 0.0, 3.0)
    (2.0, 4.0, 0.0, 2.0)
    """
    stream: HeikinAshiStream = impl().HeikinAshi()
    return stream
