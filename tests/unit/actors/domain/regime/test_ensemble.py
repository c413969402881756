"""The pool: agreement, silence, weights, steadiness."""

from __future__ import annotations

import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.regime.base import UNIFORM, Assessment
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble


def view(label: str, p: float = 0.9, confidence: float = 0.8) -> Assessment:
    rest = (1.0 - p) / (len(REGIMES) - 1)
    return Assessment(label, tuple(p if r == label else rest for r in REGIMES), confidence)


def make(members: int = 2, **params) -> RegimeEnsemble:
    return RegimeEnsemble(EnsembleParams.parse(params), members=members)


def test_uninformed_members_give_the_uniform_view():
    out = make().update([None, Assessment("sideways", UNIFORM, 0.0)])
    assert (out.label, out.probabilities, out.confidence) == ("sideways", UNIFORM, 0.0)


def test_agreement_is_followed_and_probabilities_sum_to_one():
    ensemble = make()
    labels = []
    for _ in range(40):
        out = ensemble.update([view("bull"), view("bull")])
        assert sum(out.probabilities) == pytest.approx(1.0, abs=1e-12)
        assert 0.0 <= out.confidence <= 1.0
        labels.append(out.label)
    assert labels[0] == "sideways"
    assert labels[-1] == "bull"
    assert out.probabilities[0] > 0.95


def test_silent_member_does_not_stop_the_others():
    ensemble = make()
    for _ in range(40):
        out = ensemble.update([None, view("bear")])
    assert out.label == "bear"


def test_weight_zero_is_no_voice_and_a_larger_weight_wins():
    muted = make(weights=(0.0, 1.0))
    loud = make(weights=(3.0, 1.0))
    for _ in range(60):
        a = muted.update([view("bull"), view("bear")])
        b = loud.update([view("bull"), view("bear")])
    assert (a.label, b.label) == ("bear", "bull")


def test_one_odd_bar_does_not_switch_but_a_crash_does_at_once():
    ensemble = make(evidence_exponent=1.0, min_dwell_bars=48)
    for _ in range(60):
        ensemble.update([view("bull"), view("bull")])
    for _ in range(60):
        ensemble.update([view("bear", 0.99), view("bear", 0.99)])
    assert ensemble.label == "bear"
    assert ensemble.update([view("bull", 0.99), view("bull", 0.99)]).label == "bear"
    for _ in range(3):
        out = ensemble.update([view("crash", 0.999), view("crash", 0.999)])
    assert out.label == "crash"
    assert out.bars_in_state <= 3


@pytest.mark.parametrize("weights", [(1.0,), (0.0, 0.0), (1.0, -1.0)])
def test_refuses_weights_that_do_not_fit(weights):
    with pytest.raises(InvalidParamsError, match="non-negative"):
        make(weights=weights)


def test_refuses_unknown_parameters():
    with pytest.raises(InvalidParamsError, match="wieghts"):
        EnsembleParams.parse({"wieghts": (1.0,)})
