"""Turns a strategy's signal columns and callbacks into orders, bar by bar; holds at most one trade per pair."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from actors.adapters.freqtrade import levels, protections
from actors.adapters.freqtrade.desk import Limits, Signals, way_out
from actors.adapters.freqtrade.entries import Adjustments
from actors.adapters.freqtrade.orders import (
    ADD,
    ENTRY,
    EXIT,
    REDUCE,
    RESTING,
    ROI,
    STOP,
    Position,
    Working,
)
from actors.adapters.freqtrade.trade import Order, Trade
from actors.domain.errors import ExecutionError, StrategyError
from actors.domain.events.base import Event
from actors.domain.events.execution import OrderCanceled, OrderExpired, OrderFilled, OrderRejected
from actors.domain.events.market import BarClosed
from actors.domain.execution.bracket import anchored_price
from actors.domain.model.instrument import BUY
from actors.domain.model.money import to_decimal
from actors.domain.state import Opaque

__all__ = ["Limits", "Manager", "Signals"]
_TEMPORARY = ("MIN_NOTIONAL", "INSUFFICIENT_BALANCE", "REDUCE_ONLY_NO_POSITION")
"""Refusals of an exit order that may be over at the next bar, which tries again."""
_GIVEN = ("config", "dp", "locks", "wallets")
"""What a strategy has from us; all else in it is its own."""


class Manager(Adjustments):
    """The state machine between signals and orders; parameters of `Desk`."""

    # -- one bar ---------------------------------------------------------------------------------------------

    def step(
        self,
        ts_event_ns: int,
        bars: Mapping[str, BarClosed],
        reports: Sequence[Event],
        cash: Decimal,
        equity: Decimal,
        *,
        warmup: bool = False,
    ) -> list[Event]:
        """Take what the venue did in this bar and return the orders for the next.

        Parameters
        ----------
        ts_event_ns : int
            Close of the bars.
        bars : mapping pair → BarClosed
        reports : sequence of Event
            The venue's, of this step.
        cash, equity : Decimal
            Free quote currency and the account's worth at these closes.
        warmup : bool
            Nothing is opened.
        """
        self._out, self._now = [], ts_event_ns
        self._equity = equity
        self.locks.now_ns = ts_event_ns
        filled = [one for event in reports if (one := self._take(event)) is not None]
        self._cash = self._free_cash(cash)
        self._show(ts_event_ns)
        if self.asks("bot_loop_start") and not warmup:
            self.ask("bot_loop_start", ", ".join(bars))
        if self.asks("order_filled"):
            self._tell(filled)
        for pair, position in self.positions.items():
            bar = bars.get(pair)
            if bar is not None and position.trade is not None:
                self._manage(position, position.trade, bar)
        for pair, position in self.positions.items():
            bar = bars.get(pair)
            if bar is not None and not warmup and position.trade is None and not position.working:
                self._maybe_enter(position, bar)
        return self._out

    def _free_cash(self, cash: Decimal) -> Decimal:
        """Return what new stakes may take: cash, or on a leveraged account the equity that no trade's stake uses."""
        if self.limits.leverage is None:
            return cash
        stakes = sum((p.trade.stake_amount for p in self.positions.values() if p.trade is not None), 0.0)
        return max(self._equity - to_decimal(stakes), Decimal(0))

    def _show(self, ts_ns: int) -> None:
        """Let the strategy see bars up to now and the account as it is."""
        if self.strategy.dp is not None:
            self.strategy.dp.limit(ts_ns)
        if self.strategy.wallets is not None:
            held = {p.pair.partition("/")[0]: float(p.held) for p in self.positions.values()}
            self.strategy.wallets.update(float(self._cash), float(self._equity), held)

    def _tell(self, filled: Sequence[tuple[Position, Trade, Order]]) -> None:
        for position, trade, order in filled:
            self.ask("order_filled", position.pair, pair=position.pair, trade=trade, order=order)

    # -- the venue's reports ---------------------------------------------------------------------------------

    def _take(self, event: Event) -> tuple[Position, Trade, Order] | None:
        """Follow a report; return what was filled if an order has come to its end by it."""
        position = self.positions.get(event.instrument_id or "")
        if position is None:
            return None
        cid = getattr(event, "client_order_id", "")
        order = position.working.get(cid)
        if order is None:
            if isinstance(event, OrderFilled) and event.intent_id.startswith("venue:"):
                self._ended_by_venue(position, event)
            return None
        if isinstance(event, OrderFilled):
            if event.leaves_quantity == 0:
                del position.working[cid]
            return self._filled(position, order, event)
        if isinstance(event, OrderCanceled | OrderExpired):
            del position.working[cid]
        elif isinstance(event, OrderRejected):
            del position.working[cid]
            self._rejected(position, order, event)
        return None

    def _filled(
        self, position: Position, order: Working, fill: OrderFilled
    ) -> tuple[Position, Trade, Order] | None:
        order.filled = True
        if order.role in (ENTRY, ADD):
            trade = self._enlarged(position, order, fill)
        elif position.trade is None:
            return None
        else:
            trade = self._reduced(position, position.trade, order, fill)
        noted = next(o for o in trade.orders if o.order_id == fill.client_order_id)
        return (position, trade, noted) if fill.leaves_quantity == 0 else None

    def _note(self, trade: Trade, fill: OrderFilled, tag: str | None) -> None:
        """Add a fill to the trade's list of orders."""
        known = [o for o in trade.orders if o.order_id == fill.client_order_id]
        side = "buy" if fill.side == BUY else "sell"
        order = known[0] if known else Order(fill.client_order_id, side, ft_order_tag=tag)
        if not known:
            trade.orders.append(order)
        total = order.filled + float(fill.quantity)
        order.average = (order.cost + float(fill.quantity * fill.price)) / total
        order.filled, order.filled_ns = total, fill.ts_fill_ns

    def _enlarged(self, position: Position, order: Working, fill: OrderFilled) -> Trade:
        base = self.instruments[position.pair].base
        got = fill.quantity - (fill.fee if fill.fee_currency == base and fill.side == BUY else Decimal(0))
        price, trade = float(fill.price), position.trade
        if trade is None:
            # filled inside the bar that has just closed; its open is where the wait for the target begins
            opened = self._now - self._bar_ns
            trade = Trade(
                position.pair, opened, price, 0.0, self.limits.fee_frac, position.tag, position.side,
                position.leverage,
            )  # fmt: skip
            position.trade = trade
        before = float(position.held)
        position.held += got
        if order.role == ENTRY:
            self._price_children(position, fill)
        trade.open_rate = (before * trade.open_rate + float(got) * price) / float(position.held)
        trade.amount = float(position.held)
        trade.stake_amount = trade.amount * trade.open_rate / trade.leverage
        first = levels.beyond(trade, trade.open_rate, abs(self.strategy.stoploss))
        if order.role == ENTRY:
            trade.stop_loss = trade.initial_stop_loss = first
        elif (first - trade.stop_loss) * trade.sign > 0:
            # an addition at a better price never loosens the stop
            trade.stop_loss = first
        self._note(trade, fill, position.tag if order.role == ENTRY else None)
        return trade

    def _price_children(self, position: Position, fill: OrderFilled) -> None:
        """Follow the venue: stop and target of the entry have their price and size from its fills."""
        position.bought += fill.quantity
        position.cost += fill.quantity * fill.price
        average, side = position.cost / position.bought, way_out(position)
        for order in position.working.values():
            if order.offset is not None:
                order.quantity = position.bought
                order.price = anchored_price(
                    self.instruments[position.pair], side, average, order.offset, "percent"
                )

    def _reduced(self, position: Position, trade: Trade, order: Working, fill: OrderFilled) -> Trade:
        position.held -= fill.quantity
        trade.amount = float(position.held)
        trade.stake_amount = trade.amount * trade.open_rate / trade.leverage
        trade.exit_quantity += float(fill.quantity)
        trade.exit_value += float(fill.quantity * fill.price)
        reasons = {
            ROI: "roi",
            STOP: trade.exit_reason or "stop_loss",
            EXIT: position.exiting,
        }
        position.exit_reason = reasons.get(order.role, position.exit_reason)
        self._note(trade, fill, reasons.get(order.role))
        if self.instruments[position.pair].quantity(position.held) == 0:
            self._closed(position, trade)
        return trade

    def _ended_by_venue(self, position: Position, fill: OrderFilled) -> None:
        """The pair's bars have ended and the venue has closed the trade."""
        trade = position.trade
        if trade is not None:
            trade.exit_quantity += float(fill.quantity)
            trade.exit_value += float(fill.quantity * fill.price)
            position.exit_reason = fill.intent_id.removeprefix("venue:")
            self._closed(position, trade)

    def _closed(self, position: Position, trade: Trade) -> None:
        profit = trade.calc_profit_ratio(trade.exit_value / trade.exit_quantity)
        trade.is_open = False
        self.cancel(position, "TRADE_CLOSED", *RESTING, REDUCE, EXIT)
        self.locks.closed(
            protections.ClosedTrade(position.pair, self._now, profit, position.exit_reason, trade.side)
        )
        position.trade = None
        position.held = position.bought = position.cost = Decimal(0)
        position.exiting = position.exit_reason = ""

    def _rejected(self, position: Position, order: Working, event: OrderRejected) -> None:
        if order.role in (ENTRY, ADD) or position.trade is None or order.leaving or event.code in _TEMPORARY:
            return
        raise ExecutionError(
            "EXIT_REJECTED",
            f"{position.pair}: expected the venue to take the {order.role} order of the open trade, found "
            f"{event.code}: {event.message}",
        )

    # -- snapshots -------------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return positions, locks, and what the strategy keeps in itself; legal only inside a signed snapshot."""
        own = {k: v for k, v in vars(self.strategy).items() if k not in _GIVEN}
        for name, value in own.items():
            try:
                pickle.dumps(value)
            except Exception as e:
                raise StrategyError(
                    "STRATEGY_STATE",
                    f"{type(self.strategy).__name__}.{name}: expected something that can be kept in a snapshot "
                    f"(pickled), found {type(value).__name__}: {e}",
                ) from e
        return {
            "positions": [_frozen(p) for p in self.positions.values()],
            "locks": self.locks.state(),
            "strategy": Opaque(own),
        }

    def load_state(self, tree: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        for frozen in tree["positions"]:
            self.positions[frozen["pair"]] = _thawed(frozen)
        self.locks.load_state(tree["locks"])
        vars(self.strategy).update(tree["strategy"].value)


def _frozen(position: Position) -> dict[str, Any]:
    out: dict[str, Any] = {n: getattr(position, n) for n in position.__struct_fields__}
    out["trade"] = None if position.trade is None else Opaque(position.trade)
    out["working"] = {c: [getattr(o, n) for n in o.__struct_fields__] for c, o in position.working.items()}
    return out


def _thawed(frozen: Mapping[str, Any]) -> Position:
    out = Position(**{k: v for k, v in frozen.items() if k not in ("trade", "working")})
    out.working = {c: Working(*o) for c, o in frozen["working"].items()}
    out.trade = None if frozen["trade"] is None else frozen["trade"].value
    return out
