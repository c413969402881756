"""Which finer bars belong to which bar, and why others do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from actors.domain.errors import ConfigError, DataError
from actors.domain.model.bars import FLAG_FORWARD_FILLED, BarFrame
from actors.domain.model.detail import detail_of


def frame(step: int, rows: list[tuple[float, ...]], flags: Any = ()) -> BarFrame:
    t, o, h, low, c, v = (np.array(x, dtype=float) for x in zip(*rows, strict=True))
    return BarFrame(
        "A/B", step, t.astype(np.int64), o, h, low, c, v, np.array(flags, dtype=np.uint8), source="f"
    )


COARSE = [(0, 5, 8, 4, 6, 9), (3, 6, 6, 5, 5, 4), (6, 5, 7, 5, 7, 3), (9, 7, 7, 7, 7, 1)]
FINER = [
    (0, 5, 8, 5, 7, 2), (1, 7, 7, 4, 5, 3), (2, 5, 6, 5, 6, 4),  # all of the first
    (3, 6, 6, 5, 5, 4),                                          # one row, the whole volume of the second
    (6, 5, 6, 5, 6, 1), (8, 6, 7, 6, 7, 1),                      # one of the third's three is missing
]  # fmt: skip


def test_what_rebuilds_a_bar_is_its_detail() -> None:
    found = detail_of(frame(3, COARSE), frame(1, FINER))
    assert [list(found.rows(t)) for t in (0, 3, 6, 9, 12)] == [[0, 1, 2], [3], [], [], []]
    assert found.tally(0, 12) == {
        "bars": 4, "with_detail": 2, "absent": 1, "incomplete": 1, "different": 0, "filled": 0,
    }  # fmt: skip
    assert found.tally(3, 9)["bars"] == 2
    assert found.lacking(0, 12) == [6, 9]


def test_a_price_that_differs_costs_the_bar_its_detail() -> None:
    """Three parts a bar, a hundred and one bars, the highest price of one of them is another one: 0.99 %."""
    coarse = [(3 * k, 5.0, 7.0, 5.0, 7.0, 3.0) for k in range(101)]
    finer = [(3 * k + j, 5 + j, 5 + j, 5 + j, 5 + j, 1.0) for k in range(101) for j in range(3)]
    finer = [(t, o, h + (t == 32), low, c, v) for t, o, h, low, c, v in finer]
    found = detail_of(frame(3, coarse), frame(1, finer))
    assert found.tally(0, 999)["different"] == 1
    assert found.lacking(0, 999) == [30]
    with pytest.raises(DataError, match="found 1 of 99 that do not"):
        detail_of(frame(3, coarse[:99]), frame(1, finer[:297]))


def test_a_filled_bar_needs_no_detail() -> None:
    found = detail_of(frame(3, COARSE, [0, FLAG_FORWARD_FILLED, 0, 0]), frame(1, FINER))
    assert found.tally(0, 12)["filled"] == 1


@pytest.mark.parametrize("step", [3, 2, 6])
def test_a_timeframe_that_is_not_finer_or_does_not_divide(step: int) -> None:
    with pytest.raises(ConfigError, match="finer"):
        detail_of(frame(3, COARSE), frame(step, [(0, 5, 5, 5, 5, 1)]))


def test_another_market_and_another_time_are_refused() -> None:
    other = [(t, o + 1, h + 1, low + 1, c + 1, v) for t, o, h, low, c, v in FINER]
    with pytest.raises(DataError, match="same pair, venue and market"):
        detail_of(frame(3, COARSE), frame(1, other))
    late = [(t + 90, o, h, low, c, v) for t, o, h, low, c, v in FINER]
    with pytest.raises(DataError, match="same time"):
        detail_of(frame(3, COARSE), frame(1, late))
