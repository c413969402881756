"""The gate: what passes, what is announced, what stops the run."""

from __future__ import annotations

from math import inf, nan

import msgspec
import pytest

from actors.agents.market_data import MarketDataAgent
from actors.domain.errors import InvalidBarError
from actors.domain.events.market import BarClosed, DataGapDetected
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
