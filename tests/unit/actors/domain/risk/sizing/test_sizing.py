"""Sizing schemes: cap, inverse volatility, correlation, what is unknown."""

import math

import numpy as np
import pytest

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.risk.sizing.base import Known

PACKAGE = "actors.domain.risk.sizing"
YEAR = 8760.0


def build(kind, **params):
    return registry.build(PACKAGE, kind, params, periods_per_year=YEAR)


def test_fixed_fraction_scales_the_wish():
    assert build("fixed_fraction", fraction=0.25).size(-0.8, math.nan, math.nan, 3) == -0.2


@pytest.mark.parametrize("sigma_ann", [0.2, 0.4, 0.8, 1.6])
def test_full_wish_runs_at_the_target_volatility_or_at_the_cap(sigma_ann):
    sizing = build("volatility_target", target_volatility_ann_frac=0.4, max_scale=1.5)
    frac = sizing.size(1.0, sigma_ann / math.sqrt(YEAR), math.nan, 1)
    assert frac == pytest.approx(min(1.5, 0.4 / sigma_ann))


def test_correlated_positions_together_are_as_volatile_as_independent_ones():
    sizing = build("volatility_target", target_volatility_ann_frac=0.4, max_scale=10.0)
    sigma, rho, m = 0.01, 0.7, 3
    w = np.full(m, sizing.size(1.0, sigma, rho, m))
    alone = sizing.size(1.0, sigma, 0.0, 1)
    cov = sigma**2 * (rho + (1 - rho) * np.eye(m))
    assert math.sqrt(w @ cov @ w) == pytest.approx(alone * sigma * math.sqrt(m))


def test_unknown_volatility_is_not_sized_but_flat_stays_flat():
    sizing = build("volatility_target")
    assert math.isnan(sizing.size(0.5, math.nan, 0.0, 1))
    assert sizing.size(0.0, math.nan, 0.0, 1) == 0.0


def test_unknown_correlation_counts_as_one():
    sizing = build("volatility_target", max_scale=10.0)
    assert sizing.size(1.0, 0.01, math.nan, 2) == sizing.size(1.0, 0.01, 1.0, 2)


def known(equity=10_000.0, stop=math.nan, pairs=1, rho=math.nan):
    return Known(math.nan, rho, pairs, equity, stop)


@pytest.mark.parametrize(
    ("wish", "equity", "frac"), [(0.2, 8000.0, 0.25), (-1.0, 8000.0, -0.25), (0.5, 1500.0, 0.8)]
)
def test_fixed_quote_is_the_stake_over_equity_and_no_more_than_the_cap(wish, equity, frac):
    assert build("fixed_quote", quote=2000.0, max_frac=0.8).size_from(wish, known(equity)) == frac


def test_risk_per_trade_loses_the_stated_share_at_the_stop():
    # 10,000 of equity, 1 % at risk, stop 4 % away: a position of 2,500, which loses 100 at the stop
    frac = build("risk_per_trade", risk_frac=0.01).size_from(0.3, known(10_000.0, 0.04))
    assert frac == 0.25
    assert frac * 10_000.0 * 0.04 == 100.0
    assert build("risk_per_trade", risk_frac=0.01).size_from(-0.3, known(stop=0.02)) == -0.5
    assert build("risk_per_trade", risk_frac=0.05, max_frac=0.9).size_from(1.0, known(stop=0.01)) == 0.9


@pytest.mark.parametrize("kind", ["fixed_quote", "risk_per_trade", "kelly"])
def test_flat_stays_flat_and_what_is_unknown_is_not_sized(kind):
    sizing = build(kind)
    assert sizing.size_from(0.0, known(math.nan, math.nan)) == 0.0
    if kind != "kelly":
        assert math.isnan(sizing.size_from(0.4, known(math.nan, math.nan)))


def closed(sizing, *returns):
    for r in returns:
        sizing.closed(r)
    return sizing


def test_gaussian_kelly_by_hand():
    # returns 0.2 0.4 -0.3: mean 0.1, squares 0.01 + 0.09 + 0.16 over 2 = 0.13; half of 0.1 / 0.13
    sizing = closed(build("kelly", min_trades=3, shrink_trades=0, fraction=0.5), 0.2, 0.4, -0.3)
    assert sizing.size_from(0.7, known()) == pytest.approx(0.5 * 0.1 / 0.13)
    assert sizing.size_from(-0.7, known()) == pytest.approx(-0.5 * 0.1 / 0.13)


