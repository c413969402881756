"""Our indicators against TA-Lib, where it has them: 1e-9 after the warm-up, same first index."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from actors.domain import registry
from actors.domain.model.bars import BarFrame

HOUR = 3_600_000_000_000


def make_frame(n: int = 1500) -> BarFrame:
    rng = np.random.default_rng(11)
    close = 30_000 * np.exp(np.cumsum(rng.standard_t(4, n) * 0.006))
    opened = np.concatenate([[30_000.0], close[:-1]])
    high = np.maximum(opened, close) * (1 + rng.exponential(0.002, n))
    low = np.minimum(opened, close) * (1 - rng.exponential(0.002, n) / 2)
    return BarFrame("BTC/USDT", HOUR, HOUR * np.arange(n), opened, high, low, close, rng.lognormal(3, 1, n))


def stack(*lines):
    return np.stack(lines)


CASES = {
    "sma": ({}, lambda f: stack(talib.SMA(f.close, 20))),
    "ema": ({}, lambda f: stack(talib.EMA(f.close, 20))),
    "rsi": ({}, lambda f: stack(talib.RSI(f.close, 14))),
    "macd": ({}, lambda f: stack(*talib.MACD(f.close))),
    "bollinger": ({}, lambda f: stack(*talib.BBANDS(f.close, 20))),
    "rolling_std": ({}, lambda f: stack(talib.STDDEV(f.close, 20))),
    "atr": ({}, lambda f: stack(talib.ATR(f.high, f.low, f.close, 14))),
    "adx": (
        {},
        lambda f: stack(
            talib.ADX(f.high, f.low, f.close, 14),
            talib.PLUS_DI(f.high, f.low, f.close, 14),
            talib.MINUS_DI(f.high, f.low, f.close, 14),
        ),
    ),
    "obv": ({}, lambda f: stack(talib.OBV(f.close, f.volume))),
    "donchian": (
        {},
        lambda f: stack(
            talib.MAX(f.high, 20),
            talib.MIN(f.low, 20),
            (talib.MAX(f.high, 20) + talib.MIN(f.low, 20)) / 2,
        ),
    ),
    "keltner": (
        {},
        lambda f: stack(
            *(talib.EMA(f.close, 20) + k * talib.ATR(f.high, f.low, f.close, 10) for k in (2, 0, -2))
        ),
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_agrees_with_talib(kind):
    params, reference = CASES[kind]
    frame = make_frame()
    ours = registry.build("actors.domain.indicators", kind, params)
    got, expected = ours.batch(frame), reference(frame)
    np.testing.assert_array_equal(np.isnan(got).argmin(axis=1), np.isnan(expected).argmin(axis=1))
    # TA-Lib's STDDEV subtracts squares: at a price of 30,000 it keeps about nine digits of the variance
    tolerance = 1e-6 if kind in ("rolling_std", "bollinger") else 1e-9
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)
