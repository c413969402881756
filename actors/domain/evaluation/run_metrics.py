"""The metrics of a run under the names of the command line's `metrics`; undefined is None."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from actors.domain import kernels
from actors.domain.errors import InvalidParamsError, KernelError
from actors.domain.evaluation.metrics.growth import FloatArray, lost_at, returns_until_lost
from actors.domain.evaluation.metrics.summary import Ratios, ratios_of
from actors.domain.evaluation.metrics.trades import trade_statistics
from actors.domain.events.portfolio import TradeClosed
from actors.domain.model.money import normal_str
from actors.domain.model.timerange import format_ns

YEAR_NS = 365 * 86_400_000_000_000


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What trading and holding cost so far, quote currency, positive = cost; `traded_quote` is the sum of all fills."""

    fees_quote: Decimal = Decimal(0)
    slippage_quote: Decimal = Decimal(0)
    funding_quote: Decimal = Decimal(0)
    borrow_quote: Decimal = Decimal(0)
    liquidation_quote: Decimal = Decimal(0)
    traded_quote: Decimal = Decimal(0)


_OF_EQUITY = (
    "total_return_frac", "cagr_frac", "volatility_ann_frac", "sharpe_ann", "sortino_ann", "calmar", "omega",
    "max_drawdown_frac", "max_drawdown_bars",
)  # fmt: skip
_OF_RETURNS = ("var_95_frac", "es_95_frac", "skew", "kurtosis", "psr", "min_track_record_bars")
BAR_FIGURES = (
    "profit_factor_bars", "win_rate_bars_frac", "max_consecutive_losing_bars", "tail_ratio", "ulcer",
    "best_bar_frac", "worst_bar_frac",
)  # fmt: skip
"""Figures of `ratios_of` that are not among the command line's ``metrics``."""


METRICS = (
    "bars", "trade_count", "total_pnl_quote", *_OF_EQUITY, "win_rate_frac", "profit_factor", "expectancy_quote",
    "avg_trade_duration_bars", "max_consecutive_losses", "exposure_frac", "turnover_ann", "fees_quote",
    "slippage_quote", "funding_quote", "borrow_quote", "liquidation_quote", *_OF_RETURNS,
)  # fmt: skip
"""The command line's ``metrics``, in its order: of a run, a month, a regime, a strategy, a pair."""


def ratios_of_equity(equity: FloatArray, periods_per_year: float) -> Ratios:
    """Return `ratios_of` an equity curve; of a curve without a bar nothing but the return of 0 is defined.

    Parameters
    ----------
    equity : array, shape (bars + 1,), quote currency
        A curve that falls to 0 or below ends there, with a return of -1; one that begins there has no ratios.
    periods_per_year : float

    Raises
    ------
    InvalidParamsError
        If the curve is empty or not finite.

    Examples
    --------
    >>> ratios_of_equity(np.array([100.0]), 365.0)["sharpe_ann"] is None
    True
    """
    curve = np.ascontiguousarray(equity, dtype=np.float64)
    names = (*_OF_EQUITY, *_OF_RETURNS, *BAR_FIGURES)
    if curve.ndim == 1 and np.isfinite(curve).all() and lost_at(curve) is not None:
        returns = returns_until_lost(curve)
        if returns.size == 0:
            return dict.fromkeys(names)
        return ratios_of(kernels.return_statistics(returns), periods_per_year)
    if curve.ndim != 1 or curve.size == 0 or (curve.size == 1 and not 0.0 < curve[0] < np.inf):
        raise InvalidParamsError(
            "EQUITY_INVALID",
            f"equity: expected a non-empty curve of positive finite values, found shape {curve.shape}",
        )
    if curve.size == 1:
        return dict.fromkeys(names) | {
            "total_return_frac": 0.0, "max_drawdown_frac": 0.0, "max_drawdown_bars": 0,
            "max_consecutive_losing_bars": 0,
        }  # fmt: skip
    try:
        return ratios_of(kernels.equity_statistics(curve), periods_per_year)
    except KernelError as e:
        raise InvalidParamsError(
            "EQUITY_INVALID",
            f"equity: expected a non-empty curve of positive finite values, found {e}",
        ) from e


