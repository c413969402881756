"""Laws of every account mode under random order flows: money is conserved, fills are honest, leverage is kept.

The sums are made again here from what the venue said alone, in exact fractions, and compared with the venue's
balances and the ledger's equity to the last digit.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, OrderFilled, OrderRejected, SubmitOrder
from actors.domain.events.market import BarClosed, FundingRateUpdated
from actors.domain.events.portfolio import AccountCharged
from actors.domain.model.account import AccountTerms
from actors.domain.model.instrument import Instrument
from actors.domain.portfolio.ledger import Ledger
from actors.domain.simulation.fees.maker_taker import MakerTaker, MakerTakerParams
from actors.domain.simulation.latency.fixed import FixedLatency, FixedLatencyParams
from actors.domain.simulation.slippage.fixed_bps import FixedBps, FixedBpsParams
from actors.domain.simulation.venue import SimulatedVenue, VenueParams

QUOTE, CASH = "USDT", Decimal(1000)
PAIRS = ("X/USDT", "Y/USDT")
KINDS = ["market", "market", "limit", "stop", "stop_limit", "take_profit", "trailing_stop"]

accounts = st.sampled_from(
    [
        AccountTerms(),
        AccountTerms(
            mode="margin", leverage=Decimal(3), maintenance_frac=Decimal("0.1"),
            liquidation_fee_frac=Decimal("0.01"), borrow_base_frac=Decimal("0.0003"),
            borrow_quote_frac=Decimal("0.0007"),
        ),
        AccountTerms(
            mode="perpetual", leverage=Decimal(10), maintenance_frac=Decimal("0.05"),
            liquidation_fee_frac=Decimal("0.0125"),
        ),
        AccountTerms(mode="perpetual", leverage=Decimal("2.5"), maintenance_frac=Decimal("0.3")),
    ]
)  # fmt: skip
markets = st.fixed_dictionaries(
    {
        "tick": st.sampled_from(["0.01", "0.5"]),
        "lot": st.sampled_from(["0.001", "1"]),
        "maker": st.sampled_from([0.0, 10.0]),
        "taker": st.sampled_from([0.0, 10.0]),
        "slippage": st.sampled_from([0.0, 30.0]),
        "share": st.sampled_from([None, 0.05]),
        "latency": st.sampled_from([0, 0, 1]),
        "pairs": st.integers(1, 2),
    }
)
orders = st.fixed_dictionaries(
    {
        "pair": st.integers(0, 1), "side": st.sampled_from([1, -1]), "kind": st.sampled_from(KINDS),
        "worth": st.integers(1, 60), "offset": st.integers(-30, 30), "reduce_only": st.booleans(),
        "list": st.sampled_from([None, None, None, "a"]),
    }
)  # fmt: skip
# gap, change, up, down in permille of the price
moves = st.tuples(st.integers(-120, 120), st.integers(-120, 120), st.integers(0, 80), st.integers(0, 80))
steps = st.lists(
    st.tuples(
        st.tuples(moves, moves), st.lists(orders, max_size=3), st.none() | st.integers(1, 9),
        st.sampled_from([None, None, 0.0004, -0.0007]), st.integers(0, 2),
    ),
    min_size=2, max_size=12,
)  # fmt: skip


class Flow:
    """A venue, a ledger, and sums of our own in fractions."""

    def __init__(self, terms: AccountTerms, market: dict[str, Any]) -> None:
        m = market
        self.terms, self.pairs = terms, PAIRS[: m["pairs"]]
        self.instruments = {
            p: Instrument(pair=p, tick=Decimal(m["tick"]), lot=Decimal(m["lot"]), min_notional=Decimal(5))
            for p in self.pairs
        }
        self.venue = SimulatedVenue(
            "venue", self.instruments, {QUOTE: CASH},
            MakerTaker(MakerTakerParams(maker_bps=m["maker"], taker_bps=m["taker"])),
            FixedBps(FixedBpsParams(cost_bps=m["slippage"])),
            FixedLatency(FixedLatencyParams(latency_steps=m["latency"], cancel_latency_steps=m["latency"])),
            VenueParams(max_volume_share=m["share"]), account=terms,
        )  # fmt: skip
        self.ledger = Ledger(self.instruments, CASH, QUOTE)
        self.cash, self.held = Fraction(CASH), dict.fromkeys(self.pairs, Fraction(0))
        self.last = dict.fromkeys(self.pairs, 100.0)
        self.sent: dict[str, tuple[int, SubmitOrder]] = {}
        self.clock = 0

    def bars(self, shapes: Any) -> dict[str, BarClosed]:
        out = {}
        for pair, (gap, change, up, down) in zip(self.pairs, shapes, strict=False):
            open_ = self.last[pair] * (1 + gap / 1000)
            close = open_ * (1 + change / 1000)
            out[pair] = BarClosed(
                ts_event_ns=self.clock + 10, source="t", instrument_id=pair, open_ns=self.clock,
                close_ns=self.clock + 10, open=open_, high=max(open_, close) * (1 + up / 1000),
                low=min(open_, close) * (1 - down / 1000), close=close, volume=500.0,
            )  # fmt: skip
            self.last[pair] = close
        return out

    def submit(self, number: int, wish: dict[str, Any]) -> SubmitOrder:
        pair = self.pairs[wish["pair"] % len(self.pairs)]
        instrument, price, kind = self.instruments[pair], self.last[pair], wish["kind"]
        at = instrument.price(price * (1 + wish["offset"] / 1000))
        more: dict[str, Any] = {}
        if kind == "trailing_stop":
            more = {"trailing_offset": Decimal("0.02"), "trailing_kind": "percent"}
        elif kind not in ("market", "limit"):
            more = {"stop_price": at}
        if kind in ("limit", "stop_limit"):
            more["limit_price"] = at
        quantity = max(instrument.quantity(wish["worth"] * 100 / price), instrument.lot)
        order = SubmitOrder(
            ts_event_ns=self.clock, source="t", client_order_id=str(len(self.sent) + 1), intent_id="i",
            instrument_id=pair, side=wish["side"], order_type=kind, quantity=quantity,
            reduce_only=wish["reduce_only"] or None, order_list_id=wish["list"], **more,
        )  # fmt: skip
        self.sent[order.client_order_id] = (number, order)
        return order

    def take(self, number: int, out: list[Event], bars: dict[str, BarClosed]) -> None:
        for e in out:
            if isinstance(e, AccountCharged):
                self.cash -= Fraction(e.amount)
                assert e.currency == QUOTE
                assert self.ledger.charge(e)
            elif isinstance(e, OrderFilled):
                self.fill(number, e, bars[e.instrument_id or ""])
                self.ledger.apply(e, number)

    def fill(self, number: int, e: OrderFilled, bar: BarClosed) -> None:
        pair, price = e.instrument_id or "", Fraction(e.price)
        before = self.held[pair]
        change = e.side * Fraction(e.quantity)
        self.held[pair] += change
        self.cash -= change * price + Fraction(e.fee)
        # no better than the bar allows
        assert e.quantity > 0
        assert e.price >= Decimal(repr(bar.low)) if e.side > 0 else e.price <= Decimal(repr(bar.high))
        assert bar.open_ns <= e.ts_fill_ns <= bar.close_ns
        if e.intent_id.startswith("venue:"):
            event("liquidated")
            assert self.terms.leveraged
            assert before * change < 0
            return
        sent, order = self.sent[e.client_order_id]
        # not before its decision, nor in the bar that it was decided on
        assert number >= sent
        assert e.ts_fill_ns >= order.ts_event_ns
        assert e.leaves_quantity >= 0
        if order.limit_price is not None:
            assert e.side * (e.price - order.limit_price) <= 0
        if order.reduce_only:
            assert before * change < 0
            assert abs(before + change) < abs(before)
        if abs(self.held[pair]) > abs(before) or before * self.held[pair] < 0:
            self.opened(pair, price, bar)

    def opened(self, pair: str, price: Fraction, bar: BarClosed) -> None:
        """What opens is paid for, or carried by the equity at the price of the fill."""
        if not self.terms.leveraged:
            assert self.cash >= 0
            assert min(self.held.values()) >= 0
        elif len(self.pairs) == 1:
            equity = self.cash + self.held[pair] * price
            assert abs(self.held[pair]) * price <= equity * Fraction(self.terms.leverage)

    def check(self, bars: dict[str, BarClosed], out: list[Event]) -> None:
        self.ledger.check()
        assert Fraction(self.ledger.cash) == self.cash == Fraction(self.venue.balances[QUOTE])
        for pair, instrument in self.instruments.items():
            held = self.held[pair]
            assert held == Fraction(self.venue.balances[instrument.base])
            assert held == Fraction(self.ledger.position(pair).quantity)
            self.ledger.mark(pair, bars[pair].close)
        worth = sum(self.held[p] * Fraction(Decimal(repr(b.close))) for p, b in bars.items())
        assert Fraction(self.ledger.equity) == self.cash + worth
        parts = self.ledger.realised + self.ledger.unrealised
        assert self.ledger.equity == CASH + parts
        if self.terms.leveraged and len(self.pairs) == 1:
            self.safe(bars[self.pairs[0]], out)

    def safe(self, bar: BarClosed, out: list[Event]) -> None:
        """What is still held came through the bar's worst price above its maintenance, charges apart."""
        held = self.held[self.pairs[0]]
        worst = Fraction(Decimal(repr(bar.low if held > 0 else bar.high)))
        late = sum((Fraction(e.amount) for e in out if isinstance(e, AccountCharged)), Fraction(0))
        equity = self.cash + max(late, Fraction(0)) + held * worst
        assert held == 0 or equity > Fraction(self.terms.maintenance_frac) * abs(held) * worst


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(terms=accounts, market=markets, flow=steps)
def test_money_is_conserved_and_fills_are_honest(
    terms: AccountTerms, market: dict[str, Any], flow: list[Any]
) -> None:
    run = Flow(terms, market)
    refused = 0
    for number, (shapes, wishes, cancel, rate, skipped) in enumerate(flow):
        submits = [run.submit(number, w) for w in wishes]
        cancels = [CancelOrder(ts_event_ns=run.clock, source="t", client_order_id=str(cancel), reason="t")]
        run.clock += 10 * skipped
        bars = run.bars(shapes)
        run.clock += 10
        funding = [
            FundingRateUpdated(
                ts_event_ns=run.clock, source="t", instrument_id=p, rate=rate, funding_ns=run.clock
            )
            for p in run.pairs
            if rate is not None
        ]
        out = run.venue.advance(
            number, run.clock, submits, cancels if cancel is not None else [], bars, funding
        )
        refused += sum(isinstance(e, OrderRejected) and "INSUFFICIENT" in e.code for e in out)
        run.take(number, out, bars)
        run.check(bars, out)
    event(f"{terms.mode}: {'some orders were too dear' if refused else 'all orders were affordable'}")
