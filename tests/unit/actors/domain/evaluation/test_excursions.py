"""Excursions by hand: long and short, the bars of the trip only, none outside the record."""

import pytest

from actors.domain.evaluation.excursions import Excursion, excursions

CLOSES = [10, 20, 30, 40]
HIGH = [130.0, 104.0, 108.0, 150.0]
LOW = [50.0, 97.0, 92.0, 60.0]


@pytest.mark.parametrize(
    ("span", "mae", "mfe"),
    [
        ((20, 30, 1, 100.0), 0.08, 0.08),  # bars 2 and 3: low 92, high 108
        ((20, 30, -1, 100.0), 0.08, 0.08),
        ((20, 20, 1, 100.0), 0.03, 0.04),  # opened and closed in bar 2
        ((20, 20, -1, 100.0), 0.04, 0.03),
        ((12, 15, 1, 100.0), 0.03, 0.04),  # inside bar 2
        ((20, 30, 1, 90.0), 0.0, 0.2),  # never below entry
    ],
)
def test_farthest_marks(span, mae, mfe):
    (found,) = excursions([span], CLOSES, HIGH, LOW)
    assert found.mae_frac == pytest.approx(mae)
    assert found.mfe_frac == pytest.approx(mfe)


def test_what_lies_outside_the_record_is_undefined():
    assert excursions([(50, 60, 1, 100.0)], CLOSES, HIGH, LOW) == [Excursion(None, None)]
    assert excursions([(1, 2, 1, 100.0)], [], [], []) == [Excursion(None, None)]
