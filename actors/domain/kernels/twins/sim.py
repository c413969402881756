"""Twin of the exact simulator of orders: state, arrival and reports (``rust/kernels/src/sim/venue.rs``)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, localcontext

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins import _sim_rules as rules
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._sim_book import BookSim
from actors.domain.kernels.twins._sim_margin import STEP as _STEP
from actors.domain.kernels.twins._sim_margin import Exact, Row
from actors.domain.kernels.twins._sim_rules import Bar, Finer, Order, Slip
from actors.domain.model.money import MONEY_CONTEXT, ZERO

_ONE = Decimal(1)
_TRADE = struct.Struct("<10qd")


def _decimal(exact: Exact) -> Decimal:
    mantissa, scale = exact
    return Decimal(mantissa).scaleb(-scale, MONEY_CONTEXT)


def exact_of(value: Decimal) -> Exact:
    """Return mantissa and digits after the point of a finite Decimal."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    mantissa = int("".join(map(str, digits)) or "0") * (-1 if sign else 1)
    return (mantissa * 10**exponent, 0) if exponent > 0 else (mantissa, -exponent)


@dataclass(frozen=True, slots=True)
class _Meeting:
    reference: float
    taker: bool
    at_open: bool


class OrderSim(BookSim):
    """Exact simulator of one pair on a spot or leveraged account."""

    def __init__(
        self,
        steps: Sequence[Exact],
        fees: Sequence[Exact],
        fee_received: bool,
        half_spread: float,
        slip: tuple[int, Sequence[float]],
        share: float | None,
        through: int,
        latency: int,
        balances: Sequence[Exact],
        /,
    ) -> None:
        self._tick, self._lot, self._min_notional = map(_decimal, steps)
        self._fees = tuple(map(_decimal, fees))
        self._received, self._share, self._through, self._latency = fee_received, share, through, latency
        self._with_fee = _ONE if fee_received else _ONE + max(self._fees)
        self._half_spread = half_spread
        self._slip = Slip(slip[0], tuple(slip[1]))
        self._owned = list(map(_decimal, balances))
        self._held = [ZERO, ZERO]
        self._live: list[Order] = []
        self._incoming: list[Order] = []
        self._cancels: list[tuple[int, int]] = []
        self._done: list[int] = []
        self._arrivals, self._step, self._moment = 0, -1, -1
        self._budget: int | None = None
        self._rows: list[Row] = []
        self._told = 0
        self._margin = None

    # -- bars --------------------------------------------------------------------------------------------------

    def advance(
        self,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        filled_forward: bool = False,
        /,
    ) -> list[Row]:
        """Take the next bar, return what happened in it."""
        self._take(Bar(open_, high, low, close, volume, filled_forward))
        rows = self._rows[self._told :]
        self._told = len(self._rows)
        return rows

    def advance_parts(
        self,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        finer: Sequence[Sequence[float]],
        /,
    ) -> list[Row]:
        """Take the next bar by its finer bars, return what happened in it."""
        self._take(Bar(open_, high, low, close, volume, False), [rules.part_of(row) for row in finer])
        rows = self._rows[self._told :]
        self._told = len(self._rows)
        return rows

    def _take(self, bar: Bar, finer: Sequence[Bar] = ()) -> None:
        rules.check_bar(bar, self._step + 1)
        rules.check_finer(bar, finer, self._step + 1)
        self._step += 1
        parts = finer or (bar,)
        self._carry_over(bool(finer))
        for j, part in enumerate(parts):
            self._moment = (self._step << rules.MOMENT_BITS) + j
            if self._live or self._incoming or self._cancels or self._at_risk:
                with localcontext(MONEY_CONTEXT):
                    self._take_cancels()
                    self._take_submits(part)
                    if self._live or self._at_risk:
                        self._match(part, j == len(parts) - 1)
        self._carry_close(bar)
        self._slip.observe(bar)

    def drive(
        self,
        columns: Sequence[FloatArray],
        flags: NDArray[np.uint8],
        on_bar: Callable[[int, float], object],
        equity: FloatArray,
        finer: Finer | None = None,
        /,
    ) -> None:
        """Take every bar of the columns and call ``on_bar(i, close)`` after each; write the equity."""
        parts = rules.finer_of(finer, len(equity))
        for i, bar in enumerate(rules.bars_of(columns, flags)):
            self._take(bar, parts(i))
            base, quote = map(float, self._owned)
            equity[i] = quote + base * bar.close
            on_bar(i, bar.close)

    # -- reading -----------------------------------------------------------------------------------------------

    def is_live(self, order: int, /) -> bool:
        """Tell whether an order is on its way or in the book."""
        return any(o.id == order for o in (*self._live, *self._incoming))

    @property
    def balances(self) -> list[Exact]:
        """Base and quote, each as mantissa and digits after the point."""
        return [exact_of(x) for x in self._owned]

    @property
    def position(self) -> int:
        """Lots owned, whole ones only; below 0: sold short."""
        return self._lots_held()

    @property
    def step(self) -> int:
        """The last step taken, -1 before the first."""
        return self._step

    def reports(self, fills_only: bool, /) -> NDArray[np.uint64]:
        """Return all reports as 64-bit words, or the fills only."""
        rows = (r for r in self._rows if not fills_only or r[2] == rules.FILLED)
        return np.frombuffer(b"".join(_TRADE.pack(*r) for r in rows), dtype=np.uint64)

    # -- matching ----------------------------------------------------------------------------------------------

    def _match(self, bar: Bar, last: bool) -> None:
        step, moment = self._step, self._moment
        if not bar.filled_forward and (bar.volume > 0.0 or self._share is None):
            if self._at_risk:
                self._liquidate_gap(bar)
            self._budget = None
            rules.set_levels(self._live, bar)
            for order in tuple(self._live):
                if rules.would_take(order, bar):
                    self._finish(order, rules.REJECTED, rules.POST_ONLY_WOULD_TAKE)
            opened = False
            while self._live or self._at_risk:
                found = rules.pick(self._live, bar, moment, rules.AT_OPEN)
                if found is None:
                    if not opened:
                        opened = True
                        self._end_of_open()
                    found = rules.pick(self._live, bar, moment, rules.ADVERSE)
                    if self._at_risk and self._liquidated_first(bar, found[0] if found else None):
                        break
                    found = found or rules.pick(self._live, bar, moment, rules.FAVOURABLE)
                if found is None:
                    break
                self._act(*found, bar)
            rules.settle_marks(self._live, bar, moment)
        for order in tuple(self._live) if last else ():
            if order.stage != rules.IN_FLIGHT and 0 <= order.expire <= step and order in self._live:
                self._finish(order, rules.EXPIRED, rules.EXPIRE_STEP)

    def _end_of_open(self) -> None:
        for o in tuple(self._live):
            if o.stage == rules.WORKING and o.fresh and o.kind == rules.LIMIT and o.force:
                self._finish(o, rules.EXPIRED, rules.only(o))

    def _act(self, order: Order, touch: int, bar: Bar) -> None:
        order.met = self._moment
        at_open = touch == rules.AT_OPEN
        reference, taker = bar.open, True
        if not order.acts_market and not order.acts_limit:
            order.triggered = True
            if not at_open:
                reference = order.trigger
                if order.born == self._moment:
                    both = (reference, order.parent_price)
                    reference = max(both) if order.side > 0 else min(both)
            if order.kind in rules.LIMITED and not rules.past(order.side, reference, order.limit):
                order.fresh = False
                if order.force:
                    self._finish(order, rules.EXPIRED, rules.only(order))
                return None
        elif order.acts_limit and at_open and order.fresh and order.post_only:
            return self._finish(order, rules.REJECTED, rules.POST_ONLY_WOULD_TAKE)
        elif order.acts_limit and not (at_open and order.fresh):
            taker = False
            if not at_open:
                reference = order.limit
        self._execute(order, bar, _Meeting(reference, taker, at_open))
        if order in self._live:
            order.fresh = False
            if order.force:
                self._finish(order, rules.EXPIRED, rules.only(order))
        return None

    def _execute(self, order: Order, bar: Bar, meeting: _Meeting) -> None:
        lots = order.leaves
        if self._share is not None:
            if self._budget is None:
                self._budget = self._steps(bar.volume * self._share, self._lot, ROUND_FLOOR)
            lots = min(lots, self._budget)
        if order.reduce_only:
            lots = min(lots, self._reducible(order.side))
            if lots <= 0 and self._budget != 0:
                return self._finish(order, rules.CANCELED, rules.REDUCE_ONLY_NO_POSITION)
        if lots <= 0 or (order.force == rules.FOK and lots < order.leaves):
            return None
        ticks = self._price(order, lots, bar, meeting)
        if order.list:
            for other in tuple(self._live):
                if other.list == order.list and other.id != order.id and other in self._live:
                    self._finish(other, rules.CANCELED, rules.OCO)
        if order not in self._live:
            return None
        price = self._tick * ticks
        payable = self._payable(order, lots, price)
        short = payable < lots
        if short and order.force == rules.FOK:
            return None
        lots = payable
        if lots > 0:
            self._settle(order, lots, ticks, price, meeting)
        if short and order in self._live:
            spot = self._margin is None
            self._finish(
                order, rules.CANCELED, rules.INSUFFICIENT_BALANCE if spot else rules.INSUFFICIENT_MARGIN
            )
        return None

    def _payable(self, order: Order, lots: int, price: Decimal) -> int:
        if self._margin is not None:
            return min(lots, self._largest(order.side, price))
        funds = self._owned[order.spends] - self._held[order.spends] + order.hold
        unit = price * self._with_fee * self._lot if order.side > 0 else self._lot
        return int((funds / unit).to_integral_value(ROUND_FLOOR)) if unit * lots > funds else lots

    def _price(self, order: Order, lots: int, bar: Bar, meeting: _Meeting) -> int:
        at = meeting.reference
        if meeting.taker:
            at *= 1.0 + order.side * (self._half_spread + self._slip.cost(float(self._lot * lots), bar))
        ticks = self._steps(at, self._tick, ROUND_CEILING if order.side > 0 else ROUND_FLOOR)
        if order.kind in rules.LIMITED:
            ticks = min(ticks, order.limit_ticks) if order.side > 0 else max(ticks, order.limit_ticks)
        return max(ticks, 1)

    def _settle(self, order: Order, lots: int, ticks: int, price: Decimal, meeting: _Meeting) -> None:
        quantity = self._lot * lots
        in_base = self._received and order.side > 0
        paid_on = quantity if in_base else quantity * price
        fee = (paid_on * self._fees[meeting.taker]).quantize(_STEP, ROUND_DOWN)
        self._owned[0] += order.side * quantity
        self._owned[1] -= order.side * quantity * price
        self._owned[0 if in_base else 1] -= fee
        order.filled += lots
        self._done[order.id - 1] += lots
        if self._budget is not None:
            self._budget -= lots
        self._rows.append(
            (
                self._step, order.id, rules.FILLED, 0, order.side, order.kind, ticks, lots,
                int(fee / _STEP), meeting.taker, meeting.reference,
            )
        )  # fmt: skip
        if order.leaves:
            self._rehold(order)
        else:
            self._finish(order, rules.FILLED, 0)
        filled = self._done[order.id - 1]
        for child in self._live:
            if child.parent == order.id and child.stage != rules.IN_FLIGHT and not child.filled:
                child.grow(filled, meeting.reference, -1 if meeting.at_open else self._moment)
                self._rehold(child)


__all__: Sequence[str] = ["OrderSim", "exact_of"]
