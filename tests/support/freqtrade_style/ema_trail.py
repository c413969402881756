"""Follows a crossing of averages; a trailing stop that starts once the trade has gained enough."""

import talib.abstract as ta
from freqtrade.strategy import IntParameter, IStrategy
from freqtrade.vendor.qtpylib.indicators import crossed_above, crossed_below


class EmaTrail(IStrategy):
    timeframe = "1h"
    minimal_roi = {"0": 10.0}
    stoploss = -0.08
    trailing_stop = True
    trailing_stop_positive = 0.02
    trailing_stop_positive_offset = 0.04
    trailing_only_offset_is_reached = True
    startup_candle_count = 100
    fast = IntParameter(5, 40, default=12, space="buy")
    slow = IntParameter(20, 100, default=48, space="buy")

    @property
    def protections(self):
        return [{"method": "CooldownPeriod", "stop_duration_candles": 6}]

    def populate_indicators(self, dataframe, metadata):
        for length in (*self.fast.range, *self.slow.range):
            dataframe[f"ema_{length}"] = ta.EMA(dataframe, timeperiod=length)
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        up = crossed_above(dataframe[f"ema_{self.fast.value}"], dataframe[f"ema_{self.slow.value}"])
        dataframe.loc[up, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        down = crossed_below(dataframe[f"ema_{self.fast.value}"], dataframe[f"ema_{self.slow.value}"])
        dataframe.loc[down, "exit_long"] = 1
        return dataframe
