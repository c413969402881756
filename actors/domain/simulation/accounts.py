"""Balances, holds and endings of the simulated venue's orders."""

from __future__ import annotations

from decimal import Decimal

from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled
from actors.domain.events.market import BarClosed
from actors.domain.model.account import PERPETUAL, AccountTerms
from actors.domain.model.instrument import BUY, Instrument
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.simulation import book_order as book
from actors.domain.simulation import order_checks as checks
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.fees.base import FeeModel
from actors.domain.simulation.matching import fill_ns
from actors.domain.simulation.slippage.base import SlippageModel
from actors.domain.simulation.spread.base import SpreadModel
from actors.domain.simulation.venue_reports import present_state, rejection, report_head
from actors.domain.state import Stateful

_ONE = Decimal(1)
_MEMO_STEP = Decimal("0.00000001")


class Accounts(Stateful):
    """What the venue owns for us and what our orders hold of it.

    Attributes
    ----------
    balances : dict currency → Decimal
        Signed: on a leveraged account what is below 0 is owed (or sold, on a perpetual).
    spread_factor : float
        What half the spread is multiplied by: 1 unless the market is disturbed; the host's to keep.
    """

    name: str
    spread_factor: float
    balances: dict[str, Decimal]
    instruments: dict[str, Instrument]
    _fees: FeeModel
    _spread: SpreadModel
    _slippage: SlippageModel
    _fill_at: str
    _remember: int
    _held: dict[str, Decimal]
    _live: dict[str, BookOrder]
    _done: dict[str, bytes]
    _ts: int
    _terms: AccountTerms
    _leveraged: bool

    def available(self, currency: str) -> Decimal:
        """Return the balance that no order holds."""
        return self.balances[currency] - self._held[currency]

    def _taking(self, pair: str, side: int, quantity: Decimal, reference: float, bar: BarClosed) -> float:
        """Return the price that a taker gets, not yet on the tick: half the spread and the impact beyond the middle."""
        half = self._spread.half_frac(pair, bar) * self.spread_factor
        return reference * (1.0 + side * (half + self._slippage.cost_frac(pair, float(quantity), bar)))

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
        self._fees.at(bar.open_ns)
        fee, fee_currency = self._fees.fee(instrument, side, quantity, price, liquidity)
        self._fees.observe(quantity * price)
        if self._terms.mode == PERPETUAL and fee_currency != instrument.quote:
            raise InvalidParamsError(
                "FEE_CURRENCY",
                f"fees: expected a fee in {instrument.quote} on a perpetual, which owns no base, found {fee_currency}",
            )
        balances = self.balances
        balances[instrument.base] += side * quantity
        balances[instrument.quote] -= side * quantity * price
        balances[fee_currency] -= fee
        order.filled += quantity
        order.cost += quantity * price
        order.fills += 1
        middle = to_decimal(float(reference))
        arrival = middle if order.arrival_price is None else order.arrival_price
        # what the price is worse than the middle, split; a limit or the tick may leave less than the whole spread
        paid, spread = side * (price - middle) * quantity, ZERO
        if taker:
            half = to_decimal(self._spread.half_frac(order.pair, bar) * self.spread_factor)
            spread = min(max(paid, ZERO), (middle * half * quantity).quantize(_MEMO_STEP))
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
                spread_quote=spread,
                impact_quote=paid - spread,
            )
        )
        if order.leaves:
            self._rehold(order, instrument)
        else:
            self._finish(order, book.FILLED, "", out)

    # -- book-keeping ----------------------------------------------------------------------------------------

    def _hold_of(self, order: BookOrder) -> Decimal:
        if order.reduce_only:
            # it is cut to the position when it fills, so an exit at the market may stand beside a stop
            return ZERO
        if order.side == BUY:
            return order.leaves * order.hold_price * (_ONE + self._fees.hold_rate)
        return order.leaves

    def _rehold(self, order: BookOrder, instrument: Instrument, release: bool = False) -> None:
        if self._leveraged:
            # nothing is set aside: equity carries all orders, and each is measured again when it fills
            return
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
        if not order.filled:
            self._orphan(order.client_order_id, out)

    def _orphan(self, parent_id: str, out: list[Event]) -> None:
        """End the orders that waited for a fill which will not come."""
        for child in tuple(self._live.values()):
            if child.parent_id == parent_id and child.status == book.WAITING:
                self._finish(child, book.CANCELED, checks.PARENT, out)

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
