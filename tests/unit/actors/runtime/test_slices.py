"""Slices: which funding rates and marks enter which step."""

from __future__ import annotations

import numpy as np

from actors.domain.events.market import BarClosed, FundingRateUpdated, MarkPriceUpdated
from actors.domain.model.bars import BarFrame
from actors.domain.model.funding import FundingSeries
from actors.runtime.slices import SliceFeed

HOUR = 3600 * 10**9
PAIR = "BTC/USDT"


def frame(hours: list[int], width: int = 1, price: float = 100.0) -> BarFrame:
    n = len(hours)
    columns = {name: np.full(n, price) for name in ("open", "high", "low", "close")}
    columns |= {"open_ns": np.array(hours, dtype=np.int64) * HOUR, "volume": np.ones(n)}
    return BarFrame.from_columns(PAIR, width * HOUR, columns, source="t", synthetic=True)


def series(hours: list[float]) -> FundingSeries:
    due = (np.array(hours) * HOUR).astype(np.int64)
    return FundingSeries(PAIR, due, np.arange(1, len(hours) + 1) / 1024)


def test_a_rate_enters_the_first_step_at_or_after_its_time() -> None:
    # steps close at 11, 12, 16 and 17; before the first bar and after the last one nothing enters
    feed = SliceFeed({PAIR: frame([10, 11, 15, 16])}, funding={PAIR: series([8, 10, 11, 13, 15.5, 17, 18])})
    found = [
        (item.step, e.rate, e.funding_ns / HOUR)
        for item in feed
        for e in item.events
        if isinstance(e, FundingRateUpdated)
    ]
    assert found == [(0, 3 / 1024, 11.0), (2, 4 / 1024, 13.0), (2, 5 / 1024, 15.5), (3, 6 / 1024, 17.0)]


def test_marks_enter_at_their_close_and_all_comes_behind_the_bars() -> None:
    feed = SliceFeed(
        {PAIR: frame([0, 1, 2, 3])},
        marks={PAIR: frame([0, 2], width=2, price=99.0)},
        funding={PAIR: series([4])},
    )
    kinds = [[type(e) for e in item.events] for item in feed]
    assert kinds == [
        [BarClosed],
        [BarClosed, MarkPriceUpdated],
        [BarClosed],
        [BarClosed, MarkPriceUpdated, FundingRateUpdated],
    ]
    (mark,) = [e for e in feed.block(1, 2)[0].events if isinstance(e, MarkPriceUpdated)]
    assert (mark.open_ns, mark.close_ns, mark.close) == (0, 2 * HOUR, 99.0)


def test_any_cut_into_blocks_gives_the_same() -> None:
    feed = SliceFeed({PAIR: frame(list(range(30)))}, funding={PAIR: series([8, 16, 24])})
    one = feed.block(0, 30)
    many = [item for begin in range(0, 30, 7) for item in feed.block(begin, begin + 7)]
    assert one == many
