"""Round trips: win rate, profit factor, expectancy, duration, losing runs; all on net PnL (after fees)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from actors.domain.events.portfolio import TradeClosed


class TradeStatistics(msgspec.Struct, frozen=True):
    """Figures of a list of round trips; None where undefined (no trades; no losing trade)."""

    trade_count: int
    win_rate_frac: float | None
    profit_factor: float | None
    expectancy_quote: Decimal | None
    avg_duration_bars: float | None
    max_consecutive_losses: int


def trade_statistics(trades: Sequence[TradeClosed]) -> TradeStatistics:
    """Return the statistics of round trips in the order in which they closed.

    A trade of exactly zero is neither a win nor a loss; it ends a losing run.
    """
    wins, gains, losses, run, longest, bars = 0, Decimal(0), Decimal(0), 0, 0, 0
    for trade in trades:
        pnl = trade.pnl_quote
        bars += trade.duration_bars
        if pnl > 0:
            wins, gains = wins + 1, gains + pnl
        if pnl < 0:
            losses, run = losses - pnl, run + 1
            longest = max(longest, run)
        else:
            run = 0
    n = len(trades)
    return TradeStatistics(
        trade_count=n,
        win_rate_frac=wins / n if n else None,
        profit_factor=float(gains / losses) if losses > 0 else None,
        expectancy_quote=(gains - losses) / n if n else None,
        avg_duration_bars=bars / n if n else None,
        max_consecutive_losses=longest,
    )
