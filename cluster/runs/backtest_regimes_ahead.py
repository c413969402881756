"""The regimes of a whole run before any order: the detectors and their ensemble, run by the hosts' own loop.

No regime depends on what a strategy or the account does, so many backtests over the same bars share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actors.domain.evaluation.regime_book import RegimeBook
from actors.domain.events.base import Event
from actors.domain.events.market import BarClosed
from actors.domain.events.regime import REGIMES, RegimeAssessed, RegimeChanged
from actors.domain.strategies.base import MarketColumns
from actors.runtime.graph import FEED, FleetGraph
from actors.runtime.local import LocalHost
from cluster.runs.plan import RunPlan, stay_probability

FloatArray = NDArray[np.float64]
ENSEMBLE = "regime-ensemble"
_SOURCES = ("market-data", "health")
_LISTENERS = ("strategy:", "coordinator:strategy", "coordinator:risk")
_BLOCK = 512
_INDEX = {name: i for i, name in enumerate(REGIMES)}


@dataclass(frozen=True)
class KnownRegimes:
    """What the ensemble said at each step.

    Attributes
    ----------
    assessed : list of tuple of RegimeAssessed, length steps
    label : int8 array, shape (steps, pairs)
        Of the assessment of this very step, as index into `REGIMES`; -1 where there is none.
    confidence : array, shape (steps, pairs)
        Of the same; 0 where there is none.
    in_force : int8 array, shape (steps, pairs)
        The regime last changed to; -1 before the first change.
    trust : array, shape (steps, pairs)
        Confidence last said with its detail, as the risk coordinator remembers it; NaN before the first.
    book : RegimeBook
        Of the whole run, for its report; several runs over the same bars share it.
    """

    assessed: list[tuple[RegimeAssessed, ...]]
    label: NDArray[np.int8]
    confidence: FloatArray
    in_force: NDArray[np.int8]
    trust: FloatArray
    book: RegimeBook

    def columns(self, plan: RunPlan, pair: str) -> MarketColumns:
        """Return a pair's bars with the regime of each close, as its strategies see them."""
        frame, i = plan.feed.frames[pair], plan.pairs.index(pair)
        rows = np.searchsorted(plan.feed.times, frame.close_ns)
        return MarketColumns(
            frame.open, frame.high, frame.low, frame.close, frame.volume, self.label[rows, i],
            self.confidence[rows, i],
        )  # fmt: skip


def members(plan: RunPlan) -> list[str]:
    """Return the names of a plan's detectors and ensemble, in the order of its graph."""
    return [s.name for s in plan.graph.specs if s.kind.startswith("regime:")]


def regime_obstacle(plan: RunPlan) -> str | None:
    """Return why a plan's regimes cannot be known ahead, None if they can, or if it has none."""
    own = members(plan)
    if not own:
        return None
    known = (*_SOURCES, FEED, *own)
    for spec in plan.graph.specs:
        heard = [e.source for e in spec.inputs]
        if spec.name in own and (odd := [s for s in heard if s not in known]):
            return f"{spec.name} hears {', '.join(odd)}"
        if spec.name not in own and any(s in own for s in heard) and not spec.kind.startswith(_LISTENERS):
            return f"{spec.name} hears regimes"
    return None


def known_regimes(plan: RunPlan) -> KnownRegimes | None:
    """Return the regimes of a plan without an obstacle; None of one without detectors."""
    own = members(plan)
    if not own:
        return None
    graph = FleetGraph([s for s in plan.graph.specs if s.name in (*_SOURCES, *own)])
    host = LocalHost(graph, plan.settings)
    feed, at = plan.feed, {pair: i for i, pair in enumerate(plan.pairs)}
    size, width = len(feed), len(at)
    label, in_force = (np.full((size, width), -1, dtype=np.int8) for _ in range(2))
    confidence, trust = np.zeros((size, width)), np.full((size, width), np.nan)
    assessed: list[tuple[RegimeAssessed, ...]] = []
    now, trusted = np.full(width, -1, dtype=np.int8), np.full(width, np.nan)
    book, bars = RegimeBook(plan.pairs, stay_probability(plan.config.model)), dict.fromkeys(plan.pairs, -1)
    for begin in range(0, size, _BLOCK):
        block = feed.block(begin, begin + _BLOCK)
        for item, outputs in zip(block, host.block(block), strict=True):
            views = []
            said = dict(outputs)
            for event in said.get(ENSEMBLE, ()):
                i = at[event.instrument_id or ""]
                if isinstance(event, RegimeAssessed):
                    views.append(event)
                    label[item.step, i] = _INDEX[event.label]
                    confidence[item.step, i] = event.confidence
                    if event.detail is not None:
                        trusted[i] = event.confidence
                elif isinstance(event, RegimeChanged):
                    now[i] = _INDEX[event.label]
            _note(book, bars, [e for events in said.values() for e in events], item.warmup)
            assessed.append(tuple(views))
            in_force[item.step] = now
            trust[item.step] = trusted
    return KnownRegimes(assessed, label, confidence, in_force, trust, book)


def _note(book: RegimeBook, bars: dict[str, int], said: Sequence[Event], warmup: bool) -> None:
    """Let the book hear a step; `bars` numbers each pair's last bar after the warm-up."""
    if warmup:
        return
    here = {}
    for event in said:
        if isinstance(event, RegimeAssessed):
            book.take(event, warmup=False)
        elif isinstance(event, BarClosed):
            pair = event.instrument_id or ""
            here[pair] = bars[pair] = bars[pair] + 1
    book.close_step(here)