def run_metrics(
    equity: FloatArray,
    *,
    timeframe_ns: int,
    trades: Sequence[TradeClosed] = (),
    costs: Costs | None = None,
    gross_exposure: FloatArray | None = None,
    total_pnl_quote: Decimal | None = None,
) -> dict[str, Any]:
    """Return all metrics of a run, costs included.

    Parameters
    ----------
    equity : array, shape (bars + 1,), quote currency
        Starts with the capital before the first bar in which decisions were allowed. Where an account is lost (0 or
        below), ratios of returns are of the bars up to there, the last return being -1.
    timeframe_ns : int
        Annualisation is by 365 days of 24 hours.
    trades : sequence of TradeClosed
        Closed round trips; `win_rate_frac`, `profit_factor`, `expectancy_quote` and the losing run are
        theirs (net of fees), not the bars'.
    costs : Costs, optional
    gross_exposure : array, shape (bars,), optional
        Sum of magnitudes of exposures at each close; `exposure_frac` is its mean.
    total_pnl_quote : Decimal, optional
        Exact, from the ledger; else the curve's last less its first value.

    Returns
    -------
    dict
        The keys of the command line's ``metrics``; ``…_quote`` are decimal strings, the rest numbers or None.
        VaR is the type 7 quantile of bar returns, ES the fractional tail mean, both at 95 % over one bar.

    Raises
    ------
    InvalidParamsError
        If the curve is not positive and finite.

    Examples
    --------
    >>> m = run_metrics(np.array([100.0, 110.0, 99.0]), timeframe_ns=86_400_000_000_000)
    >>> m["bars"], m["total_pnl_quote"], round(m["max_drawdown_frac"], 6), m["win_rate_frac"]
    (2, '-1', 0.1, None)
    """
    costs = costs or Costs()
    ratios = ratios_of_equity(equity, YEAR_NS / timeframe_ns)
    n = len(equity) - 1
    statistics = trade_statistics(trades)
    if total_pnl_quote is None:
        total_pnl_quote = Decimal(repr(float(equity[-1]))) - Decimal(repr(float(equity[0])))
    traded, mean_equity = float(costs.traded_quote), float(np.mean(equity[1:])) if n else 0.0
    return {
        "bars": n,
        "trade_count": statistics.trade_count,
        "total_pnl_quote": normal_str(total_pnl_quote),
        **{name: _zero(ratios[name]) for name in _OF_EQUITY},
        "win_rate_frac": statistics.win_rate_frac,
        "profit_factor": statistics.profit_factor,
        "expectancy_quote": _money(statistics.expectancy_quote),
        "avg_trade_duration_bars": statistics.avg_duration_bars,
        "max_consecutive_losses": statistics.max_consecutive_losses,
        "exposure_frac": _mean(gross_exposure),
        "turnover_ann": traded / mean_equity * (YEAR_NS / timeframe_ns) / n if mean_equity > 0.0 else None,
        "fees_quote": normal_str(costs.fees_quote),
        "slippage_quote": normal_str(costs.slippage_quote),
        "funding_quote": normal_str(costs.funding_quote),
        "borrow_quote": normal_str(costs.borrow_quote),
        "liquidation_quote": normal_str(costs.liquidation_quote),
        **{name: _zero(ratios[name]) for name in _OF_RETURNS},
    }


def _zero(value: Any) -> Any:
    """Return a loss of minus zero as zero: nobody lost it."""
    return 0.0 if isinstance(value, float) and value == 0.0 else value


def trade_row(trade: TradeClosed, *, strategy: str = "") -> dict[str, Any]:
    """Return a round trip under the names of the command line's `trades`.

    Parameters
    ----------
    trade : TradeClosed
    strategy : str
        Who wished it; the ledger does not know.
    """
    return {
        "pair": trade.instrument_id,
        "side": trade.side,
        "opened_at": format_ns(trade.opened_ns),
        "closed_at": format_ns(trade.closed_ns),
        "quantity": normal_str(trade.quantity),
        "entry_price": _money(trade.entry_price),
        "exit_price": _money(trade.exit_price),
        "fees_quote": normal_str(trade.fees_quote),
        "slippage_quote": normal_str(trade.slippage_quote),
        "carry_quote": normal_str(trade.carry_quote),
        "pnl_quote": normal_str(trade.pnl_quote),
        "return_frac": trade.return_frac,
        "duration_bars": trade.duration_bars,
        "exit_reason": trade.exit_reason,
        "strategy": strategy,
    }


def _money(value: Decimal | None) -> str | None:
    # an average (also an average price) need not end; twelve digits are far below any fee
    return None if value is None else normal_str(value.quantize(Decimal("1e-12")))


def _mean(values: FloatArray | None) -> float | None:
    return float(np.mean(values)) if values is not None and len(values) else None
