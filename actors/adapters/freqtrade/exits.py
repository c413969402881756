"""How a trade ends: stop and target that rest at the venue, signals and callbacks that leave at the next open."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from actors.adapters.freqtrade import levels
from actors.adapters.freqtrade.desk import Desk, way_out
from actors.adapters.freqtrade.orders import ADD, ENTRY, EXIT, REDUCE, RESTING, ROI, STOP, Position
from actors.adapters.freqtrade.trade import Trade
from actors.domain.events.market import BarClosed
from actors.domain.model.instrument import Instrument

MAX_REASON = 64


def on_tick(instrument: Instrument, price: float, side: int) -> Decimal:
    """Return a price on the tick, at least one; what only the last digits of a float put beyond a tick is that tick.

    Examples
    --------
    >>> on_tick(Instrument(pair="BTC/USDT"), 52698.0 * 0.9, -1)  # 47428.200000000004
    Decimal('47428.2')
    """
    return max(instrument.price(float(f"{price:.12g}"), side), instrument.tick)


class Exits(Desk):
    """The part of the manager that follows an open trade, bar by bar."""

    def _manage(self, position: Position, trade: Trade, bar: BarClosed) -> None:
        best = bar.high if trade.sign > 0 else bar.low
        wanted = None
        if self.strategy.use_custom_stoploss:
            wanted = lambda: self._custom_stop(trade, bar)  # noqa: E731 - asked inside the arithmetic only
        trade.stop_loss, trade.exit_reason = levels.raised_stop(self.strategy, trade, best, bar.close, wanted)
        trade.max_rate, trade.min_rate = max(trade.max_rate, bar.high), min(trade.min_rate, bar.low)
        if position.of_role(EXIT, ENTRY, ADD, REDUCE) or self._triggered(position):
            return
        if self.strategy.position_adjustment_enable and not position.exiting:
            left = self._adjust(position, trade, bar)
            if left is not None:
                # stop and target shrink before a part is sold: what they hold could not be
                self._rest(position, trade, bar, left)
                return
        if not position.exiting:
            position.exiting = self._wants_out(trade, bar) or ""
        if position.exiting:
            self.cancel(position, "EXIT", *RESTING)
            self._leave(position, bar, position.held, EXIT, position.exiting)
            return
        self._rest(position, trade, bar, position.held)

    def _adjust(self, position: Position, trade: Trade, bar: BarClosed) -> Decimal | None:
        """Change the size if the strategy wishes so; return what stop and target then cover, None if nothing does."""
        raise NotImplementedError

    def _triggered(self, position: Position) -> bool:
        """A stop that has been done in part goes on at the market until it is done."""
        return any(o.filled and o.role not in (ROI, ENTRY) for o in position.working.values())

    def _leave(self, position: Position, bar: BarClosed, quantity: Decimal, role: str, reason: str) -> None:
        signed = -position.sign * quantity
        intent = self.intent(position, signed, bar.close, reason)
        # an exit and the orders that are being canceled are one list: whichever comes first ends the others
        group = position.way_out if role == EXIT else None
        self.submit(
            position,
            intent,
            role,
            way_out(position),
            "market",
            quantity,
            order_list_id=group,
            reduce_only=True,
        )

    # -- what the strategy wants -----------------------------------------------------------------------------

    def _wants_out(self, trade: Trade, bar: BarClosed) -> str | None:
        s, profit = self.strategy, trade.calc_profit_ratio(bar.close)
        why: str | None = None
        signals = self._signals[trade.pair]
        enter, leave = signals.enter[trade.side], signals.leave[trade.side]
        if s.use_exit_signal and (not s.exit_profit_only or profit > s.exit_profit_offset):
            if bar.open_ns in leave and bar.open_ns not in enter:
                why = leave[bar.open_ns] or "exit_signal"
            elif self.asks("custom_exit"):
                why = self._custom_exit(trade, bar, profit)
        if why is None and not self._roi_waits(trade, bar):
            roi = self._roi(trade)
            why = "roi" if roi is not None and roi <= -1.0 else None
        if why is not None and not self._confirmed(trade, why, bar.close, "market"):
            return None
        return why

    def _custom_exit(self, trade: Trade, bar: BarClosed, profit: float) -> str | None:
        said = self.ask(
            "custom_exit", trade.pair, pair=trade.pair, trade=trade, current_rate=bar.close,
            current_profit=profit,
        )  # fmt: skip
        if isinstance(said, str) and said:
            return said[:MAX_REASON]
        return "custom_exit" if said else None

    def _custom_stop(self, trade: Trade, bar: BarClosed) -> Any:
        said = self.ask(
            "custom_stoploss", trade.pair, pair=trade.pair, trade=trade, current_rate=bar.close,
            current_profit=trade.calc_profit_ratio(bar.close), after_fill=False,
        )  # fmt: skip
        if said is None:
            return None
        try:
            return float(said)
        except (TypeError, ValueError):
            raise self.expect("custom_stoploss", trade.pair, "a number or None", said) from None

    def _confirmed(self, trade: Trade, why: str, rate: float, order_type: str) -> bool:
        if not self.asks("confirm_trade_exit"):
            return True
        return bool(
            self.ask(
                "confirm_trade_exit", trade.pair, pair=trade.pair, trade=trade, order_type=order_type,
                amount=trade.amount, rate=rate, time_in_force="GTC", exit_reason=why, sell_reason=why,
            )
        )  # fmt: skip

    # -- the table of returns --------------------------------------------------------------------------------

    def _roi_waits(self, trade: Trade, bar: BarClosed) -> bool:
        entering = bar.open_ns in self._signals[trade.pair].enter[trade.side]
        return self.strategy.ignore_roi_if_entry_signal and entering

    def _roi(self, trade: Trade) -> float | None:
        """Return the profit at which the trade is left in the next bar, None if at none."""
        minutes = (self._now - trade.opened_ns) / levels.MINUTE_NS
        table = levels.roi_at(self.strategy, minutes)
        if not self.asks("custom_roi"):
            return table
        own = self.ask(
            "custom_roi", trade.pair, pair=trade.pair, trade=trade, trade_duration=int(minutes),
            entry_tag=trade.enter_tag, side=trade.side,
        )  # fmt: skip
        if own is None or not math.isfinite(own):
            return table
        return float(own) if table is None else min(table, float(own))

    # -- what rests at the venue -----------------------------------------------------------------------------

    def _rest(self, position: Position, trade: Trade, bar: BarClosed, quantity: Decimal) -> None:
        """Let stop and target of the next bar rest at the venue; unchanged ones stay where they are in the queue."""
        instrument, side = self.instruments[position.pair], way_out(position)
        lots = instrument.quantity(quantity)
        wanted: dict[str, tuple[Decimal, Decimal]] = {}
        if self._confirmed(trade, trade.exit_reason, trade.stop_loss, "stop"):
            wanted[STOP] = (on_tick(instrument, trade.stop_loss, side), lots)
        roi = None if self._roi_waits(trade, bar) else self._roi(trade)
        if roi is not None:
            target = on_tick(instrument, trade.rate_of_profit(roi), side)
            if self._confirmed(trade, "roi", float(target), "limit"):
                wanted[ROI] = (target, lots)
        resting: dict[str, tuple[Decimal | None, Decimal]] = {}
        for cid in position.of_role(*RESTING):
            order = position.working[cid]
            resting[order.role] = (order.price, order.quantity)
        if resting == wanted:
            return
        self.cancel(position, "REPRICED", *RESTING)
        for role, (price, size) in wanted.items():
            reason = trade.exit_reason if role == STOP else "roi"
            intent = self.intent(position, -position.sign * size, bar.close, reason)
            kind, key = ("stop", "stop_price") if role == STOP else ("limit", "limit_price")
            self.submit(
                position, intent, role, side, kind, size, price=price, order_list_id=position.way_out,
                reduce_only=True, **{key: price},
            )  # fmt: skip
