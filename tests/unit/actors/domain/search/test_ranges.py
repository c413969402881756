"""Ranges: points, the unit interval behind them, what people write."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import ConfigError
from actors.domain.params import Range
from actors.domain.search.ranges import from_unit, grid, parse_range, parse_ranges, to_unit

RANGES = [
    Range("int", 2, 50), Range("int", 1, 500, log=True), Range("int", 5, 48, 7), Range("float", -1.0, 3.0),
    Range("float", 0.001, 10.0, log=True), Range("float", 0.0, 1.0, 0.3), Range("choice", choices=("a", "b", "c")),
    Range("choice", choices=(False, True)),
]  # fmt: skip


@pytest.mark.parametrize("found", RANGES, ids=str)
def test_every_place_gives_a_value_of_the_range_and_leads_back(found: Range) -> None:
    values = [from_unit(found, float(u)) for u in np.linspace(0.0, 1.0, 257)]
    assert all(found.holds(v) for v in values)
    assert all(from_unit(found, to_unit(found, v)) == pytest.approx(v) for v in set(values))
    if found.kind != "choice":
        assert values == sorted(values)
        assert values[0] == found.low
    every = found.values()
    if every is not None and len(every) < 60:
        assert set(values) == set(every)
    assert from_unit(found, -0.5) == values[0]
    assert from_unit(found, 1.5) == values[-1]


def test_steps_share_the_interval_and_a_logarithm_is_even() -> None:
    draws = np.random.default_rng(3).random(30_000)
    middle = [from_unit(Range("float", 0.01, 100.0, log=True), u) < 1.0 for u in draws]
    assert np.mean(middle) == pytest.approx(0.5, abs=0.02)
    sides = [from_unit(Range("choice", choices=("a", "b", "c")), u) for u in draws]
    assert [sides.count(c) / 30_000 for c in "abc"] == pytest.approx([1 / 3] * 3, abs=0.02)
    steps = [from_unit(Range("int", 2, 9, 2), u) for u in draws]
    assert [steps.count(v) / 30_000 for v in (2, 4, 6, 8)] == pytest.approx([1 / 4] * 4, abs=0.02)


@pytest.mark.parametrize("found", RANGES, ids=str)
def test_a_grid_has_both_ends_and_no_value_twice(found: Range) -> None:
    points = grid(found, 5)
    assert len(set(points)) == len(points)
    assert all(found.holds(p) for p in points)
    if found.kind == "choice":
        assert points == found.choices
    else:
        assert len(points) <= 5
        assert points[0] == found.low
        assert list(points) == sorted(points)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5..50", Range("int", 5, 50)),
        ("5..50 step 5", Range("int", 5, 50, 5)),
        (" 0.1 .. 0.4 step 0.1 ", Range("float", 0.1, 0.4, 0.1)),
        ("-2..1.5", Range("float", -2, 1.5)),
        ("1..400 log", Range("int", 1, 400, log=True)),
        ("1e-3..1 log", Range("float", 1e-3, 1, log=True)),
        ("sma | ema", Range("choice", choices=("sma", "ema"))),
        ("1|2|5", Range("choice", choices=(1, 2, 5))),
        ("true|false", Range("choice", choices=(True, False))),
    ],
)
def test_what_people_write(text: str, found: Range) -> None:
    assert parse_range(text) == found
    if found.kind != "choice":
        assert parse_range(str(found)) == found


@pytest.mark.parametrize(
    "text",
    ["", "5", "50..5", "5..5", "0..9 log", "1..9 step 20", "1..9 step 0", "a|", "a|a", "0.5..2 step 0.5 log",
     "x..y"],
)  # fmt: skip
def test_what_is_no_range_is_told(text: str) -> None:
    with pytest.raises(ConfigError, match="expected") as e:
        parse_range(text)
    assert e.value.code == "RANGE_TEXT"


def test_assignments_need_both_sides() -> None:
    assert parse_ranges(["a.b=1..2"]) == {"a.b": Range("int", 1, 2)}
    with pytest.raises(ConfigError, match="PATH=RANGE"):
        parse_ranges(["1..2"])
