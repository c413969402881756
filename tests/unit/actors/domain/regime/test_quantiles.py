"""Expanding quantiles against NumPy's, at every moment of a series."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.regime.quantiles import ExpandingQuantiles


@pytest.mark.parametrize("q", [0.05, 0.2, 0.5, 0.8, 0.95])
def test_within_a_bin_of_the_exact_quantile(q):
    x = np.random.default_rng(2).lognormal(-5, 0.7, 3000)
    quantiles = ExpandingQuantiles()
    for i, v in enumerate(x.tolist(), start=1):
        quantiles.add(v)
        if i in (500, 1500, 3000):
            assert quantiles.quantile(q) == pytest.approx(np.quantile(x[:i], q), rel=0.03)


def test_empty_is_undefined_and_extremes_stay_in_range():
    quantiles = ExpandingQuantiles()
    assert np.isnan(quantiles.quantile(0.5))
    for v in (0.0, 1e-12, 5.0):
        quantiles.add(v)
    assert quantiles.quantile(0.0) == pytest.approx(1e-7)
    assert 0.98 < quantiles.quantile(1.0) <= 1.0
    assert quantiles.count == 3
