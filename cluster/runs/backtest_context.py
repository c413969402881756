"""What a run's market says to any strategy: checked bars, data quality, volatility and correlation at each step.

None of it depends on the strategies, so many backtests over the same bars may share one context. It is made by
the same agents that run on the hosts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.events.base import Event
from actors.domain.events.market import (
    BarClosed,
    BarDetailed,
    DataQualityAssessed,
    FundingRateUpdated,
    MarkPriceUpdated,
    TradingEnded,
)
from actors.domain.events.risk import RiskMeasured
from actors.domain.fitting import InlineFits
from actors.domain.processor import Step
from actors.runtime.build import build_agent
from cluster.runs.backtest_regimes_ahead import KnownRegimes, known_regimes
from cluster.runs.plan import RunPlan

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_BLOCK = 512
MEASURED = ("risk-volatility", "risk-correlation", "risk-atr")
_TOLD = BarClosed | TradingEnded | FundingRateUpdated | MarkPriceUpdated


@dataclass(frozen=True)
class MarketContext:
    """Columns over the steps of a run; "last known" columns keep a value until there is a newer one.

    Attributes
    ----------
    times : int array, shape (steps,)
    warmup_steps : int
    bars : list of tuple of events, length steps
        As the market-data agent says them: `BarClosed` in the order of the pairs, then `TradingEnded`, marks and
        funding.
    details : dict step → tuple of events
        The finer bars of that step, which only the venue hears of.
    present : bool array, shape (steps, pairs)
    closes, quality, volatility : array, shape (steps, pairs)
        Last known; NaN before the first.
    close_steps : int array, shape (steps, pairs)
        Step of the last bar, -2 before the first.
    returns : array, shape (steps, pairs)
        Simple return of a bar after a bar in the step before, else NaN.
    correlation : array, shape (steps,)
        Average over couples, last known.
    ranges : array, shape (steps, pairs)
        Average true range, quote, last known; NaN before the first, and everywhere if nobody measures it.
    regimes : KnownRegimes or None
        None of a fleet without detectors.
    """

    times: IntArray
    warmup_steps: int
    bars: list[tuple[Event, ...]]
    details: dict[int, tuple[Event, ...]]
    present: NDArray[np.bool_]
    closes: FloatArray
    quality: FloatArray
    volatility: FloatArray
    correlation: FloatArray
    close_steps: IntArray
    returns: FloatArray
    ranges: FloatArray
    regimes: KnownRegimes | None = None


def market_context(plan: RunPlan) -> MarketContext:
    """Return the context of a plan's bars.

    Raises
    ------
    InvalidBarError
        If a bar contradicts itself, as on the hosts.
    """
    names = plan.graph.index
    heard = ["market-data", "health", *(n for n in MEASURED if n in names)]
    agents = [build_agent(plan.graph.specs[names[n]], plan.settings, InlineFits()) for n in heard]
    gate, others = agents[0], agents[1:]
    feed, at = plan.feed, {pair: i for i, pair in enumerate(plan.pairs)}
    size, width = len(feed), len(at)
    quality, volatility, ranges = (np.full((size, width), np.nan) for _ in range(3))
    correlation = np.full(size, np.nan)
    bars: list[tuple[Event, ...]] = []
    details: dict[int, tuple[Event, ...]] = {}
    for begin in range(0, size, _BLOCK):
        for item in feed.block(begin, begin + _BLOCK):
            k, ts = item.step, item.ts_event_ns
            said = gate.process(Step(k, ts, item.events, item.warmup))
            row = tuple(e for e in said if isinstance(e, _TOLD))
            bars.append(row)
            if feed.details and (finer := tuple(e for e in said if type(e) is BarDetailed)):
                details[k] = finer
            step = Step(k, ts, row, item.warmup)
            for agent in others:
                for event in agent.process(step):
                    _note(event, k, at, quality, volatility, correlation, ranges)
    present = np.zeros((size, width), dtype=bool)
    close_steps, closes = np.full((size, width), -2, dtype=np.int64), np.full((size, width), np.nan)
    returns = np.full((size, width), np.nan)
    steps = np.arange(size)
    for pair, i in at.items():
        frame = feed.frames[pair]
        rows = np.searchsorted(feed.times, frame.close_ns)
        present[rows, i] = True
        close_steps[rows, i] = rows
        close_steps[:, i] = np.maximum.accumulate(close_steps[:, i])
        column = np.full(size, np.nan)
        column[rows] = frame.close
        before = np.full(size, np.nan)
        before[1:] = column[:-1]
        returns[:, i] = column / before - 1.0
        last = close_steps[:, i]
        closes[:, i] = np.where(last >= 0, column[np.maximum(last, 0)], np.nan)
    for table in (quality, volatility, ranges):
        for i in range(width):
            table[:, i] = last_known(table[:, i], steps)
    return MarketContext(
        feed.times, feed.warmup_steps, bars, details, present, closes, quality, volatility,
        last_known(correlation, steps), close_steps, returns, ranges,
        known_regimes(plan),
    )  # fmt: skip


def last_known(column: FloatArray, steps: IntArray) -> FloatArray:
    """Return a column whose NaN are filled with the value before.

    Examples
    --------
    >>> last_known(np.array([np.nan, 1.0, np.nan]), np.arange(3)).tolist()
    [nan, 1.0, 1.0]
    """
    seen = np.maximum.accumulate(np.where(np.isnan(column), -1, steps))
    return np.where(seen >= 0, column[np.maximum(seen, 0)], np.nan)


def _note(
    event: Event, k: int, at: dict[str, int], quality: FloatArray, volatility: FloatArray,
    correlation: FloatArray, ranges: FloatArray,
) -> None:  # fmt: skip
    if type(event) is DataQualityAssessed:
        quality[k, at[event.instrument_id or ""]] = event.score
    elif type(event) is RiskMeasured:
        if event.measure == "volatility" and event.instrument_id is not None:
            volatility[k, at[event.instrument_id]] = event.value
        elif event.measure == "correlation" and event.instrument_id is None:
            correlation[k] = event.value
        elif event.measure == "atr" and event.instrument_id is not None:
            ranges[k, at[event.instrument_id]] = event.value
