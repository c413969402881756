"""Columns of other timeframes and pairs: right names, and no bar before its close."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from freqtrade_run import HOUR, frame, strategy

from actors.adapters.freqtrade import columns, shim
from actors.adapters.freqtrade.informative import merge_informative_pair
from actors.adapters.freqtrade.loader import load_strategy
from actors.adapters.freqtrade.provider import DataProvider, Wallets
from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame


def rising(n: int, pair: str = "BTC/USDT", by: float = 1.0) -> BarFrame:
    return frame([(100 + by * k, 101 + by * k, 99 + by * k, 100 + by * k, 1.0) for k in range(n)], pair)


def analysed(folder: Path, body: str, bars: BarFrame, others: tuple[BarFrame, ...] = ()) -> pd.DataFrame:
    made = load_strategy(strategy(folder, body))
    made.dp = DataProvider({f.pair: f for f in (bars, *others)})
    with shim.installed():
        whole = columns.analyse(made, bars)
        columns.refuse_lookahead(made, bars, whole)
    return whole


def test_a_higher_timeframe_is_known_from_its_close_on(tmp_path: Path) -> None:
    body = """
    from freqtrade.strategy import informative

    @informative("4h")
    @informative("2h")
    def populate_indicators_higher(self, dataframe, metadata):
        assert metadata["pair"] == "BTC/USDT"
        dataframe["twice"] = dataframe["close"] * 2
        return dataframe
    """
    whole = analysed(tmp_path, body, rising(48))
    # the bar from 0:00 to 4:00 has the close of row 3 and is known in row 3, which closes with it
    assert whole["twice_4h"].tolist()[:9] == [
        *[pytest.approx(np.nan, nan_ok=True)] * 3,
        206,
        206,
        206,
        206,
        214,
        214,
    ]
    assert whole["close_2h"].tolist()[1:6] == [101, 101, 103, 103, 105]
    assert {"date_4h", "open_4h", "volume_2h"} <= set(whole.columns)


def test_another_pair_and_names_of_ones_own(tmp_path: Path) -> None:
    body = """
    from freqtrade.strategy import informative

    @informative("2h", "ETH/{stake}")
    def populate_eth(self, dataframe, metadata):
        dataframe["who"] = metadata["pair"]
        return dataframe

    @informative("1h", "ETH/{stake}", fmt="{base}_{column}")
    def populate_eth_own(self, dataframe, metadata):
        return dataframe

    @informative("1h", "ETH/{stake}", fmt=lambda column, timeframe, **more: f"{column}@{timeframe}")
    def populate_eth_callable(self, dataframe, metadata):
        return dataframe
    """
    whole = analysed(tmp_path, body, rising(48), (rising(48, "ETH/USDT", 10.0),))
    assert whole["eth_usdt_close_2h"].tolist()[1:4] == [110.0, 110.0, 130.0]
    assert set(whole["eth_usdt_who_2h"].iloc[1:]) == {"ETH/USDT"}
    assert whole["eth_close"].tolist()[:3] == whole["close@1h"].tolist()[:3] == [100.0, 110.0, 120.0]


def test_by_hand_with_the_provider(tmp_path: Path) -> None:
    body = """
    def informative_pairs(self):
        return [(pair, "4h") for pair in self.dp.current_whitelist()]

    def populate_indicators(self, dataframe, metadata):
        from freqtrade.strategy import merge_informative_pair
        other = self.dp.get_pair_dataframe(pair=metadata["pair"], timeframe="4h")
        other["mean"] = other["close"].rolling(2).mean()
        return merge_informative_pair(dataframe, other, self.timeframe, "4h", ffill=True)
    """
    whole = analysed(tmp_path, body, rising(48))
    assert whole["mean_4h"].iloc[7:12].tolist() == [105.0, 105.0, 105.0, 105.0, 109.0]


def test_what_cannot_be_had_is_told(tmp_path: Path) -> None:
    bad = "from freqtrade.strategy import informative\n"
    bad += "@informative('{0}', '{1}')\ndef populate_x(self, d, m):\n    return d"
    with pytest.raises(ConfigError, match=r"expected a multiple of the base timeframe 1h, found 30m"):
        analysed(tmp_path, bad.format("30m", ""), rising(48))
    with pytest.raises(
        ConfigError, match=r"expected one of the pairs of the run \(BTC/USDT\), found XRP/USDT"
    ):
        analysed(tmp_path, bad.format("2h", "XRP/USDT"), rising(48))
    twice = "from freqtrade.strategy import informative\n" + "".join(
        f"@informative('2h')\ndef populate_{k}(self, d, m):\n    return d\n" for k in "ab"
    )
    with pytest.raises(ConfigError, match="expected new columns, found date_2h a second time"):
        analysed(tmp_path, twice, rising(48))


def test_without_filling_a_value_stands_in_one_row() -> None:
    dates = pd.to_datetime(np.arange(6) * HOUR, utc=True)
    own = pd.DataFrame({"date": dates, "close": range(6)})
    other = pd.DataFrame({"date": dates[::2], "close": [10.0, 20.0, 30.0]})
    merged = merge_informative_pair(own, other, "1h", "2h", ffill=False, suffix="x")
    assert merged["close_x"].isna().tolist() == [True, False, True, False, True, False]
    assert len(merged) == 6


def test_the_provider_shows_nothing_beyond_its_limit() -> None:
    bars = rising(12)
    dp = DataProvider({"BTC/USDT": bars})
    whole = columns.frame_of(bars)
    dp.keep("BTC/USDT", whole, bars.close_ns)
    dp.limit(7 * HOUR)
    assert len(dp.get_pair_dataframe("BTC/USDT")) == 7
    assert dp.get_pair_dataframe("BTC/USDT", "4h")["close"].tolist() == [103.0]
    seen, when = dp.get_analyzed_dataframe("BTC/USDT", "1h")
    assert (seen["close"].iloc[-1], when.hour) == (106.0, 7)
    assert dp.get_analyzed_dataframe("ETH/USDT")[0].empty
    dp.limit(None)
    assert len(dp.get_analyzed_dataframe("BTC/USDT")[0]) == 12
    assert dp.runmode.value == "backtest"
    assert dp.available_pairs == [("BTC/USDT", "1h")]
    with pytest.raises(ConfigError, match=r"dp\.orderbook is not supported"):
        dp.orderbook("BTC/USDT", 1)


def test_wallets() -> None:
    wallets = Wallets("USDT", 1000.0, 0.99)
    wallets.update(400.0, 1100.0, {"BTC": 2.0})
    assert (wallets.get_free("USDT"), wallets.get_used("USDT"), wallets.get_total("USDT")) == (
        400.0,
        0.0,
        400.0,
    )
    assert (wallets.get_free("BTC"), wallets.get_used("BTC"), wallets.get_total("BTC")) == (0.0, 2.0, 2.0)
    assert (wallets.get_total_stake_amount(), wallets.get_available_stake_amount()) == (1089.0, 396.0)
    assert wallets.get_starting_balance() == 1000.0
