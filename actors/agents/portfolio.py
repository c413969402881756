"""The ledger as an agent: fills and bars in, positions, closed trades and the account of each step out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar, Final

from actors.domain.events.base import Event
from actors.domain.events.execution import OrderFilled
from actors.domain.events.market import BarClosed, BarOverdue
from actors.domain.events.portfolio import AccountCharged, AccountUpdated, PositionChanged, TradeClosed
from actors.domain.events.risk import OrderIntentApproved
from actors.domain.model.money import to_decimal
from actors.domain.portfolio.ledger import BORROW, FUNDING, LIQUIDATION, Ledger
from actors.domain.portfolio.position import RoundTrip
from actors.domain.processor import Agent, AgentContext, Step
from actors.domain.risk.exits import exit_reason

_SAID: Final = {"exit": "signal", "reduce": "signal"}
"""What a reader is told of an intent's reason, where it has a plainer name."""

# a stop, a target, an addition and a partial exit may be asked for at the same close
_INTENTS = 4


class LedgerAgent(Agent):
    """Books every fill and charge, marks at each close, reports the account in every step.

    Parameters
    ----------
    ctx : AgentContext
    initial_cash : str, int, float or Decimal
    quote : str or None
        Currency of the account; None takes the quote of the first pair.

    Notes
    -----
    If approved intents reach it (a step later, from the risk coordinator), a closed trade names the reason of
    the intent that ended it (``signal`` where the wish went flat), or the protective exit (``stop``, ``target``,
    ``trailing``, ``time``); else its `exit_reason` is ``order``. The books are checked after each step with
    fills or charges and an imbalance stops the agent.
    """

    consumes: ClassVar[tuple[type[Event], ...]] = (
        OrderFilled, AccountCharged, BarClosed, OrderIntentApproved, BarOverdue,
    )  # fmt: skip
    can_take_back: ClassVar[bool] = True
    STATE: ClassVar[tuple[str, ...]] = ("ledger", "_reasons")

    def __init__(
        self, ctx: AgentContext, *, initial_cash: str | int | float = "10000", quote: str | None = None
    ) -> None:
        super().__init__(ctx)
        currency = quote or next(iter(ctx.instruments.values())).quote
        self.ledger = Ledger(ctx.instruments, to_decimal(initial_cash), currency)
        self._positions = tuple((pair, self.ledger.position(pair)) for pair in ctx.pairs)
        # the last intents of each pair: a fill belongs to one of them
        self._reasons: dict[str, list[list[str]]] = {}

    def process(self, step: Step) -> Sequence[Event]:
        """Book, mark, report."""
        out: list[Event] = []
        ledger = self.ledger
        booked = False
        for event in step.inbox:
            # the intent was approved in the step before, though its fill comes first by priority
            if type(event) is OrderIntentApproved:
                known = self._reasons.setdefault(event.instrument_id or "", [])
                known.append([event.intent_id, event.reason])
                del known[:-_INTENTS]
        for event in step.inbox:
            kind = type(event)
            if kind is BarClosed:
                ledger.mark(event.instrument_id, event.close)  # type: ignore[arg-type,attr-defined]
            elif kind is OrderFilled:
                booked = self._book(event, step, out) or booked  # type: ignore[arg-type]
            elif kind is AccountCharged:
                booked = ledger.charge(event) or booked  # type: ignore[arg-type]
        if booked:
            ledger.check()
        out.append(self._account(step.ts_event_ns))
        return out

    def _book(self, fill: OrderFilled, step: Step, out: list[Event]) -> bool:
        trips = self.ledger.apply(fill, step.number)
        if trips is None:
            return False
        pair = fill.instrument_id or ""
        position = self.ledger.position(pair)
        out.append(
            PositionChanged(
                ts_event_ns=step.ts_event_ns,
                source=self.name,
                instrument_id=pair,
                correlation_id=fill.intent_id,
                causation_id=fill.fill_id,
                quantity=position.quantity,
                average_price=position.average_price,
                realised_pnl_quote=position.realised,
            )
        )
        out.extend(self._trade(trip, fill, step.ts_event_ns) for trip in trips)
        return True

    def _trade(self, trip: RoundTrip, fill: OrderFilled, ts_event_ns: int) -> TradeClosed:
        pair = fill.instrument_id or ""
        reasons = [r for intent, r in self._reasons.get(pair, ()) if intent == fill.intent_id]
        return TradeClosed(
            ts_event_ns=ts_event_ns,
            source=self.name,
            instrument_id=pair,
            correlation_id=fill.intent_id,
            causation_id=fill.fill_id,
            side=trip.side,
            opened_ns=trip.opened_ns,
            closed_ns=trip.closed_ns,
            quantity=trip.quantity,
            entry_price=trip.entry_price,
            exit_price=trip.exit_price,
            fees_quote=trip.fees_quote,
            slippage_quote=trip.slippage_quote,
            pnl_quote=trip.pnl_quote,
            return_frac=trip.return_frac,
            duration_bars=trip.closed_step - trip.opened_step,
            exit_reason=_SAID.get(reasons[-1], reasons[-1]) if reasons else _own_reason(fill.intent_id),
            carry_quote=trip.carry_quote,
        )

    def _account(self, ts_event_ns: int) -> AccountUpdated:
        ledger = self.ledger
        equity, drawdown = ledger.close_step()
        total: float | None = (
            None  # a Decimal becomes a float by way of its text: only where something is held
        )
        positions: list[Decimal] = []
        exposures: list[float] = []
        for pair, position in self._positions:
            quantity = position.quantity
            positions.append(quantity)
            if quantity:
                if total is None:
                    total = float(equity)
                value = float(quantity) * float(ledger.mark_of(pair) or 0.0)
                exposures.append(value / total if total > 0.0 else math.nan)
            else:
                exposures.append(0.0)
        return AccountUpdated(
            ts_event_ns=ts_event_ns,
            source=self.name,
            equity=equity,
            cash=ledger.cash,
            positions=tuple(positions),
            exposures_frac=tuple(exposures),
            drawdown_frac=drawdown,
            fees_quote=ledger.fees_quote,
            slippage_quote=ledger.slippage_quote,
            realised_pnl_quote=ledger.realised,
            funding_quote=ledger.charged_quote[FUNDING],
            borrow_quote=ledger.charged_quote[BORROW],
            liquidation_quote=ledger.charged_quote[LIQUIDATION],
        )


def _own_reason(intent_id: str) -> str:
    """Reason of a fill that no approved intent asked for: a protective exit, the venue's own, or from elsewhere."""
    return exit_reason(intent_id) or (
        intent_id.removeprefix("venue:") if intent_id.startswith("venue:") else "order"
    )
