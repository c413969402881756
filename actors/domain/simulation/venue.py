"""A simulated venue (no real exchange): takes orders, matches them against closed bars, keeps balances.

Order of one step: cancels that have arrived, orders that have arrived (checks, holds), matching of each
pair's book in price-time priority against its bar, expiry; with finer bars all but the expiry once for each of them.
Commands of step k−1 meet bar k at the earliest: no order ever trades in the bar that caused it. A leveraged account
is charged for missing bars first, may be liquidated before, inside and after the matching, and is charged for the
step last.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from msgspec import structs
from pydantic import Field, model_validator

from actors.domain.errors import InvalidParamsError
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.market import BarClosed, BarDetailed, FundingRateUpdated, MarkPriceUpdated
from actors.domain.model.account import AccountTerms
from actors.domain.model.instrument import BUY, Instrument
from actors.domain.model.money import MONEY_CONTEXT, ZERO, to_decimal
from actors.domain.registry import Params
from actors.domain.simulation import book_order as book
from actors.domain.simulation import order_checks as checks
from actors.domain.simulation.arrivals import Arrivals
from actors.domain.simulation.book_order import BookOrder
from actors.domain.simulation.fees.base import FeeModel
from actors.domain.simulation.latency.base import LatencyModel
from actors.domain.simulation.margin import Margin
from actors.domain.simulation.matching import NEXT_OPEN, meet, priority, tradable
from actors.domain.simulation.moments import moments
from actors.domain.simulation.slippage.base import SlippageModel
from actors.domain.simulation.spread.base import SpreadModel
from actors.domain.simulation.spread.none import NoSpread, NoSpreadParams

_MOMENT_BITS = 20
"""Room for the moments of one step in the number that tells moments apart."""
_NOTHING: Mapping[str, Any] = {}


class VenueParams(Params):
    """How fills come about.

    `max_volume_share` is our largest share of a bar's volume (None: no limit); `through_ticks` is how far the
    market must trade beyond a resting limit (0: a touch fills it); `queue_ahead_frac` lets touches serve it too, behind
    that share of the volume of the bar that first touches it (None: they do not); `remember_orders` bounds the
    finished orders known by id.
    """

    fill_at: Literal["next_open", "intrabar"] = "next_open"
    max_volume_share: float | None = Field(default=0.1, gt=0.0, le=1.0)
    through_ticks: int = Field(default=1, ge=0)
    queue_ahead_frac: float | None = Field(default=None, ge=0.0, le=100.0)
    remember_orders: int = Field(default=4096, ge=1)

    @model_validator(mode="after")
    def _one_queue_rule(self) -> VenueParams:
        if self.queue_ahead_frac is not None and self.through_ticks == 0:
            raise ValueError(
                "queue_ahead_frac: expected none where a touch serves everybody (through_ticks is 0), found one"
            )
        return self


class SimulatedVenue(Arrivals):
    """One account at one simulated venue: spot, spot margin or linear perpetuals.

    Parameters
    ----------
    name : str
        Source of its events.
    instruments : mapping pair → Instrument
    balances : mapping currency → Decimal
        What the account starts with.
    fees, slippage, latency : models
    params : VenueParams
    spread : SpreadModel, optional
        None by default: the agent that hosts a venue names it.
    account : AccountTerms, optional
        By default a spot account. A leveraged one fills at opens and has one quote currency.

    Raises
    ------
    InvalidParamsError
        If a leveraged account is asked for with other fills or several quote currencies.

    Notes
    -----
    Idempotent by `client_order_id`: a repeated submission is answered with the order's present state
    (`OrderAccepted` while working or filled, else its final report) and never executed again; the same id
    with other terms is rejected. On a spot account buys hold their cost, sells their quantity; a market order whose
    price ran away is cut to what the account pays and the rest is canceled with ``INSUFFICIENT_BALANCE`` (or
    ``…_MARGIN``). Slippage may carry a taker's price beyond the bar's extreme, never to its better side. Cost:
    O(live orders) per step, on a leveraged account O(pairs) more.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "balances", "_held", "_arrivals", "_cancels", "_done", "_marks", "_fees", "_spread", "_slippage", "_ended",
        "_liquidations", "_charges", "_charged_ns",
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
        spread: SpreadModel | None = None,
        account: AccountTerms | None = None,
    ) -> None:
        self.name = name
        self.instruments = dict(instruments)
        self._fees, self._slippage, self._latency = fees, slippage, latency
        self._spread: SpreadModel = spread if spread is not None else NoSpread(NoSpreadParams())
        self._fill_at: str = params.fill_at
        self._share = params.max_volume_share
        self._through = params.through_ticks
        self._ahead = params.queue_ahead_frac
        self._remember = params.remember_orders
        self.balances: dict[str, Decimal] = {}
        for instrument in self.instruments.values():
            self.balances.setdefault(instrument.base, ZERO)
            self.balances.setdefault(instrument.quote, ZERO)
        self.balances.update(balances)
        self._held: dict[str, Decimal] = dict.fromkeys(self.balances, ZERO)
        self._live: dict[str, BookOrder] = {}
        self._done: dict[str, bytes] = {}
        self._cancels: deque[tuple[int, int, str, str]] = deque()
        self._marks: dict[str, float] = {}
        self._arrivals = 0
        self._ended: dict[str, int] = {}
        self._number, self._ts, self._moment, self._last = 0, 0, 0, True
        self._terms = account or AccountTerms()
        self._leveraged = self._terms.leveraged
        self._margin = Margin(self._terms, fees.hold_rate)
        self._quote = next(iter(self.instruments.values())).quote
        self._bars: Mapping[str, BarClosed] = _NOTHING
        self._mark_bars: Mapping[str, MarkPriceUpdated] = _NOTHING
        self.spread_factor = 1.0
        self._liquidations = self._charges = 0
        self._charged_ns: int | None = None
        quotes = {i.quote for i in self.instruments.values()}
        if self._leveraged and (self._fill_at != NEXT_OPEN or len(quotes) > 1):
            raise InvalidParamsError(
                "ACCOUNT_UNSUPPORTED",
                f"account: expected fill_at {NEXT_OPEN} and one quote currency for a {self._terms.mode} account, "
                f"found {self._fill_at} and {', '.join(sorted(quotes))}",
            )

    # -- reading ---------------------------------------------------------------------------------------------

    def open_orders(self) -> tuple[BookOrder, ...]:
        """Return copies of the orders in the book or on their way, in order of arrival."""
        return tuple(book.DECODER.decode(book.ENCODER.encode(o)) for o in self._live.values())

    # -- one step --------------------------------------------------------------------------------------------

    def advance(
        self,
        number: int,
        ts_event_ns: int,
        submits: Sequence[SubmitOrder],
        cancels: Sequence[CancelOrder],
        bars: Mapping[str, BarClosed],
        funding: Sequence[FundingRateUpdated] = (),
        marks: Mapping[str, MarkPriceUpdated] = MappingProxyType({}),
        details: Mapping[str, BarDetailed] = MappingProxyType({}),
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
        funding : sequence of FundingRateUpdated
            Funding that falls due; only perpetuals know it.
        marks : mapping pair → MarkPriceUpdated
            Prices that liquidate and that funding is on; without one the bar's own.
        details : mapping pair → BarDetailed
            Finer bars, by which the order of what happens inside a bar is known as far as they tell it.
        """
        out: list[Event] = []
        if self._leveraged:
            self._number, self._ts, self._bars, self._mark_bars = number, ts_event_ns, bars, marks
            with localcontext(MONEY_CONTEXT):
                self._carry_over(funding, bars, out)
        if submits or cancels or self._live or self._cancels or self._at_risk:
            self._number, self._ts = number, ts_event_ns
            with localcontext(MONEY_CONTEXT):
                self._pass(submits, cancels, bars, details, out)
        impact, spread, closes = self._slippage.observe, self._spread.observe, self._marks
        for pair, bar in bars.items():
            impact(pair, bar)
            spread(pair, bar)
            closes[pair] = bar.close
        if self._leveraged:
            with localcontext(MONEY_CONTEXT):
                self._carry_close(funding, bars, out)
        # of this step only
        self._bars = self._mark_bars = _NOTHING
        return out

    @property
    def _at_risk(self) -> bool:
        """Whether a leveraged account holds anything that may be liquidated."""
        return self._leveraged and any(self.balances[i.base] for i in self.instruments.values())

    def _pass(
        self,
        submits: Sequence[SubmitOrder],
        cancels: Sequence[CancelOrder],
        bars: Mapping[str, BarClosed],
        details: Mapping[str, BarDetailed],
        out: list[Event],
    ) -> None:
        """Go through the moments of a step."""
        parts = moments(bars, details)
        for j, part in enumerate(parts):
            self._moment, self._last = (self._number << _MOMENT_BITS) + j, j == len(parts) - 1
            self._bars = part
            self._take_cancels(cancels if j == 0 else (), part, out)
            self._take_submits(submits if j == 0 else (), part, bars, out)
            if self._live or self._at_risk:
                self._match(part, out)
            if not self._last:
                for pair, bar in part.items():
                    self._marks[pair] = bar.close
        self._bars, self._moment, self._last = bars, 0, True

    def end_trading(self, ts_event_ns: int, bar: BarClosed) -> list[Event]:
        """End a pair after its last bar: cancel its orders, close its position at the last close as a taker.

        The fill is the venue's own (``intent_id`` ``venue:trading_ended``); later orders are rejected with
        ``TRADING_ENDED``. What is below one lot stays.
        """
        out: list[Event] = []
        pair = bar.instrument_id or ""
        instrument = self.instruments[pair]
        self._ts = ts_event_ns
        self._ended[pair] = ts_event_ns
        with localcontext(MONEY_CONTEXT):
            for order in [o for o in self._live.values() if o.pair == pair]:
                self._finish(order, book.CANCELED, checks.TRADING_ENDED, out)
            held = instrument.quantity(self.balances[instrument.base])
            if held:
                side, quantity = (-1 if held > 0 else 1), abs(held)
                at = self._taking(pair, side, quantity, bar.close, bar)
                order = BookOrder(
                    client_order_id=f"{self.name}-ended-{pair}", intent_id="venue:trading_ended", pair=pair,
                    side=side, order_type="market", quantity=quantity, time_in_force="GTC", limit_price=None,
                    arrival_price=to_decimal(bar.close), expire_step=None, due_step=0, status=book.WORKING,
                )  # fmt: skip
                self._live[order.client_order_id] = order
                price = max(instrument.price(float(at), -side), instrument.tick)
                self._settle(order, instrument, bar, price, quantity, bar.close, True, out)
                out[-1] = structs.replace(out[-1], ts_fill_ns=bar.close_ns)
        return out

    # -- matching --------------------------------------------------------------------------------------------

    def _match(self, bars: Mapping[str, BarClosed], out: list[Event]) -> None:
        leveraged = self._leveraged
        if leveraged:
            self._liquidate_gap(out)
        for pair, instrument in self.instruments.items():
            orders = [o for o in self._live.values() if o.pair == pair and o.status != book.IN_FLIGHT]
            bar = bars.get(pair)
            if not orders and not leveraged:
                continue
            if bar is not None and tradable(bar, self._share is not None):
                if leveraged or any(o.contingent for o in orders):
                    self._settle_touches(instrument, orders, bar, out)
                else:
                    self._settle_queue(instrument, orders, bar, out)
            for order in orders if self._last else ():
                if order.alive and order.expire_step is not None and order.expire_step <= self._number:
                    self._finish(order, book.EXPIRED, "EXPIRE_STEP", out)
        if leveraged:
            self._liquidate_together(out)

    def _settle_queue(
        self, instrument: Instrument, orders: list[BookOrder], bar: BarClosed, out: list[Event]
    ) -> None:
        """Market and limit orders alone: one pass in price-time priority."""
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
        if not taker:
            quantity = self._served(order, instrument, bar, quantity)
        if quantity <= 0:
            return ZERO
        side = order.side
        at = self._taking(order.pair, side, quantity, reference, bar) if taker else reference
        # off the tick, the next worse price; a limit order never beyond its limit
        price = instrument.price(float(at), -side)
        if order.limit_price is not None:
            price = min(price, order.limit_price) if side == BUY else max(price, order.limit_price)
        if price <= 0:
            price = instrument.tick
        payable = self._within_funds(order, instrument, price, quantity)
        short, quantity = payable < quantity, payable
        if quantity > 0:
            self._settle(order, instrument, bar, price, quantity, reference, taker, out)
        if short and order.status == book.WORKING:
            self._finish(order, book.CANCELED, self._shortage, out)
        return quantity

    def state(self) -> dict[str, Any]:
        """Return the state; live orders are encoded one by one."""
        return {**super().state(), "live": [book.ENCODER.encode(o) for o in self._live.values()]}

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore."""
        rest = dict(tree)
        live = [book.DECODER.decode(data) for data in rest.pop("live")]
        super().load_state(rest)
        self._live = {order.client_order_id: order for order in live}
