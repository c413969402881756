"""Core kernels against TA-Lib 0.8, an independent library: relative difference at most 1e-9."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import kernels

talib = pytest.importorskip("talib")
BARS = 6_000


@pytest.fixture(scope="module")
def bars() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(21)
    close = 30_000.0 * np.exp(np.cumsum(rng.standard_t(5, BARS) * 0.002))
    opened = np.concatenate([close[:1], close[:-1]])
    wick = np.abs(rng.standard_normal((2, BARS))) * 0.001
    return np.maximum(opened, close) * (1 + wick[0]), np.minimum(opened, close) * (1 - wick[1]), close


def agree(found: np.ndarray, expected: np.ndarray, scale: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    ok = ~np.isnan(expected)
    error = np.abs(found[ok] - expected[ok]) / np.maximum(np.abs(expected[ok]), scale)
    assert error.max() <= 1e-9


@pytest.mark.parametrize("window", [2, 20, 200])
def test_moving_averages(bars: tuple[np.ndarray, ...], window: int) -> None:
    close = bars[2]
    agree(kernels.sma(close, window), talib.SMA(close, window))
    agree(kernels.ema(close, window), talib.EMA(close, window))


@pytest.mark.parametrize("window", [2, 14, 50])
def test_rsi(bars: tuple[np.ndarray, ...], window: int) -> None:
    agree(kernels.rsi(bars[2], window), talib.RSI(bars[2], window))


@pytest.mark.parametrize("spans", [(12, 26, 9), (5, 11, 4), (3, 10, 16)])
def test_macd(bars: tuple[np.ndarray, ...], spans: tuple[int, int, int]) -> None:
    expected = talib.MACD(bars[2], *spans)
    scale = float(np.nanstd(expected[0]))  # the lines cross zero
    for found, wanted in zip(kernels.macd(bars[2], *spans), expected, strict=True):
        agree(found, wanted, scale)


@pytest.mark.parametrize("window", [5, 20, 100])
def test_deviation_and_bands(bars: tuple[np.ndarray, ...], window: int) -> None:
    close = bars[2]
    agree(kernels.rolling_std(close, window), talib.STDDEV(close, window))
    for found, wanted in zip(kernels.bollinger(close, window), talib.BBANDS(close, window), strict=True):
        agree(found, wanted)


@pytest.mark.parametrize("window", [2, 14, 30])
def test_range_and_direction(bars: tuple[np.ndarray, ...], window: int) -> None:
    agree(kernels.atr(*bars, window), talib.ATR(*bars, window))
    lines = kernels.adx(*bars, window)
    agree(lines.adx, talib.ADX(*bars, window))
    agree(lines.plus_di, talib.PLUS_DI(*bars, window), 1e-6)
    agree(lines.minus_di, talib.MINUS_DI(*bars, window), 1e-6)


def test_a_flat_series_has_no_rsi_where_talib_prints_zero() -> None:
    flat = np.full(40, 5.0)
    assert np.isnan(kernels.rsi(flat)).all()
    assert talib.RSI(flat, 14)[-1] == 0.0
