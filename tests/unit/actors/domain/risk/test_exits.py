"""Protective exits as configured: distances, contradictions."""

from __future__ import annotations

import math
from typing import Any

import pytest

from actors.domain.agent_params import checked
from actors.domain.errors import InvalidParamsError
from actors.domain.risk.exits import ExitParams, exit_reason


@pytest.mark.parametrize(
    ("exits", "frac"),
    [
        ({"stop": {"frac": 0.03}}, 0.03),
        ({"stop": {"atr": 2.0}}, 0.05),
        ({"trailing": {"quote": 8.0}}, 0.04),
        ({"stop": {"frac": 0.03}, "trailing": {"quote": 4.0}}, 0.02),
        ({"stop": {"frac": 0.01}, "trailing": {"atr": 2.0}}, 0.01),
        ({"target": {"frac": 0.1}, "time": {"bars": 3}}, math.nan),
    ],
)
def test_the_distance_of_a_loss_is_that_of_the_nearer_stop(exits: dict[str, Any], frac: float) -> None:
    assert ExitParams(**exits).stop_frac(200.0, 5.0) == pytest.approx(frac, nan_ok=True)


def test_what_cannot_be_known_is_nan() -> None:
    exits = ExitParams(stop={"atr": 2.0}, trailing={"frac": 0.5})
    assert math.isnan(exits.stop_frac(200.0, math.nan))
    assert exits.needs_range
    assert not ExitParams(stop={"frac": 0.1}).needs_range
    assert not ExitParams().active


@pytest.mark.parametrize(
    ("exits", "text"),
    [
        ({"stop": {}}, "stop: .*expected exactly one of frac, atr, found none"),
        ({"stop": {"frac": 0.1, "atr": 2}}, "stop: .*expected exactly one of frac, atr, found frac, atr"),
        ({"stop": {"frac": 1.0}}, r"stop.frac: .*less than 1, found 1.0"),
        ({"trailing": {"frac": 1.2}}, r"trailing.frac: .*less than 1, found 1.2"),
        ({"target": {"frac": -0.02}}, r"target.frac: .*greater than 0, found -0.02"),
        ({"target": {"r": 2}}, "target.r: expected a stop or trailing exit"),
        (
            {"stop": {"frac": 0.02}, "trailing": {"frac": 0.02}},
            "trailing.frac: expected more than stop.frac = 0.02",
        ),
        ({"time": {"bars": 0}}, r"time.bars: .*greater than or equal to 1, found 0"),
        ({"atr_window_bars": 20}, "expected a stop, target, trailing or time exit, found none"),
        ({"stop": {"frac": 0.1}, "atr_window_bars": 20}, "atr_window_bars: expected a distance in atr"),
        ({"stopp": {"frac": 0.1}}, "stopp: Extra inputs are not permitted"),
    ],
)
def test_contradictions_are_refused_with_their_path(exits: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidParamsError, match=text):
        checked(ExitParams, exits, "exits")


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidParamsError) as e:
        checked(ExitParams, {"stop": {"frac": 2}, "trailing": {"frac": 1.0}, "time": {"bars": "x"}}, "exits")
    assert all(path in e.value.message for path in ("stop.frac", "trailing.frac", "time.bars"))


def test_reasons_follow_from_the_intent() -> None:
    assert exit_reason("exit:trailing:execution-exits:4:1") == "trailing"
    assert exit_reason("venue:trading_ended") is None
