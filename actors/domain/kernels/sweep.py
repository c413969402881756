"""Backtests of every combination of a rule's parameters in one pass: what each earns, exact to a backtest of its own.

What a combination is worth is what `signal_backtest` finds for its signal: seen at a close, filled at the next open,
with fee and slippage on. Indicators, crossings and sums are shared, so a combination costs little more than its
trades, and nothing of it is kept but a record of 72 bytes. Money, trades and drawdown have the bits of the single
backtest; Sharpe and Sortino agree with it to 1e-9. Combinations that may be short, or hold only a part of the money,
are walked bar by bar and are several times slower.

The order of combinations is that of ``itertools.product`` over the axes, those left out that break the rule's order
of windows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise
from operator import index
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import impl
from actors.domain.kernels.backtest import between, costs, row_error

SWEEP_DTYPE: Final = np.dtype(
    [
        ("final_equity", np.float64),
        ("sharpe", np.float64),
        ("sortino", np.float64),
        ("max_drawdown", np.float64),
        ("fees", np.float64),
        ("gain", np.float64),
        ("loss", np.float64),
        ("trades", np.uint32),
        ("wins", np.uint32),
        ("exposed_bars", np.uint32),
        ("ruined_bar", np.int32),
    ]
)
"""Record of a combination.

