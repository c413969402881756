"""Parameters with ranges: legal, searchable, and told apart."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from actors.domain.errors import InvalidParamsError
from actors.domain.params import Param, Range, search_space
from actors.domain.registry import Params


class P(Params):
    """Parameters."""

    fast_bars: int = Param(20, ge=1, low=5, high=50, about="bars")
    wide: float = Param(0.1, gt=0, low=0.01, high=1.0, log=True)
    grid: float = Param(0.3, low=0.1, high=0.5, step=0.2)
    kind: Literal["a", "b"] = Param("a", choices=("a", "b"))
    on: bool = True
    plain: int = 3


def test_the_space_is_read_off_the_model() -> None:
    assert search_space(P) == {
        "fast_bars": Range("int", 5, 50),
        "wide": Range("float", 0.01, 1.0, None, True),
        "grid": Range("float", 0.1, 0.5, 0.2),
        "kind": Range("choice", choices=("a", "b")),
        "on": Range("choice", choices=(False, True)),
    }


def test_a_range_refuses_nothing_and_a_limit_does() -> None:
    assert P(fast_bars=500).fast_bars == 500
    with pytest.raises(ValueError, match="fast_bars"):
        P(fast_bars=0)


def test_it_survives_json_and_says_what_it_is() -> None:
    made = P(wide=0.2)
    assert P.model_validate_json(made.model_dump_json()) == made
    assert P.model_fields["fast_bars"].description == "bars"
    assert P.model_json_schema()["properties"]["fast_bars"]["range"]["high"] == 50


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Range("int", 1, 7, 3), (1, 4, 7)),
        (Range("int", 1, 3), (1, 2, 3)),
        (Range("float", 0.1, 0.5, 0.2), (0.1, 0.3, 0.5)),
        (Range("float", 0.1, 0.5), None),
        (Range("choice", choices=("x", None)), ("x", None)),
    ],
)
def test_values(found: Range, expected: Any) -> None:
    assert found.values() == expected
    assert all(found.holds(v) for v in expected or ())


def test_a_choice_tells_true_from_one() -> None:
    assert not Range("choice", choices=(False, True)).holds(1)


@pytest.mark.parametrize(
    "kw",
    [
        {"default": 5, "low": 1},
        {"default": 5, "low": 9, "high": 1},
        {"default": 5, "low": 1, "high": 9.5},
        {"default": 5, "low": 1, "high": 9, "step": 0},
        {"default": 5, "low": 1, "high": 9, "step": 20},
        {"default": 5.0, "low": 0.0, "high": 9.0, "log": True},
        {"default": 5.0, "low": 1.0, "high": 9.0, "log": True, "step": 1.0},
        {"default": "x", "low": 1, "high": 9},
        {"default": 20, "low": 1, "high": 9},
        {"default": 6, "low": 1, "high": 9, "step": 3},
        {"default": "c", "choices": ("a", "b")},
    ],
)
def test_a_range_that_makes_no_sense_is_refused(kw: dict[str, Any]) -> None:
    with pytest.raises(InvalidParamsError, match="range"):
        Param(**kw)
