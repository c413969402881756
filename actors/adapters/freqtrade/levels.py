"""Where a trade's stop and target lie: fixed stop, trailing stop, the strategy's own stop, the table of returns."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from actors.adapters.freqtrade.interface import IStrategy
from actors.adapters.freqtrade.trade import Trade

MINUTE_NS = 60_000_000_000
STOP_LOSS, TRAILING_STOP = "stop_loss", "trailing_stop_loss"


def moment(ts_ns: int) -> datetime:
    """Return a time as callbacks expect it: aware, UTC.

    Examples
    --------
    >>> moment(0).isoformat()
    '1970-01-01T00:00:00+00:00'
    """
    return datetime.fromtimestamp(ts_ns / 1e9, tz=UTC)


def beyond(trade: Trade, rate: float, distance: float) -> float:
    """Return the price that lies a fraction of the stake to the losing side of a rate.

    Examples
    --------
    >>> beyond(Trade("A/B", 0, 1.0, 1.0, 0.0, None), 200.0, 0.02)
    196.0
    >>> beyond(Trade("A/B", 0, 1.0, 1.0, 0.0, None, "short", leverage=2.0), 200.0, 0.02)
    202.0
    """
    return rate * (1.0 - trade.sign * distance / trade.leverage)


def tighter(trade: Trade, level: float, than: float) -> bool:
    """Tell whether a stop lies nearer to the gain than another one."""
    return level > than if trade.sign > 0 else level < than


def raised_stop(
    strategy: IStrategy,
    trade: Trade,
    best: float,
    close: float,
    wanted: Callable[[], Any] | None = None,
) -> tuple[float, str]:
    """Return the stop price for the next bar, never looser than the present one, and the reason its fill will mean.

    Parameters
    ----------
    best, close : float
        The bar's best price for the trade (a long's high, a short's low) and its close.
    wanted : callable, optional
        Asks ``custom_stoploss``; None where it is not in use.

    Notes
    -----
    The trailing stop follows the best price since the entry, this bar's included: it takes effect in the next
    bar only, since nobody knows whether the high came before the low. The strategy's own stop is measured from
    the close, the newest price that is known when it is asked.
    """
    level, reason = trade.stop_loss, trade.exit_reason or STOP_LOSS
    if wanted is not None:
        asked = wanted()
        # 0 is what the helpers return for a stop beyond the present price: it leaves the stop where it is
        if asked is not None and math.isfinite(asked) and asked != 0.0:
            own = beyond(trade, close, abs(asked))
            if tighter(trade, own, level):
                level, reason = own, TRAILING_STOP
    if strategy.trailing_stop:
        record = trade.max_rate if trade.sign > 0 else trade.min_rate
        top = max(best, record) if trade.sign > 0 else min(best, record)
        distance = trailing_distance(strategy, trade.calc_profit_ratio(top))
        if distance is not None and tighter(trade, beyond(trade, best, distance), level):
            level, reason = beyond(trade, best, distance), TRAILING_STOP
    return level, reason


def trailing_distance(strategy: IStrategy, best_profit: float) -> float | None:
    """Return how far behind the best price the trailing stop lies, None while it must not move yet.

    Examples
    --------
    >>> class Mine(IStrategy):
    ...     stoploss, trailing_stop, trailing_stop_positive, trailing_stop_positive_offset = -0.1, True, 0.01, 0.03
    >>> trailing_distance(Mine(), 0.02), trailing_distance(Mine(), 0.04)
    (0.1, 0.01)
    """
    offset = strategy.trailing_stop_positive_offset
    if strategy.trailing_only_offset_is_reached and best_profit < offset:
        return None
    if strategy.trailing_stop_positive is not None and best_profit > offset:
        return strategy.trailing_stop_positive
    return abs(strategy.stoploss)


def roi_at(strategy: IStrategy, held_minutes: float) -> float | None:
    """Return the profit at which a trade of this age is left, None if none.

    Examples
    --------
    >>> class Mine(IStrategy):
    ...     minimal_roi = {"60": 0.01, "0": 0.04}
    >>> roi_at(Mine(), 59), roi_at(Mine(), 60)
    (0.04, 0.01)
    """
    due = [(int(m), float(level)) for m, level in strategy.minimal_roi.items() if int(m) <= held_minutes]
    return max(due)[1] if due else None
