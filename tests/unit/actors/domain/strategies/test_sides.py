"""A held side in columns against the loop it stands for."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.strategies.sides import held_side, last_event


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rate", [0.02, 0.3, 0.8])
def test_it_is_the_loop(seed: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    enter_long, leave_long, enter_short, leave_short = rng.random((4, 300)) < rate
    side, expected = 0.0, []
    for k in range(300):
        if enter_long[k]:
            side = 1.0
        elif enter_short[k]:
            side = -1.0
        elif (side > 0.0 and leave_long[k]) or (side < 0.0 and leave_short[k]):
            side = 0.0
        expected.append(side)
    assert held_side(enter_long, leave_long, enter_short, leave_short).tolist() == expected


def test_nothing_is_held_before_the_first_entry() -> None:
    # the last bar enters: index -1 must not reach round to it
    enter = np.array([False, False, True])
    never = np.zeros(3, dtype=bool)
    assert held_side(enter, never, never, never).tolist() == [0.0, 0.0, 1.0]


def test_no_bars() -> None:
    none = np.zeros(0, dtype=bool)
    assert held_side(none, none, none, none).tolist() == []
    assert last_event(none).tolist() == []
