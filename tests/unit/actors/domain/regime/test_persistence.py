"""Hurst exponents, slopes and range estimators against plain NumPy and against what they should find."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from actors.domain.errors import InsufficientDataError, InvalidBarError, InvalidParamsError
from actors.domain.regime.base import Observation
from actors.domain.regime.hurst import (
    dfa,
    fluctuation_exponent,
    fractional_noise,
    rescaled_range,
    scales,
)
from actors.domain.regime.ranges import ESTIMATORS, RangeVolatility, range_variance
from actors.domain.regime.slope import fitted_slope, overlapping_mean


def test_fluctuations_are_those_of_fitted_lines() -> None:
    r = np.random.default_rng(3).standard_normal(300)
    profile = np.cumsum(r - r.mean())
    logs = []
    for s in scales(300):
        rest = []
        for k in range(300 // s):
            part, x = profile[k * s : (k + 1) * s], np.arange(s)
            rest.append(np.mean((part - np.polyval(np.polyfit(x, part, 1), x)) ** 2))
        logs.append(0.5 * np.log(np.mean(rest)))
    slope = np.polyfit(np.log(scales(300)), logs, 1)[0]
    assert fluctuation_exponent(r[None, :])[0] == pytest.approx(slope, rel=1e-9)


@pytest.mark.parametrize("exponent", [0.3, 0.5, 0.7])
def test_the_interval_holds_the_exponent_as_often_as_it_says(exponent: float) -> None:
    rows = fractional_noise(exponent, 256, 200, np.random.default_rng(12))
    found = [dfa(row) for row in rows]
    held = np.mean([h.low <= exponent <= h.high for h in found])
    assert 0.82 <= held <= 0.97
    assert np.median([h.value for h in found]) == pytest.approx(exponent, abs=0.04)
    assert all(h.low <= h.value <= h.high for h in found)


def test_fractional_noise_has_its_autocovariance() -> None:
    x = fractional_noise(0.8, 64, 4000, np.random.default_rng(2))
    k = np.arange(4.0)
    wanted = 0.5 * ((k + 1) ** 1.6 - 2 * k**1.6 + np.abs(k - 1) ** 1.6)
    found = [np.mean(x[:, : 64 - j] * x[:, j:]) for j in range(4)]
    np.testing.assert_allclose(found, wanted, atol=0.03)


def test_raw_rescaled_range_is_biased_upwards_and_says_so() -> None:
    rows = np.random.default_rng(4).standard_normal((60, 512))
    found = [rescaled_range(r) for r in rows]
    assert np.mean([f.raw for f in found]) > 0.56  # of independent returns
    assert found[0].expected > 0.56
    assert np.mean([f.value for f in found]) == pytest.approx(0.5, abs=0.03)


def test_returns_that_do_not_vary_have_no_exponent() -> None:
    assert all(isnan(v) for v in dfa(np.zeros(100)))
    assert all(isnan(v) for v in dfa(np.full(100, 0.01)))
    assert isnan(rescaled_range(np.zeros(100)).raw)
    with pytest.raises(InsufficientDataError, match="at least 64"):
        dfa(np.zeros(63))
    with pytest.raises(InvalidParamsError, match="finite"):
        dfa([float("nan")] * 70)


@pytest.mark.parametrize("lag", [0, 1, 5, 39])
def test_slope_and_both_t_are_those_of_statsmodels(lag: int) -> None:
    api = pytest.importorskip("statsmodels.api")
    y = np.cumsum(np.random.default_rng(6).standard_normal(40))
    line = api.OLS(y, api.add_constant(np.arange(40.0)))
    found = fitted_slope(y, lag)
    plain = line.fit()
    robust = line.fit(cov_type="HAC", cov_kwds={"maxlags": lag})
    assert found.slope == pytest.approx(plain.params[1], rel=1e-10)
    assert found.t == pytest.approx(plain.tvalues[1], rel=1e-9)
    assert found.t_hac == pytest.approx(robust.tvalues[1], rel=1e-8)
    if lag == 39:
        assert fitted_slope(y).t_hac == pytest.approx(found.t_hac, rel=1e-12)


def test_overlapping_windows_are_not_taken_for_independent_ones() -> None:
    rng = np.random.default_rng(7)
    plain, hac = [], []
    for _ in range(300):
        r = rng.standard_normal(600)
        sums = np.convolve(r, np.ones(20), "valid")
        _, t, p = overlapping_mean(sums, 20)
        plain.append(abs(sums.mean() / (sums.std() / np.sqrt(len(sums)))) > 1.96)
        hac.append(p < 0.05)
        assert (abs(t) > 1.96) == (p < 0.05)
    assert np.mean(plain) > 0.4
    assert np.mean(hac) < 0.2  # of few windows it still says "sure" too often


def test_a_series_without_residuals_has_a_slope_and_no_t() -> None:
    found = fitted_slope([1.0, 1.0, 1.0, 1.0])
    assert found.slope == 0.0
    assert isnan(found.t)
    assert isnan(found.t_hac)
    assert isnan(overlapping_mean(np.ones(10), 3)[1])
    for bad in ([1.0, 2.0], [[1.0], [2.0], [3.0]]):
        with pytest.raises(InsufficientDataError):
            fitted_slope(bad)
    with pytest.raises(InvalidParamsError, match="finite"):
        fitted_slope([1.0, float("inf"), 2.0])
    with pytest.raises(InvalidParamsError, match="lag"):
        fitted_slope([1.0, 2.0, 4.0], 3)


def walk(n: int, inside: int, seed: int, drift: float = 0.0) -> tuple[np.ndarray, ...]:
    """Open, high, low and close of bars whose inside is a fine random walk of unit variance per bar."""
    steps = np.random.default_rng(seed).standard_normal((n, inside)) / np.sqrt(inside) + drift / inside
    path = np.cumsum(steps.ravel()).reshape(n, inside) * 0.01
    open_ = np.concatenate([[0.0], path[:-1, -1]])
    everything = np.column_stack([open_, path])
    return tuple(np.exp(v) for v in (open_, everything.max(axis=1), everything.min(axis=1), path[:, -1]))


def test_range_estimators_are_their_formulas() -> None:
    o, h, lo, c = walk(60, 30, 8)
    n, u, d, body, ln2 = 12, np.log(h / o), np.log(lo / o), np.log(c / o), np.log(2.0)
    rs = u * (u - body) + d * (d - body)
    gap = np.log(o[1:] / c[:-1])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    wanted = {
        "parkinson": np.mean((u - d)[-n:] ** 2) / (4 * ln2),
        "garman_klass": np.mean((0.5 * (u - d) ** 2 - (2 * ln2 - 1) * body**2)[-n:]),
        "rogers_satchell": np.mean(rs[-n:]),
        "yang_zhang": np.var(gap[-n:], ddof=1) + k * np.var(body[-n:], ddof=1) + (1 - k) * np.mean(rs[-n:]),
    }
    for name in ESTIMATORS:
        found = range_variance(name, o, h, lo, c, n)
        assert found[-1] == pytest.approx(wanted[name], rel=1e-10)
        assert np.isnan(found[: n - 1]).all()
        assert not np.isnan(found[n:]).any()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_range_estimators_find_the_variance_of_a_random_walk(estimator: str) -> None:
    o, h, lo, c = walk(1500, 400, 9)
    # a sampled path misses part of its range, so all but the widest walks read a little low
    assert range_variance(estimator, o, h, lo, c, 1400)[-1] == pytest.approx(1e-4, rel=0.12)


def test_rogers_satchell_does_not_take_drift_for_volatility() -> None:
    o, h, lo, c = walk(600, 300, 10, drift=2.0)
    assert range_variance("rogers_satchell", o, h, lo, c, 500)[-1] == pytest.approx(1e-4, rel=0.15)
    assert range_variance("parkinson", o, h, lo, c, 500)[-1] > 2e-4


def test_an_unknown_open_is_said_not_guessed() -> None:
    bar = Observation(0, 101.0, 99.0, 100.0, 0.001)
    assert isnan(RangeVolatility("parkinson", 5).update(bar))
    for name in ("garman_klass", "rogers_satchell", "yang_zhang"):
        with pytest.raises(InvalidBarError, match="open"):
            RangeVolatility(name, 5).update(bar)
    with pytest.raises(InvalidParamsError, match="parkinson, garman_klass"):
        RangeVolatility("close", 5)
    with pytest.raises(InsufficientDataError, match="at least 6 bars"):
        range_variance("yang_zhang", *(np.ones(5),) * 4, 5)
