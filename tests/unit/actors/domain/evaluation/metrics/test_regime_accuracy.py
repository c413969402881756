"""Regime accuracy: hand-worked confusion, absent regimes, foreign labels."""

import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.evaluation.metrics.regime_accuracy import regime_accuracy
from actors.domain.events.regime import REGIMES


def test_hand_worked_confusion():
    truth = ["bull"] * 8 + ["crash"] * 2 + [None]
    said = ["bull"] * 6 + ["bear"] * 2 + ["crash", "bull"] + ["bull"]
    r = regime_accuracy(said, truth, REGIMES)
    assert (r.bars, r.unlabelled, r.accuracy) == (10, 1, 0.7)
    assert r.balanced_accuracy == pytest.approx((0.75 + 0.5) / 2)
    assert r.labels == ("bull", "bear", "crash")
    assert r.confusion == ((6, 2, 0), (0, 0, 0), (1, 0, 1))
    assert r.recalls == (0.75, None, 0.5)


def test_nothing_to_compare_is_undefined():
    r = regime_accuracy([None, ""], ["bull", "bull"], REGIMES)
    assert (r.accuracy, r.balanced_accuracy, r.unlabelled) == (None, None, 2)


def test_foreign_labels_and_lengths_are_refused():
    with pytest.raises(InvalidParamsError):
        regime_accuracy(["moon"], ["bull"], REGIMES)
    with pytest.raises(InvalidParamsError):
        regime_accuracy(["bull"], [], REGIMES)
