"""Several indicators in one pass over arrays, or in one call per streamed bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Final, NamedTuple, Protocol

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import Stream, impl

SET_COLUMNS: Final = (
    "sma", "ema", "rsi", "macd", "macd_signal", "macd_hist", "bb_upper", "bb_middle", "bb_lower", "std",
    "atr", "adx", "plus_di", "minus_di", "obv",
)  # fmt: skip


class FusedLines(NamedTuple):
    """The nine fused features."""

    sma: FloatArray
    ema: FloatArray
    rsi: FloatArray
    macd: FloatArray
    macd_signal: FloatArray
    macd_hist: FloatArray
    bb_upper: FloatArray
    bb_lower: FloatArray
    atr: FloatArray


@dataclass(frozen=True, slots=True)
class FusedWindows:
    """Windows of the fused features, in bars; `sma` also serves the Bollinger bands."""

    sma: int = 20
    ema: int = 20
    rsi: int = 14
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    atr: int = 14


@dataclass(frozen=True, slots=True)
class SetWindows:
    """Windows of the indicator set, in bars; `range` serves ATR and directional movement."""

    sma: int = 20
    ema: int = 20
    rsi: int = 14
    macd_fast: int = 12
    macd_slow: int = 26
    macd_signal: int = 9
    bands: int = 20
    range: int = 14


class SetStream(Stream, Protocol):
    """A streaming object that takes whole bars and gives one row of values."""

    def update(self, open_: float, high: float, low: float, close: float, volume: float, /) -> FloatArray:
        """Take one bar, return the row after it: one array, overwritten by every call."""


def fused_features(
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    windows: FusedWindows | None = None,
    *,
    k_dev: float = 2.0,
    out: Sequence[FloatArray] | None = None,
) -> FusedLines:
    """Return nine features in one pass; each equals that of its own kernel to the bit.

    Parameters
    ----------
    high, low, close : array, shape (n_bars,)
    windows : FusedWindows, optional
    k_dev : float
        Half width of the Bollinger bands in deviations, above 0.
    out : nine arrays, shape (n_bars,), optional
        Buffers in the order of `FusedLines`. Reusing them saves the cost of fresh memory, which is about
        that of the computation.

    Returns
    -------
    FusedLines
        Units, warm-up and NaN rules are those of the single kernels.

    Raises
    ------
    KernelError
        If an argument is unfit.

    Examples
    --------
    >>> import numpy as np
    >>> c = np.linspace(1.0, 2.0, 50)
    >>> bool(np.array_equal(fused_features(c, c, c).rsi[14:], np.full(36, 100.0)))
    True
    """
    close = check.series("close", close)
    high = check.series("high", high, close.shape[0])
    low = check.series("low", low, close.shape[0])
    bars = _windows(windows or FusedWindows())
    k_dev = check.positive("k_dev", k_dev)
    lines = check.buffers("out", out, 9, close.shape[0], high, low, close)
    impl().fused(high, low, close, bars, k_dev, lines)
    return FusedLines(*lines)


def indicator_set(windows: SetWindows | None = None, *, k_dev: float = 2.0) -> SetStream:
    """Return a streaming set of indicators: one call per bar, one row of `SET_COLUMNS`.

    Each value equals that of its own streaming object to the bit. The returned row is one array that every
    call overwrites: copy it to keep it. O(longest window) memory, O(1) per bar.

    Parameters
    ----------
    windows : SetWindows, optional
    k_dev : float
        Half width of the Bollinger bands in deviations, above 0.

    Raises
    ------
    KernelError
        If a window is unfit.

    Examples
    --------
    >>> s = indicator_set()
    >>> row = s.update(1.0, 1.5, 0.5, 1.0, 7.0)
    >>> float(row[SET_COLUMNS.index("obv")])
    7.0
    """
    stream: SetStream = impl().IndicatorSet(_windows(windows or SetWindows()), check.positive("k_dev", k_dev))
    return stream


def _windows(windows: FusedWindows | SetWindows) -> list[int]:
    least = {"rsi": 2, "range": 2}
    bars = [
        check.window(f"windows.{name}", value, least.get(name, 1))
        for name, value in zip(windows.__slots__, astuple(windows), strict=True)
    ]
    if windows.macd_fast >= windows.macd_slow:
        raise KernelError(
            "KERNEL_WINDOW_ORDER",
            f"windows.macd_fast: expected less than macd_slow = {windows.macd_slow}, "
            f"found {windows.macd_fast}: swap them",
            argument="windows.macd_fast",
        )
    return bars
