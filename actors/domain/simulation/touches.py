"""Which order acts next inside a bar: the pessimistic order of touches, without accounts.

The path inside a bar is unknown, so touches are settled in three classes: what the open meets, then what hurts
(stops), then what helps (limits and take-profits). Inside a class the rank is price, then time of arrival.
"""

from __future__ import annotations

from collections.abc import Sequence

from actors.domain.events.market import BarClosed
from actors.domain.simulation.book_order import LIMITED, STOPS, TAKES, WORKING, BookOrder

AT_OPEN, ADVERSE, FAVOURABLE = range(3)
Rank = tuple[int, float, int]


def beyond(side: int, price: float, limit: float) -> bool:
    """Tell whether a price is at the limit or better for the side.

    Examples
    --------
    >>> beyond(1, 99.0, 100.0), beyond(-1, 99.0, 100.0)
    (True, False)
    """
    return price <= limit if side > 0 else price >= limit


def rank(order: BookOrder, bar: BarClosed, step: int, touch: int) -> Rank | None:
    """Return the place of an order among those that can act in a class of touches, None if it cannot."""
    inside, distance = order.born == step, order.side * (bar.open - order.limit)
    if touch == AT_OPEN:
        return None if inside else _at_open(order, bar, distance)
    if touch == ADVERSE:
        if order.triggered or order.order_type not in STOPS:
            return None
        touched = bar.high >= order.level if order.side > 0 else bar.low <= order.level
        return (0, abs(order.level - bar.open), order.arrival) if touched else None
    if inside:
        # its parent was filled inside this bar: the better price may have come before
        return None
    if order.acts_limit:
        return (0, distance, order.arrival) if distance > 0.0 and _through(order, bar) else None
    if order.triggered or order.order_type not in TAKES:
        return None
    touched = bar.low <= order.level if order.side > 0 else bar.high >= order.level
    return (0, order.side * (bar.open - order.level), order.arrival) if touched else None


def _at_open(order: BookOrder, bar: BarClosed, distance: float) -> Rank | None:
    if order.acts_market:
        return (0, 0.0, order.arrival)
    if order.acts_limit:
        meets = distance <= 0.0 and (order.fresh or _through(order, bar))
        return (1, distance, order.arrival) if meets else None
    side = -order.side if order.order_type in STOPS else order.side
    if not beyond(side, bar.open, order.level):
        return None
    return (1, distance, order.arrival) if order.order_type in LIMITED else (0, 0.0, order.arrival)


def _through(order: BookOrder, bar: BarClosed) -> bool:
    if order.fresh and order.time_in_force in ("IOC", "FOK"):
        return False
    return bar.low <= order.trigger if order.side > 0 else bar.high >= order.trigger


def pick(orders: Sequence[BookOrder], bar: BarClosed, step: int, touch: int) -> BookOrder | None:
    """Return the first in rank of the orders that can act in a class of touches and have not acted yet."""
    best: tuple[Rank, BookOrder] | None = None
    for order in orders:
        if order.status == WORKING and order.met != step:
            key = rank(order, bar, step, touch)
            if key is not None and (best is None or key < best[0]):
                best = key, order
    return None if best is None else best[1]


def would_take(order: BookOrder, bar: BarClosed) -> bool:
    """Tell whether a post-only order would take at this open."""
    return (
        order.post_only
        and order.fresh
        and order.status == WORKING
        and order.order_type == "limit"
        and beyond(order.side, bar.open, order.limit)
    )


def set_levels(orders: Sequence[BookOrder], bar: BarClosed) -> None:
    """Give trailing stops their level of this bar."""
    for order in orders:
        if order.order_type == "trailing_stop" and order.status == WORKING and not order.triggered:
            if order.mark is None:
                order.mark = bar.open
            order.level = order.trailing_level()


def settle_marks(orders: Sequence[BookOrder], bar: BarClosed, step: int) -> None:
    """After the touches: nobody is fresh, and watermarks take the bar's extreme.

    So no bar raises a trailing stop and triggers it: its high may have come after its low.
    """
    for order in orders:
        if order.status == WORKING:
            order.fresh = False
            if order.order_type == "trailing_stop" and order.born != step and order.mark is not None:
                order.mark = min(order.mark, bar.low) if order.side > 0 else max(order.mark, bar.high)
