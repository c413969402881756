"""Outcomes of opinions, worked by hand."""

from __future__ import annotations

import math

import pytest

from actors.domain.evaluation.scoring import OpinionRecord, ReturnScale, bounded_loss


def test_outcomes_are_positions_times_returns_less_turnover_costs() -> None:
    r = OpinionRecord()
    outcomes = []
    for position, bar_return in ((1.0, 0.01), (1.0, -0.02), (-0.5, -0.01), (0.0, 0.05)):
        r.hold(position)
        outcomes.append(r.settle(bar_return, cost_frac=0.001))
    assert outcomes == pytest.approx([0.01 - 0.001, -0.02, 0.005 - 0.0015, -0.0005])
    assert (r.observations, r.hits) == (3, 2)
    assert r.earned_frac == pytest.approx(sum(outcomes))


def test_before_any_opinion_nothing_is_counted() -> None:
    r = OpinionRecord()
    assert r.settle(0.1, cost_frac=0.001) == 0.0
    assert r.observations == 0


def test_the_scale_is_the_riskmetrics_recursion() -> None:
    s = ReturnScale(0.94)
    assert math.isnan(s.value)
    s.update(0.02)
    s.update(-0.01)
    assert s.value == pytest.approx(math.sqrt(0.94 * 0.02**2 + 0.06 * 0.01**2))


@pytest.mark.parametrize("scale", [math.nan, 0.0])
def test_without_a_scale_the_loss_is_neutral(scale: float) -> None:
    assert bounded_loss(0.5, scale) == 0.5


def test_a_restored_record_has_the_same_future() -> None:
    a, b = OpinionRecord(), OpinionRecord()
    a.hold(0.5)
    a.settle(0.01, cost_frac=0.001)
    a.hold(-0.5)
    b.load_state(a.state())
    assert a.settle(0.02, cost_frac=0.001) == b.settle(0.02, cost_frac=0.001)
    assert a.state() == b.state()
