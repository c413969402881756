"""Breakouts with everything decided in callbacks: stop, exit by age, stake, confirmation."""

from datetime import datetime

import talib.abstract as ta
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy, stoploss_from_open


class CallbackBreakout(IStrategy):
    timeframe = "1h"
    stoploss = -0.10
    use_custom_stoploss = True
    exit_profit_only = False
    startup_candle_count = 50
    protections = [
        {"method": "MaxDrawdown", "lookback_period_candles": 240, "trade_limit": 4, "stop_duration_candles": 48,
         "max_allowed_drawdown": 0.08},
        {"method": "LowProfitPairs", "lookback_period_candles": 240, "trade_limit": 3, "stop_duration_candles": 24,
         "required_profit": -0.02},
    ]  # fmt: skip

    def bot_start(self, **kwargs):
        self.asked = 0

    def populate_indicators(self, dataframe, metadata):
        dataframe["top"] = dataframe["high"].rolling(48).max().shift(1)
        dataframe["adx"] = ta.ADX(dataframe)
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[(dataframe["close"] > dataframe["top"]) & (dataframe["adx"] > 20), "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_stoploss(
        self,
        pair: str,
        trade: Trade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs,
    ):
        if current_profit > 0.03:
            return stoploss_from_open(0.005, current_profit)
        return -0.10

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        if (current_time - trade.open_date_utc).total_seconds() > 96 * 3600:
            return "too_old"
        return None

    def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, **kwargs):
        return proposed_stake / 2

    def confirm_trade_entry(
        self, pair, order_type, amount, rate, time_in_force, current_time, entry_tag, side, **kwargs
    ):
        self.asked += 1
        return current_time.weekday() < 5
