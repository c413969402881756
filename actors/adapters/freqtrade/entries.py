"""How a trade begins and changes its size: signals, locks, stakes, confirmation, position adjustment."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from actors.adapters.freqtrade import levels
from actors.adapters.freqtrade.desk import Desk, way_in, way_out
from actors.adapters.freqtrade.exits import Exits
from actors.adapters.freqtrade.orders import ADD, ENTRY, REDUCE, ROI, STOP, Position
from actors.adapters.freqtrade.trade import LONG, SHORT, Trade
from actors.domain.events.market import BarClosed
from actors.domain.model.money import to_decimal


class Entries(Desk):
    """The part of the manager that opens trades."""

    def _maybe_enter(self, position: Position, bar: BarClosed) -> None:
        """Order an entry if all agree."""
        side = self._signal(position.pair, bar.open_ns)
        if side is None or not self._free(position, side):
            return
        tag = self._signals[position.pair].enter[side][bar.open_ns]
        leverage = self._leverage(position.pair, bar, tag, side)
        stake = self._stake(position, bar, tag, side, leverage)
        quantity = self._lots(position, stake, bar.close, leverage)
        worth, least = quantity * to_decimal(bar.close), self.instruments[position.pair].min_notional
        if quantity <= 0 or worth < least:
            self.deny(position, "MIN_NOTIONAL", "stake", float(least), float(worth))
            return
        if self.asks("confirm_trade_entry") and not self.ask(
            "confirm_trade_entry", position.pair, pair=position.pair, order_type="market",
            amount=float(quantity), rate=bar.close, time_in_force="IOC", entry_tag=tag, side=side,
        ):  # fmt: skip
            self.deny(position, "NOT_CONFIRMED", "confirm_trade_entry", 1, 0)
            return
        position.side, position.tag, position.exiting, position.leverage = side, tag, "", leverage
        position.trades += 1
        self._cash -= worth / to_decimal(leverage)
        self._enter(position, bar, quantity, tag or f"enter_{side}")

    def _free(self, position: Position, side: str) -> bool:
        """Tell whether a trade may be opened: a place is free and no lock holds."""
        busy = sum(p.trade is not None or bool(p.of_role(ENTRY)) for p in self.positions.values())
        most = self.limits.max_open_trades
        if busy >= most:
            self.deny(position, "MAX_OPEN_TRADES", "max_open_trades", most, busy)
            return False
        lock = self.locks.locked(position.pair, self._now, side)
        if lock is not None:
            self.deny(position, "PROTECTION_LOCK", lock, 0, 1)
        return lock is None

    def _enter(self, position: Position, bar: BarClosed, quantity: Decimal, reason: str) -> None:
        intent = self.intent(position, position.sign * quantity, bar.close, reason)
        cid = self.submit(position, intent, ENTRY, way_in(position), "market", quantity, time_in_force="IOC")
        # stop and target are relative to the price of the fill, which nobody knows yet
        distance = abs(self.strategy.stoploss) / position.leverage
        if distance < 1.0:
            self._child(position, bar, quantity, cid, STOP, -position.sign * distance)
        roi = levels.roi_at(self.strategy, 0.0)
        asked = self.strategy.ignore_roi_if_entry_signal or self.asks("confirm_trade_exit")
        if roi is not None and roi > -1.0 and not asked:
            opened = Trade(
                position.pair, 0, 1.0, 1.0, self.limits.fee_frac, None, position.side, position.leverage
            )
            self._child(position, bar, quantity, cid, ROI, opened.rate_of_profit(roi) - 1.0)

    def _child(
        self, position: Position, bar: BarClosed, quantity: Decimal, parent: str, role: str, offset: float
    ) -> None:
        """Lay a stop or a target of the entry's own bar, at a distance from the price of its fill."""
        reason, kind = (levels.STOP_LOSS, "stop") if role == STOP else ("roi", "limit")
        intent = self.intent(position, -position.sign * quantity, bar.close, reason)
        cid = self.submit(
            position, intent, role, way_out(position), kind, quantity, parent_id=parent,
            order_list_id=position.way_out, parent_offset=to_decimal(offset), parent_offset_kind="percent",
            reduce_only=True,
        )  # fmt: skip
        position.working[cid].offset = to_decimal(offset)

    def _signal(self, pair: str, open_ns: int) -> str | None:
        """Return the side of which a bar says enter, None if none, both, or if it says leave as well."""
        signals = self._signals[pair]
        if open_ns < signals.first_ns:
            return None
        sides = [s for s in (LONG, SHORT) if open_ns in signals.enter[s]]
        if len(sides) != 1 or open_ns in signals.leave[sides[0]]:
            return None
        return sides[0]

    def _leverage(self, pair: str, bar: BarClosed, tag: str | None, side: str) -> float:
        """Return position over stake: what the strategy says, from 1 to what the account allows."""
        most = self.limits.leverage
        if most is None or not self.asks("leverage"):
            return 1.0
        said = self.ask(
            "leverage", pair, pair=pair, current_rate=bar.close, proposed_leverage=1.0, max_leverage=most,
            entry_tag=tag, side=side,
        )  # fmt: skip
        return min(max(float(self._amount("leverage", pair, said)), 1.0), most)

    def _stake(
        self, position: Position, bar: BarClosed, tag: str | None, side: str, leverage: float
    ) -> Decimal:
        usable = to_decimal(self.limits.balance_frac)
        most = max(self._cash * usable, Decimal(0))
        share = self.limits.stake
        if share is None:
            share = self._equity * usable / self.limits.max_open_trades
        proposed = min(share, most)
        if not self.asks("custom_stake_amount"):
            return proposed
        asked = self.ask(
            "custom_stake_amount", position.pair, pair=position.pair, current_rate=bar.close,
            proposed_stake=float(proposed), min_stake=float(self.instruments[position.pair].min_notional),
            max_stake=float(most), leverage=leverage, entry_tag=tag, side=side,
        )  # fmt: skip
        if asked is None:
            return Decimal(0)
        return min(self._amount("custom_stake_amount", position.pair, asked), most)

    def _amount(self, callback: str, pair: str, said: Any) -> Decimal:
        try:
            value = float(said)
        except (TypeError, ValueError):
            raise self.expect(callback, pair, "a stake in quote currency or None", said) from None
        if not math.isfinite(value):
            raise self.expect(callback, pair, "a finite stake", said)
        return to_decimal(value)

    def _lots(self, position: Position, stake: Decimal, rate: float, leverage: float) -> Decimal:
        """Return the base quantity of a stake: never more than the free cash carries, the fee included."""
        price, times = to_decimal(rate), to_decimal(leverage)
        affordable = self._cash * times / (price * (1 + to_decimal(self.limits.fee_frac) * times))
        wanted = min(stake * times / price, affordable)
        return self.instruments[position.pair].quantity(max(wanted, Decimal(0)))


