"""Kernels of whole bars against TA-Lib, extended precision and worked tables."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain import kernels

ta = pytest.importorskip("talib")

Bars = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def bars() -> Bars:
    n = 6_000
    rng = np.random.default_rng(23)
    c = 30_000.0 * np.exp(np.cumsum(rng.standard_t(5, n) * 0.002))
    o = np.concatenate([c[:1], c[:-1]])
    h = np.maximum(o, c) * (1 + rng.random(n) * 1e-3)
    low = np.minimum(o, c) * (1 - rng.random(n) * 1e-3)
    return o, h, low, c, rng.lognormal(2.0, 1.0, n)


def close(found: np.ndarray, expected: np.ndarray, *, rtol: float = 0.0, atol: float = 0.0) -> None:
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=atol, equal_nan=True)


@pytest.mark.parametrize(("n", "m", "k"), [(20, 10, 2.0), (50, 14, 1.5), (5, 40, 3.0)])
def test_keltner_is_the_ema_and_atr_of_talib(bars: Bars, n: int, m: int, k: float) -> None:
    _, h, low, c, _ = bars
    middle, reach = ta.EMA(c, n), ta.ATR(h, low, c, m)
    middle[np.isnan(reach)] = np.nan
    for found, expected in zip(
        kernels.keltner(h, low, c, n, m, k), (middle + k * reach, middle, middle - k * reach), strict=True
    ):
        close(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("n", "m", "d"), [(14, 5, 3), (14, 14, 3), (7, 21, 5)])
def test_stoch_rsi_without_k_smoothing_is_talibs_variant(bars: Bars, n: int, m: int, d: int) -> None:
    c = bars[3]
    fast_k, fast_d = ta.STOCHRSI(c, n, m, d)
    k, slow = kernels.stoch_rsi(c, n, m, 1, d)
    at = n + m + d - 2  # TA-Lib starts both lines where the later one is defined
    assert np.isnan(slow[:at]).all()
    np.testing.assert_allclose(k[at:], fast_k[at:], rtol=0, atol=1e-9)
    np.testing.assert_allclose(slow[at:], fast_d[at:], rtol=0, atol=1e-9)


def test_chart_style_smooths_talibs_raw_line_twice(bars: Bars) -> None:
    c = bars[3]
    raw = ta.STOCHRSI(c, 14, 14, 1)[0]
    k = ta.SMA(raw, 3)
    found_k, found_d = kernels.stoch_rsi(c)
    close(found_k, k, atol=1e-9)
    close(found_d, ta.SMA(k, 3), atol=1e-9)
    assert (np.isnan(found_k).sum(), np.isnan(found_d).sum()) == (29, 31)


def test_stoch_rsi_of_a_standing_rsi_is_undefined() -> None:
    c = np.arange(1.0, 60.0)  # only gains: RSI is 100 for ever
    k, d = kernels.stoch_rsi(c)
    assert np.isnan(k).all()
    assert np.isnan(d).all()


@pytest.mark.parametrize("n", [2, 20, 55])
def test_donchian_is_max_and_min_of_talib(bars: Bars, n: int) -> None:
    _, h, low, _, _ = bars
    upper, lower, middle = kernels.donchian(h, low, n)
    close(upper, ta.MAX(h, n))
    close(lower, ta.MIN(low, n))
    close(middle, (upper + lower) / 2)


def test_obv_is_talibs(bars: Bars) -> None:
    close(kernels.obv(bars[3], bars[4]), ta.OBV(bars[3], bars[4]), rtol=1e-12)


def test_squeeze_is_bands_inside_channel_of_talib(bars: Bars) -> None:
    _, h, low, c, _ = bars
    upper, _, lower = ta.BBANDS(c, 20, 2.0, 2.0)
    middle, reach = ta.EMA(c, 20), ta.ATR(h, low, c, 20)
    found = kernels.squeeze(h, low, c)
    on = (upper < middle + 1.5 * reach) & (lower > middle - 1.5 * reach)
    assert np.isnan(found[:20]).all()
    np.testing.assert_array_equal(found[20:], on[20:])
    assert 0 < on.sum() < len(on)


@pytest.mark.parametrize("n", [1, 20, 300])
def test_cmf_against_extended_precision(bars: Bars, n: int) -> None:
    _, h, low, c, v = (x.copy() for x in bars)
    v[1_000:1_400] *= 1e9  # a burst of volume that a running sum would never forget
    hl, ll, cl, vl = (x.astype(np.longdouble) for x in (h, low, c, v))
    flow = ((cl - ll) - (hl - cl)) / (hl - ll) * vl

    def sums(x: np.ndarray) -> np.ndarray:
        return np.lib.stride_tricks.sliding_window_view(x, n).sum(axis=1)

    expected = sums(flow) / sums(vl)
    found = kernels.cmf(h, low, c, v, n)
    assert np.isnan(found[: n - 1]).all()
    assert float(np.abs(found[n - 1 :] - expected).max()) <= 1e-11
    assert float(np.abs(found[n - 1 :]).max()) <= 1.0 + 1e-12


def test_cmf_worked_table() -> None:
    h, low = np.array([2.0, 4.0, 3.0, 3.0, 3.0]), np.array([0.0, 0.0, 3.0, 1.0, 1.0])
    c, v = np.array([2.0, 1.0, 3.0, 2.0, 3.0]), np.array([10.0, 20.0, 5.0, 0.0, 0.0])
    # shares: 1, -0.5, flat bar 0, 0, 1; the last window has no volume at all
    found = kernels.cmf(h, low, c, v, 2)
    np.testing.assert_array_equal(found, [np.nan, 0.0, -10 / 25, 0.0, np.nan])


def test_heikin_ashi_worked_table() -> None:
    table = np.array(
        [  # o, h, l, c -> o', h', l', c'
            [10.0, 12.0, 9.0, 11.0, 10.5, 12.0, 9.0, 10.5],
            [11.0, 13.0, 10.0, 12.0, 10.5, 13.0, 10.0, 11.5],
            [12.0, 12.0, 6.0, 6.0, 11.0, 12.0, 6.0, 9.0],
            [6.0, 7.0, 6.0, 7.0, 10.0, 10.0, 6.0, 6.5],
        ]
    )
    columns = [np.ascontiguousarray(x) for x in table[:, :4].T]
    np.testing.assert_array_equal(np.array(kernels.heikin_ashi(*columns)).T, table[:, 4:])
