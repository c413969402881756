"""A signal's whole backtest in one call: trades, equity and every figure, in float64.

Formulas: METHODS 3 (Sharpe 1966 with ddof 1, Sortino & van der Meer 1991 over all bars, Young 1991 for Calmar).
For money that must be exact to the last unit see `actors.domain.kernels.sim`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain import kernels
from actors.domain.kernels.backtest import VectorRun
from actors.domain.kernels.statistics import ReturnStatistics

if TYPE_CHECKING:
    from actors.domain.model.bars import BarFrame

YEAR_NS: Final = 365 * 86_400 * 10**9


class TradeFigures(NamedTuple):
    """Figures of the closed round trips; None where they are undefined.

    Attributes
    ----------
    closed, wins, longest_losing : int
    win_rate : float or None
        Share of closed trades with a result above 0.
    profit_factor : float or None
        Sum of the gains over the sum of the losses.
    average_pnl, best_pnl, worst_pnl : float or None, quote
    average_bars : float or None
        Bars between entry and exit.
    """

    closed: int
    wins: int
    longest_losing: int
    win_rate: float | None
    profit_factor: float | None
    average_pnl: float | None
    best_pnl: float | None
    worst_pnl: float | None
    average_bars: float | None


class VectorFigures(NamedTuple):
    """Figures of a vector backtest; None where they are undefined.

    Attributes
    ----------
    total_return, cagr : float, fraction
    volatility, sharpe, sortino, calmar : float or None
        Per year of 365 days.
    max_drawdown : float, fraction
    exposure : float
        Share of bars whose close saw a position.
    bars : ReturnStatistics or None
        Everything else about the returns per bar; None for fewer than two bars.
    trades : TradeFigures
    """

    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: float
    exposure: float
    bars: ReturnStatistics | None
    trades: TradeFigures


def trade_figures(trades: NDArray[np.void]) -> TradeFigures:
    """Return the figures of the closed trades of a `VectorRun`.

    Parameters
    ----------
    trades : structured array of `kernels.TRADE_DTYPE`

    Examples
    --------
    >>> import numpy as np
    >>> t = np.zeros(3, kernels.TRADE_DTYPE)
    >>> t["pnl"], t["exit_bar"] = [2.0, -1.0, 5.0], [4, 6, -1]
    >>> f = trade_figures(t)
    >>> f.closed, f.win_rate, f.profit_factor
    (2, 0.5, 2.0)
    """
    if trades.shape[0] and trades["exit_bar"][-1] < 0:
        trades = trades[:-1]
    count = trades.shape[0]
    if not count:
        return TradeFigures(0, 0, 0, None, None, None, None, None, None)
    pnl = np.ascontiguousarray(trades["pnl"])
    gain, loss = float(pnl[pnl > 0.0].sum()), float(-pnl[pnl < 0.0].sum())
    wins = int(np.count_nonzero(pnl > 0.0))
    # a run of losses lies between two trades that lose nothing
    ends = np.flatnonzero(np.concatenate(([True], pnl >= 0.0, [True])))
    return TradeFigures(
        count, wins, int(np.diff(ends).max()) - 1, wins / count, gain / loss if loss else None,
        float(pnl.mean()), float(pnl.max()), float(pnl.min()),
        float((trades["exit_bar"] - trades["entry_bar"]).mean()),
    )  # fmt: skip


def figures(run: VectorRun, timeframe_ns: int) -> VectorFigures:
    """Return every figure of a vector backtest.

    Parameters
    ----------
    run : VectorRun
        Its equity begins with the start money, since nothing can be held at the first close.
    timeframe_ns : int
        Length of a bar.

    Raises
    ------
    KernelError
        If the account was ruined: returns of an equity at or below 0 have no meaning.
    """
    count = run.equity.shape[0]
    trades = trade_figures(run.trades)
    exposure = run.exposed_bars / count
    if count < 2:
        return VectorFigures(0.0, None, None, None, None, None, run.max_drawdown, exposure, None, trades)
    s = kernels.equity_statistics(run.equity)
    per_year = YEAR_NS / timeframe_ns
    root = math.sqrt(per_year)
    growth = math.ldexp(s.growth, s.growth_exponent)
    cagr = _power(growth, per_year / s.bars)
    deviation = math.sqrt(s.m2 / (s.bars - 1)) if s.bars > 1 else None
    downside = math.sqrt(s.downside_sum / s.bars)
    return VectorFigures(
        growth - 1.0, cagr,
        None if deviation is None else deviation * root,
        s.mean / deviation * root if deviation else None,
        s.mean / downside * root if downside else None,
        cagr / run.max_drawdown if cagr is not None and run.max_drawdown else None,
        run.max_drawdown, exposure, s, trades,
    )  # fmt: skip


def backtest_crossover(
    frame: BarFrame,
    fast_window_bars: int,
    slow_window_bars: int,
    *,
    band_frac: float = 0.0,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    allow_short: bool = False,
) -> tuple[VectorRun, VectorFigures]:
    """Backtest the moving-average crossover over a frame; `kernels.ma_cross_backtest` with its figures.

    Examples
    --------
    >>> import numpy as np
    >>> from actors.domain.model.bars import BarFrame
    >>> c = 100.0 + 10.0 * np.sin(np.arange(400) / 20.0)
    >>> f = BarFrame("X/Y", 3_600 * 10**9, np.arange(400) * 3_600 * 10**9, c, c, c, c, np.ones(400))
    >>> run, figures = backtest_crossover(f, 3, 12)
    >>> len(run.trades) == figures.trades.closed + 1, figures.total_return > 0.0
    (True, True)
    """
    run = kernels.ma_cross_backtest(
        frame.open, frame.close, fast_window_bars, slow_window_bars, band_frac=band_frac,
        cash_quote=cash_quote, fee_frac=fee_frac, slippage_frac=slippage_frac, allow_short=allow_short,
    )  # fmt: skip
    return run, figures(run, frame.timeframe_ns)


def backtest_signal(
    frame: BarFrame,
    signal: NDArray[np.float64],
    *,
    cash_quote: float = 10_000.0,
    fee_frac: float = 0.001,
    slippage_frac: float = 0.0005,
    exposure_frac: float = 1.0,
    allow_short: bool = False,
) -> tuple[VectorRun, VectorFigures]:
    """Backtest the sign of a signal over a frame; `kernels.signal_backtest` with its figures."""
    run = kernels.signal_backtest(
        frame.open, frame.close, signal, cash_quote=cash_quote, fee_frac=fee_frac,
        slippage_frac=slippage_frac, exposure_frac=exposure_frac, allow_short=allow_short,
    )  # fmt: skip
    return run, figures(run, frame.timeframe_ns)


def _power(growth: float, exponent: float) -> float | None:
    if growth <= 0.0:
        return None
    log = math.log(growth) * exponent
    return math.expm1(log) if log < 700.0 else None
