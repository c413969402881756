"""The gate: what passes, what is announced, what stops the run."""

from __future__ import annotations

from math import inf, nan

import msgspec
import pytest

from actors.agents.market_data import MarketDataAgent
from actors.domain.errors import DataError, InvalidBarError
from actors.domain.events.market import (
    BarClosed,
    BarDetailed,
    DataGapDetected,
    FundingRateUpdated,
    MarkPriceUpdated,
)
from actors.domain.fitting import InlineFits
from actors.domain.model.instrument import Instrument
from actors.domain.processor import AgentContext, Step

HOUR = 3_600_000_000_000


def make_agent(pairs=("BTC/USDT", "ETH/USDT")) -> MarketDataAgent:
    instruments = {p: Instrument(pair=p) for p in pairs}
    return MarketDataAgent(AgentContext("market-data", instruments, HOUR, 1, InlineFits()))


def bar(i: int, pair: str = "BTC/USDT", **more) -> BarClosed:
    fields = {"open": 100.0, "high": 102.0, "low": 99.0, "close": 101.0, "volume": 5.0, **more}
    return BarClosed(
        ts_event_ns=(i + 1) * HOUR,
        source="feed",
        instrument_id=pair,
        open_ns=i * HOUR,
        close_ns=(i + 1) * HOUR,
        **fields,
    )


def step(i: int, *events) -> Step:
    return Step(number=i, ts_event_ns=(i + 1) * HOUR, inbox=events)


def test_bar_is_announced_again_under_the_agents_name():
    out = make_agent().process(step(0, bar(0, flags=1, synthetic=True)))
    assert out == [msgspec.structs.replace(bar(0, flags=1, synthetic=True), source="market-data")]


def test_gap_is_announced_before_the_bar_that_ends_it_and_per_pair():
    agent = make_agent()
    agent.process(step(0, bar(0), bar(0, "ETH/USDT")))
    agent.process(step(1, bar(1, "ETH/USDT")))
    out = agent.process(step(4, bar(4), bar(4, "ETH/USDT")))
    assert [type(e).__name__ for e in out] == ["DataGapDetected", "BarClosed"] * 2
    gaps = [(e.instrument_id, e.missing_bars, e.last_close_ns) for e in out if isinstance(e, DataGapDetected)]
    assert gaps == [("BTC/USDT", 3, HOUR), ("ETH/USDT", 2, 2 * HOUR)]


@pytest.mark.parametrize(
    "more",
    [
        {"low": 100.5}, {"high": 100.5}, {"close": nan}, {"open": nan}, {"high": inf}, {"low": 0.0},
        {"low": -1.0}, {"volume": -1.0}, {"volume": nan}, {"volume": inf},
    ],
)  # fmt: skip
def test_insane_bar_stops_the_run(more):
    with pytest.raises(InvalidBarError, match="expected 0 < low"):
        make_agent().process(step(0, bar(0, **more)))


def test_bar_of_a_foreign_pair_or_time_stops_the_run():
    agent = make_agent(("BTC/USDT",))
    with pytest.raises(InvalidBarError, match="ETH/USDT"):
        agent.process(step(0, bar(0, "ETH/USDT")))
    with pytest.raises(InvalidBarError, match="closes with the step"):
        agent.process(step(1, bar(0)))
    with pytest.raises(InvalidBarError, match="opens at or after"):
        agent.process(step(0, bar(0), bar(0)))


def test_restored_agent_finds_the_same_gap():
    first, second = make_agent(), make_agent()
    first.process(step(0, bar(0)))
    second.restore(first.snapshot())
    assert first.process(step(3, bar(3))) == second.process(step(3, bar(3)))
    assert first.snapshot() == second.snapshot()


def detail(i: int, pair: str = "BTC/USDT", **more) -> BarDetailed:
    half = HOUR // 2
    fields = {"open": (100.0, 99.5), "high": (100.0, 102.0), "low": (99.0, 99.5), "close": (99.0, 101.0),
              "volume": (2.0, 3.0), "open_ns": (i * HOUR, i * HOUR + half)}  # fmt: skip
    return BarDetailed(
        ts_event_ns=(i + 1) * HOUR, source="feed", instrument_id=pair, step_ns=half, **{**fields, **more}
    )


def test_finer_bars_are_announced_behind_their_bar():
    out = make_agent().process(step(0, bar(0), detail(0), bar(0, "ETH/USDT")))
    assert out[1] == msgspec.structs.replace(detail(0), source="market-data")
    assert [type(e).__name__ for e in out] == ["BarClosed", "BarDetailed", "BarClosed"]


@pytest.mark.parametrize(
    "more",
    [
        {"high": (100.0, 101.5)}, {"close": (99.0, 100.0)}, {"low": (99.2, 99.5)}, {"open": (99.5, 99.5)},
        {"open_ns": (0, HOUR)}, {"open_ns": (HOUR // 2, 0)}, {"open_ns": (0, 1)}, {"volume": (nan, 1.0)},
        {"volume": (1.0,)}, {"pair": "ETH/USDT"},
    ],
)  # fmt: skip
def test_finer_bars_that_do_not_rebuild_theirs_stop_the_run(more):
    with pytest.raises(InvalidBarError, match="rebuild"):
        make_agent().process(step(0, bar(0), detail(0, more.pop("pair", "BTC/USDT"), **more)))


def test_finer_bars_without_their_bar_stop_the_run():
    with pytest.raises(InvalidBarError, match="rebuild"):
        make_agent().process(step(0, detail(0)))


def funding(i: int, rate: float = 1e-4, pair: str = "BTC/USDT", due: int | None = None) -> FundingRateUpdated:
    at = (i + 1) * HOUR
    return FundingRateUpdated(
        ts_event_ns=at, source="feed", instrument_id=pair, rate=rate, funding_ns=at if due is None else due
    )


def mark(i: int, **more) -> MarkPriceUpdated:
    fields = {"open": 100.0, "high": 102.0, "low": 99.0, "close": 101.0, "instrument_id": "BTC/USDT", **more}
    return MarkPriceUpdated(
        ts_event_ns=(i + 1) * HOUR, source="feed", open_ns=i * HOUR, close_ns=(i + 1) * HOUR, **fields
    )


def test_funding_and_marks_are_said_again_behind_the_bars():
    said = make_agent().process(step(0, bar(0), mark(0), funding(0)))
    assert [type(e) for e in said] == [BarClosed, MarkPriceUpdated, FundingRateUpdated]
    assert {e.source for e in said} == {"market-data"}
    assert said[2].rate == 1e-4


@pytest.mark.parametrize(
    "event",
    [funding(0, nan), funding(0, 0.11), funding(0, pair="X/Y"), funding(0, due=2 * HOUR)],
    ids=["not a number", "a percentage", "foreign pair", "not due yet"],
)
def test_funding_that_cannot_be_used_stops_the_run(event):
    with pytest.raises(DataError, match="FUNDING_UNUSABLE"):
        make_agent().process(step(0, bar(0), event))


@pytest.mark.parametrize(
    "event",
    [mark(0, low=101.5), mark(0, high=inf), mark(0, close=nan), mark(0, instrument_id="X/Y"), mark(1)],
    ids=["disorder", "infinite", "not a number", "foreign pair", "another time"],
)
def test_a_mark_that_cannot_be_used_stops_the_run(event):
    with pytest.raises(InvalidBarError, match="MARK_INSANE"):
        make_agent().process(step(0, bar(0), event))
