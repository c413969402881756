"""Items of a fan-out and its serial twin: order, seeds, failures, sizes, what an asker may know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from actors.runtime.fanout_items import (
    AIM_S,
    LEAST_S,
    FanOutCanceled,
    FanOutError,
    Progress,
    Sizer,
    item_rng,
)
from actors.runtime.fanout_serial import SerialFanOut


def draw(shared: float, item: int, rng: np.random.Generator) -> float:
    return shared + item + rng.random()


def picky(_shared: Any, item: int, _rng: np.random.Generator) -> int:
    if item % 3 == 1:
        raise ValueError(f"not {item}")
    return item


def test_an_item_has_its_own_random_numbers() -> None:
    alone = [100.0 + k + item_rng(5, k).random() for k in range(6)]
    assert SerialFanOut(100.0, seed=5).map(draw, range(6)) == alone
    assert SerialFanOut(100.0, seed=6).map(draw, range(6)) != alone


def test_failures_are_outcomes_in_their_place_and_map_raises_the_first() -> None:
    outcomes = list(SerialFanOut().ordered(picky, range(6)))
    assert [o.value for o in outcomes] == [0, None, 2, 3, None, 5]
    assert [str(o.failure) for o in outcomes if o.failure] == ["ValueError: not 1", "ValueError: not 4"]
    assert "picky" in (outcomes[1].failure.where if outcomes[1].failure else "")
    with pytest.raises(FanOutError, match="item 1: ValueError: not 1"):
        SerialFanOut().map(picky, range(6))


def asker(seen: list[int], known: list[list[int]], count: int) -> Iterator[int]:
    for n in range(count):
        known.append(list(seen))
        yield n


@pytest.mark.parametrize("ahead", [1, 3, 8, 50])
def test_an_item_is_drawn_after_exactly_the_outcomes_it_may_know(ahead: int) -> None:
    seen: list[int] = []
    known: list[list[int]] = []
    for outcome in SerialFanOut().ordered(lambda _s, x, _r: x, asker(seen, known, 20), look_ahead=ahead):
        seen.append(outcome.number)
    assert seen == list(range(20))
    assert known == [list(range(max(0, n - ahead + 1))) for n in range(20)]


def test_progress_and_cancellation() -> None:
    heard: list[Progress] = []
    pool = SerialFanOut(progress=heard.append, cancel=lambda: len(heard) == 4)
    with pytest.raises(FanOutCanceled, match="after 4 items"):
        pool.map(picky, [0, 2, 3, 5, 6, 8])
    assert [(p.done, p.total) for p in heard] == [(1, 6), (2, 6), (3, 6), (4, 6)]


def test_nothing_to_do_is_done() -> None:
    assert SerialFanOut().map(picky, []) == []


@pytest.mark.parametrize("seconds", [1e-6, 1e-3, 0.02, 0.2, 5.0])
def test_batches_last_what_they_should(seconds: float) -> None:
    sizer, largest = Sizer(), 1
    for _ in range(12):
        size = sizer.size(waiting=10_000_000, workers=4)
        assert size <= 16 * largest
        largest = max(largest, size)
        sizer.observe(size, size * seconds)
    assert size * seconds >= min(AIM_S, seconds * 10_000_000)
    assert size == 1 or (size - 1) * seconds < 1.01 * AIM_S
    # near the end all have something, but no crumbs
    few = sizer.size(waiting=40, workers=4)
    assert few == 40 or few * seconds >= LEAST_S
    assert few <= 40
