"""Each detector against hand-made markets and plain NumPy."""

from __future__ import annotations

from itertools import pairwise
from math import log, nan

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Observation
from actors.domain.regime.hmm import fit_hmm

PACKAGE = "actors.domain.regime"


def make(kind: str, **params):
    return registry.build(PACKAGE, kind, params, fits=InlineFits(), name="x", seed=3)


def observe(returns, noise: float = 0.002, seed: int = 1) -> list[Observation]:
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(returns))
    before = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(close, before) * np.exp(rng.exponential(noise, len(close)))
    low = np.minimum(close, before) * np.exp(-rng.exponential(noise, len(close)))
    last = [nan, *close[:-1].tolist()]
    return [
        Observation(step=i, high=h, low=lo, close=c, log_return=log(c / p))
        for i, (h, lo, c, p) in enumerate(zip(high.tolist(), low.tolist(), close.tolist(), last, strict=True))
    ]


@pytest.mark.parametrize(("drift", "label", "native"), [(0.001, "bull", "up"), (-0.001, "bear", "down")])
def test_trend_names_the_direction(drift, label, native):
    noise = np.random.default_rng(7).normal(0, 0.0035, 600)
    noise[400:] -= noise[400:].mean()
    detector = make("trend")
    for o in observe(drift + noise):
        view = detector.update(o)
    assert view.label == label
    assert view.native_label == native


def test_trend_sees_none_where_prices_come_back():
    level = np.random.default_rng(7).normal(0, 0.004, 600)
    detector = make("trend")
    for o in observe(np.diff(level)):
        view = detector.update(o)
    assert view.native_label == "flat"
    assert view.label not in ("bull", "bear", "crash")


def test_trend_slope_is_that_of_least_squares_over_a_long_run():
    n = 40
    detector = make("trend", window_bars=n)
    bars = observe(np.random.default_rng(5).standard_t(4, 900) * 0.01)
    closes = np.log([o.close for o in bars])
    for i, o in enumerate(bars):
        detector.update(o)
        if i in (95, 200, 511, 899):
            window = closes[i - n + 1 : i + 1]
            slope = np.polyfit(np.arange(n), window, 1)[0]
            own = (detector._moment - 0.5 * (n - 1) * detector._sum) * detector._slope_scale
            assert own == pytest.approx(slope, rel=1e-9, abs=1e-14)
            assert detector._path == pytest.approx(np.abs(np.diff(closes[i - n : i + 1])).sum(), rel=1e-9)


def test_trend_calls_a_fast_loss_a_crash_and_lets_go_of_it():
    rng = np.random.default_rng(2)
    returns = rng.normal(0, 0.005, 900)
    returns[600:612] = -0.02
    detector = make("trend")
    native = [detector.update(o).native_label for o in observe(returns)]
    assert "crash" not in native[:600]
    assert "crash" in native[600:612]
    assert "crash" not in native[700:]


def test_volatility_tells_calm_from_wild_and_has_hysteresis():
    rng = np.random.default_rng(4)
    sigma = np.repeat([0.005, 0.02, 0.005, 0.001, 0.005], 300)
    detector = make("volatility")
    views = [detector.update(o) for o in observe(rng.normal(0, 1, 1500) * sigma, noise=0.0)]
    assert views[550].native_label == "high"
    assert views[550].label in ("high_volatility", "crash")
    assert views[1150].label == views[1150].native_label + "_volatility" == "low_volatility"
    native = [v.native_label for v in views[250:]]
    assert sum(a != b for a, b in pairwise(native)) < 40


def test_thresholds_out_of_order_are_refused():
    with pytest.raises(InvalidParamsError, match="band_quantile"):
        make("volatility", low_quantile=0.45, high_quantile=0.55, band_quantile=0.1)
    with pytest.raises(InvalidParamsError, match="leave_t"):
        make("trend", enter_t=1.0, leave_t=2.0)


def make_past(n: int = 900, seed: int = 0):
    rng = np.random.default_rng(seed)
    sigma = 0.005 * np.where((np.arange(n) // 150) % 2, 3.0, 1.0)
    spread = np.log(sigma * 1.6) + rng.normal(0, 0.4, n)
    return np.column_stack([rng.normal(0, 1, n) * sigma, spread])


def test_fit_is_a_proper_model_and_the_same_every_time():
    one, two = (fit_hmm(make_past(), 6, 3, 30, 9, 200.0, 100.0) for _ in range(2))
    for key in ("start", "transitions", "means", "variances", "centre", "scale"):
        np.testing.assert_array_equal(one[key], two[key])
    np.testing.assert_allclose(one["transitions"].sum(axis=1), 1.0, atol=1e-9)
    assert (np.diff(one["variances"][:, 0]) >= 0.0).all()
    assert (one["variances"] > 0.0).all()


def test_fit_finds_the_two_volatilities_and_not_the_default_prior():
    model = fit_hmm(make_past(), 2, 3, 60, 9, 1.0, 100.0)
    found = model["scale"][0] * np.sqrt(model["variances"][:, 0])
    np.testing.assert_allclose(found, [0.005, 0.015], rtol=0.15)


def test_live_view_is_the_filter_of_the_prefix_as_hmmlearn_sees_it():
    from hmmlearn.hmm import GaussianHMM

    detector = make("hmm", min_history_bars=200, refit_every_bars=10_000, burn_in_bars=100, lag_steps=3)
    bars = observe(np.random.default_rng(3).standard_t(4, 420) * 0.006)
    for o in bars:
        detector.update(o)
    model = detector._model
    # the model was adopted at the bar of step 203 and its filter run over the 100 bars before it
    r = np.array([o.log_return for o in bars])[1:]
    spread = np.log(np.log([o.high / o.low for o in bars]))[1:]
    z = (np.column_stack([r, spread]) - model["centre"]) / model["scale"]
    first = 203 - 1 - 100
    peer = GaussianHMM(n_components=6, covariance_type="diag", init_params="")
    peer.startprob_, peer.transmat_ = model["start"], model["transitions"]
    peer.means_, peer.covars_ = model["means"], model["variances"]
    np.testing.assert_allclose(detector._running.alpha, peer.predict_proba(z[first:])[-1], atol=1e-8)