def test_binary_kelly_is_the_textbook_bet():
    # three wins of the stake in five bets: p - (1 - p) / b with b = 1
    sizing = build("kelly", estimate="binary", min_trades=5, shrink_trades=0, fraction=1.0)
    assert closed(sizing, 1.0, 1.0, -1.0, 1.0, -1.0).size_from(1.0, known()) == pytest.approx(0.6 - 0.4)
    # odds of 2 to 1, a stake of a fifth: (p - (1 - p) / b) / L
    sizing = build("kelly", estimate="binary", min_trades=4, shrink_trades=0, fraction=1.0, max_frac=5.0)
    assert closed(sizing, 0.4, -0.2, 0.4, -0.2).size_from(1.0, known()) == pytest.approx(
        (0.5 - 0.5 / 2) / 0.2
    )


def test_the_mean_is_shrunk_by_the_trades_the_prior_is_worth():
    raw = closed(build("kelly", min_trades=3, shrink_trades=0, fraction=0.5), 0.2, 0.4, -0.3)
    shrunk = closed(build("kelly", min_trades=3, shrink_trades=9, fraction=0.5), 0.2, 0.4, -0.3)
    assert shrunk.size_from(1.0, known()) == pytest.approx(raw.size_from(1.0, known()) * 3 / 12)


def test_kelly_keeps_its_share_of_growth_on_the_gaussian_closed_form():
    # growth f·mu - f²·var / 2 of a fraction c of the full size is c (2 - c) of the best
    full = closed(build("kelly", min_trades=3, shrink_trades=0, fraction=1.0), 0.2, 0.4, -0.3)
    f = full.size_from(1.0, known())
    half = 0.5 * f

    def growth(x):
        return x * 0.1 - x * x * 0.13 / 2

    assert growth(half) / growth(f) == pytest.approx(0.75)


def test_kelly_is_conservative_until_it_knows_and_stays_out_without_an_edge():
    sizing = build("kelly", min_trades=3, start_frac=0.07)
    assert closed(sizing, 0.2, 0.4).size_from(0.9, known()) == 0.07
    assert closed(sizing, math.nan).size_from(0.9, known()) == 0.07, "an undefined outcome is none"
    assert closed(sizing, -0.9).size_from(0.9, known()) == 0.0
    assert closed(build("kelly", min_trades=2, min_frac=0.02), -0.1, -0.2).size_from(1.0, known()) == 0.02


@pytest.mark.parametrize("estimate", ["gaussian", "binary"])
def test_kelly_without_a_loss_is_capped_and_without_a_win_is_nothing(estimate):
    sizing = build("kelly", estimate=estimate, min_trades=2, max_frac=0.6)
    assert closed(sizing, 0.01, 0.01).size_from(1.0, known()) == 0.6
    assert (
        closed(build("kelly", estimate=estimate, min_trades=2), -0.01, -0.01).size_from(1.0, known()) == 0.0
    )


def test_correlated_pairs_share_the_kelly_size_as_the_inverse_covariance_says():
    sizing = closed(build("kelly", min_trades=3, shrink_trades=0, fraction=0.5), 0.2, 0.4, -0.3)
    rho, m, mu, var = 0.6, 3, 0.1, 0.13
    cov = var * (rho + (1 - rho) * np.eye(m))
    exact = 0.5 * np.linalg.solve(cov, np.full(m, mu))
    assert sizing.size_from(1.0, known(pairs=m, rho=rho)) == pytest.approx(exact[0])
    assert sizing.size_from(1.0, known(pairs=m)) == sizing.size_from(1.0, known(pairs=m, rho=1.0))


def test_kelly_forgets_what_left_the_window_and_takes_its_memory_along():
    sizing = closed(build("kelly", min_trades=2, window_trades=3, shrink_trades=0), 5.0, 0.2, 0.4, -0.3)
    fresh = closed(build("kelly", min_trades=2, window_trades=3, shrink_trades=0), 0.2, 0.4, -0.3)
    assert sizing.size_from(1.0, known()) == fresh.size_from(1.0, known())
    restored = build("kelly", min_trades=2, window_trades=3, shrink_trades=0)
    assert restored.size_from(1.0, known()) == 0.1
    restored.load_state(sizing.state())
    assert restored.size_from(1.0, known()) == fresh.size_from(1.0, known())


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"min_trades": 600}, "min_trades: expected at most window_trades = 500, found 600"),
        ({"start_frac": 2.0}, "start_frac: expected at most max_frac = 1, found 2"),
        ({"fraction": 1.5}, "fraction: Input should be less than or equal to 1"),
    ],
)
def test_contradictory_kelly_settings_are_refused(params, text):
    with pytest.raises(InvalidParamsError, match=text):
        build("kelly", **params)
