"""Twin of the simulator's book: commands, their arrival, holds and endings (``rust/kernels/src/sim/arrival.rs``)."""

from __future__ import annotations

from decimal import Decimal
from math import nan

from actors.domain.kernels.twins import _sim_rules as rules
from actors.domain.kernels.twins._sim_margin import Row
from actors.domain.kernels.twins._sim_rules import Bar, Order
from actors.domain.kernels.twins._sim_signal import SignalSim
from actors.domain.model.money import ZERO


class BookSim(SignalSim):
    """The part of the simulator through which orders come and go."""

    _min_notional: Decimal
    _through: int
    _latency: int
    _held: list[Decimal]
    _incoming: list[Order]
    _cancels: list[tuple[int, int]]
    _done: list[int]
    _arrivals: int
    _rows: list[Row]

    def submit(
        self,
        side: int,
        kind: int,
        lots: int,
        limit: int = 0,
        stop: int = 0,
        trail: float = 0.0,
        trail_frac: bool = False,
        force: int = 0,
        expire: int = -1,
        post_only: bool = False,
        reduce_only: bool = False,
        list: int = 0,  # noqa: A002 - the native name
        parent: int = 0,
        /,
    ) -> int:
        """Send an order, return its id."""
        rules.check_ticket(side, kind, lots, limit, stop, trail, trail_frac, force)
        self._done.append(0)
        order = Order(
            id=len(self._done), side=side, kind=kind, lots=lots, limit_ticks=limit, stop_ticks=stop,
            trail=trail, trail_frac=trail_frac, force=force, expire=expire, post_only=post_only,
            reduce_only=reduce_only, list=list, parent=parent, due=self._step + 1 + self._latency,
            limit=float(self._tick * limit), through=float(self._tick * (limit - side * self._through)),
            trigger=float(self._tick * stop), worst=float(self._tick * stop),
        )  # fmt: skip
        self._incoming.append(order)
        return order.id

    def cancel(self, order: int, /) -> None:
        """Ask to take an order back."""
        self._cancels.append((self._step + 1 + self._latency, order))

    def filled(self, order: int, /) -> int:
        """Return the lots filled of an order."""
        return self._done[order - 1] if 0 < order <= len(self._done) else 0

    # -- arrival -----------------------------------------------------------------------------------------------

    def _take_cancels(self) -> None:
        asked, self._cancels = self._cancels, []
        for due, number in asked:
            order = next((o for o in self._live if o.id == number), None)
            if due > self._step:
                self._cancels.append((due, number))
            elif order is not None:
                self._finish(order, rules.CANCELED, rules.REQUESTED)
            elif not 0 < number <= len(self._done) or any(o.id == number for o in self._incoming):
                self._rows.append(
                    (self._step, number, rules.REJECTED, rules.ORDER_UNKNOWN, 0, 0, 0, 0, 0, False, nan)
                )

    def _take_submits(self, bar: Bar) -> None:
        self._live += self._incoming
        self._incoming = []
        for order in tuple(self._live):
            if order.stage == rules.IN_FLIGHT and order.due <= self._step:
                self._accept(order, bar)

    def _accept(self, order: Order, bar: Bar) -> None:
        if order.kind in rules.LIMITED:
            price = self._tick * order.limit_ticks
        elif order.stop_ticks > 0 and order.kind != rules.MARKET:
            price = self._tick * order.stop_ticks
        else:
            price = Decimal(repr(bar.open))
        if self._lot * order.lots * price < self._min_notional:
            return self._finish(order, rules.REJECTED, rules.MIN_NOTIONAL)
        if order.reduce_only and not order.parent:
            most = self._reducible(order.side)
            if most <= 0:
                return self._finish(order, rules.REJECTED, rules.REDUCE_ONLY_NO_POSITION)
            order.lots = min(order.lots, most)
        parent_filled = self.filled(order.parent)
        if order.parent and not parent_filled and all(o.id != order.parent for o in self._live):
            return self._finish(order, rules.REJECTED, rules.PARENT)
        order.hold_price = price
        if not order.parent and self._margin is not None:
            if self._overdrawn(order, bar):
                return self._finish(order, rules.REJECTED, rules.INSUFFICIENT_MARGIN)
        elif not order.parent:
            free = self._owned[order.spends] - self._held[order.spends]
            if order.list:
                free += sum(
                    (o.hold for o in self._live if o.list == order.list and o.side == order.side), ZERO
                )
            if self._need(order) > free:
                return self._finish(order, rules.REJECTED, rules.INSUFFICIENT_BALANCE)
        self._arrivals += 1
        order.arrival, order.stage = self._arrivals, rules.WORKING
        if order.parent and not parent_filled:
            order.stage = rules.WAITING
        elif order.parent:
            order.lots = parent_filled
        if order.stage == rules.WORKING:
            self._rehold(order)
        return self._say(rules.ACCEPTED, order, 0)

    def _reducible(self, side: int) -> int:
        """Return the lots that a reduce-only order of a side may trade."""
        return max(-side * self._lots_held(), 0)

    # -- holds and endings -------------------------------------------------------------------------------------

    def _need(self, order: Order) -> Decimal:
        if order.reduce_only:
            return ZERO
        quantity = self._lot * order.leaves
        return quantity if order.side < 0 else quantity * order.hold_price * self._with_fee

    def _rehold(self, order: Order) -> None:
        if self._margin is not None:
            return
        free = self._owned[order.spends] - self._held[order.spends] + order.hold
        self._hold(order, min(self._need(order), free))

    def _hold(self, order: Order, hold: Decimal) -> None:
        self._held[order.spends] += hold - order.hold
        order.hold = hold

    def _finish(self, order: Order, what: int, code: int) -> None:
        self._hold(order, ZERO)
        self._live.remove(order)
        if what != rules.FILLED:
            self._say(what, order, code)
        if not order.filled:
            for child in tuple(self._live):
                if child.stage == rules.WAITING and child.parent == order.id and child in self._live:
                    self._finish(child, rules.CANCELED, rules.PARENT)

    def _say(self, what: int, order: Order, code: int) -> None:
        row = (self._step, order.id, what, code, order.side, order.kind, 0, 0, 0, False, nan)
        self._rows.append(row)
