"""Where an order meets a bar: the price rules of the simulated venue, without accounts.

A bar tells open, high, low and close, not the path between. The rules never give a fill that the bar could
not have given: a market order trades at the first price after it arrived (the open) or, arriving at an
unknown moment inside it, at its average; a resting limit order trades only when the market went *through*
it (a touch leaves the queue ahead of us unserved), at its limit, or at the open if the bar opened beyond it.
"""

from __future__ import annotations

from actors.domain.events.market import FLAG_FORWARD_FILLED, BarClosed
from actors.domain.model.instrument import BUY
from actors.domain.simulation.book_order import BookOrder

NEXT_OPEN, INTRABAR = "next_open", "intrabar"


def tradable(bar: BarClosed, needs_volume: bool) -> bool:
    """Tell whether anything traded in the bar: a filled-forward or empty bar gives no fills."""
    return not bar.flags & FLAG_FORWARD_FILLED and (bar.volume > 0.0 or not needs_volume)


def arrival_reference(bar: BarClosed, fill_at: str) -> float:
    """Return the price that a taking order meets in its first bar.

    Examples
    --------
    >>> bar = BarClosed(ts_event_ns=1, source="x", open_ns=0, close_ns=1,
    ...                 open=100.0, high=104.0, low=98.0, close=102.0, volume=5.0)
    >>> arrival_reference(bar, "next_open"), arrival_reference(bar, "intrabar")
    (100.0, 101.0)
    """
    if fill_at == NEXT_OPEN:
        return bar.open
    return (bar.open + bar.high + bar.low + bar.close) / 4.0


def meet(order: BookOrder, bar: BarClosed, fill_at: str) -> tuple[float, bool] | None:
    """Return ``(price before slippage, is taker)`` if the bar executes the order, else None."""
    fresh = order.fresh
    reference = arrival_reference(bar, fill_at) if fresh else bar.open
    if order.order_type == "market":
        return reference, True
    if fresh and (reference <= order.limit if order.side == BUY else reference >= order.limit):
        return reference, True
    if fresh and (fill_at == INTRABAR or order.time_in_force == "IOC"):
        # it arrived at an unknown moment: the extreme of the bar may lie before it; IOC does not rest
        return None
    if order.side == BUY:
        if bar.low > order.trigger:
            return None
        return min(bar.open, order.limit), False
    if bar.high < order.trigger:
        return None
    return max(bar.open, order.limit), False


def fill_ns(order: BookOrder, bar: BarClosed, price: float, fill_at: str) -> int:
    """Return the time of a fill: the open where it happened there, mid-bar for an average, else the close."""
    if price == bar.open:
        return bar.open_ns
    if order.fresh and fill_at == INTRABAR:
        return (bar.open_ns + bar.close_ns) // 2
    return bar.close_ns


def priority(order: BookOrder, open_price: float) -> tuple[int, float, int]:
    """Return the key of price-time priority: market first, then the more aggressive limit, then arrival."""
    if order.order_type == "market":
        return (0, 0.0, order.arrival)
    return (1, order.side * (open_price - order.limit), order.arrival)
