"""Sizing schemes: cap, inverse volatility, correlation, what is unknown."""

import math

import numpy as np
import pytest

from actors.domain import registry

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
