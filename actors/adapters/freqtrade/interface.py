"""The base class that strategy files of this style derive from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import pandas as pd

Frame = pd.DataFrame


class IStrategy:
    """What a strategy may say; every member here is honoured by `Manager`.

    Subclasses write the three ``populate_…`` methods. A frame has one row per closed bar with the columns
    ``date open high low close volume`` (``date``: opening time, UTC).
    """

    INTERFACE_VERSION: int = 3
    timeframe: str | None = None
    minimal_roi: ClassVar[dict[Any, float]] = {}
    stoploss: float = -0.99
    trailing_stop: bool = False
    trailing_stop_positive: float | None = None
    trailing_stop_positive_offset: float = 0.0
    trailing_only_offset_is_reached: bool = False
    use_custom_stoploss: bool = False
    startup_candle_count: int = 0
    use_exit_signal: bool = True
    exit_profit_only: bool = False
    exit_profit_offset: float = 0.0
    ignore_roi_if_entry_signal: bool = False
    process_only_new_candles: bool = True
    can_short: bool = False
    position_adjustment_enable: bool = False
    max_entry_position_adjustment: int = -1
    protections: list[dict[str, Any]] = []  # noqa: RUF012 - files of this style assign plain lists
    dp: Any = None
    wallets: Any = None
    locks: Any = None
    config: dict[str, Any]

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        self.config = dict(config or {})

    def populate_indicators(self, dataframe: Frame, metadata: dict[str, Any]) -> Frame:
        """Return the frame with the strategy's indicators."""
        return dataframe

    def populate_entry_trend(self, dataframe: Frame, metadata: dict[str, Any]) -> Frame:
        """Return the frame with ``enter_long`` (``enter_short``) set to 1 where a trade shall be opened."""
        return dataframe

    def populate_exit_trend(self, dataframe: Frame, metadata: dict[str, Any]) -> Frame:
        """Return the frame with ``exit_long`` (``exit_short``) set to 1 where it shall be left."""
        return dataframe

    def informative_pairs(self) -> list[tuple[str, ...]]:
        """Return further ``(pair, timeframe)``; they must be made of bars that the run has."""
        return []

    def version(self) -> str | None:
        """Return a text that names the version."""
        return None

    def bot_start(self, **kwargs: Any) -> None:
        """Called once, before the first bar."""

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Called at the close of every bar, before anything else."""

    def order_filled(self, pair: str, trade: Any, order: Any, current_time: datetime, **kwargs: Any) -> None:
        """Called at the close of a bar in which an order of a trade was filled."""

    def custom_stoploss(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> float | None:
        """Return the distance of the stop from `current_rate` as a fraction; None or 0 leave it where it is."""
        return self.stoploss

    def custom_exit(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | bool | None:
        """Return a reason (or True) to leave the trade at the next open."""
        return None

    def custom_roi(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        trade_duration: int,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float | None:
        """Return a target besides that of `minimal_roi`; the lower one of both holds."""
        return None

    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float | None:
        """Return the stake of the trade to be opened, in quote currency; 0 or None open nothing."""
        return proposed_stake

    def leverage(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_leverage: float,
        max_leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Return position over stake of the trade to be opened, on an account that has leverage."""
        return 1.0

    def adjust_trade_position(
        self,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        min_stake: float | None,
        max_stake: float,
        current_entry_rate: float,
        current_exit_rate: float,
        current_entry_profit: float,
        current_exit_profit: float,
        **kwargs: Any,
    ) -> Any:
        """Return a stake to add (positive) or to take out (negative), alone or with a tag; None changes nothing."""
        return None

    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Return False to let the entry go."""
        return True

    def confirm_trade_exit(
        self,
        pair: str,
        trade: Any,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        exit_reason: str,
        current_time: datetime,
        **kwargs: Any,
    ) -> bool:
        """Return False to stay: asked before an exit at the next open, and before a stop or target may rest."""
        return True

    def lock_pair(self, pair: str, until: datetime, reason: str | None = None, side: str = "*") -> None:
        """Open no trade of a pair until a time."""
        if self.locks is not None:
            self.locks.lock(pair, int(until.timestamp() * 1e9), reason or "strategy", side)

    def unlock_pair(self, pair: str) -> None:
        """Lift all locks of a pair."""
        if self.locks is not None:
            self.locks.unlock(pair)

    def is_pair_locked(self, pair: str, *, candle_date: datetime | None = None, side: str = "*") -> bool:
        """Tell whether a pair is locked now (or at the time given)."""
        if self.locks is None:
            return False
        at = None if candle_date is None else int(candle_date.timestamp() * 1e9)
        return self.locks.locked(pair, at, side) is not None
