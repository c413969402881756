"""Core kernels against 80-bit arithmetic: error at most 1e-11 of the largest input in the window."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import kernels

LONG = np.longdouble
pytestmark = pytest.mark.skipif(np.finfo(LONG).nmant < 63, reason="no extended precision on this machine")
BARS = 5_000


def series(kind: str) -> np.ndarray:
    rng = np.random.default_rng(31)
    x = 30_000.0 * np.exp(np.cumsum(rng.standard_t(5, BARS) * 0.004))
    if kind == "jump_then_calm":
        x[1_000:] = 2.5 * x[1_000] * (1 + 1e-9 * rng.standard_normal(BARS - 1_000))
    if kind == "spike":
        x[[700, 2_001, 3_333]] *= 1e6
    if kind == "tiny":
        x *= 1e-9
    if kind == "crash":
        x[2_100:] *= 1e-5
    return x


def windows(x: np.ndarray, window: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x.astype(LONG), window)


def worst(found: np.ndarray, exact: np.ndarray, x: np.ndarray, window: int) -> float:
    largest = np.abs(np.lib.stride_tricks.sliding_window_view(x, window)).max(axis=1)
    return float((np.abs(found[window - 1 :].astype(LONG) - exact) / largest).max())


@pytest.mark.parametrize("kind", ["walk", "jump_then_calm", "spike", "tiny", "crash"])
@pytest.mark.parametrize("window", [2, 20, 150])
def test_window_kernels(kind: str, window: int) -> None:
    x = series(kind)
    w = windows(x, window)
    mean = w.mean(axis=1)
    sd = np.sqrt(((w - mean[:, None]) ** 2).mean(axis=1))
    bands = kernels.bollinger(x, window)
    assert worst(kernels.sma(x, window), mean, x, window) <= 1e-11
    assert worst(kernels.rolling_std(x, window), sd, x, window) <= 1e-11
    assert worst(bands.middle, mean, x, window) <= 1e-11
    assert worst(bands.upper, mean + 2 * sd, x, window) <= 1e-11
    assert worst(bands.lower, mean - 2 * sd, x, window) <= 1e-11


def recursion(terms: np.ndarray, b: np.longdouble, seed: np.longdouble) -> np.ndarray:
    out = np.empty(len(terms) + 1, dtype=LONG)
    out[0] = seed
    for i, t in enumerate(terms):
        out[i + 1] = b * out[i] + t
    return out


@pytest.mark.parametrize("kind", ["walk", "tiny", "jump_then_calm"])
def test_recursive_kernels(kind: str) -> None:
    x = series(kind)
    e = x.astype(LONG)
    a = LONG(2) / 21
    exact = recursion(a * e[20:], 1 - a, e[:20].mean())
    assert float((np.abs(kernels.ema(x, 20)[19:] - exact) / exact).max()) <= 1e-13
    high, low = x * 1.001, x * 0.999
    h, low_e, c1 = high.astype(LONG)[1:], low.astype(LONG)[1:], e[:-1]
    tr = np.maximum(h - low_e, np.maximum(np.abs(h - c1), np.abs(low_e - c1)))
    exact = recursion(tr[14:] / 14, LONG(13) / 14, tr[:14].mean())
    largest = np.maximum.accumulate(np.abs(x))[14:]
    assert float((np.abs(kernels.atr(high, low, x, 14)[14:] - exact) / largest).max()) <= 1e-13
    d = np.diff(e)
    gain, loss = (
        recursion(s[14:] / 14, LONG(13) / 14, s[:14].mean()) for s in (np.maximum(d, 0), np.maximum(-d, 0))
    )
    assert float(np.abs(kernels.rsi(x, 14)[14:] - 100 * gain / (gain + loss)).max()) <= 1e-9
