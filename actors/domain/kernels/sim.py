"""The exact simulator of orders: one pair, one account (spot, margin or perpetual), every order type, exact money.

Its fills are those of `actors.domain.simulation.venue` to the last unit (one property test runs random order
flows through both), at a thousandth of the cost. Money is Decimal at this border and exact inside; bars are
float64 and become ticks by the instrument's rounding. For statistics and search over signals the float64 path
in `actors.domain.kernels.backtest` is faster still.

What the venue knows and this does not: fees by volume tier, spreads that follow the bars' range, latency in ns or
drawn, a queue before resting orders, fills inside the first bar, several pairs. `SimRules` has no word for them, so
none is approximated. Runs of the command line never come here: both of their paths ask the venue itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from actors.domain.errors import KernelError
from actors.domain.kernels import _checks as check
from actors.domain.kernels._checks import FloatArray
from actors.domain.kernels._dispatch import impl
from actors.domain.kernels.backtest import row_error
from actors.domain.kernels.sim_carry import Carry, CarryColumns, bring, bring_all, lend
from actors.domain.kernels.sim_rules import (
    CODES,
    EVENTS,
    ORDER_TYPES,
    REPORT_DTYPE,
    TIMES_IN_FORCE,
    OrderType,
    SimReport,
    SimRules,
    Slippage,
    TimeInForce,
)
from actors.domain.kernels.twins.sim import exact_of
from actors.domain.model.account import AccountTerms
from actors.domain.model.detail import BarDetail
from actors.domain.model.instrument import BUY, SELL, Instrument
from actors.domain.model.money import MONEY_CONTEXT, ZERO

_LIMITED = ("limit", "stop_limit", "take_profit_limit")


class BarColumns(Protocol):
    """Columns of bars, as a `BarFrame` has them."""

    @property
    def open(self) -> FloatArray: ...
    @property
    def high(self) -> FloatArray: ...
    @property
    def low(self) -> FloatArray: ...
    @property
    def close(self) -> FloatArray: ...
    @property
    def volume(self) -> FloatArray: ...
    @property
    def flags(self) -> NDArray[np.uint8]: ...


class OrderSim:
    """Simulated account for one instrument; native, or the Decimal twin.

    Parameters
    ----------
    instrument : Instrument
    quote, base : Decimal
        Balances at the start.
    rules : SimRules, optional
    account : AccountTerms, optional
        By default a spot account. On a leveraged one balances are signed, see `actors.domain.model.account`.

    Examples
    --------
    >>> sim = OrderSim(Instrument(pair="X/Y"), Decimal(1000), rules=SimRules(max_volume_share=None))
    >>> entry = sim.submit("market", BUY, Decimal("2"))
    >>> stop = sim.submit("stop", SELL, Decimal("2"), stop_price=Decimal("95"), parent=entry)
    >>> for r in (*sim.advance(100.0, 101.0, 99.0, 100.0, 5.0), *sim.advance(94.0, 96.0, 93.0, 95.0, 5.0)):
    ...     if r.event == "filled":
    ...         print(r.side, r.price, r.fee)
    1 100.03 0.20006000
    -1 93.97 0.18794000
    """

    def __init__(
        self,
        instrument: Instrument,
        quote: Decimal,
        base: Decimal = ZERO,
        rules: SimRules | None = None,
        account: AccountTerms | None = None,
    ) -> None:
        self.instrument, self.rules = instrument, rules or SimRules()
        r = self.rules
        steps = [exact_of(x) for x in (instrument.tick, instrument.lot, instrument.min_notional)]
        fees = [exact_of(Decimal(repr(float(x))) * Decimal("0.0001")) for x in (r.maker_bps, r.taker_bps)]
        self._sim: Any = impl().OrderSim(
            steps, fees, r.fee_received, r.half_spread_bps / 10_000.0, r.slippage.numbers(), r.max_volume_share,
            r.through_ticks, r.latency_steps, [exact_of(base), exact_of(quote)],
        )  # fmt: skip
        if account is not None and account.leveraged:
            lend(self._sim, account)
        # the native methods themselves: a callback per bar pays for every layer between
        self.cancel: Callable[[int], None] = self._sim.cancel
        self.is_live: Callable[[int], bool] = self._sim.is_live
        self.submit_lots: Callable[..., int] = self._sim.submit

    def submit(
        self,
        order_type: OrderType,
        side: int,
        quantity: Decimal,
        *,
        limit_price: Decimal | None = None,
        stop_price: Decimal | None = None,
        trailing_offset: float = 0.0,
        trailing_kind: Literal["absolute", "percent"] = "absolute",
        time_in_force: TimeInForce = "GTC",
        expire_step: int | None = None,
        post_only: bool = False,
        reduce_only: bool = False,
        order_list: int = 0,
        parent: int = 0,
    ) -> int:
        """Send an order and return its id; it meets the next bar at the earliest.

        Parameters
        ----------
        order_type : one of `ORDER_TYPES`
        side : {+1, -1}
        quantity : Decimal, base
            On the lot.
        limit_price, stop_price : Decimal, quote
            On the tick; where the type needs them. For a trailing stop, the worst level it has (optional).
        trailing_offset : float
            Quote, or a fraction of the watermark for ``percent``.
        time_in_force : one of `TIMES_IN_FORCE`
        expire_step : int, optional
            Last step (good till date).
        post_only, reduce_only : bool
        order_list : int
            Orders of one number cancel each other at the first fill (OCO); 0: none.
        parent : int
            Id of the order whose first fill makes this one live, with its filled quantity; 0: none.

        Raises
        ------
        KernelError
            If a field is missing, off its grid or out of range.
        """
        if order_type not in ORDER_TYPES or time_in_force not in TIMES_IN_FORCE:
            raise KernelError(
                "ORDER_INVALID",
                f"order: expected a type of {', '.join(ORDER_TYPES)} and GTC, IOC or FOK, "
                f"found {order_type!r}, {time_in_force!r}",
            )
        limit = self._ticks("limit_price", limit_price, order_type in _LIMITED)
        triggers = order_type not in ("market", "limit", "trailing_stop")
        triggers = triggers or (order_type == "trailing_stop" and stop_price is not None)
        stop = self._ticks("stop_price", stop_price, triggers)
        try:
            made: int = self._sim.submit(
                side, ORDER_TYPES.index(order_type), _whole("quantity", quantity, self.instrument.lot),
                limit, stop, float(trailing_offset), trailing_kind == "percent",
                TIMES_IN_FORCE.index(time_in_force), -1 if expire_step is None else expire_step,
                post_only, reduce_only, order_list, parent,
            )  # fmt: skip
        except ValueError as e:
            raise KernelError("ORDER_INVALID", str(e)) from e
        return made

    def _ticks(self, name: str, price: Decimal | None, needed: bool) -> int:
        if (price is not None) != needed:
            what = "a price" if needed else "none for this type"
            raise KernelError("ORDER_INVALID", f"{name}: expected {what}, found {price}")
        return 0 if price is None else _whole(name, price, self.instrument.tick)

    def advance(
        self,
        open_: float,
        high: float,
        low: float,
        close: float,
        volume: float,
        filled_forward: bool = False,
        *,
        finer: Sequence[Sequence[float]] = (),
        carry: Carry | None = None,
    ) -> list[SimReport]:
        """Take the next bar and return what happened in it.

        Parameters
        ----------
        finer : rows of (open, high, low, close, volume)
            Its finer bars in order of time: they tell which touch came first. Without them stops come before targets.
        carry : Carry, optional
            What it brings to a leveraged account.

        Raises
        ------
        KernelError
            For a bar that contradicts itself, finer ones that do not rebuild it, or a carry on a spot account.
        """
        try:
            if carry is not None:
                bring(self._sim, carry)
            if finer:
                rows = self._sim.advance_parts(open_, high, low, close, volume, [list(r) for r in finer])
            else:
                rows = self._sim.advance(open_, high, low, close, volume, filled_forward)
        except ValueError as e:
            raise row_error(e) from e
        return [self._report(r) for r in rows]

    def run(
        self,
        bars: BarColumns,
        on_bar: Callable[[int, float], object],
        detail: BarDetail | None = None,
        carry: CarryColumns | None = None,
    ) -> FloatArray:
        """Take every bar, by its finer ones where `detail` has some, and call ``on_bar(i, close)`` after each.

        Returns the equity at the closes. Orders that `on_bar` submits meet bar ``i + 1``. An error raised by it passes
        through; what happened up to that bar stays readable. `carry` is what the bars bring to a leveraged account.
        """
        columns, flags, equity = _columns(bars)
        try:
            if carry is not None:
                bring_all(self._sim, carry, len(equity))
            self._sim.drive(columns, flags, on_bar, equity, _finer(detail))
        except ValueError as e:
            if str(e).startswith(("row ", "parameter out of range")):
                raise row_error(e) from e
            raise
        return equity

    def simulate(
        self,
        bars: BarColumns,
        signal: FloatArray,
        *,
        size_frac: float = 1.0,
        stop_frac: float = 0.0,
        target_frac: float = 0.0,
        trailing_frac: float = 0.0,
        detail: BarDetail | None = None,
        carry: CarryColumns | None = None,
    ) -> FloatArray:
        """Trade a signal with protective orders; return the equity at the closes.

        Where the signal turns above 0 a market order for `size_frac` of the cash goes out with a stop, a
        target (limit) and a trailing stop as its children (0: none), which cancel each other; where it turns
        off, the position is closed at the next open. Stop and target lie `stop_frac` below and `target_frac`
        above the close of the decision, on the worse and the own tick. A position closed by a protective
        order or a liquidation is not opened again before the signal turns on anew. A leveraged account goes short
        where the signal turns below 0, all distances mirrored, and `size_frac` is of what its equity carries; on a
        spot account such a signal is off.

        Parameters
        ----------
        bars : BarFrame or the like, n_bars
        signal : array, shape (n_bars,)
            Never NaN.
        detail : BarDetail, optional
            Finer bars inside the bars.
        carry : CarryColumns, optional
            What the bars bring to a leveraged account.

        Raises
        ------
        KernelError
            If an argument is unfit or a row cannot be used (the first one is named).
        """
        columns, flags, equity = _columns(bars)
        signal = check.series("signal", signal, equity.shape[0])
        try:
            if carry is not None:
                bring_all(self._sim, carry, len(equity))
            self._sim.simulate(
                columns, flags, signal, [size_frac, stop_frac, target_frac, trailing_frac], equity,
                _finer(detail),
            )  # fmt: skip
        except ValueError as e:
            raise row_error(e) from e
        return equity

    def fills(self) -> NDArray[np.void]:
        """Return all fills as an array of `REPORT_DTYPE`."""
        words: NDArray[np.uint64] = self._sim.reports(True)
        return words.view(REPORT_DTYPE)

    def reports(self) -> NDArray[np.void]:
        """Return all reports as an array of `REPORT_DTYPE`."""
        words: NDArray[np.uint64] = self._sim.reports(False)
        return words.view(REPORT_DTYPE)

    @property
    def balances(self) -> tuple[Decimal, Decimal]:
        """Base and quote owned."""
        base, quote = (Decimal(m).scaleb(-e, MONEY_CONTEXT) for m, e in self._sim.balances)
        return base, quote

    @property
    def position_lots(self) -> int:
        """Whole lots of base owned; below 0: sold short."""
        lots: int = self._sim.position
        return lots

    def filled(self, order: int) -> Decimal:
        """Return the quantity filled of an order, base."""
        return int(self._sim.filled(order)) * self.instrument.lot

    def _report(self, row: Sequence[Any]) -> SimReport:
        step, order, event, code, side, kind, ticks, lots, fee, taker, _ = row
        return SimReport(
            step, order, EVENTS[event], CODES[code], side, ORDER_TYPES[kind], ticks * self.instrument.tick,
            lots * self.instrument.lot, Decimal(fee).scaleb(-8), "taker" if taker else "maker",
        )  # fmt: skip


def _finer(detail: BarDetail | None) -> tuple[list[FloatArray], NDArray[np.int64], NDArray[np.int64]] | None:
    if detail is None:
        return None
    bars = detail.bars
    columns = [np.ascontiguousarray(c) for c in (bars.open, bars.high, bars.low, bars.close, bars.volume)]
    return columns, np.ascontiguousarray(detail.first), np.ascontiguousarray(detail.count)


def _whole(name: str, value: Decimal, step: Decimal) -> int:
    if not value.is_finite() or value <= 0 or value % step:
        raise KernelError("ORDER_INVALID", f"{name}: expected a multiple of {step} above 0, found {value}")
    return int(value / step)


def _columns(bars: BarColumns) -> tuple[list[FloatArray], NDArray[np.uint8], FloatArray]:
    close = check.series("close", bars.close)
    columns = [
        check.series("open", bars.open, close.shape[0]),
        check.series("high", bars.high, close.shape[0]),
        check.series("low", bars.low, close.shape[0]),
        close,
        check.series("volume", bars.volume, close.shape[0]),
    ]
    flags = np.ascontiguousarray(bars.flags, dtype=np.uint8)
    return columns, flags, np.empty(close.shape[0])


__all__ = [
    "BUY", "CODES", "EVENTS", "ORDER_TYPES", "REPORT_DTYPE", "SELL", "TIMES_IN_FORCE", "Carry", "CarryColumns",
    "OrderSim", "OrderType", "SimReport", "SimRules", "Slippage", "TimeInForce",
]  # fmt: skip
