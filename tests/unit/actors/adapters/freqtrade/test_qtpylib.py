"""The small helpers beside TA-Lib, worked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from actors.adapters.freqtrade import qtpylib


def series(*values: float) -> pd.Series:
    return pd.Series(values, dtype=float)


def test_crossings_need_the_row_before() -> None:
    one = series(1, 3, 3, 1, 2, 2)
    two = series(2, 2, 2, 2, 2, 1)
    assert qtpylib.crossed_above(one, two).tolist() == [False, True, False, False, False, True]
    assert qtpylib.crossed_below(one, two).tolist() == [False, False, False, True, False, False]
    assert qtpylib.crossed(one, two).tolist() == [False, True, False, True, False, True]
    assert qtpylib.crossed(one, two, "below").tolist() == qtpylib.crossed_below(one, two).tolist()
    assert qtpylib.crossed_above(one, 2).tolist() == [False, True, False, False, False, False]
    assert qtpylib.crossed_below(2, one).tolist() == [False, True, False, False, False, False]


def test_bands_use_the_sample_deviation() -> None:
    bands = qtpylib.bollinger_bands(series(1, 2, 3, 5), window=3, stds=2)
    assert list(bands.columns) == ["upper", "mid", "lower"]
    assert bands.iloc[2].tolist() == [4.0, 2.0, 0.0]
    assert bands["upper"].iloc[3] == pytest.approx(10 / 3 + 2 * (7 / 3) ** 0.5)
    assert bands.iloc[:2].isna().all().all()


def test_prices_and_candles() -> None:
    bars = pd.DataFrame(
        {"open": [10.0, 12.0], "high": [14.0, 15.0], "low": [8.0, 11.0], "close": [12.0, 14.0]}
    )
    assert qtpylib.typical_price(bars).tolist() == pytest.approx([34 / 3, 40 / 3])
    assert qtpylib.mid_price(bars).tolist() == [11.0, 13.0]
    candles = qtpylib.heikinashi(bars)
    # first open: middle of its own body; second: middle of the first candle's body
    assert candles["open"].tolist() == [11.0, 11.0]
    assert candles["close"].tolist() == [11.0, 13.0]
    assert candles["high"].tolist() == [14.0, 15.0]
    assert candles["low"].tolist() == [8.0, 11.0]


def test_more_averages_and_ranges() -> None:
    assert qtpylib.wma(series(1, 2, 3), 2).tolist()[1:] == pytest.approx([5 / 3, 8 / 3])
    assert qtpylib.rolling_min(series(3, 1, 2), 2).tolist()[1:] == [1.0, 1.0]
    assert qtpylib.rolling_max(series(3, 1, 2), 2).tolist()[1:] == [3.0, 2.0]
    assert qtpylib.roc(series(10, 11, 12), 2).tolist()[2:] == pytest.approx([20.0])
    assert qtpylib.zscore(series(1, 2, 3), 3).tolist()[2:] == [1.0]
    bars = pd.DataFrame({"open": [1.0, 1.0], "high": [4.0, 6.0], "low": [2.0, 5.0], "close": [3.0, 5.5]})
    assert qtpylib.true_range(bars).tolist()[1:] == [3.0]
    assert qtpylib.ibs(bars).tolist() == [0.5, 0.5]
    assert qtpylib.awesome_oscillator(bars, fast=1, slow=2).tolist()[1:] == [5.5 - 4.25]
