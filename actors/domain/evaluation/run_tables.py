"""What a run's report and result hold beside its metrics: months, drawdowns, intervals, benchmark, doubts.

Sources: the modules of `actors.domain.evaluation.metrics`, each naming its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import numpy as np

from actors.domain.evaluation.metrics.benchmark import benchmark_statistics
from actors.domain.evaluation.metrics.deflated import Trials, deflated_sharpe_among
from actors.domain.evaluation.metrics.drawdown import drawdown_spells
from actors.domain.evaluation.metrics.evidence import evidence_warnings
from actors.domain.evaluation.metrics.growth import FloatArray, lost_at, returns_of, returns_until_lost
from actors.domain.evaluation.metrics.intervals import Interval, metric_intervals
from actors.domain.evaluation.metrics.months import month_spans
from actors.domain.evaluation.report_model import AccountSeries, DrawdownRow, IntervalRow, MonthRow
from actors.domain.evaluation.run_metrics import BAR_FIGURES, YEAR_NS, Costs, ratios_of_equity, run_metrics
from actors.domain.events.portfolio import TradeClosed
from actors.domain.model.timerange import format_ns

DRAWDOWN_ROWS = 10
_DRAWS = 50_000_000
"""Bars drawn for the intervals of one run at most: half a second of native code."""
_FEWEST_PATHS, _MOST_PATHS = 200, 2000


class RunTables(msgspec.Struct, frozen=True, kw_only=True):
    """Rows and figures of a run.

    Attributes
    ----------
    statistics : dict
        Of bars (``profit_factor_bars`` beside the metrics' ``profit_factor`` of trades …), deflated Sharpe ratio
        `dsr` with the number of `trials`, and ``mean_block_bars`` of the bootstrap.
    benchmark : dict
        Alpha, beta and what goes with them.
    warnings : tuple of str
        Why the result might not mean what it seems to.
    """

    monthly: list[MonthRow]
    drawdowns: list[DrawdownRow]
    intervals: list[IntervalRow]
    statistics: dict[str, Any]
    benchmark: dict[str, Any]
    warnings: tuple[str, ...]


def run_tables(
    account: AccountSeries,
    trades: Sequence[TradeClosed],
    metrics: Mapping[str, Any],
    *,
    timeframe_ns: int,
    seed: int,
    trials: Trials | None = None,
    traded: Sequence[tuple[int, float]] | None = None,
) -> RunTables:
    """Return what follows from a run's account and its round trips.

    Parameters
    ----------
    account : AccountSeries
    trades : sequence of TradeClosed
    metrics : mapping
        Of the same run, by `run_metrics`.
    timeframe_ns : int
    seed : int
        Of the bootstrap.
    trials : Trials, optional
        Of the study that chose this run's parameters. Without it their number is unknown, and no figure is deflated.
    traded : sequence of (ns, quote), optional
        Time and value of every fill, in order, for the turnover of months.

    Notes
    -----
    Long records get fewer paths (never under 200), so that intervals take half a second or so; each row says how
    many were drawn.
    """
    equity = np.array([account.initial_equity, *account.equity])
    returns, periods = returns_until_lost(equity), YEAR_NS / timeframe_ns
    paths = max(_FEWEST_PATHS, min(_MOST_PATHS, _DRAWS // max(returns.size, 1)))
    intervals = metric_intervals(returns, periods_per_year=periods, paths=paths, seed=seed)
    dsr = None if trials is None else deflated_sharpe_among(returns, trials)
    count = None if trials is None else trials.count
    ratios = ratios_of_equity(equity, periods)
    statistics: dict[str, Any] = {name: ratios[name] for name in BAR_FIGURES}
    statistics |= {"dsr": dsr, "trials": count}
    statistics["mean_block_bars"] = next((i.mean_block_bars for i in intervals.values()), None)
    benchmark = returns_of(np.array([account.initial_equity, *account.benchmark]))[: returns.size]
    against = msgspec.to_builtins(benchmark_statistics(returns, benchmark, periods))
    # what came after a lost account is no evidence of anything
    told = {**metrics, "bars": returns.size} if lost_at(equity) is not None else metrics
    warnings = evidence_warnings(
        told, trades, timeframe_ns=timeframe_ns, intervals=intervals, dsr=dsr, trials=count
    )
    if (end := lost_at(equity)) is not None:
        when = format_ns(account.ts_ns[end - 1]) if end else "the start"
        warnings.insert(
            0, f"the account was lost at {when}: ratios of returns end there, with a return of -100 %"
        )
    return RunTables(
        monthly=month_rows(account, trades, timeframe_ns, traded), drawdowns=drawdown_rows(account, timeframe_ns),
        intervals=interval_rows(intervals), statistics=statistics, benchmark=against, warnings=tuple(warnings),
    )  # fmt: skip


def month_rows(
    account: AccountSeries,
    trades: Sequence[TradeClosed],
    timeframe_ns: int,
    traded: Sequence[tuple[int, float]] | None = None,
) -> list[MonthRow]:
    """Return the account by calendar month; a round trip belongs to the month in which it closed.

    Turnover is None where the fills are not given. Examples are in the tests.
    """
    close_ns = np.array(account.ts_ns, dtype=np.int64)
    equity = np.array([account.initial_equity, *account.equity])
    gross = np.array([sum(map(abs, row)) for row in account.exposures])
    fees, slippage = np.array([0.0, *account.fees_quote]), np.array([0.0, *account.slippage_quote])
    fills = np.array([ns for ns, _ in traded or ()], dtype=np.int64)
    value = np.concatenate(([0.0], np.cumsum([quote for _, quote in traded or ()])))

    def moved(begin: int, end: int) -> Decimal:
        first, last = np.searchsorted(fills, [begin, end], side="right")
        return Decimal(repr(round(float(value[last] - value[first]), 8)))

    rows = []
    for span in month_spans(close_ns):
        begin = int(close_ns[span.first - 1]) if span.first else int(close_ns[0]) - timeframe_ns
        end = int(close_ns[span.end - 1])
        metrics = run_metrics(
            equity[span.first : span.end + 1],
            timeframe_ns=timeframe_ns,
            trades=[t for t in trades if begin < t.closed_ns <= end],
            costs=Costs(fees_quote=_spent(fees, span.first, span.end), traded_quote=moved(begin, end),
                        slippage_quote=_spent(slippage, span.first, span.end), **_charged(account, begin, end)),
            gross_exposure=gross[span.first : span.end],
        )  # fmt: skip
        if traded is None:
            metrics["turnover_ann"] = None
        rows.append(
            MonthRow(
                year=span.year, month=span.month, bars=span.end - span.first,
                return_frac=metrics["total_return_frac"], max_drawdown_frac=metrics["max_drawdown_frac"],
                metrics=metrics,
            )
        )  # fmt: skip
    return rows


def drawdown_rows(account: AccountSeries, timeframe_ns: int, most: int = DRAWDOWN_ROWS) -> list[DrawdownRow]:
    """Return the deepest spells under water with their times; before the first bar is one bar before its close."""
    if not account.ts_ns:
        return []
    at = [account.ts_ns[0] - timeframe_ns, *account.ts_ns]
    return [
        DrawdownRow(
            peak_ns=at[s.peak], trough_ns=at[s.trough],
            recovered_ns=None if s.recovered is None else at[s.recovered], depth_frac=s.depth_frac, bars=s.bars,
        )
        for s in drawdown_spells(np.array([account.initial_equity, *account.equity]), most)
    ]  # fmt: skip


def interval_rows(intervals: Mapping[str, Interval]) -> list[IntervalRow]:
    """Return the intervals as rows of the report."""
    return [
        IntervalRow(
            metric=name, value=i.value, low=i.low, high=i.high, confidence=i.confidence, paths=i.paths
        )
        for name, i in intervals.items()
    ]


def _charged(account: AccountSeries, after_ns: int, upto_ns: int) -> dict[str, Decimal]:
    """Return funding, interest and liquidation fees of a span under the names of `Costs`."""
    out: dict[str, float] = {}
    for ts, kind, amount in account.charged:
        if after_ns < ts <= upto_ns:
            out[f"{kind}_quote"] = out.get(f"{kind}_quote", 0.0) + amount
    return {name: Decimal(repr(round(amount, 8))) for name, amount in out.items()}


def _spent(total: FloatArray, first: int, end: int) -> Decimal:
    return Decimal(repr(round(float(total[end] - total[first]), 8)))
