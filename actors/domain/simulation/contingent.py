"""Orders with triggers, lists, parents and conditions inside one bar: stops before targets, one cancels the other.

A pair whose book holds such an order is settled here, touch by touch; so is every pair of a leveraged account, whose
liquidation is one more touch; all others by price-time priority alone. Both ways give plain orders the same fills.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.model.instrument import BUY, Instrument
from actors.domain.model.money import ZERO
from actors.domain.simulation import book_order as book
from actors.domain.simulation import order_checks as checks
from actors.domain.simulation import touches
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.carry import Carry
from actors.domain.simulation.matching import NEXT_OPEN


class ContingentMatching(Carry):
    """The part of the venue that settles one bar of a pair with contingent orders."""

    _through: int
    _ahead: float | None
    _moment: int
    _budget: Decimal | None = None

    def order(self, client_order_id: str) -> BookOrder | None:
        """Return a copy of what the venue knows of an order, None if it never arrived."""
        live = self._live.get(client_order_id)
        data = self._done.get(client_order_id) if live is None else book.ENCODER.encode(live)
        return None if data is None else book.DECODER.decode(data)

    def _settle_touches(
        self, instrument: Instrument, orders: Sequence[BookOrder], bar: BarClosed, out: list[Event]
    ) -> None:
        """Let everything happen that can happen in a bar; `orders` are the pair's, waiting ones included."""
        step = self._moment
        self._budget = None if self._share is None else instrument.quantity(bar.volume * self._share)
        touches.set_levels(orders, bar)
        for order in orders:
            if touches.would_take(order, bar):
                self._refuse_taking(order, out)
        opened = False
        while True:
            found, touch = touches.pick(orders, bar, step, touches.AT_OPEN), touches.AT_OPEN
            if found is None:
                if not opened:
                    opened = True
                    self._end_of_open(orders, out)
                found, touch = touches.pick(orders, bar, step, touches.ADVERSE), touches.ADVERSE
                if self._leveraged and self._liquidated_first(instrument, bar, found, out):
                    break
            if found is None:
                found, touch = touches.pick(orders, bar, step, touches.FAVOURABLE), touches.FAVOURABLE
            if found is None:
                break
            self._act(found, touch, instrument, bar, orders, out)
        touches.settle_marks(orders, bar, step)

    def _refuse_taking(self, order: BookOrder, out: list[Event]) -> None:
        order.message = (
            f"post_only: expected a limit {order.limit_price} that rests, found one that takes at the open"
        )
        self._finish(order, book.REJECTED, checks.POST_ONLY_WOULD_TAKE, out)

    def _end_of_open(self, orders: Sequence[BookOrder], out: list[Event]) -> None:
        """A limit that must not rest has had its chance."""
        for order in orders:
            alive = order.status == book.WORKING and order.fresh
            if alive and order.order_type == "limit" and order.time_in_force in (checks.IOC, checks.FOK):
                self._finish(order, book.EXPIRED, order.time_in_force, out)

    def _act(
        self,
        order: BookOrder,
        touch: int,
        instrument: Instrument,
        bar: BarClosed,
        orders: Sequence[BookOrder],
        out: list[Event],
    ) -> None:
        order.met = self._moment
        at_open, taker, reference = touch == touches.AT_OPEN, True, bar.open
        if not order.acts_market and not order.acts_limit:
            order.triggered = True
            if not at_open:
                reference = order.level
                if order.born == self._moment:
                    both = (reference, order.parent_price)
                    reference = max(both) if order.side == BUY else min(both)
            if order.order_type in book.LIMITED and not touches.beyond(order.side, reference, order.limit):
                # triggered, but the limit is not to be had at this price: it rests from the next bar
                order.fresh = False
                self._end_unrested(order, out)
                return
        elif order.acts_limit and at_open and order.fresh and order.post_only:
            # a child that became live at this open
            self._refuse_taking(order, out)
            return
        elif order.acts_limit and not (at_open and order.fresh):
            taker = False
            if not at_open:
                reference = order.limit
        self._fill(order, instrument, bar, reference, taker, at_open, orders, out)
        if order.status == book.WORKING:
            order.fresh = False
            self._end_unrested(order, out)

    def _end_unrested(self, order: BookOrder, out: list[Event]) -> None:
        if order.time_in_force in (checks.IOC, checks.FOK):
            self._finish(order, book.EXPIRED, order.time_in_force, out)

    def _fill(
        self,
        order: BookOrder,
        instrument: Instrument,
        bar: BarClosed,
        reference: float,
        taker: bool,
        at_open: bool,
        orders: Sequence[BookOrder],
        out: list[Event],
    ) -> None:
        quantity = order.leaves if self._budget is None else min(order.leaves, self._budget)
        if not taker:
            quantity = self._served(order, instrument, bar, quantity)
        if order.reduce_only:
            most = self._reducible(instrument, order.side)
            if most <= 0 and self._budget != ZERO:
                self._finish(order, book.CANCELED, checks.REDUCE_ONLY_NO_POSITION, out)
                return
            quantity = min(quantity, most)
        fok = order.time_in_force == checks.FOK
        if quantity <= 0 or (fok and quantity < order.leaves):
            return
        at = self._taking(order.pair, order.side, quantity, reference, bar) if taker else reference
        price = self._priced(order, instrument, at)
        if order.order_list_id is not None:
            # also those still on their way: the list has done what it was for
            for other in tuple(self._live.values()):
                mine = other.order_list_id == order.order_list_id and other.pair == order.pair
                if mine and other is not order and other.client_order_id in self._live:
                    self._finish(other, book.CANCELED, checks.OCO, out)
            if not order.alive:
                return
        payable = self._within_funds(order, instrument, price, quantity)
        short = payable < quantity
        if short and fok:
            return
        quantity = payable
        if quantity > 0:
            self._settle(order, instrument, bar, price, quantity, reference, taker, out)
            if self._budget is not None:
                self._budget -= quantity
            self._raise_children(order, reference, at_open, orders, instrument)
        if short and order.status == book.WORKING:
            self._finish(order, book.CANCELED, self._shortage, out)

    def _priced(self, order: BookOrder, instrument: Instrument, at: float) -> Decimal:
        """Return a price on the tick: the next worse one, a limit never beyond its limit."""
        price = instrument.price(float(at), -order.side)
        if order.order_type in book.LIMITED and order.limit_price is not None:
            price = min(price, order.limit_price) if order.side == BUY else max(price, order.limit_price)
        return price if price > 0 else instrument.tick

    def _contingent_refusal(self, order: BookOrder, instrument: Instrument | None) -> tuple[str, str] | None:
        if self._fill_at != NEXT_OPEN:
            text = f"fill_at: expected {NEXT_OPEN} for {order.order_type} orders and conditions, found {self._fill_at}"
            return checks.CONTINGENT_NEEDS_OPEN, text
        if order.reduce_only and order.parent_id is None and instrument is not None:
            most = self._reducible(instrument, order.side)
            if most <= 0:
                text = f"reduce_only: expected a position in {order.pair} to reduce, found none"
                return checks.REDUCE_ONLY_NO_POSITION, text
            order.quantity = min(order.quantity, most)
        if order.parent_id is not None and order.parent_id not in self._live:
            filled = self._filled(order.parent_id)
            if filled is None:
                return checks.PARENT_UNKNOWN, f"parent_id: expected a known order, found {order.parent_id!r}"
            if not filled:
                return (
                    checks.PARENT,
                    f"parent_id: expected an order that may fill, {order.parent_id!r} has ended",
                )
        return None

    def _filled(self, client_order_id: str) -> Decimal | None:
        known = self.order(client_order_id)
        return None if known is None else known.filled

    def _raise_children(
        self,
        parent: BookOrder,
        reference: float,
        at_open: bool,
        orders: Sequence[BookOrder],
        instrument: Instrument,
    ) -> None:
        for child in orders:
            if child.parent_id != parent.client_order_id or not child.alive or child.filled:
                continue
            child.quantity = parent.filled
            child.anchor(parent, instrument)
            self._set_limit(child, instrument)
            if child.status == book.WAITING:
                child.status, child.mark = book.WORKING, reference
                if child.order_type == "trailing_stop":
                    child.level = child.trailing_level()
                if not at_open:
                    child.born, child.parent_price, child.fresh = self._moment, reference, False
            self._rehold(child, instrument)

    def _served(self, order: BookOrder, instrument: Instrument, bar: BarClosed, quantity: Decimal) -> Decimal:
        """Return how much of a resting order a bar serves: all where it trades through, else what the queue leaves.

        A bar that only touches the level traded there what an even spread of its volume over its ticks makes it; that
        serves those ahead first.
        """
        if self._ahead is None or order.limit_price is None:
            return quantity
        beyond = float(order.limit_price - order.side * self._through * instrument.tick)
        if bar.low <= beyond if order.side == BUY else bar.high >= beyond:
            return quantity
        if order.ahead < 0.0:
            order.ahead = self._ahead * bar.volume
        tick = float(instrument.tick)
        traded = bar.volume * tick / (bar.high - bar.low + tick)
        ours, order.ahead = max(traded - order.ahead, 0.0), max(order.ahead - traded, 0.0)
        return min(quantity, instrument.quantity(ours))

    def _set_limit(self, order: BookOrder, instrument: Instrument) -> None:
        if order.limit_price is not None:
            order.limit = float(order.limit_price)
            through = self._through if self._ahead is None else 0
            order.trigger = float(order.limit_price - order.side * through * instrument.tick)
