"""Buys weakness below the lower band; returns table, hard stop, guard after two stops."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy
from freqtrade.vendor.qtpylib import indicators as qtpylib


class BandReversal(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1h"
    minimal_roi = {"0": 0.05, "720": 0.025, "2880": 0.0}
    stoploss = -0.06
    startup_candle_count = 60
    protections = [
        {"method": "StoplossGuard", "lookback_period_candles": 72, "trade_limit": 2, "stop_duration_candles": 24,
         "only_per_pair": True},
        {"method": "CooldownPeriod", "stop_duration_candles": 3},
    ]  # fmt: skip

    def populate_indicators(self, dataframe, metadata):
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=14)
        bands = qtpylib.bollinger_bands(qtpylib.typical_price(dataframe), window=20, stds=2)
        dataframe["lower"], dataframe["mid"] = bands["lower"], bands["mid"]
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[
            (dataframe["rsi"] < 32) & (dataframe["close"] < dataframe["lower"]) & (dataframe["volume"] > 0),
            ["enter_long", "enter_tag"],
        ] = (1, "below_band")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[(dataframe["rsi"] > 68), ["exit_long", "exit_tag"]] = (1, "rsi_high")
        return dataframe
