"""The metrics of a run under the names of the command line's `metrics`; undefined is None."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from actors.domain.evaluation.metrics.drawdown import max_drawdown, max_drawdown_bars
from actors.domain.evaluation.metrics.growth import FloatArray, cagr, returns_of, total_return, volatility
from actors.domain.evaluation.metrics.moments import skew_kurtosis
from actors.domain.evaluation.metrics.psr import min_track_record, psr
from actors.domain.evaluation.metrics.ratios import calmar, omega, sharpe, sortino
from actors.domain.evaluation.metrics.trades import trade_statistics
from actors.domain.events.portfolio import TradeClosed
from actors.domain.model.money import normal_str
from actors.domain.model.timerange import format_ns
from actors.domain.risk.measures import expected_shortfall, historical_var

YEAR_NS = 365 * 86_400_000_000_000


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What trading cost so far, quote currency, positive = cost; `traded_quote` is the sum of all fills."""

    fees_quote: Decimal = Decimal(0)
    slippage_quote: Decimal = Decimal(0)
    funding_quote: Decimal = Decimal(0)
    traded_quote: Decimal = Decimal(0)


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
        Starts with the capital before the first bar in which decisions were allowed.
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
    returns = returns_of(equity)
    n = int(returns.size)
    periods = YEAR_NS / timeframe_ns
    statistics = trade_statistics(trades)
    moments = skew_kurtosis(returns)
    if total_pnl_quote is None:
        total_pnl_quote = Decimal(repr(float(equity[-1]))) - Decimal(repr(float(equity[0])))
    traded = float(costs.traded_quote)
    return {
        "bars": n,
        "trade_count": statistics.trade_count,
        "total_pnl_quote": normal_str(total_pnl_quote),
        "total_return_frac": total_return(returns),
        "cagr_frac": cagr(returns, periods),
        "volatility_ann_frac": volatility(returns, periods),
        "sharpe_ann": sharpe(returns, periods),
        "sortino_ann": sortino(returns, periods),
        "calmar": calmar(returns, periods),
        "omega": omega(returns),
        "max_drawdown_frac": max_drawdown(returns),
        "max_drawdown_bars": max_drawdown_bars(returns),
        "win_rate_frac": statistics.win_rate_frac,
        "profit_factor": statistics.profit_factor,
        "expectancy_quote": _money(statistics.expectancy_quote),
        "avg_trade_duration_bars": statistics.avg_duration_bars,
        "max_consecutive_losses": statistics.max_consecutive_losses,
        "exposure_frac": _mean(gross_exposure),
        "turnover_ann": traded / float(np.mean(equity[1:])) * periods / n if n else None,
        "fees_quote": normal_str(costs.fees_quote),
        "slippage_quote": normal_str(costs.slippage_quote),
        "funding_quote": normal_str(costs.funding_quote),
        "var_95_frac": historical_var(returns, confidence=0.95, method="linear") if n else None,
        "es_95_frac": expected_shortfall(returns, confidence=0.95) if n else None,
        "skew": moments[0] if moments else None,
        "kurtosis": moments[1] if moments else None,
        "psr": psr(returns),
        "min_track_record_bars": min_track_record(returns),
    }


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
