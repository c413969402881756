"""Twin of the simulator's leveraged account (``rust/kernels/src/sim/margin.rs``, ``liquidation.rs``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal, localcontext
from math import inf, isnan, nan
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.domain.kernels.twins import _sim_rules as rules
from actors.domain.kernels.twins._grid import FloatArray
from actors.domain.kernels.twins._sim_rules import Bar, Order, Slip
from actors.domain.model.money import MONEY_CONTEXT, ZERO

Exact = tuple[int, int]
Row = tuple[int, int, int, int, int, int, int, int, int, bool, float]
STEP: Final = Decimal("0.00000001")
_ONE = Decimal(1)
_UNMARKED = (nan, nan, nan, nan)


class Carry(NamedTuple):
    """What a bar brings beside its prices."""

    funding: float = nan
    assumed: bool = False
    mark: tuple[float, ...] = _UNMARKED
    missing: int = 0

    def check(self, row: int) -> None:
        """Refuse what cannot be, naming the row."""
        open_, high, low, close = self.mark
        fits = low > 0.0 and high < inf and low <= open_ <= high and low <= close <= high
        if not (all(map(isnan, self.mark)) or fits):
            text = "mark: expected 0 < low <= open, close <= high, all finite, or four NaN"
            raise ValueError(f"row {row}: {text}")
        if abs(self.funding) > 0.1:
            text = "funding: expected a fraction of at most 0.1 either way, or NaN"
            raise ValueError(f"row {row}: {text}")
        if self.missing < 0:
            raise ValueError(f"row {row}: missing: expected a number of bars not below 0")


NOTHING: Final = Carry()


@dataclass(slots=True)
class _Margin:
    perpetual: bool
    leverage: Decimal
    maintenance: Decimal
    liquidation_fee: Decimal
    borrow: tuple[Decimal, Decimal]
    fee: Decimal
    opening: Decimal
    carry: Carry = NOTHING
    parted: bool = False
    next: Carry | None = None
    rows: Sequence[Carry] = ()
    first: int = 0
    close: float = nan


class MarginSim:
    """The part of the simulator that keeps a leveraged account."""

    _tick: Decimal
    _lot: Decimal
    _fees: tuple[Decimal, ...]
    _received: bool
    _with_fee: Decimal
    _half_spread: float
    _slip: Slip
    _owned: list[Decimal]
    _live: list[Order]
    _step: int
    _rows: list[Row]
    _margin: _Margin | None

    def lend(self, perpetual: bool, rates: Sequence[Exact], /) -> None:
        """Make the account a leveraged one."""
        with localcontext(MONEY_CONTEXT):
            leverage, maintenance, liquidation_fee, base, quote = (Decimal(m).scaleb(-e) for m, e in rates)
            if leverage < 1 or not 0 <= leverage * maintenance < 1:
                text = "leverage must be at least 1, maintenance not below 0 and below 1 / leverage"
                raise ValueError(f"parameter out of range: {text}")
            if min(liquidation_fee, base, quote) < 0:
                raise ValueError("parameter out of range: fees and interest must not be below 0")
            if perpetual and self._received:
                raise ValueError("parameter out of range: a perpetual owns no base to pay a fee of")
            fee = self._with_fee - _ONE
            self._margin = _Margin(
                perpetual, leverage, maintenance, liquidation_fee, (base, quote), fee, _ONE + fee * leverage
            )

    def carry(self, funding: float, assumed: bool, mark: Sequence[float], missing: int, /) -> None:
        """Say what the next bar brings."""
        found = Carry(funding, assumed, tuple(mark), missing)
        found.check(self._step + 1)
        self._terms.next = found

    def carries(
        self,
        funding: FloatArray,
        assumed: bool,
        marks: Sequence[FloatArray],
        missing: NDArray[np.int64],
        /,
    ) -> None:
        """Say what the bars from the next one on bring."""
        if any(len(c) != len(funding) for c in (*marks, missing)):
            raise ValueError("expected columns of one length")
        columns = [funding.tolist(), zip(*(c.tolist() for c in marks), strict=True), missing.tolist()]
        rows = [Carry(f, assumed, m, n) for f, m, n in zip(*columns, strict=True)]
        first = self._step + 1
        for i, row in enumerate(rows):
            row.check(first + i)
        self._terms.rows, self._terms.first = rows, first

    @property
    def _terms(self) -> _Margin:
        if self._margin is None:
            text = "a spot account knows no funding, marks or interest"
            raise ValueError(f"parameter out of range: {text}")
        return self._margin

    @property
    def _at_risk(self) -> bool:
        return self._margin is not None and self._owned[0] != 0

    def _lots_held(self) -> int:
        """Return the whole lots held, signed; what is less than one is not counted."""
        with localcontext(MONEY_CONTEXT):
            lots = int((abs(self._owned[0]) / self._lot).to_integral_value(ROUND_FLOOR))
        return -lots if self._owned[0] < 0 else lots

    def _power(self) -> tuple[float, float]:
        """Return the exposure that a unit of money opens before fees, and what a unit of it asks for."""
        m = self._margin
        return (1.0, float(self._with_fee)) if m is None else (float(m.leverage), float(m.opening))

    # -- carry -------------------------------------------------------------------------------------------------

    def _carry_over(self, parted: bool) -> None:
        m = self._margin
        if m is None:
            return
        at = self._step - m.first
        row = m.rows[at] if 0 <= at < len(m.rows) else NOTHING
        m.carry, m.next = m.next or row, None
        m.parted = parted
        if m.carry.missing and not m.perpetual and not isnan(m.close):
            with localcontext(MONEY_CONTEXT):
                self._interest(m.carry.missing, m.close)

    def _carry_close(self, bar: Bar) -> None:
        m = self._margin
        if m is None:
            return
        m.close = bar.close
        with localcontext(MONEY_CONTEXT):
            if not m.perpetual:
                self._interest(1, bar.close)
            elif not isnan(m.carry.funding) and self._owned[0]:
                price = bar.close if isnan(m.carry.mark[3]) else m.carry.mark[3]
                rate = Decimal(round(m.carry.funding * 1e12)).scaleb(-12)
                basis = self._owned[0] * Decimal(repr(price))
                if m.carry.assumed:
                    rate, basis = abs(rate), abs(basis)
                self._charge(rules.FUNDING, _charged(basis * rate))

    def _interest(self, bars: int, close: float) -> None:
        base, quote = self._terms.borrow
        worth = self._owned[0] * Decimal(repr(close))
        if self._owned[1] < 0:
            self._charge(rules.BORROW, _charged(-self._owned[1] * (quote * bars)))
        if worth < 0:
            self._charge(rules.BORROW, _charged(-worth * (base * bars)))

    def _charge(self, code: int, amount: Decimal) -> None:
        if amount:
            self._owned[1] -= amount
            e8 = int(amount / STEP)
            self._rows.append((self._step, 0, rules.CHARGED, code, 0, rules.MARKET, 0, 0, e8, False, nan))

    # -- funds -------------------------------------------------------------------------------------------------

    def _worth(self, price: Decimal) -> Decimal:
        return self._owned[1] + self._owned[0] * price

    def _overdrawn(self, order: Order, bar: Bar) -> bool:
        """Tell whether an arriving order asks for more than the equity carries."""
        m = self._terms
        if order.reduce_only:
            return False
        size, against = abs(self._owned[0]), self._owned[0] * order.side < 0
        left, cost, opens = (size if against else ZERO), ZERO, False
        for o in self._counted(order):
            leaves = self._lot * o.leaves
            reducing = min(left, leaves)
            left -= reducing
            if leaves > reducing:
                cost += (leaves - reducing) * o.hold_price
                opens = opens or o is order
        price = Decimal(repr(bar.open))
        wanted = (left if against else size) * price + cost * m.opening
        return opens and wanted > self._worth(price) * m.leverage

    def _counted(self, new: Order) -> list[Order]:
        """Return the open orders of a side; of a list, of which one will fill, the largest."""
        found = [
            o
            for o in self._live
            if o.side == new.side and not o.reduce_only and (o.stage == rules.WORKING or o is new)
        ]
        heads: dict[int, Order] = {}
        for o in found:
            head = heads.setdefault(o.list, o)
            if o.leaves * o.hold_price > head.leaves * head.hold_price:
                heads[o.list] = o
        return [o for o in found if not o.list or heads[o.list] is o]

    def _largest(self, side: int, price: Decimal) -> int:
        """Return the most lots that one execution may have."""
        m, size = self._terms, abs(self._owned[0])
        against = self._owned[0] * side < 0
        reducing, kept = (size, ZERO) if against else (ZERO, size)
        room = (self._worth(price) - reducing * price * m.fee) * m.leverage - kept * price
        unit = price * m.opening
        most = ((room + reducing * unit) / (unit * self._lot)).to_integral_value(ROUND_FLOOR)
        return max(int(most), int((reducing / self._lot).to_integral_value(ROUND_FLOOR)))

    # -- liquidation -------------------------------------------------------------------------------------------

    def _valued(self, bar: Bar) -> tuple[float, float]:
        """Return the open, and the worst price for what is held, that count for a liquidation."""
        m = self._terms
        marked = not m.parted and not isnan(m.carry.mark[0])
        open_, high, low, _ = m.carry.mark if marked else (bar.open, bar.high, bar.low, bar.close)
        return open_, (low if self._owned[0] > 0 else high)

    def _liquidates(self, price: float) -> bool:
        exact = Decimal(repr(price))
        gross = abs(self._owned[0]) * exact
        return gross > 0 and self._worth(exact) <= self._terms.maintenance * gross

    def _liquidate_gap(self, bar: Bar) -> None:
        if self._liquidates(self._valued(bar)[0]):
            self._liquidate(bar, bar.open)

    def _liquidated_first(self, bar: Bar, stop: Order | None) -> bool:
        """Close the account if the bar's worst price does it, before a stop further from the open would act."""
        if not self._lots_held() or not self._liquidates(self._valued(bar)[1]):
            return False
        level = float(self._tick * self._level())
        if stop is not None and abs(stop.trigger - bar.open) < abs(level - bar.open):
            return False
        long = self._owned[0] > 0
        reference = max(bar.low, min(level, bar.open)) if long else min(bar.high, max(level, bar.open))
        self._liquidate(bar, reference)
        return True

    def _level(self) -> int:
        """Return the ticks at which the equity meets its maintenance, on the worse one."""
        part, long = self._terms.maintenance, self._owned[0] > 0
        short = -self._owned[1] if long else self._owned[1]
        if short <= 0:
            return 0
        unit = abs(self._owned[0]) * (_ONE - part if long else _ONE + part) * self._tick
        return int((short / unit).to_integral_value(ROUND_FLOOR if long else ROUND_CEILING))

    def _liquidate(self, bar: Bar, reference: float) -> None:
        """End every order and close the position at a price before slippage."""
        while self._live:
            self._finish(self._live[0], rules.CANCELED, rules.LIQUIDATED)
        held = self._lots_held()
        if not held:
            return
        side, lots = (-1 if held > 0 else 1), abs(held)
        quantity = self._lot * lots
        cost = self._half_spread + self._slip.cost(float(quantity), bar)
        at, rounding = reference * (1.0 + side * cost), (ROUND_CEILING if side > 0 else ROUND_FLOOR)
        ticks = max(int((Decimal(repr(at)) / self._tick).to_integral_value(rounding)), 1)
        notional = quantity * (self._tick * ticks)
        in_base = self._received and side > 0
        fee = ((quantity if in_base else notional) * self._fees[1]).quantize(STEP, ROUND_DOWN)
        self._owned[0] += side * quantity
        self._owned[1] -= side * notional
        self._owned[0 if in_base else 1] -= fee
        left = max(self._worth(Decimal(repr(bar.open))), ZERO).quantize(STEP, ROUND_DOWN)
        self._charge(rules.LIQUIDATION, min(_charged(notional * self._terms.liquidation_fee), left))
        self._rows.append(
            (
                self._step, 0, rules.FILLED, rules.LIQUIDATION, side, rules.MARKET, ticks, lots, int(fee / STEP), True,
                reference,
            )
        )  # fmt: skip

    def _finish(self, order: Order, what: int, code: int) -> None:
        raise NotImplementedError


def _charged(amount: Decimal) -> Decimal:
    return amount.quantize(STEP, ROUND_CEILING)
