"""Signals and targets of a whole run before any order: strategies in their batch form, pooled, with hysteresis.

One strategy alone is computed in columns; several are pooled by the same coordinator and weighed by the same
performance agent as on the hosts. Nothing here reads fills.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actors.agents.strategy import PACKAGE, switched
from actors.coordinators.strategy import StrategyCoordinator, label
from actors.domain import registry
from actors.domain.coordination.alone import alone
from actors.domain.errors import StrategyError
from actors.domain.events.base import Event
from actors.domain.events.codec import DecisionLog
from actors.domain.events.columns import ColumnLines
from actors.domain.events.market import BarClosed
from actors.domain.events.regime import REGIMES
from actors.domain.events.signal import SignalEmitted, SignalsAggregated, TargetExposureSet
from actors.domain.fitting import InlineFits
from actors.domain.processor import Agent, Step
from actors.domain.strategies.adaptive import Adaptive
from actors.runtime.build import build_agent
from cluster.runs.backtest_context import FloatArray, MarketContext
from cluster.runs.backtest_packed import PackedLines, PackedViews
from cluster.runs.plan import RunPlan

_LABELS = (*REGIMES, "")  # index -1, unknown, is the last one
COORDINATOR, PERFORMANCE = "coordinator-strategy", "performance"


@dataclass
class Ahead:
    """What is known of every step before the order path runs.

    Attributes
    ----------
    targets, confidences : array, shape (steps, pairs)
        Of the last `TargetExposureSet` per pair; target NaN before the first.
    lines : sequence of list of str, length steps
        Canonical decision lines of signals and targets.
    views : PackedViews or None
        Where several strategies were pooled.
    weights : deque of (step, event)
        Marks and weights of the performance agent, and switches of parameters.
    last_wish : dict pair → target
        Of the last bar of each pair that ends early; from that step on `targets` has none.
    """

    targets: FloatArray
    confidences: FloatArray
    lines: Sequence[list[str]]
    views: PackedViews | None
    weights: deque[tuple[int, Event]]
    last_wish: dict[str, float]


@dataclass
class Signals:
    """What one strategy agent says of every pair's bars.

    Attributes
    ----------
    name : str
        Of the agent.
    columns : dict pair → (direction, confidence)
    switches : dict pair → {row of the bar: event}
        Of parameters that follow the regime.
    """

    name: str
    columns: dict[str, tuple[FloatArray, FloatArray]]
    switches: dict[str, dict[int, Event]] = field(default_factory=dict)


def signals_of(plan: RunPlan, context: MarketContext) -> list[Signals]:
    """Return what every strategy agent says, in the order of the graph."""
    out = []
    for spec in plan.graph.specs:
        if not spec.name.startswith("strategy-"):
            continue
        found = Signals(spec.name, {})
        for pair, frame in plan.feed.frames.items():
            strategy = registry.build(PACKAGE, spec.params["kind"], spec.params["params"])
            known = None if context.regimes is None else context.regimes.columns(plan, pair)
            if isinstance(strategy, Adaptive) and known is not None:
                direction, confidence, switches = strategy.decided(known)
                found.switches[pair] = {
                    k: switched(
                        strategy,
                        switch,
                        spec.name,
                        pair,
                        _LABELS[int(known.regime[k])],
                        int(frame.close_ns[k]),
                    )
                    for k, switch in switches
                }
            else:
                direction, confidence = strategy.batch(frame if known is None else known)
            # NaN fails every comparison
            if not ((np.abs(direction) <= 1.0) & (confidence >= 0.0) & (confidence <= 1.0)).all():
                raise StrategyError(
                    "STRATEGY_FAILED",
                    f"strategy {spec.params['kind']}: expected directions in [-1, 1] and confidences in [0, 1] for "
                    f"{pair}, found others; correct its batch form",
                )
            found.columns[pair] = (direction, confidence)
        out.append(found)
    return out


def look_ahead(plan: RunPlan, context: MarketContext) -> Ahead:
    """Compute signals and targets of all steps (from past bars only: the name says when, not what, is known)."""
    signals = signals_of(plan, context)
    coordinator = build_agent(plan.graph.specs[plan.graph.index[COORDINATOR]], plan.settings, InlineFits())
    assert isinstance(coordinator, StrategyCoordinator)
    if len(signals) == 1 and context.regimes is None:
        return _alone(plan, context, coordinator, signals[0].name, signals[0].columns)
    return _pooled(plan, context, coordinator, signals)


def _alone(
    plan: RunPlan, context: MarketContext, coordinator: StrategyCoordinator, name: str,
    columns: dict[str, tuple[FloatArray, FloatArray]],
) -> Ahead:  # fmt: skip
    size, width = context.present.shape
    p = coordinator.params
    lines: list[list[str]] = [[] for _ in range(size)]
    ahead = Ahead(np.full((size, width), np.nan), np.zeros((size, width)), lines, None, deque(), {})
    target_lines: list[tuple[NDArray[np.int64], list[str]]] = []
    for i, pair in enumerate(plan.pairs):
        rows = np.flatnonzero(context.present[:, i])
        direction, confidence = columns[pair]
        pooled, sure = alone(direction, confidence)
        wanted = pooled * sure * p.max_target_frac
        if not p.allow_short:
            wanted = np.where(wanted < 0.0, 0.0, wanted)
        targets = [coordinator._hold(pair, w) for w in wanted.tolist()]
        ahead.targets[rows, i], ahead.confidences[rows, i] = targets, sure
        steps, ts = rows.tolist(), context.times[rows].tolist()
        said = ColumnLines(
            "SignalEmitted", name, pair,
            [("strategy", label(name)), ("direction", None), ("confidence", None), ("horizon_bars", 1)],
        )  # fmt: skip
        for k, line in zip(
            steps, said.take(steps, ts, [direction.tolist(), confidence.tolist()]), strict=True
        ):
            if line:
                lines[k].append(line)
        wished = ColumnLines(
            "TargetExposureSet",
            COORDINATOR,
            pair,
            [("target_frac", None), ("confidence", None), ("regime", "")],
        )
        target_lines.append((rows, wished.take(steps, ts, [targets, sure.tolist()])))
    # inside a step the stage of strategies comes before that of coordination, whatever the pair
    for rows, targeted in target_lines:
        for k, line in zip(rows.tolist(), targeted, strict=True):
            if line:
                lines[k].append(line)
    _keep(ahead, context, plan)
    return ahead


def _pooled(
    plan: RunPlan, context: MarketContext, coordinator: StrategyCoordinator,
    signals: Sequence[Signals],
) -> Ahead:  # fmt: skip
    size, width = context.present.shape
    lines = PackedLines()
    views = PackedViews(size, plan.pairs, coordinator.members, COORDINATOR)
    ahead = Ahead(np.full((size, width), np.nan), np.zeros((size, width)), lines, views, deque(), {})
    spec = plan.graph.specs[plan.graph.index[PERFORMANCE]]
    lag = next(e.delay for e in _spec(plan, COORDINATOR).inputs if e.source == PERFORMANCE)
    performance: Agent = build_agent(spec, plan.settings, InlineFits())
    log, posted = DecisionLog(), deque[tuple[int, Event]]()
    opinions: list[tuple[Signals, dict[str, list[list[float]]]]] = [
        (said, {pair: [x.tolist() for x in both] for pair, both in said.columns.items()}) for said in signals
    ]
    row = dict.fromkeys(plan.pairs, 0)
    at = {pair: i for i, pair in enumerate(plan.pairs)}
    for k, said in enumerate(context.bars):
        bars = [e for e in said if isinstance(e, BarClosed)]
        ts = int(context.times[k])
        outputs: list[tuple[str, list[Event]]] = []
        inbox: list[Event] = []
        while posted and posted[0][0] <= k:
            inbox.append(posted.popleft()[1])
        for signal, columns in opinions:
            name = signal.name
            events: list[Event] = []
            for bar in bars:
                pair = bar.instrument_id or ""
                direction, confidence = columns[pair]
                events.append(
                    SignalEmitted(
                        ts_event_ns=ts, source=name, instrument_id=pair, strategy=label(name),
                        direction=direction[row[pair]], confidence=confidence[row[pair]],
                    )
                )  # fmt: skip
                if signal.switches and (switch := signal.switches[pair].get(row[pair])) is not None:
                    events.append(switch)
                    if k >= context.warmup_steps:
                        ahead.weights.append((k, switch))
            outputs.append((name, events))
            inbox += [e for e in events if isinstance(e, SignalEmitted)]
        if context.regimes is not None:
            inbox += context.regimes.assessed[k]
        for bar in bars:
            row[bar.instrument_id or ""] += 1
        spoken = [e for e in inbox if isinstance(e, SignalEmitted)]
        warm = k < context.warmup_steps
        marks = performance.process(Step(k, ts, (*spoken, *bars), warm))
        for mark in marks:
            posted.append((k + lag, mark))
            ahead.weights.append((k, mark))
        decided = list(coordinator.process(Step(k, ts, tuple(inbox), warm)))
        outputs.append((COORDINATOR, decided))
        lines.append(log.add_step(k, outputs))
        for event in decided:
            if isinstance(event, SignalsAggregated):
                views.put(k, event)
            elif isinstance(event, TargetExposureSet):
                i = at[event.instrument_id or ""]
                ahead.targets[k, i], ahead.confidences[k, i] = event.target_frac, event.confidence
    _keep(ahead, context, plan)
    return ahead


def _spec(plan: RunPlan, name: str) -> Any:
    return plan.graph.specs[plan.graph.index[name]]


def _keep(ahead: Ahead, context: MarketContext, plan: RunPlan) -> None:
    """Fill the steps in which a pair has no bar with the last target; from its last bar on there is none."""
    for i in range(ahead.targets.shape[1]):
        last = np.maximum(context.close_steps[:, i], 0)
        before = context.close_steps[:, i] < 0
        for table, nothing in ((ahead.targets, np.nan), (ahead.confidences, 0.0)):
            table[:, i] = np.where(before, nothing, table[last, i])
    for i, pair in enumerate(plan.pairs):
        if pair in plan.feed.ended:
            end = plan.feed.ended[pair]
            ahead.last_wish[pair] = float(ahead.targets[end, i])
            ahead.targets[end:, i] = np.nan
