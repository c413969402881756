"""How commands arrive at the simulated venue: after their latency, checked, holding what they will spend."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.market import BarClosed
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.simulation import book_order as book
from actors.domain.simulation import order_checks as checks
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.contingent import ContingentMatching
from actors.domain.simulation.latency.base import LatencyModel
from actors.domain.simulation.matching import arrival_reference
from actors.domain.simulation.moments import Moment
from actors.domain.simulation.venue_reports import unknown_order


class Arrivals(ContingentMatching):
    """The part of the venue that takes cancels and orders.

    A command meets the first moment that begins once it has arrived: with whole bars the next one, with finer bars
    inside a bar the next finer one.
    """

    _latency: LatencyModel
    _cancels: deque[tuple[int, int, str, str]]
    _arrivals: int
    _ended: dict[str, int]
    _last: bool

    def _take_cancels(self, cancels: Sequence[CancelOrder], part: Moment, out: list[Event]) -> None:
        for cancel in cancels:
            cid, travels = cancel.client_order_id, self._latency.cancel_ns(cancel.client_order_id)
            due_ns = cancel.ts_event_ns + travels if travels else 0
            self._cancels.append((self._number + self._latency.cancel_steps(cid), due_ns, cid, cancel.reason))
        if not self._cancels:
            return
        now = min((bar.open_ns for bar in part.values()), default=self._ts)
        waiting: deque[tuple[int, int, str, str]] = deque()
        for due, due_ns, cid, reason in self._cancels:
            order = self._live.get(cid)
            if due > self._number or due_ns > now:
                waiting.append((due, due_ns, cid, reason))
            elif order is not None:
                self._finish(order, book.CANCELED, reason, out)
            elif cid in self._done:
                self._answer(book.DECODER.decode(self._done[cid]), out)
            else:
                out.append(unknown_order(cid, self.name, self._ts, checks.ORDER_UNKNOWN))
        self._cancels = waiting

    def _take_submits(
        self, submits: Sequence[SubmitOrder], part: Moment, bars: Mapping[str, BarClosed], out: list[Event]
    ) -> None:
        for submit in submits:
            cid = submit.client_order_id
            known = self._live.get(cid)
            if known is None and cid in self._done:
                known = book.DECODER.decode(self._done[cid])
            if known is None:
                order = book.from_submit(submit, self._number + self._latency.submit_steps(cid))
                travels = self._latency.submit_ns(cid)
                order.due_ns = submit.ts_event_ns + travels if travels else 0
                self._live[cid] = order
            elif known.same_terms(submit):
                self._answer(known, out)
            else:
                text = "client_order_id: expected a new one for a new order, found one in use"
                self._reject(book.from_submit(submit, self._number), checks.CLIENT_ORDER_ID_REUSED, text, out)
        for order in tuple(self._live.values()):
            if order.status == book.IN_FLIGHT and order.due_step <= self._number:
                bar = part.get(order.pair)
                if bar is None and (order.pair in bars or not self._last):
                    # its own moment of this step is another one
                    continue
                if order.due_ns <= (self._ts if bar is None else bar.open_ns):
                    self._accept(order, bar, out)

    def _accept(self, order: BookOrder, bar: BarClosed | None, out: list[Event]) -> None:
        instrument = self.instruments.get(order.pair)
        mark = self._marks.get(order.pair) if bar is None else arrival_reference(bar, self._fill_at)
        reference = order.arrival_price if mark is None else to_decimal(float(mark))
        no = checks.refusal(order, instrument, reference)
        if order.pair in self._ended:
            no = (
                checks.TRADING_ENDED,
                f"{order.pair}: expected a pair that still trades, found its last bar gone",
            )
        if no is None and order.contingent:
            no = self._contingent_refusal(order, instrument)
        if no is None and instrument is not None:
            order.hold_price = order.limit_price or order.stop_price or reference or ZERO
            no = self._funds_refusal(order, instrument)
        if no is not None or instrument is None:
            code, message = no or (checks.UNKNOWN_PAIR, order.pair)
            del self._live[order.client_order_id]
            order.status, order.reason, order.message = book.REJECTED, code, message
            self._file(order)
            self._reject(order, code, message, out)
            self._orphan(order.client_order_id, out)
            return
        self._arrivals += 1
        order.arrival = self._arrivals
        order.venue_order_id = f"{self.name}-{self._arrivals}"
        order.status = book.WORKING
        if order.parent_id is not None:
            parent = self.order(order.parent_id)
            order.status = book.WAITING
            if parent is not None and parent.filled:
                order.status, order.quantity = book.WORKING, parent.filled
                order.anchor(parent, instrument)
        self._set_limit(order, instrument)
        if order.status == book.WORKING:
            self._rehold(order, instrument)
        self._answer(order, out)
