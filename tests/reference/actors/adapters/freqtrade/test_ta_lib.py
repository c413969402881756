"""The stand-in for TA-Lib against TA-Lib 0.8 on real bars: same columns, same first row, 1e-9 of the scale."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from actors.adapters.freqtrade.ta_lib import FUNCTIONS, callables
from actors.domain.errors import ConfigError

talib = pytest.importorskip("talib")
abstract = pytest.importorskip("talib.abstract")
CALLS = callables()
# TA-Lib fits its lines by sums of products, ours by centred ones: at a price of 10,000 some digits part
LOOSE = {"LINEARREG_SLOPE": 1e-8, "LINEARREG_ANGLE": 1e-8}
MORE = {
    "SMA": {"timeperiod": 7}, "EMA": {"timeperiod": 50}, "WMA": {"timeperiod": 9}, "KAMA": {"timeperiod": 10},
    "TRIMA": {"timeperiod": 21}, "RSI": {"timeperiod": 2}, "BBANDS": {"timeperiod": 5, "nbdevup": 1.5, "nbdevdn": 3.0},
    "STOCH": {"fastk_period": 14, "slowk_period": 5, "slowd_period": 4}, "STOCHRSI": {"timeperiod": 21},
    "MACD": {"fastperiod": 5, "slowperiod": 9, "signalperiod": 3}, "SAR": {"acceleration": 0.05, "maximum": 0.4},
    "ADX": {"timeperiod": 5}, "MFI": {"timeperiod": 5}, "CCI": {"timeperiod": 20}, "AROON": {"timeperiod": 25},
    "MA": {"timeperiod": 12, "matype": 3}, "ULTOSC": {"timeperiod1": 5, "timeperiod2": 11, "timeperiod3": 21},
}  # fmt: skip


@pytest.fixture(scope="module")
def bars(shared_data: Path) -> pd.DataFrame:
    path = shared_data / "ohlcv" / "binance_spot" / "ETHUSDT_1h.parquet"
    return (
        pd.read_parquet(path)[["open", "high", "low", "close", "volume"]].iloc[:6000].reset_index(drop=True)
    )


def agree(found: object, expected: object, tolerance: float = 1e-9) -> None:
    one = found if isinstance(found, pd.DataFrame) else pd.DataFrame({"real": found})
    two = expected if isinstance(expected, pd.DataFrame) else pd.DataFrame({"real": expected})
    assert list(one.columns) == list(two.columns)
    for name in one:
        a, b = one[name].to_numpy(), two[name].to_numpy()
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        known = ~np.isnan(b)
        scale = np.maximum(np.abs(b[known]), 1e-3 * b[known].std())
        assert (np.abs(a[known] - b[known]) / scale).max() <= tolerance


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function(name: str, bars: pd.DataFrame) -> None:
    tolerance = LOOSE.get(name, 1e-9)
    agree(CALLS[name](bars), getattr(abstract, name)(bars), tolerance)
    if name in MORE:
        agree(CALLS[name](bars, **MORE[name]), getattr(abstract, name)(bars, **MORE[name]), tolerance)


@pytest.mark.shared_data
def test_every_way_of_calling(bars: pd.DataFrame) -> None:
    rsi = CALLS["RSI"](bars, 14)
    agree(rsi, abstract.RSI(bars, timeperiod=14))
    # an average of an indicator: its leading gap is passed over
    framed = bars.assign(rsi=rsi)
    agree(CALLS["EMA"](framed, timeperiod=9, price="rsi"), abstract.EMA(framed, timeperiod=9, price="rsi"))
    agree(CALLS["SMA"](rsi, 5), talib.SMA(rsi, 5))
    arrays = [bars[c].to_numpy() for c in ("high", "low", "close")]
    agree(CALLS["ATR"](*arrays, timeperiod=7), talib.ATR(*arrays, timeperiod=7))
    for one, two in zip(CALLS["MACD"](arrays[2], 5, 9, 3), talib.MACD(arrays[2], 5, 9, 3), strict=True):
        agree(one, two)
    with pytest.raises(ConfigError, match=r"ta.MFI: expected a column volume, found open, high, low, close"):
        CALLS["MFI"](bars[["open", "high", "low", "close"]])
    with pytest.raises(ConfigError, match=r"ta.RSI: .*unexpected keyword argument 'period'"):
        CALLS["RSI"](bars, period=3)
