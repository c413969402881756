"""Backtests of a signal in one pass over arrays, in float64: for statistics and search, not for money.

A signal is seen at a close and filled at the next open, with fee and slippage on. The account holds one
position; its equity at every close and every round trip come back. Numbers here are float64 with a relative
error of about 1e-12; orders, fills and balances that must be exact to the last unit come from
`actors.domain.kernels.sim`, which computes in whole ticks, lots and quote units.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import impl

TRADE_DTYPE: Final = np.dtype(
    [
        ("entry_bar", np.int64),
        ("exit_bar", np.int64),
        ("direction", np.int64),
        ("quantity", np.float64),
        ("entry_price", np.float64),
        ("exit_price", np.float64),
        ("fees", np.float64),
        ("slippage", np.float64),
        ("pnl", np.float64),
        ("return_frac", np.float64),
    ]
)
"""Fields of a round trip; `exit_bar` is -1 while it is open (then marked at the last close)."""


class VectorRun(NamedTuple):
    """What a vector backtest found.

    Attributes
    ----------
    equity : array, shape (n_bars,), quote
        Value of the account at every close, the open position marked at the close.
    trades : structured array of `TRADE_DTYPE`, shape (n_trades,)
        Round trips in order; prices contain slippage, `pnl` the fees of both fills; quote currency.
    final_equity : float, quote
    max_drawdown : float
        Largest fall from a peak of the equity (which begins at the start money), as a fraction.
    fees, slippage : float, quote
    exposed_bars : int
        Bars whose close saw a position.
    ruined_bar : int
        Bar at whose close a short had eaten the account (closed there, nothing traded after), -1 if none.
    """

    equity: FloatArray
    trades: NDArray[np.void]
    final_equity: float
    max_drawdown: float
    fees: float
    slippage: float
    exposed_bars: int
    ruined_bar: int


def signal_backtest(
    open_: FloatArray,
    close: FloatArray,
    signal: FloatArray,
    *,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
    out: FloatArray | None = None,
) -> VectorRun:
    """Trade the sign of a signal: seen at a close, filled at the next open.

    Parameters
    ----------
    open_, close : array, shape (n_bars,), quote
        Finite and above 0.
    signal : array, shape (n_bars,)
        Above 0: long; 0: flat; below 0: short, or flat without `allow_short`. Never NaN.
    cash_quote : float
        Money at the start.
    fee_frac, slippage_frac : float
        Share of the notional paid per fill; adverse move of the fill price as a share of the open.
    exposure_frac : float
        Share of the equity committed at an entry, fee included; in (0, 1].
    allow_short : bool
    out : array, shape (n_bars,), optional
        Buffer for the equity.

    Raises
    ------
    KernelError
        If an argument is unfit, there are no bars, or a row cannot be used (the first one is named).

    Examples
    --------
    >>> import numpy as np
    >>> o, c = np.array([10.0, 10.0, 12.0, 12.0]), np.array([10.0, 11.0, 12.0, 12.0])
    >>> run = signal_backtest(o, c, np.array([1.0, 0.0, 0.0, 0.0]), cash_quote=100.0,
    ...                       fee_frac=0.0, slippage_frac=0.0)
    >>> run.equity.tolist(), run.trades["pnl"].tolist()
    ([100.0, 110.0, 120.0, 120.0], [20.0])
    """
    close = check.series("close", close)
    open_ = check.series("open", open_, close.shape[0])
    signal = check.series("signal", signal, close.shape[0])
    equity = check.buffer("out", out, close.shape[0], open_, close, signal)
    terms = costs(cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short)
    return _answer(impl().signal_backtest, (open_, close, signal, *terms, equity), equity)


def ma_cross_backtest(
    open_: FloatArray,
    close: FloatArray,
    fast_window_bars: int,
    slow_window_bars: int,
    *,
    band_frac: float = 0.0,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
    out: FloatArray | None = None,
) -> VectorRun:
    """Trade the crossover of two simple averages of the close, averages included in the same pass.

    The rule is that of the strategy `ma_crossover`: long while ``(fast - slow) / slow > band_frac``, short
    while it is below ``-band_frac``, flat between and during warm-up; the averages are those of
    `kernels.sma` to the bit.

    Parameters
    ----------
    open_, close : array, shape (n_bars,), quote
        Finite and above 0.
    fast_window_bars, slow_window_bars : int
        fast < slow.
    band_frac : float
        At least 0.
    cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short, out
        As in `signal_backtest`.

    Raises
    ------
    KernelError
        As in `signal_backtest`.

    Examples
    --------
    >>> import numpy as np
    >>> c = np.array([10.0, 9.0, 10.0, 12.0, 12.0, 9.0, 8.0])
    >>> ma_cross_backtest(c, c, 1, 2).trades[["entry_bar", "exit_bar"]].tolist()
    [(3, 5)]
    """
    close = check.series("close", close)
    open_ = check.series("open", open_, close.shape[0])
    fast = check.window("fast_window_bars", fast_window_bars)
    slow = check.window("slow_window_bars", slow_window_bars, 2)
    if fast >= slow:
        raise KernelError(
            "KERNEL_WINDOW_ORDER",
            f"fast_window_bars: expected less than slow_window_bars = {slow}, found {fast}: swap them",
            argument="fast_window_bars",
        )
    band = between("band_frac", band_frac, 0.0, 1e9)
    equity = check.buffer("out", out, close.shape[0], open_, close)
    terms = costs(cash_quote, fee_frac, slippage_frac, exposure_frac, allow_short)
    return _answer(impl().ma_cross_backtest, (open_, close, fast, slow, band, *terms, equity), equity)


Terms = tuple[float, float, float, float, bool]


def costs(cash: float, fee: float, slippage: float, exposure: float, short: bool) -> Terms:
    """Return money, costs and size of a vector backtest as its kernels take them.

    Raises
    ------
    KernelError
        If one lies outside its range.
    """
    return (
        check.positive("cash_quote", cash),
        between("fee_frac", fee, 0.0, 0.5),
        between("slippage_frac", slippage, 0.0, 0.5),
        between("exposure_frac", check.positive("exposure_frac", exposure), 0.0, 1.0),
        bool(short),
    )


def between(name: str, value: Any, low: float, high: float) -> float:
    """Return `value` as a float from `low` to `high`.

    Raises
    ------
    KernelError
        If it is not.
    """
    number = float(value) if isinstance(value, int | float | np.floating | np.integer) else float("nan")
    if isinstance(value, bool) or not low <= number <= high:
        raise KernelError(
            "KERNEL_PARAM_RANGE",
            f"{name}: expected a number from {low:g} to {high:g}, found {value!r}",
            argument=name,
        )
    return number


def _answer(kernel: Any, arguments: tuple[Any, ...], equity: FloatArray) -> VectorRun:
    if not equity.shape[0]:
        raise KernelError("KERNEL_NO_BARS", "close: expected at least one bar, found an empty array")
    try:
        totals, words = kernel(*arguments)
    except ValueError as e:
        raise row_error(e) from e
    return VectorRun(equity, words.view(TRADE_DTYPE), *totals)


def row_error(error: ValueError) -> KernelError:
    """Return a kernel's "no" to one row as an error that carries the row."""
    found = re.match(r"row (\d+): (\w+): ", str(error))
    if found is None:
        return KernelError("KERNEL_PARAM_RANGE", str(error))
    row, column = int(found[1]), found[2]
    return KernelError("BACKTEST_ROW_INVALID", f"{error}: repair or cut the data", row=row, column=column)
