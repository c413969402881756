"""When the venue closes a leveraged account: at a gap, inside a bar, and over several pairs at once.

A bar tells extremes, not their order, so the worst is assumed: a long is checked at the low, a short at the high,
by the mark price where there is one of the same span (finer bars are their own mark). First at the open (a gap:
liquidated there), then among the adverse touches of each pair, nearest to the open first, other pairs standing at
their opens; last all pairs together, as if they moved in step from their opens to their extremes. A liquidation takes
the whole account: every order ends, every position is closed by a taker's fill at the liquidation price, at the open
where that is worse, never better than what the bar traded. What is lost beyond the equity is owed: no insurance fund
pays.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled
from actors.domain.events.market import BarClosed, MarkPriceUpdated
from actors.domain.events.portfolio import AccountCharged
from actors.domain.model.instrument import Instrument
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.simulation import book_order as book
from actors.domain.simulation import order_checks as checks
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.funds import Funds
from actors.domain.simulation.margin import on_path, value
from actors.domain.simulation.matching import tradable

LIQUIDATION: Final = "venue:liquidation"


class Liquidation(Funds):
    """The part of the venue that closes a leveraged account."""

    _share: float | None
    _number: int
    _mark_bars: Mapping[str, MarkPriceUpdated]
    _liquidations: int
    _charges: int

    def _liquidate_gap(self, out: list[Event]) -> None:
        """Close the account if the first prices of this step are too bad for it."""
        rows, refs = [], {}
        for pair, held, price in self._holdings():
            bar = self._tradable_bar(pair)
            first = price if bar is None else to_decimal(self._valued(bar).open)
            rows.append((held, first))
            if bar is not None:
                refs[pair] = bar.open
        if refs and self._liquidates(rows):
            self._liquidate(refs, out)

    def _liquidated_first(
        self, instrument: Instrument, bar: BarClosed, stop: BookOrder | None, out: list[Event]
    ) -> bool:
        """Close the account if a pair's own move does it, before a stop further from the open would act."""
        held = self.balances[instrument.base]
        if not instrument.quantity(held):
            return False
        others = self._holdings(but=instrument.pair)
        cash = self.balances[instrument.quote]
        worst = to_decimal(self._worst(self._valued(bar), held))
        if not self._liquidates([(held, worst), *(row[1:] for row in others)]):
            return False
        worth, gross = value(ZERO, [row[1:] for row in others])
        level = float(self._margin.level(cash, (worth, gross), held, instrument.tick))
        if stop is not None and abs(stop.level - bar.open) < abs(level - bar.open):
            return False
        refs = {p: self._worst(b, q) for p, q, _ in others if (b := self._tradable_bar(p)) is not None}
        self._liquidate({**refs, instrument.pair: _at(level, bar, held)}, out)
        return True

    def _liquidate_together(self, out: list[Event]) -> None:
        """Close the account if the worst prices of all pairs at once do it."""
        found = [(*row, self._tradable_bar(row[0])) for row in self._holdings()]
        moving = [(pair, held, price, bar) for pair, held, price, bar in found if bar is not None]
        if len(found) < 2 or not moving:
            return
        rows = [
            (held, price, price if bar is None else to_decimal(self._worst(self._valued(bar), held)))
            for _, held, price, bar in found
        ]
        if not self._liquidates([(held, last) for held, _, last in rows]):
            return
        share = self._margin.together(self.balances[self._quote], rows)
        refs = {}
        for pair, held, price, bar in moving:
            last = to_decimal(self._worst(self._valued(bar), held))
            tick = self.instruments[pair].tick
            refs[pair] = _at(float(on_path(price, last, share, tick, -1 if held > 0 else 1)), bar, held)
        self._liquidate(refs, out)

    def _liquidates(self, rows: list[tuple[Decimal, Decimal]]) -> bool:
        return self._margin.liquidates(*value(self.balances[self._quote], rows))

    def _tradable_bar(self, pair: str) -> BarClosed | None:
        bar = self._bars.get(pair)
        return bar if bar is not None and tradable(bar, self._share is not None) else None

    def _valued(self, bar: BarClosed) -> BarClosed | MarkPriceUpdated:
        """Return the prices that count for liquidation over a bar: those of the mark, where it spans the same time."""
        mark = self._mark_bars.get(bar.instrument_id or "")
        return bar if mark is None or (mark.open_ns, mark.close_ns) != (bar.open_ns, bar.close_ns) else mark

    @staticmethod
    def _worst(bar: BarClosed | MarkPriceUpdated, held: Decimal) -> float:
        return bar.low if held > 0 else bar.high

    def _liquidate(self, refs: Mapping[str, float], out: list[Event]) -> None:
        """End every order and close the positions of these pairs at a price before slippage each."""
        self._liquidations += 1
        for order in tuple(self._live.values()):
            if order.client_order_id in self._live:
                self._finish(order, book.CANCELED, checks.LIQUIDATED, out)
        fills: list[tuple[int, OrderFilled]] = []
        for pair, reference in refs.items():
            instrument = self.instruments[pair]
            held = instrument.quantity(self.balances[instrument.base])
            if held:
                self._close(instrument, held, reference, out)
                found = out[-1]
                assert isinstance(found, OrderFilled)
                fills.append((len(out) - 1, found))
        left, _ = value(self.balances[instrument.quote], [row[1:] for row in self._holdings()])
        charges = []
        for at, fill in fills:
            notional = fill.price * fill.quantity
            fee = self._margin.fee_of(notional, left)
            left -= fee
            self.balances[instrument.quote] -= fee
            if fee:
                charges.append((at, self._charge(fill.instrument_id, "liquidation", fee,
                                                 self._terms.liquidation_fee_frac, notional)))  # fmt: skip
        # told before the fill that ends the round trip, so that it bears its fee
        for at, charge in reversed(charges):
            out.insert(at, charge)

    def _close(self, instrument: Instrument, held: Decimal, reference: float, out: list[Event]) -> None:
        side, bar, quantity = (-1 if held > 0 else 1), self._bars[instrument.pair], abs(held)
        order = BookOrder(
            client_order_id=f"{self.name}-liquidated-{self._liquidations}-{instrument.pair}",
            intent_id=LIQUIDATION, pair=instrument.pair, side=side, order_type="market", quantity=quantity,
            time_in_force="GTC", limit_price=None, arrival_price=to_decimal(reference), expire_step=None,
            due_step=self._number, status=book.WORKING,
        )  # fmt: skip
        self._live[order.client_order_id] = order
        at = self._taking(instrument.pair, side, quantity, reference, bar)
        price = max(instrument.price(at, -side), instrument.tick)
        self._settle(order, instrument, bar, price, quantity, reference, True, out)

    def _charge(
        self, pair: str | None, kind: str, amount: Decimal, rate: Decimal, basis: Decimal
    ) -> AccountCharged:
        """Return the report of a charge that was taken from the balance."""
        self._charges += 1
        return AccountCharged(
            ts_event_ns=self._ts, source=self.name, instrument_id=pair, kind=kind, amount=amount, rate=rate,
            charge_id=f"{self.name}-charge-{self._charges}", basis=basis,
            currency=self._quote,
        )  # fmt: skip


def _at(level: float, bar: BarClosed, held: Decimal) -> float:
    """Return the price at which a position is closed: its level, the open where that is worse, inside the bar."""
    if held > 0:
        return max(bar.low, min(level, bar.open))
    return min(bar.high, max(level, bar.open))
