"""Laws of the statistics: one pass equals the families, scaling, order, spells and months fit the whole."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from actors.domain.evaluation.metrics import drawdown, growth, moments, psr, ratios
from actors.domain.evaluation.metrics.intervals import metric_intervals
from actors.domain.evaluation.metrics.months import month_spans
from actors.domain.evaluation.metrics.summary import ratios_of
from actors.domain.kernels import bootstrap_paths, equity_statistics, return_statistics
from actors.domain.risk.measures import expected_shortfall, historical_var, tail_of_sorted

YEAR = 365.0
returns = arrays(
    np.float64, st.integers(1, 80),
    elements=st.one_of(st.just(0.0), st.floats(-0.5, 0.5).map(lambda x: round(x, 6))),
)  # fmt: skip
FAMILIES = {
    "total_return_frac": growth.total_return, "cagr_frac": lambda r: growth.cagr(r, YEAR),
    "volatility_ann_frac": lambda r: growth.volatility(r, YEAR), "sharpe_ann": lambda r: ratios.sharpe(r, YEAR),
    "sortino_ann": lambda r: ratios.sortino(r, YEAR), "calmar": lambda r: ratios.calmar(r, YEAR),
    "omega": ratios.omega, "max_drawdown_frac": drawdown.max_drawdown,
    "max_drawdown_bars": drawdown.max_drawdown_bars, "ulcer": drawdown.ulcer, "psr": psr.psr,
    "min_track_record_bars": psr.min_track_record, "profit_factor_bars": ratios.profit_factor_bars,
    "win_rate_bars_frac": ratios.win_rate_bars, "tail_ratio": ratios.tail_ratio,
    "var_95_frac": lambda r: historical_var(r, confidence=0.95, method="linear"),
    "es_95_frac": lambda r: expected_shortfall(r, confidence=0.95),
}  # fmt: skip


def same(a, b):
    """Both undefined, or equal but for rounding."""
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=1e-8, abs_tol=1e-9)


@settings(deadline=None, max_examples=150)
@given(returns)
def test_one_pass_equals_the_function_of_each_family(r):
    found = ratios_of(return_statistics(r), YEAR)
    for name, function in FAMILIES.items():
        assert same(found[name], function(r)), name
    skew, kurtosis = moments.skew_kurtosis(r) or (None, None)
    assert same(found["skew"], skew)
    assert same(found["kurtosis"], kurtosis)


@settings(deadline=None, max_examples=60)
@given(returns, st.sampled_from([0.01, 0.05, 0.25]))
def test_order_statistics_are_those_of_the_sorted_sample(r, tail):
    s = return_statistics(r, tail=tail)
    assert (s.var, s.es) == pytest.approx(
        tail_of_sorted(np.sort(r).tolist(), 1.0 - tail), rel=1e-12, abs=1e-15
    )
    assert s.es >= s.var - 1e-15
    low, high = np.quantile(r, [tail, 1.0 - tail])
    assert (s.low_quantile, s.high_quantile) == pytest.approx((low, high), rel=1e-12, abs=1e-15)


@settings(deadline=None, max_examples=60)
@given(returns, st.randoms(use_true_random=False))
def test_order_of_the_bars_matters_to_the_drawdown_only(r, random):
    order = list(range(r.size))
    random.shuffle(order)
    a, b = (ratios_of(return_statistics(x), YEAR) for x in (r, r[order]))
    for name in ("sharpe_ann", "omega", "var_95_frac", "es_95_frac", "kurtosis", "total_return_frac"):
        assert same(a[name], b[name]), name


@settings(deadline=None, max_examples=60)
@given(returns)
def test_spells_hold_the_deepest_drawdown_and_do_not_overlap(r):
    equity = 100.0 * np.concatenate(([1.0], np.cumprod(1.0 + r)))
    spells = drawdown.drawdown_spells(equity, most=1000)
    s = equity_statistics(equity)
    assert max((x.depth_frac for x in spells), default=0.0) == s.max_drawdown
    assert max((x.bars for x in spells), default=0) == drawdown.max_drawdown_bars(
        equity[1:] / equity[:-1] - 1.0
    )
    under = np.zeros(equity.size, dtype=bool)
    for x in spells:
        end = equity.size if x.recovered is None else x.recovered
        assert not under[x.peak + 1 : end].any()
        under[x.peak + 1 : end] = True
        assert equity[x.peak] > equity[x.trough]
        assert x.recovered is None or equity[x.recovered] >= equity[x.peak]
    assert under.sum() == (equity < np.maximum.accumulate(equity)).sum()


@settings(deadline=None, max_examples=60)
@given(st.integers(-(2**61), 2**61), st.lists(st.integers(1, 40 * 86_400 * 10**9), max_size=60))
def test_months_tile_the_bars(start, steps):
    spans = month_spans(np.cumsum([start, *steps]))
    assert [s.first for s in spans[1:]] == [s.end for s in spans[:-1]]
    assert (spans[0].first, spans[-1].end) == (0, len(steps) + 1)
    assert all((a.year, a.month) < (b.year, b.month) for a, b in pairwise(spans))


@settings(deadline=None, max_examples=40)
@given(returns, st.integers(0, 2**70), st.integers(1, 12))
def test_a_path_depends_on_seed_and_number_only(r, seed, paths):
    few = bootstrap_paths(r, paths=paths, seed=seed, steps=20, mean_block_bars=3.0, sums=True)
    many = bootstrap_paths(r, paths=paths + 5, seed=seed, steps=20, mean_block_bars=3.0)
    assert few.growth.tolist() == many.growth[:paths].tolist()
    assert few.max_drawdown.tolist() == many.max_drawdown[:paths].tolist()
    assert (few.max_drawdown >= 0.0).all()
    assert few.sums is not None
    # gains and losses together are the sum of the path's returns
    total = few.center * 20 + few.sums[:, 0]
    assert few.sums[:, 3] + few.sums[:, 4] == pytest.approx(total, abs=1e-12)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(21)
    truth, hits, trials = 0.1, 0, 120
    for k in range(trials):
        r = rng.standard_normal(400) * 0.01 + truth * 0.01
        one = metric_intervals(r, periods_per_year=1.0, confidence=0.9, paths=300, seed=k)["sharpe_ann"]
        hits += one.low <= truth <= one.high
    # 3 standard errors of a share of 0.9
    assert hits / trials == pytest.approx(0.9, abs=3 * math.sqrt(0.09 / trials))


def test_dependence_widens_the_interval():
    rng = np.random.default_rng(22)
    r = rng.standard_normal(1500) * 0.01
    for t in range(1, r.size):
        r[t] += 0.6 * r[t - 1]
    wide, narrow = (
        metric_intervals(r, periods_per_year=1.0, paths=600, seed=1, mean_block_bars=b)["sharpe_ann"]
        for b in (None, 1.0)
    )
    assert wide.mean_block_bars > 5.0
    # the long-run deviation of such a chain is twice that of independent returns
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(2.0, abs=0.4)
