"""The small indicator helpers that strategy files of this style import beside TA-Lib, written anew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def crossed_above(series1: Any, series2: Any) -> pd.Series:
    """Return where `series1` is above `series2` and was not in the row before.

    Examples
    --------
    >>> crossed_above(pd.Series([1.0, 3.0, 4.0]), 2.0).tolist()
    [False, True, False]
    """
    one, two = _pair(series1, series2)
    return pd.Series((one > two) & (one.shift(1) <= two.shift(1)))


def crossed_below(series1: Any, series2: Any) -> pd.Series:
    """Return where `series1` is below `series2` and was not in the row before."""
    one, two = _pair(series1, series2)
    return pd.Series((one < two) & (one.shift(1) >= two.shift(1)))


def crossed(series1: Any, series2: Any, direction: str | None = None) -> pd.Series:
    """Return where the two series cross, upwards, downwards or either way (None)."""
    if direction == "above":
        return crossed_above(series1, series2)
    if direction == "below":
        return crossed_below(series1, series2)
    return crossed_above(series1, series2) | crossed_below(series1, series2)


def _pair(series1: Any, series2: Any) -> tuple[pd.Series, pd.Series]:
    if not isinstance(series1, pd.Series):
        index = series2.index if isinstance(series2, pd.Series) else None
        series1 = pd.Series(series1, index=index, dtype=float)
    if not isinstance(series2, pd.Series):
        series2 = pd.Series(series2, index=series1.index, dtype=float)
    return series1, series2


def typical_price(bars: pd.DataFrame) -> pd.Series:
    """Return the mean of high, low and close."""
    return pd.Series((bars["high"] + bars["low"] + bars["close"]) / 3.0, index=bars.index)


def mid_price(bars: pd.DataFrame) -> pd.Series:
    """Return the mean of high and low."""
    return pd.Series((bars["high"] + bars["low"]) / 2.0, index=bars.index)


def rolling_mean(series: pd.Series, window: int = 200, min_periods: int | None = None) -> pd.Series:
    """Return the mean of the last `window` rows."""
    return series.rolling(window, min_periods=window if min_periods is None else min_periods).mean()


sma = rolling_mean


def rolling_std(series: pd.Series, window: int = 200, min_periods: int | None = None) -> pd.Series:
    """Return the sample deviation (ddof 1) of the last `window` rows."""
    return series.rolling(window, min_periods=window if min_periods is None else min_periods).std()


def bollinger_bands(series: pd.Series, window: int = 20, stds: float = 2) -> pd.DataFrame:
    """Return columns ``upper mid lower``: mean of the window and `stds` sample deviations around it."""
    middle, width = rolling_mean(series, window), rolling_std(series, window) * stds
    return pd.DataFrame({"upper": middle + width, "mid": middle, "lower": middle - width})


def heikinashi(bars: pd.DataFrame) -> pd.DataFrame:
    """Return the Heikin-Ashi candles, columns ``open high low close``; the first open is that bar's own middle."""
    close = ((bars["open"] + bars["high"] + bars["low"] + bars["close"]) / 4.0).to_numpy(dtype=float)
    opens = np.empty(len(close))
    for k in range(len(close)):
        opens[k] = (
            (opens[k - 1] + close[k - 1]) / 2.0
            if k
            else (float(bars["open"].iloc[0]) + float(bars["close"].iloc[0])) / 2.0
        )
    high = np.maximum(np.maximum(bars["high"].to_numpy(dtype=float), opens), close)
    low = np.minimum(np.minimum(bars["low"].to_numpy(dtype=float), opens), close)
    return pd.DataFrame({"open": opens, "high": high, "low": low, "close": close}, index=bars.index)


def rolling_min(series: pd.Series, window: int = 14, min_periods: int | None = None) -> pd.Series:
    """Return the lowest of the last `window` rows."""
    return series.rolling(window, min_periods=window if min_periods is None else min_periods).min()


def rolling_max(series: pd.Series, window: int = 14, min_periods: int | None = None) -> pd.Series:
    """Return the highest of the last `window` rows."""
    return series.rolling(window, min_periods=window if min_periods is None else min_periods).max()


def rolling_weighted_mean(series: pd.Series, window: int = 200, min_periods: int | None = None) -> pd.Series:
    """Return the mean of the last `window` rows with weights that grow by one towards the newest."""
    weights = np.arange(1.0, window + 1.0) / (window * (window + 1) / 2.0)
    return series.rolling(window, min_periods=window).apply(lambda x: float(x @ weights), raw=True)


wma = rolling_weighted_mean


def hull_moving_average(series: pd.Series, window: int = 200, min_periods: int | None = None) -> pd.Series:
    """Return Hull's average: the weighted mean of twice the quick weighted mean less the slow one."""
    quick, slow = wma(series, max(window // 2, 1)), wma(series, window)
    return wma(2.0 * quick - slow, max(int(np.sqrt(window)), 1))


hma = hull_moving_average


def true_range(bars: pd.DataFrame) -> pd.Series:
    """Return the range of a bar and of the gap before it."""
    before = bars["close"].shift(1)
    top, bottom = bars["high"].combine(before, max), bars["low"].combine(before, min)
    return pd.Series(top - bottom, index=bars.index)


def atr(bars: pd.DataFrame, window: int = 14, exp: bool = False) -> pd.Series:
    """Return the mean of the true range, exponential if asked for."""
    ranges = true_range(bars)
    return ranges.ewm(span=window, adjust=False).mean() if exp else rolling_mean(ranges, window)


def roc(series: pd.Series, window: int = 14) -> pd.Series:
    """Return the change over `window` rows in per cent."""
    return (series / series.shift(window) - 1.0) * 100.0


def zscore(series: pd.Series, window: int = 20) -> pd.Series:
    """Return the distance from the mean of the last `window` rows in their sample deviations."""
    return (series - rolling_mean(series, window)) / rolling_std(series, window)


def ibs(bars: pd.DataFrame) -> pd.Series:
    """Return where the close lies in the range of its bar, from 0 to 1; 0 in a bar without range."""
    span = bars["high"] - bars["low"]
    return ((bars["close"] - bars["low"]) / span.where(span != 0.0)).fillna(0.0)


def awesome_oscillator(
    bars: pd.DataFrame, weighted: bool = False, fast: int = 5, slow: int = 34
) -> pd.Series:
    """Return the mean of the middles of `fast` bars less that of `slow` bars."""
    middle = mid_price(bars)
    mean = wma if weighted else rolling_mean
    return mean(middle, fast) - mean(middle, slow)
