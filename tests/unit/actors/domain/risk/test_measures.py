"""Historical VaR and ES: hand-worked values, the float trap, order-path and batch forms agree."""

import numpy as np
import pytest

from actors.domain.errors import InsufficientDataError, InvalidParamsError
from actors.domain.risk.measures import book_tail, expected_shortfall, historical_var

TEN = np.array([-0.10, -0.07, -0.05, -0.02, 0.0, 0.01, 0.01, 0.02, 0.03, 0.04])


def test_hand_worked_values():
    # a·n = 2.5: the third worst is the order statistic and counts by half in the mean
    assert historical_var(TEN, confidence=0.75) == 0.05
    assert expected_shortfall(TEN, confidence=0.75) == pytest.approx((0.10 + 0.07 + 0.5 * 0.05) / 2.5)
    # type 7 at 0.25 of ten values: position 2.25
    assert historical_var(TEN, confidence=0.75, method="linear") == pytest.approx(0.05 - 0.25 * 0.03)


def test_float_noise_does_not_take_one_observation_more():
    r = -np.arange(1, 501, dtype=float)[::-1] / 1000  # worst first: -0.500
    assert (1 - 0.95) * 500 > 25
    assert historical_var(r, confidence=0.95) == 0.476
    assert expected_shortfall(r, confidence=0.95) == pytest.approx(0.488)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.975, 0.99])
@pytest.mark.parametrize("n", [7, 100, 500])
def test_order_path_form_equals_the_batch_form(confidence, n):
    pnl = np.random.default_rng(n).standard_t(3, n) / 100
    kept = pnl.copy()
    var, es = book_tail(pnl, confidence)
    assert var == historical_var(pnl, confidence=confidence)
    assert es == pytest.approx(expected_shortfall(pnl, confidence=confidence), rel=1e-14)
    assert es >= var
    np.testing.assert_array_equal(pnl, kept)


def test_bad_input_is_refused():
    with pytest.raises(InsufficientDataError):
        historical_var(np.array([]))
    with pytest.raises(InvalidParamsError):
        expected_shortfall(np.array([0.1, np.nan]))
    with pytest.raises(InvalidParamsError):
        historical_var(TEN, confidence=1.0)
