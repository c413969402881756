"""The curves of a run on the fast path: account and bars in columns, equal to what the record notes step by step."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from actors.domain.evaluation.report_model import AccountSeries, PairSeries
from actors.domain.evaluation.run_record import RunRecord
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.events.regime import REGIMES
from actors.domain.portfolio.ledger import Ledger
from cluster.runs.backtest_ahead import Ahead
from cluster.runs.backtest_context import FloatArray, IntArray, MarketContext
from cluster.runs.plan import RunPlan

_LABELS = (*REGIMES, "")  # index -1, none yet, is the last one


class Curves:
    """Columns over all steps, filled as the run goes.

    Parameters
    ----------
    plan : RunPlan
    context : MarketContext
    ahead : Ahead
    """

    def __init__(self, plan: RunPlan, context: MarketContext, ahead: Ahead) -> None:
        size, width = context.present.shape
        self._plan, self._context, self._ahead = plan, context, ahead
        self._equity = np.full(size, np.nan)
        self._held = np.zeros((size, width))
        self._fees, self._slippage = np.zeros(size), np.zeros(size)
        self._last = plan.config.model.account.initial_cash_quote

    def quiet(self, begin: int, stop: int, equity: list[float], held: FloatArray, ledger: Ledger) -> None:
        """Take steps without fills."""
        self._equity[begin:stop], self._held[begin:stop] = equity[: stop - begin], held[: stop - begin]
        self._fees[begin:stop], self._slippage[begin:stop] = ledger.fees_quote, ledger.slippage_quote
        self._last = ledger.equity

    def account(self, k: int, account: AccountUpdated) -> None:
        """Take one step's account."""
        self._equity[k], self._held[k] = float(account.equity), account.exposures_frac
        self._fees[k], self._slippage[k] = float(account.fees_quote), float(account.slippage_quote)
        self._last = account.equity

    def hand_over(self, record: RunRecord, ledger: Ledger, stop: int) -> None:
        """Give the record the curves up to `stop`."""
        plan, first = self._plan, min(self._context.warmup_steps, stop)
        size = stop - first
        record.adopt(
            {pair: self._bars(i, pair, first, stop) for i, pair in enumerate(plan.pairs)},
            AccountSeries(
                initial_equity=float(plan.config.model.account.initial_cash_quote),
                ts_ns=self._context.times[first:stop].tolist(),
                equity=self._equity[first:stop].tolist(),
                benchmark=self._benchmark(first, stop, record.benchmark_fee_frac).tolist(),
                drawdown=self._drawdown(first, stop).tolist(),
                exposures=[tuple(row) for row in self._held[first:stop].tolist()],
                es_bound_frac=[None if any(row) else 0.0 for row in self._held[first:stop].tolist()],
                es_confidence=0.95,
                fees_quote=self._fees[first:stop].tolist(),
                slippage_quote=self._slippage[first:stop].tolist(),
            ),
            equity=self._last if size else plan.config.model.account.initial_cash_quote,
            positions={pair: ledger.position(pair).quantity for pair in plan.pairs},
            fees_quote=ledger.fees_quote if size else Decimal(0),
            slippage_quote=ledger.slippage_quote if size else Decimal(0),
            warmup_steps=first,
        )

    def _bars(self, i: int, pair: str, first: int, stop: int) -> PairSeries:
        frame, targets = self._plan.feed.frames[pair], self._ahead.targets
        rows = np.searchsorted(self._context.times, frame.close_ns)
        inside = (rows >= first) & (rows < stop)
        wished: list[tuple[int, float]] = []
        last: float | None = None
        for k, ts in zip(rows[inside].tolist(), frame.close_ns[inside].tolist(), strict=True):
            target = float(targets[k, i])
            if target != target:
                target = self._ahead.last_wish[pair]
            if target != last:
                wished.append((ts, target))
                last = target
        return PairSeries(
            pair=pair, ts_ns=frame.close_ns[inside].tolist(), close=frame.close[inside].tolist(),
            high=frame.high[inside].tolist(), low=frame.low[inside].tolist(), targets=wished,
            detected=self._detected(i, rows[inside]),
        )  # fmt: skip

    def _detected(self, i: int, rows: IntArray) -> list[str]:
        """Regime in force at the closes of a pair's bars; empty before the first change, and without detectors."""
        known = self._context.regimes
        if known is None:
            return [""] * len(rows)
        return [_LABELS[k] for k in known.in_force[rows, i].tolist()]

    def _benchmark(self, first: int, stop: int, fee: float) -> FloatArray:
        """Value of equal shares, each bought at the close of its pair's first decision bar."""
        pairs = self._plan.pairs
        share = float(self._plan.config.model.account.initial_cash_quote) / len(pairs)
        total = np.zeros(stop - first)
        for i in range(len(pairs)):
            closes = self._context.closes[first:stop, i]
            known = ~np.isnan(closes)
            entry = closes[int(np.argmax(known))] if known.any() else np.nan
            total += np.where(known, share * (1.0 - fee) * closes / entry, share)
        return total

    def _drawdown(self, first: int, stop: int) -> FloatArray:
        start = float(self._plan.config.model.account.initial_cash_quote)
        equity = self._equity[first:stop]
        peak = np.maximum.accumulate(np.maximum(equity, start)) if len(equity) else equity
        return np.where(equity >= peak, 0.0, 1.0 - equity / peak)
