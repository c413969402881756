"""What holds for every detector found by discovery: a proper view, causal, restorable, blind to units."""

from __future__ import annotations

from math import log, nan, sin, tanh

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import UNIFORM, Observation
from actors.domain.state import dumps, loads

PACKAGE = "actors.domain.regime"
KINDS = registry.kinds(PACKAGE)
QUICK = {"min_history_bars": 150, "refit_every_bars": 150, "window_bars": 300, "lag_steps": 5}


def make(kind: str):
    """A detector that speaks after 160 bars at most; the windows of those that do not fit stay theirs."""
    cls = registry.load(PACKAGE, kind)
    known = set(cls.Params.model_fields) & set(QUICK)
    if "refit_every_bars" not in known:
        known -= {"window_bars"}
    params = {name: QUICK[name] for name in known}
    return registry.build(PACKAGE, kind, params, fits=InlineFits(), name=f"x/{kind}", seed=3)


def make_bars(n: int = 600, seed: int = 4, price: float = 100.0, missing: bool = True) -> list[Observation]:
    rng = np.random.default_rng(seed)
    sigma = 0.005 * np.where((np.arange(n) // 120) % 2, 2.5, 1.0)
    r = rng.standard_t(4, n) * sigma
    close = price * np.exp(np.cumsum(r))
    up, down = rng.exponential(sigma), rng.exponential(sigma)
    before = np.concatenate([[price], close[:-1]])
    high, low = np.maximum(close, before) * np.exp(up), np.minimum(close, before) * np.exp(-down)
    out, last = [], nan
    for i, (h, lo, c) in enumerate(zip(high.tolist(), low.tolist(), close.tolist(), strict=True)):
        if missing and 200 <= i < 210:  # bars that never came: steps go on without this pair
            continue
        r = log(c / last)
        mood = 0.5 * sin(i / 17.0) + 0.4 * tanh(50.0 * (r if r == r else 0.0))
        out.append(Observation(step=i, high=h, low=lo, close=c, log_return=r, sentiment=mood))
        last = c
    return out


def test_the_three_detectors_are_found_and_the_helpers_are_not():
    assert {"hmm", "volatility", "trend"} <= set(KINDS)
    assert not {"ensemble", "hysteresis", "quantiles", "vocabulary"} & set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_view_is_a_distribution_with_its_argmax_and_warms_up_as_declared(kind):
    detector = make(kind)
    views = [detector.update(o) for o in make_bars(missing=False)]
    for v in views:
        assert len(v.probabilities) == len(REGIMES)
        assert sum(v.probabilities) == pytest.approx(1.0, abs=1e-9)
        assert v.probabilities[REGIMES.index(v.label)] == max(v.probabilities)
        assert 0.0 <= v.confidence <= 1.0
    warm = next(i for i, v in enumerate(views) if v.probabilities != UNIFORM)
    assert abs(warm - detector.warmup_bars) <= 1
    assert all(v.confidence == 0.0 for v in views[:warm])


@pytest.mark.parametrize("kind", KINDS)
def test_past_views_do_not_know_the_future(kind):
    bars = make_bars()
    other = bars[:400] + [
        Observation(
            step=o.step, high=o.high * 1.3, low=o.low * 0.7, close=o.close, log_return=0.05, sentiment=-0.9
        )
        for o in bars[400:]
    ]
    one, two = make(kind), make(kind)
    first, second = [one.update(o) for o in bars], [two.update(o) for o in other]
    assert first[:400] == second[:400]
    assert sum(not v.reason for v in first[:400]) >= 200
    assert first[400:] != second[400:]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("at", [0, 5, 152, 199, 433])
def test_snapshot_restores_the_same_future(kind, at):
    bars = make_bars()
    first, second = make(kind), make(kind)
    for o in bars[:at]:
        first.update(o)
    second.load_state(loads(dumps(first.state())))
    assert [first.update(o) for o in bars[at:]] == [second.update(o) for o in bars[at:]]
    assert dumps(first.state()) == dumps(second.state())


@pytest.mark.parametrize("kind", KINDS)
def test_price_units_do_not_matter(kind):
    one, two = make(kind), make(kind)
    a = [one.update(o) for o in make_bars(price=100.0)]
    b = [two.update(o) for o in make_bars(price=25_600.0)]
    np.testing.assert_allclose(
        [v.probabilities for v in a], [v.probabilities for v in b], rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize("kind", KINDS)
def test_market_that_stands_still_is_survived(kind):
    detector = make(kind)
    for i in range(400):
        v = detector.update(
            Observation(step=i, high=50.0, low=50.0, close=50.0, log_return=0.0 if i else nan, sentiment=0.2)
        )
        assert sum(v.probabilities) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_poor_data_lowers_confidence_only(kind):
    one, two = make(kind), make(kind)
    for o in make_bars():
        good = one.update(o)
        poor = two.update(
            Observation(
                step=o.step,
                high=o.high,
                low=o.low,
                close=o.close,
                log_return=o.log_return,
                quality=0.5,
                sentiment=o.sentiment,
            )
        )
        assert poor.probabilities == good.probabilities
        assert poor.confidence == pytest.approx(0.5 * good.confidence)
