"""The fit of the hidden Markov model on a window whose end no calm state explains."""

import numpy as np
import pytest

from actors.domain.regime.hmm import fit_hmm


@pytest.mark.parametrize("wild", [80.0, 400.0])
def test_a_market_gone_wild_is_fitted(wild: float) -> None:
    rng = np.random.default_rng(0)
    returns = rng.normal(0.0, 0.004, 400)
    returns[300:] *= wild
    past = np.column_stack([returns, np.log(1.5 * np.abs(returns) + 1e-3)])
    model = fit_hmm(past, 6, 3, 30, 7, 1000.0, 150.0)
    for name in ("start", "transitions", "means", "variances"):
        assert np.isfinite(model[name]).all()
    assert (model["variances"] > 0.0).all()
    np.testing.assert_allclose(model["transitions"].sum(axis=1), 1.0)