``final_equity``, ``fees`` in quote; ``sharpe`` and ``sortino`` **per bar** (ddof 1; over all bars), NaN where
undefined; ``max_drawdown`` a fraction; ``gain`` and ``loss`` the sums of the results above and below 0 of closed
trades, both positive, quote; ``trades`` closed ones, ``wins`` those with a result above 0; ``exposed_bars`` bars whose
close saw a position; ``ruined_bar`` -1 if the account was not.
"""

_WORDS: Final = SWEEP_DTYPE.itemsize // 8
_MOST: Final = 1 << 28
Records = NDArray[np.void]


def sweep_ma_cross(
    open_: FloatArray,
    close: FloatArray,
    fast_windows_bars: Iterable[int],
    slow_windows_bars: Iterable[int],
    *,
    bands_frac: Iterable[float] = (0.0,),
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
    threads: int = 1,
) -> Records:
    """Backtest every crossover of a fast with a longer slow average.

    Parameters
    ----------
    open_, close : array, shape (n_bars,), quote
        Finite and above 0.
    fast_windows_bars, slow_windows_bars : iterable of int
        Increasing; pairs whose fast window is not the shorter one are left out.
    bands_frac : iterable of float
        Increasing bands, as `ma_cross_backtest` has one.
    cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short
        As in `signal_backtest`.
    threads : int
        Threads that share the fast windows; results do not depend on it.

    Returns
    -------
    structured array of `SWEEP_DTYPE`, shape (n_combinations,)
        By fast window, slow window, band.

    Raises
    ------
    KernelError
        If an argument is unfit, no combination is left, or a row cannot be used (the first one is named).

    Notes
    -----
    Cost O(windows · bars + combinations · (bars / 4 + trades)); memory: 2 kB per window, 128 bytes per combination of
    at most 8192 at a time, the records.

    Examples
    --------
    >>> import numpy as np
    >>> c = np.array([10.0, 9.0, 10.0, 12.0, 12.0, 9.0, 8.0])
    >>> sweep_ma_cross(c, c, [1, 2], [2, 3])["trades"].tolist()
    [1, 1, 1]
    """
    fast = _windows("fast_windows_bars", fast_windows_bars, 1)
    slow = _windows("slow_windows_bars", slow_windows_bars, 2)
    bands = _values("bands_frac", bands_frac, 0.0, 1e9)
    count = len(bands) * sum(len(slow) - bisect_right(slow, f) for f in fast)
    terms = costs(cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short)
    columns = _columns(close, open=open_)
    return _records(impl().sweep_ma_cross, columns, (fast, slow, bands), terms, threads, count)


def sweep_rsi(
    open_: FloatArray,
    close: FloatArray,
    windows_bars: Iterable[int],
    oversold: Iterable[float],
    overbought: Iterable[float] = (70.0,),
    *,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
    threads: int = 1,
) -> Records:
    """Backtest the reversal of the strategy ``rsi`` for every window and pair of levels.

    Parameters
    ----------
    windows_bars : iterable of int
        Increasing, at least 2.
    oversold, overbought : iterable of float
        Increasing; from 0 to 50 and from 50 to 100. A long ends at 50, so without `allow_short` the upper level
        changes nothing.
    open_, close, cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short, threads
        As in `sweep_ma_cross`; threads share the windows.

    Returns
    -------
    structured array of `SWEEP_DTYPE`, shape (n_combinations,)
        By window, lower level, upper level.

    Raises
    ------
    KernelError
        As in `sweep_ma_cross`.

    Examples
    --------
    >>> import numpy as np
    >>> c = 100.0 + 10.0 * np.sin(np.arange(200) / 5.0)
    >>> sweep_rsi(c, c, [5, 9], [20.0, 30.0])["trades"].tolist()
    [6, 6, 6, 6]
    """
    windows = _windows("windows_bars", windows_bars, 2)
    low, high = _values("oversold", oversold, 0.0, 50.0), _values("overbought", overbought, 50.0, 100.0)
    terms = costs(cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short)
    count = len(windows) * len(low) * len(high)
    columns = _columns(close, open=open_)
    return _records(impl().sweep_rsi, columns, (windows, low, high), terms, threads, count)


def sweep_bollinger(
    open_: FloatArray,
    close: FloatArray,
    windows_bars: Iterable[int],
    widths: Iterable[float],
    *,
    reversal: bool = False,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
    threads: int = 1,
) -> Records:
    """Backtest the rule of the strategy ``bollinger`` for every window and width.

    Parameters
    ----------
    windows_bars : iterable of int
        Increasing, at least 2.
    widths : iterable of float
        Increasing, above 0, in deviations.
    reversal : bool
        Against a close outside the bands instead of with it.
    open_, close, cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short, threads
        As in `sweep_ma_cross`; threads share the windows.

    Returns
    -------
    structured array of `SWEEP_DTYPE`, shape (n_combinations,)
        By window, width.

    Raises
    ------
    KernelError
        As in `sweep_ma_cross`.

    Examples
    --------
    >>> import numpy as np
    >>> c = 100.0 + 10.0 * np.sin(np.arange(200) / 5.0)
    >>> sweep_bollinger(c, c, [10, 20], [1.0, 1.5])["trades"].tolist()
    [5, 5, 5, 5]
    """
    windows = _windows("windows_bars", windows_bars, 2)
    wide = _values("widths", widths, 1e-300, 1e9)
    terms = costs(cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short)
    axes = (windows, wide, bool(reversal))
    columns = _columns(close, open=open_)
    return _records(impl().sweep_bollinger, columns, axes, terms, threads, len(windows) * len(wide))


def sweep_donchian(
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    entry_windows_bars: Iterable[int],
    exit_windows_bars: Iterable[int],
    *,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
    threads: int = 1,
) -> Records:
    """Backtest the breakout of the strategy ``donchian`` for every channel of coming and of going.

    Parameters
    ----------
    entry_windows_bars, exit_windows_bars : iterable of int
        Increasing; pairs whose second window is longer are left out.
    open_, high, low, close, cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short, threads
        As in `sweep_ma_cross`; threads share the windows of coming. A window with a NaN in it says nothing.

    Returns
    -------
    structured array of `SWEEP_DTYPE`, shape (n_combinations,)
        By window of coming, window of going.

    Raises
    ------
    KernelError
        As in `sweep_ma_cross`.

    Examples
    --------
    >>> import numpy as np
    >>> c = 100.0 + 10.0 * np.sin(np.arange(200) / 5.0)
    >>> sweep_donchian(c, c, c, c, [5, 10], [3, 5])["trades"].tolist()
    [7, 6, 6, 5]
    """
    entry = _windows("entry_windows_bars", entry_windows_bars, 1)
    leave = _windows("exit_windows_bars", exit_windows_bars, 1)
    terms = costs(cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short)
    count = sum(bisect_right(leave, e) for e in entry)
    columns = _columns(close, open=open_, high=high, low=low)
    return _records(impl().sweep_donchian, columns, (entry, leave), terms, threads, count)


def sweep_momentum(
    open_: FloatArray,
    close: FloatArray,
    short_spans_bars: Iterable[int],
    middle_spans_bars: Iterable[int],
    long_spans_bars: Iterable[int],
    volatility_spans_bars: Iterable[int] = (60,),
    *,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
    threads: int = 1,
) -> Records:
    """Backtest the vote of the strategy ``time_series_momentum`` for every increasing triple of spans.

    Parameters
    ----------
    short_spans_bars, middle_spans_bars, long_spans_bars : iterable of int
        Increasing; triples that do not increase are left out.
    volatility_spans_bars : iterable of int
        Increasing. There is no vote before the average of squared returns is known.
    open_, close, cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short, threads
        As in `sweep_ma_cross`; threads share the short spans.

    Returns
    -------
    structured array of `SWEEP_DTYPE`, shape (n_combinations,)
        By short, middle, long and volatility span.

    Raises
    ------
    KernelError
        As in `sweep_ma_cross`.

    Examples
    --------
    >>> import numpy as np
    >>> c = 100.0 + 10.0 * np.sin(np.arange(200) / 5.0)
    >>> sweep_momentum(c, c, [1, 2], [2, 3], [4], [5])["trades"].tolist()
    [7, 7, 7]
    """
    spans = (
        _windows("short_spans_bars", short_spans_bars, 1),
        _windows("middle_spans_bars", middle_spans_bars, 1),
        _windows("long_spans_bars", long_spans_bars, 1),
        _windows("volatility_spans_bars", volatility_spans_bars, 1),
    )
    short, middle, long, volatility = spans
    longer = {m: len(long) - bisect_right(long, m) for m in middle}
    count = len(volatility) * sum(longer[m] for s in short for m in middle if m > s)
    terms = costs(cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short)
    columns = _columns(close, open=open_)
    return _records(impl().sweep_momentum, columns, (spans,), terms, threads, count)


def _windows(name: str, values: Iterable[int], least: int) -> list[int]:
    return _ordered(name, [check.window(name, v, least) for v in _listed(name, values)])


def _values(name: str, values: Iterable[float], low: float, high: float) -> list[float]:
    return _ordered(name, [between(name, v, low, high) for v in _listed(name, values)])


def _listed(name: str, values: Any) -> list[Any]:
    # a set has no order to be trusted, a string is no axis
    if isinstance(values, str | bytes | set | frozenset | dict) or not isinstance(values, Iterable):
        raise KernelError(
            "KERNEL_AXIS", f"{name}: expected a sequence of numbers, found {values!r}", argument=name
        )
    return list(values)


def _ordered(name: str, values: list[Any]) -> list[Any]:
    if not values or any(a >= b for a, b in pairwise(values)):
        raise KernelError(
            "KERNEL_AXIS",
            f"{name}: expected increasing values, at least one, found {values[:8]}: sort them and drop doubles",
            argument=name,
        )
    return values


def _columns(close: FloatArray, **others: FloatArray) -> tuple[FloatArray, ...]:
    close = check.series("close", close)
    return (*(check.series(name, x, close.shape[0]) for name, x in others.items()), close)


def _records(
    kernel: Any,
    columns: tuple[FloatArray, ...],
    axes: tuple[Any, ...],
    terms: tuple[Any, ...],
    threads: int,
    count: int,
) -> Records:
    if not columns[-1].shape[0]:
        raise KernelError("KERNEL_NO_BARS", "close: expected at least one bar, found an empty array")
    if not 0 < count <= _MOST:
        raise KernelError(
            "SWEEP_COMBINATIONS",
            f"axes: expected from 1 to {_MOST} combinations that keep the order of windows, found {count}: "
            "change or split an axis",
        )
    workers = _threads(threads)
    words = np.empty(count * _WORDS, dtype=np.uint64)
    try:
        kernel(*columns, *axes, terms, workers, words)
    except ValueError as e:
        raise row_error(e) from e
    return words.view(SWEEP_DTYPE)


def _threads(value: Any) -> int:
    try:
        threads = 0 if isinstance(value, bool | np.bool_) else index(value)
    except TypeError:
        threads = 0
    if not 1 <= threads <= 1024:
        raise KernelError(
            "KERNEL_PARAM_RANGE", f"threads: expected from 1 to 1024, found {value!r}", argument="threads"
        )
    return threads
