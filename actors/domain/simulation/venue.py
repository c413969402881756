"""A simulated spot venue (no real exchange): takes orders, matches them against closed bars, keeps balances.

Order of one step: cancels that have arrived, orders that have arrived (checks, holds), matching of each
pair's book in price-time priority against its bar, expiry. Commands of step k−1 meet bar k at the earliest:
no order ever trades in the bar that caused it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import Any, ClassVar, Literal

from pydantic import Field

from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, OrderFilled, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.model.instrument import BUY, Instrument
from actors.domain.model.money import MONEY_CONTEXT, ZERO, to_decimal
from actors.domain.registry import Params
from actors.domain.simulation import book_order as book
from actors.domain.simulation import order_checks as checks
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.fees.base import FeeModel
from actors.domain.simulation.latency.base import LatencyModel
from actors.domain.simulation.matching import arrival_reference, fill_ns, meet, priority, tradable
from actors.domain.simulation.slippage.base import SlippageModel
from actors.domain.simulation.venue_reports import present_state, rejection, report_head, unknown_order
from actors.domain.state import Stateful

_ONE = Decimal(1)


class VenueParams(Params):
    """How fills come about.

    `max_volume_share` is our largest share of a bar's volume (None: no limit); `through_ticks` is how far the
    market must trade beyond a resting limit; `remember_orders` bounds the finished orders known by id.
    """

    fill_at: Literal["next_open", "intrabar"] = "next_open"
    max_volume_share: float | None = Field(default=0.1, gt=0.0, le=1.0)
    through_ticks: int = Field(default=1, ge=1)
    remember_orders: int = Field(default=4096, ge=1)


class SimulatedVenue(Stateful):
    """One spot account at one simulated venue.

    Parameters
    ----------
    name : str
        Source of its events.
    instruments : mapping pair → Instrument
    balances : mapping currency → Decimal
        What the account starts with.
    fees, slippage, latency : models
    params : VenueParams

    Notes
    -----
    Idempotent by `client_order_id`: a repeated submission is answered with the order's present state
    (`OrderAccepted` while working or filled, else its final report) and never executed again; the same id
    with other terms is rejected. Buys hold their cost, sells their quantity; a market order whose price ran
    away is cut to what the balance pays and the rest is canceled with ``INSUFFICIENT_BALANCE``. Slippage may
    carry a taker's price beyond the bar's extreme, never to its better side. Cost: O(live orders) per step.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "balances", "_held", "_arrivals", "_cancels", "_done", "_marks", "_slippage",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        instruments: Mapping[str, Instrument],
        balances: Mapping[str, Decimal],
        fees: FeeModel,
        slippage: SlippageModel,
        latency: LatencyModel,
        params: VenueParams,
    ) -> None:
        self.name = name
        self.instruments = dict(instruments)
        self._fees, self._slippage, self._latency = fees, slippage, latency
        self._fill_at: str = params.fill_at
        self._share = params.max_volume_share
        self._through = params.through_ticks
        self._remember = params.remember_orders
        self.balances: dict[str, Decimal] = {}
        for instrument in self.instruments.values():
            self.balances.setdefault(instrument.base, ZERO)
            self.balances.setdefault(instrument.quote, ZERO)
        self.balances.update(balances)
        self._held: dict[str, Decimal] = dict.fromkeys(self.balances, ZERO)
        self._live: dict[str, BookOrder] = {}
        self._done: dict[str, bytes] = {}
        self._cancels: deque[tuple[int, str, str]] = deque()
        self._marks: dict[str, float] = {}
        self._arrivals = 0
        self._number, self._ts = 0, 0

    # -- reading ---------------------------------------------------------------------------------------------

    def order(self, client_order_id: str) -> BookOrder | None:
        """Return a copy of what the venue knows of an order, None if it never arrived."""
        live = self._live.get(client_order_id)
        data = self._done.get(client_order_id) if live is None else book.ENCODER.encode(live)
        return None if data is None else book.DECODER.decode(data)

    def open_orders(self) -> tuple[BookOrder, ...]:
        """Return copies of the orders in the book or on their way, in order of arrival."""
        return tuple(book.DECODER.decode(book.ENCODER.encode(o)) for o in self._live.values())

    def available(self, currency: str) -> Decimal:
        """Return the balance that no order holds."""
        return self.balances[currency] - self._held[currency]

    # -- one step --------------------------------------------------------------------------------------------

    def advance(
        self,
        number: int,
        ts_event_ns: int,
        submits: Sequence[SubmitOrder],
        cancels: Sequence[CancelOrder],
        bars: Mapping[str, BarClosed],
    ) -> list[Event]:
        """Run one step and return the venue's reports.

        Parameters
        ----------
        number, ts_event_ns : int
            The step and its time.
        submits, cancels : sequences in order of arrival
            Commands of the step before.
        bars : mapping pair → BarClosed
            Bars of this step; a missing pair's orders wait.
        """
        out: list[Event] = []
        if submits or cancels or self._live or self._cancels:
            self._number, self._ts = number, ts_event_ns
            with localcontext(MONEY_CONTEXT):
                self._take_cancels(cancels, out)
                self._take_submits(submits, bars, out)
                if self._live:
                    self._match(bars, out)
        observe, marks = self._slippage.observe, self._marks
        for pair, bar in bars.items():
            observe(pair, bar)
            marks[pair] = bar.close
        return out

    def _take_cancels(self, cancels: Sequence[CancelOrder], out: list[Event]) -> None:
        for cancel in cancels:
            cid = cancel.client_order_id
            due = self._number + self._latency.cancel_steps(cid)
            self._cancels.append((due, cid, cancel.reason))
        waiting: deque[tuple[int, str, str]] = deque()
        for due, cid, reason in self._cancels:
            order = self._live.get(cid)
            if due > self._number:
                waiting.append((due, cid, reason))
            elif order is not None:
                self._finish(order, book.CANCELED, reason, out)
            elif cid in self._done:
                self._answer(book.DECODER.decode(self._done[cid]), out)
            else:
                out.append(unknown_order(cid, self.name, self._ts, checks.ORDER_UNKNOWN))
        self._cancels = waiting

    def _take_submits(
        self, submits: Sequence[SubmitOrder], bars: Mapping[str, BarClosed], out: list[Event]
    ) -> None:
        for submit in submits:
            cid = submit.client_order_id
            known = self._live.get(cid)
            if known is None and cid in self._done:
                known = book.DECODER.decode(self._done[cid])
            if known is None:
                self._live[cid] = book.from_submit(submit, self._number + self._latency.submit_steps(cid))
            elif known.same_terms(submit):
                self._answer(known, out)
            else:
                text = "client_order_id: expected a new one for a new order, found one in use"
                self._reject(book.from_submit(submit, self._number), checks.CLIENT_ORDER_ID_REUSED, text, out)
        for order in tuple(self._live.values()):
            if order.status == book.IN_FLIGHT and order.due_step <= self._number:
                self._accept(order, bars.get(order.pair), out)

    def _accept(self, order: BookOrder, bar: BarClosed | None, out: list[Event]) -> None:
        instrument = self.instruments.get(order.pair)
        mark = self._marks.get(order.pair) if bar is None else arrival_reference(bar, self._fill_at)
        reference = order.arrival_price if mark is None else to_decimal(float(mark))
        no = checks.refusal(order, instrument, reference)
        if no is None and instrument is not None:
            order.hold_price = order.limit_price or reference or ZERO
            currency = instrument.quote if order.side == BUY else instrument.base
            hold = self._hold_of(order)
            if hold > self.available(currency):
                found = f"{self.available(currency)} {currency}"
                no = checks.INSUFFICIENT_BALANCE, f"balance: expected {hold} {currency} free, found {found}"
        if no is not None or instrument is None:
            code, message = no or (checks.UNKNOWN_PAIR, order.pair)
            del self._live[order.client_order_id]
            order.status, order.reason, order.message = book.REJECTED, code, message
            self._file(order)
            self._reject(order, code, message, out)
            return
        self._arrivals += 1
        order.arrival = self._arrivals
        order.venue_order_id = f"{self.name}-{self._arrivals}"
        order.status = book.WORKING
        if order.limit_price is not None:
            order.limit = float(order.limit_price)
            order.trigger = float(order.limit_price - order.side * self._through * instrument.tick)
        self._rehold(order, instrument)
        self._answer(order, out)

    # -- matching --------------------------------------------------------------------------------------------

    def _match(self, bars: Mapping[str, BarClosed], out: list[Event]) -> None:
        for pair, instrument in self.instruments.items():
            orders = [o for o in self._live.values() if o.pair == pair and o.status == book.WORKING]
            bar = bars.get(pair)
            if not orders:
                continue
            if bar is not None and tradable(bar, self._share is not None):
                opened = bar.open
                if len(orders) > 1:
                    orders.sort(key=lambda o: priority(o, opened))
                # liquidity that one of our orders has taken is gone for the next
                budget = None if self._share is None else instrument.quantity(bar.volume * self._share)
                for order in orders:
                    taken = self._execute(order, instrument, bar, budget, out)
                    if budget is not None:
                        budget -= taken
                    if order.status == book.WORKING and order.time_in_force == "IOC":
                        self._finish(order, book.EXPIRED, "IOC", out)
                    order.fresh = False
            for order in orders:
                if (
                    order.status == book.WORKING
                    and order.expire_step is not None
                    and order.expire_step <= self._number
                ):
                    self._finish(order, book.EXPIRED, "EXPIRE_STEP", out)

    def _execute(
        self,
        order: BookOrder,
        instrument: Instrument,
        bar: BarClosed,
        budget: Decimal | None,
        out: list[Event],
    ) -> Decimal:
        met = meet(order, bar, self._fill_at)
        if met is None:
            return ZERO
        reference, taker = met
        quantity = order.leaves if budget is None else min(order.leaves, budget)
        if quantity <= 0:
            return ZERO
        side = order.side
        at = reference
        if taker:
            at *= 1.0 + side * self._slippage.cost_frac(order.pair, float(quantity), bar)
        # off the tick, the next worse price; a limit order never beyond its limit
        price = instrument.price(float(at), -side)
        if order.limit_price is not None:
            price = min(price, order.limit_price) if side == BUY else max(price, order.limit_price)
        if price <= 0:
            price = instrument.tick
        short = False
        if side == BUY:
            funds = self.available(instrument.quote) + order.hold
            if quantity * price * (_ONE + self._fees.hold_rate) > funds:
                quantity = instrument.quantity(funds / (price * (_ONE + self._fees.hold_rate)))
                short = True
        if quantity > 0:
            self._settle(order, instrument, bar, price, quantity, reference, taker, out)
        if short and order.status == book.WORKING:
            self._finish(order, book.CANCELED, checks.INSUFFICIENT_BALANCE, out)
        return max(quantity, ZERO)

    def _settle(
        self,
        order: BookOrder,
        instrument: Instrument,
        bar: BarClosed,
        price: Decimal,
        quantity: Decimal,
        reference: float,
        taker: bool,
        out: list[Event],
    ) -> None:
        side, liquidity = order.side, "taker" if taker else "maker"
        fee, fee_currency = self._fees.fee(instrument, side, quantity, price, liquidity)
        balances = self.balances
        balances[instrument.base] += side * quantity
        balances[instrument.quote] -= side * quantity * price
        balances[fee_currency] -= fee
        order.filled += quantity
        order.fills += 1
        arrival = to_decimal(float(reference)) if order.arrival_price is None else order.arrival_price
        out.append(
            OrderFilled(
                **report_head(order, self.name, self._ts),
                fill_id=f"{order.client_order_id}-{order.fills}",
                ts_fill_ns=fill_ns(order, bar, reference, self._fill_at),
                side=side,
                quantity=quantity,
                price=price,
                fee=fee,
                fee_currency=fee_currency,
                liquidity=liquidity,
                leaves_quantity=order.leaves,
                slippage_quote=side * (price - arrival) * quantity,
            )
        )
        if order.leaves:
            self._rehold(order, instrument)
        else:
            self._finish(order, book.FILLED, "", out)

    # -- book-keeping ----------------------------------------------------------------------------------------

    def _hold_of(self, order: BookOrder) -> Decimal:
        if order.side == BUY:
            return order.leaves * order.hold_price * (_ONE + self._fees.hold_rate)
        return order.leaves

    def _rehold(self, order: BookOrder, instrument: Instrument, release: bool = False) -> None:
        currency = instrument.quote if order.side == BUY else instrument.base
        # a market order that paid more than foreseen holds what is left, never what others hold
        hold = ZERO if release else min(self._hold_of(order), self.available(currency) + order.hold)
        self._held[currency] += hold - order.hold
        order.hold = hold

    def _finish(self, order: BookOrder, status: str, reason: str, out: list[Event]) -> None:
        if order.status == book.WORKING:
            self._rehold(order, self.instruments[order.pair], release=True)
        order.status, order.reason = status, reason
        del self._live[order.client_order_id]
        self._file(order)
        if status != book.FILLED:
            self._answer(order, out)

    def _file(self, order: BookOrder) -> None:
        self._done[order.client_order_id] = book.ENCODER.encode(order)
        if len(self._done) > self._remember:
            del self._done[next(iter(self._done))]

    def _reject(self, order: BookOrder, code: str, message: str, out: list[Event]) -> None:
        out.append(rejection(order, self.name, self._ts, code, message))

    def _answer(self, order: BookOrder, out: list[Event]) -> None:
        report = present_state(order, self.name, self._ts)
        if report is not None:
            out.append(report)

    def state(self) -> dict[str, Any]:
        """Return the state; live orders are encoded one by one."""
        return {**super().state(), "live": [book.ENCODER.encode(o) for o in self._live.values()]}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore."""
        rest = dict(tree)
        live = [book.DECODER.decode(data) for data in rest.pop("live")]
        super().load_state(rest)
        self._live = {order.client_order_id: order for order in live}
