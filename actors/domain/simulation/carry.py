"""What it costs to hold a position over time: funding of a perpetual, interest on what is borrowed.

Funding is on the position at the mark (the mark series' close, else the bar's): what fell due before a bar opened is
on what was carried to it, what falls due at its close on what is held then. Interest of a bar is on what is borrowed
at its close, base at that price, both paid in quote. Over bars that are missing it runs on what was carried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal

from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed, FundingRateUpdated
from actors.domain.model.account import MARGIN, PERPETUAL
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.simulation.liquidation import Liquidation
from actors.domain.simulation.margin import CENT, charged, rate_of


class Carry(Liquidation):
    """The part of the venue that charges for time."""

    _charged_ns: int | None

    def _carry_over(
        self, funding: Sequence[FundingRateUpdated], bars: Mapping[str, BarClosed], out: list[Event]
    ) -> None:
        """Charge what fell due before the bars of this step opened."""
        if self._terms.mode == PERPETUAL:
            self._fund([e for e in funding if _before(e, bars)], at_close=False, out=out)
        elif self._terms.mode == MARGIN and bars:
            bar = next(iter(bars.values()))
            width = bar.close_ns - bar.open_ns
            if self._charged_ns is not None and bar.open_ns > self._charged_ns:
                self._interest((bar.open_ns - self._charged_ns) // width, out)
            self._charged_ns = bar.close_ns

    def _carry_close(
        self, funding: Sequence[FundingRateUpdated], bars: Mapping[str, BarClosed], out: list[Event]
    ) -> None:
        """Charge what falls due at the closes of this step; the marks stand at the closes."""
        if self._terms.mode == PERPETUAL:
            self._fund([e for e in funding if not _before(e, bars)], at_close=True, out=out)
        elif self._terms.mode == MARGIN and bars:
            self._interest(1, out)

    def _fund(self, due: Sequence[FundingRateUpdated], *, at_close: bool, out: list[Event]) -> None:
        for event in due:
            pair = event.instrument_id or ""
            instrument = self.instruments[pair]
            held = self.balances[instrument.base]
            if not held:
                continue
            mark = self._mark_bars.get(pair)
            price = mark.close if at_close and mark is not None else self._marks[pair]
            rate, basis = rate_of(event.rate), held * to_decimal(price)
            if event.assumed:
                rate, basis = abs(rate), abs(basis)
            self._take(pair, "funding", charged(basis * rate), rate, basis, out)

    def _interest(self, bars: int, out: list[Event]) -> None:
        rows = [
            (pair, held * to_decimal(self._marks[pair]))
            for pair, instrument in self.instruments.items()
            if (held := self.balances[instrument.base])
        ]
        owed = max(-self.balances[self._quote], ZERO)
        if owed:
            self._share_interest(owed, [row for row in rows if row[1] > 0], bars, out)
        for pair, worth in rows:
            if worth < 0:
                rate = self._terms.borrow_base_frac * bars
                self._take(pair, "borrow", charged(-worth * rate), rate, -worth, out)

    def _share_interest(
        self, owed: Decimal, longs: Sequence[tuple[str, Decimal]], bars: int, out: list[Event]
    ) -> None:
        """Charge interest on borrowed quote to the longs it pays for, by their value; to nobody without one."""
        rate = self._terms.borrow_quote_frac * bars
        total = rest = charged(owed * rate)
        worth = sum((w for _, w in longs), ZERO)
        for pair, part in longs[:-1]:
            mine = (total * part / worth).quantize(CENT, ROUND_DOWN)
            rest -= mine
            self._take(pair, "borrow", mine, rate, (owed * part / worth).quantize(CENT), out)
        last, part = longs[-1] if longs else (None, worth)
        basis = owed if part == worth else (owed * part / worth).quantize(CENT)
        self._take(last, "borrow", rest, rate, basis, out)

    def _take(
        self, pair: str | None, kind: str, amount: Decimal, rate: Decimal, basis: Decimal, out: list[Event]
    ) -> None:
        if amount:
            self.balances[self._quote] -= amount
            out.append(self._charge(pair, kind, amount, rate, basis))


def _before(event: FundingRateUpdated, bars: Mapping[str, BarClosed]) -> bool:
    bar = bars.get(event.instrument_id or "")
    return bar is not None and event.funding_ns <= bar.open_ns
