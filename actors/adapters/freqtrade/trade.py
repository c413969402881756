"""The open trade as callbacks see it, and the filled orders it is made of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

LONG, SHORT = "long", "short"


class Order(msgspec.Struct, gc=False):
    """A filled order of a trade: base quantity, mean price, time of its last fill.

    `ft_order_side` is ``buy`` or ``sell``.
    """

    order_id: str
    ft_order_side: str
    filled: float = 0.0
    average: float = 0.0
    filled_ns: int = 0
    ft_order_tag: str | None = None

    @property
    def cost(self) -> float:
        """Quantity times price, quote."""
        return self.filled * self.average

    @property
    def amount(self) -> float:
        """Base quantity."""
        return self.filled

    safe_filled = safe_amount = amount

    @property
    def price(self) -> float:
        """Mean price."""
        return self.average

    safe_price = price
    safe_cost = stake_amount = cost

    @property
    def order_filled_utc(self) -> datetime:
        """Time of the last fill."""
        return datetime.fromtimestamp(self.filled_ns / 1e9, tz=UTC)

    order_filled_date = order_date_utc = order_filled_utc


class Trade:
    """One position of one pair; fees are part of every profit.

    Attributes
    ----------
    leverage : float
        Position over stake.
    open_rate, stop_loss, initial_stop_loss, max_rate, min_rate : float
        Prices in quote; the highest and lowest since the entry are of closed bars; `open_rate` is the mean of
        all entries.
    amount, stake_amount : float
        Base quantity held, and the stake in it: what it cost without fee, over the leverage.
    open_date_utc : datetime
    enter_tag : str or None
    orders : list of Order
    """

    is_open = True

    def __init__(
        self, pair: str, opened_ns: int, rate: float, amount: float, fee: float, tag: str | None,
        side: str = LONG,
        leverage: float = 1.0,
    ) -> None:  # fmt: skip
        self.pair = pair
        self.opened_ns = opened_ns
        self.side = side
        self.open_rate = self.max_rate = self.min_rate = rate
        self.leverage = leverage
        self.amount, self.stake_amount = amount, amount * rate / leverage
        self.fee_open = self.fee_close = fee
        self.enter_tag = tag
        self.stop_loss = self.initial_stop_loss = 0.0
        self.exit_reason = ""
        self.exit_quantity = self.exit_value = 0.0
        self.orders: list[Order] = []
        self.custom_data: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Trade({self.pair} {self.side}, {self.amount:g} at {self.open_rate:g})"

    # -- which way ------------------------------------------------------------------------------------------

    @property
    def is_short(self) -> bool:
        """Whether it gains when the price falls."""
        return self.side == SHORT

    @property
    def sign(self) -> int:
        """+1 long, -1 short."""
        return -1 if self.is_short else 1

    @property
    def trade_direction(self) -> str:
        """``long`` or ``short``."""
        return self.side

    @property
    def entry_side(self) -> str:
        """``buy`` or ``sell``."""
        return "sell" if self.is_short else "buy"

    @property
    def exit_side(self) -> str:
        """``sell`` or ``buy``."""
        return "buy" if self.is_short else "sell"

    # -- when -----------------------------------------------------------------------------------------------

    @property
    def open_date_utc(self) -> datetime:
        """Time of the entry, UTC."""
        return datetime.fromtimestamp(self.opened_ns / 1e9, tz=UTC)

    open_date = date_entry_fill_utc = open_date_utc

    @property
    def date_last_filled_utc(self) -> datetime:
        """Time of the newest fill."""
        newest = max((o.filled_ns for o in self.orders), default=self.opened_ns)
        return datetime.fromtimestamp(newest / 1e9, tz=UTC)

    # -- how much -------------------------------------------------------------------------------------------

    @property
    def stop_loss_pct(self) -> float:
        """Distance of the stop from the entry as a fraction of the stake; negative while it is a loss."""
        return self.sign * (self.stop_loss / self.open_rate - 1.0) * self.leverage

    @property
    def initial_stop_loss_pct(self) -> float:
        """Distance of the first stop from the entry as a fraction of the stake."""
        return self.sign * (self.initial_stop_loss / self.open_rate - 1.0) * self.leverage

    def calc_profit_ratio(
        self, rate: float, amount: float | None = None, open_rate: float | None = None
    ) -> float:
        """Return the profit at `rate` as a fraction of the stake, both fees taken off.

        The stake is what the entry cost (a short: brought), over the leverage.

        Examples
        --------
        >>> round(Trade("BTC/USDT", 0, 100.0, 1.0, 0.001, None).calc_profit_ratio(110.0), 6)
        0.097802
        >>> round(Trade("BTC/USDT", 0, 100.0, 1.0, 0.001, None, SHORT).calc_profit_ratio(90.0), 6)
        0.098198
        """
        opened = self.open_rate if open_rate is None else open_rate
        if self.is_short:
            gain = 1.0 - rate * (1.0 + self.fee_close) / (opened * (1.0 - self.fee_open))
        else:
            gain = rate * (1.0 - self.fee_close) / (opened * (1.0 + self.fee_open)) - 1.0
        return gain * self.leverage

    def rate_of_profit(self, profit: float) -> float:
        """Return the price at which the profit, both fees taken off, is `profit`.

        Examples
        --------
        >>> trade = Trade("BTC/USDT", 0, 100.0, 1.0, 0.001, None)
        >>> round(trade.calc_profit_ratio(trade.rate_of_profit(0.04)), 12)
        0.04
        """
        gain = profit / self.leverage
        if self.is_short:
            return self.open_rate * (1.0 - self.fee_open) * (1.0 - gain) / (1.0 + self.fee_close)
        return self.open_rate * (1.0 + self.fee_open) * (1.0 + gain) / (1.0 - self.fee_close)

    def calc_profit(self, rate: float, amount: float | None = None, open_rate: float | None = None) -> float:
        """Return the profit at `rate` in quote currency, both fees taken off."""
        opened = self.open_rate if open_rate is None else open_rate
        worth = (self.amount if amount is None else amount) * opened
        stake = worth * (1.0 + self.sign * self.fee_open) / self.leverage
        return self.calc_profit_ratio(rate, open_rate=opened) * stake

    # -- its orders -----------------------------------------------------------------------------------------

    def select_filled_orders(self, order_side: str | None = None) -> list[Order]:
        """Return the filled orders, of one side if it is given (``buy`` or ``sell``)."""
        return [o for o in self.orders if order_side is None or o.ft_order_side == order_side]

    @property
    def nr_of_successful_entries(self) -> int:
        """Number of filled orders that opened or enlarged it."""
        return len(self.select_filled_orders(self.entry_side))

    @property
    def nr_of_successful_exits(self) -> int:
        """Number of filled orders that reduced it."""
        return len(self.select_filled_orders(self.exit_side))

    @property
    def has_open_orders(self) -> bool:
        """Always False: callbacks are not asked while an order that changes the position is at work."""
        return False

    # -- what a strategy keeps with it ----------------------------------------------------------------------

    def set_custom_data(self, key: str, value: Any) -> None:
        """Keep something with the trade."""
        self.custom_data[key] = value

    def get_custom_data(self, key: str, default: Any = None) -> Any:
        """Return what was kept with the trade."""
        return self.custom_data.get(key, default)

    @classmethod
    def get_trades_proxy(cls, **_: Any) -> Sequence[Any]:
        """Refused: past trades are not kept for callbacks."""
        raise NotImplementedError(
            "Trade.get_trades_proxy: expected a member that is supported; past trades are not kept for callbacks"
        )