class Adjustments(Entries, Exits):
    """The part of the manager that adds to a trade, or takes some of it out."""

    def _adjust(self, position: Position, trade: Trade, bar: BarClosed) -> Decimal | None:
        least = self.instruments[position.pair].min_notional
        most = max(self._cash * to_decimal(self.limits.balance_frac), Decimal(0))
        profit = trade.calc_profit_ratio(bar.close)
        said = self.ask(
            "adjust_trade_position", trade.pair, trade=trade, current_rate=bar.close, current_profit=profit,
            min_stake=float(least), max_stake=float(most), current_entry_rate=bar.close,
            current_exit_rate=bar.close, current_entry_profit=profit, current_exit_profit=profit,
        )  # fmt: skip
        said, tag = said if isinstance(said, tuple) and len(said) == 2 else (said, None)
        if said is None:
            return None
        stake = self._amount("adjust_trade_position", trade.pair, said)
        if stake > 0:
            return self._add(position, trade, bar, stake, most, tag or "add")
        return self._take_out(position, trade, bar, -stake, tag or "partial_exit") if stake < 0 else None

    def _add(
        self, position: Position, trade: Trade, bar: BarClosed, stake: Decimal, most: Decimal, reason: str
    ) -> Decimal | None:
        limit = self.strategy.max_entry_position_adjustment
        if 0 <= limit < trade.nr_of_successful_entries:
            return None
        quantity = self._lots(position, stake, bar.close, trade.leverage)
        price = to_decimal(bar.close)
        least = self.instruments[position.pair].min_notional
        if stake > most or quantity * price < least:
            broken = most if stake > most else least
            self.deny(position, "STAKE", "adjust_trade_position", float(broken), float(stake))
            return None
        self._cash -= quantity * price / to_decimal(trade.leverage)
        intent = self.intent(position, position.sign * quantity, bar.close, reason)
        self.submit(position, intent, ADD, way_in(position), "market", quantity, time_in_force="IOC")
        return position.held

    def _take_out(
        self, position: Position, trade: Trade, bar: BarClosed, stake: Decimal, reason: str
    ) -> Decimal | None:
        instrument, price = self.instruments[position.pair], to_decimal(bar.close)
        part = stake * to_decimal(trade.leverage) / to_decimal(trade.open_rate)
        quantity = instrument.quantity(min(part, position.held))
        rest = position.held - quantity
        if instrument.quantity(rest) == 0:
            position.exiting = reason
            return None
        small = min(quantity, rest) * price
        if small < instrument.min_notional:
            least = float(instrument.min_notional)
            self.deny(position, "MIN_NOTIONAL", "adjust_trade_position", least, float(small))
            return None
        self._leave(position, bar, quantity, REDUCE, reason)
        return rest
