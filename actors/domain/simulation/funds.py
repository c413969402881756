"""What an order may spend: what is owned on a spot account, what equity carries on a leveraged one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from actors.domain.events.market import BarClosed
from actors.domain.model.instrument import BUY, Instrument
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.simulation import book_order as book
from actors.domain.simulation import order_checks as checks
from actors.domain.simulation.accounts import Accounts
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.margin import Margin, value

_ONE = Decimal(1)


class Funds(Accounts):
    """The part of the venue that says how much of an order the account carries.

    A spot order holds what it will spend, so it is asked once. A leveraged one is measured when it arrives, with
    the pair's open orders of its side as if filled and all else at the open, and again at each fill.
    """

    _margin: Margin
    _marks: dict[str, float]
    _bars: Mapping[str, BarClosed]
    _quote: str

    def _reducible(self, instrument: Instrument, side: int) -> Decimal:
        """Return what a reduce-only order of a side may trade."""
        held = instrument.quantity(self.balances[instrument.base])
        return abs(held) if held * side < 0 else ZERO

    def _funds_refusal(self, order: BookOrder, instrument: Instrument) -> tuple[str, str] | None:
        if order.parent_id is not None:
            # it will hold what its parent brings
            return None
        if self._leveraged:
            return self._margin_refusal(order, instrument)
        currency = instrument.quote if order.side == BUY else instrument.base
        free = self.available(currency)
        if order.order_list_id is not None:
            # of a list only one will fill: they share one hold
            free += sum(
                (
                    o.hold
                    for o in self._live.values()
                    if o.order_list_id == order.order_list_id
                    and o.side == order.side
                    and o.pair == order.pair
                ),
                ZERO,
            )
        hold = self._hold_of(order)
        if hold > free:
            return (
                checks.INSUFFICIENT_BALANCE,
                f"balance: expected {hold} {currency} free, found {free} {currency}",
            )
        return None

    def _within_funds(
        self, order: BookOrder, instrument: Instrument, price: Decimal, quantity: Decimal
    ) -> Decimal:
        """Return how much of a quantity the account can pay for at a price, on the lot where it is less."""
        if self._leveraged:
            pair, base = order.pair, self.balances[instrument.base]
            cash = self.balances[instrument.quote] + base * price
            equity, others = value(cash, [row[1:] for row in self._holdings(but=pair)])
            return min(
                quantity, self._margin.largest(equity, others, base, order.side, price, instrument.lot)
            )
        currency = instrument.quote if order.side == BUY else instrument.base
        unit = price * (_ONE + self._fees.hold_rate) if order.side == BUY else _ONE
        funds = self.available(currency) + order.hold
        if quantity * unit <= funds:
            return quantity
        return max(instrument.quantity(funds / unit), ZERO)

    @property
    def _shortage(self) -> str:
        return checks.INSUFFICIENT_MARGIN if self._leveraged else checks.INSUFFICIENT_BALANCE

    # -- leveraged -------------------------------------------------------------------------------------------

    def _reference(self, pair: str) -> Decimal | None:
        """Return the price by which a pair is valued in this step: its open, without a bar its last close."""
        bar = self._bars.get(pair)
        price = self._marks.get(pair) if bar is None else bar.open
        return None if price is None else to_decimal(price)

    def _holdings(self, but: str = "") -> list[tuple[str, Decimal, Decimal]]:
        """Return pair, signed quantity and price of each position."""
        return [
            (pair, held, self._reference(pair) or ZERO)
            for pair, instrument in self.instruments.items()
            if pair != but and (held := self.balances[instrument.base])
        ]

    def _margin_refusal(self, order: BookOrder, instrument: Instrument) -> tuple[str, str] | None:
        if order.reduce_only:
            return None
        pair, held = order.pair, self.balances[instrument.base]
        kept, cost, opens = self._side(pair, order.side, held, order)
        if not opens:
            return None
        # an order that is the first of its pair is valued by itself
        price = self._reference(pair) or order.hold_price
        equity, _ = value(
            self.balances[self._quote], [(held, price), *(row[1:] for row in self._holdings(but=pair))]
        )
        wanted = kept * price + cost
        wanted += sum((self._exposure(other) for other in self.instruments if other != pair), ZERO)
        if self._margin.fits(equity, wanted):
            return None
        leverage = self._terms.leverage
        return checks.INSUFFICIENT_MARGIN, (
            f"margin: expected an exposure of at most {equity * leverage} {self._quote} ({leverage} x equity "
            f"{equity}), found {wanted} with this order"
        )

    def _exposure(self, pair: str) -> Decimal:
        """Return the largest exposure that a pair comes to if the open orders of either side, or none, fill."""
        held, price = self.balances[self.instruments[pair].base], self._reference(pair) or ZERO
        most = abs(held) * price
        for side in (1, -1):
            kept, cost, _ = self._side(pair, side, held, None)
            most = max(most, kept * price + cost)
        return most

    def _side(
        self, pair: str, side: int, held: Decimal, new: BookOrder | None
    ) -> tuple[Decimal, Decimal, bool]:
        """Return what a side's open orders leave of the position, what they open (fees in), and if `new` opens."""
        against = held * side < 0
        left, cost, opens = (abs(held) if against else ZERO), ZERO, False
        for order in self._counted(pair, side, new):
            reducing = min(left, order.leaves)
            left -= reducing
            if reducing < order.leaves:
                cost += (order.leaves - reducing) * order.hold_price
                opens = opens or order is new
        return left if against else abs(held), cost * self._margin.opening, opens

    def _counted(self, pair: str, side: int, new: BookOrder | None) -> list[BookOrder]:
        """Return a side's open orders; of a list, of which one will fill, the largest."""
        found = [
            o
            for o in self._live.values()
            if o.pair == pair
            and o.side == side
            and not o.reduce_only
            and (o.status == book.WORKING or o is new)
        ]
        heads: dict[str, BookOrder] = {}
        for o in found:
            if o.order_list_id is not None:
                head = heads.setdefault(o.order_list_id, o)
                if o.leaves * o.hold_price > head.leaves * head.hold_price:
                    heads[o.order_list_id] = o
        return [o for o in found if o.order_list_id is None or heads[o.order_list_id] is o]
