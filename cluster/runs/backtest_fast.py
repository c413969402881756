"""The fast path: the hosts' own order path, asked only at steps in which it may decide something.

Signals and targets come in columns. Between two steps at which an order is at work, a wish has left the dead
band, or a breaker may trip, nothing is decided: such steps are remembered in one go. At all others the same
objects run as on the hosts, so trades and decision hash are the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np

from actors.agents.execution import ExecutionAgent
from actors.agents.exits import ExitAgent
from actors.agents.fleet import EXITS
from actors.agents.portfolio import LedgerAgent
from actors.agents.venue import VenueAgent
from actors.coordinators import quiet
from actors.coordinators.execution import ExecutionCoordinator
from actors.coordinators.risk import RiskCoordinator
from actors.domain import registry
from actors.domain.events.base import Event
from actors.domain.events.execution import CancelOrder, SubmitOrder
from actors.domain.events.market import BarClosed, DataQualityAssessed
from actors.domain.events.portfolio import AccountUpdated
from actors.domain.events.risk import RiskLimitBreached, RiskMeasured
from actors.domain.events.signal import TargetExposureSet
from actors.domain.fitting import InlineFits
from actors.domain.model.money import ZERO, to_decimal
from actors.domain.portfolio.position import EXACT
from actors.domain.processor import Agent, Step
from actors.domain.strategies.base import Strategy
from actors.runtime.build import build_agent
from actors.runtime.graph import AgentSpec
from cluster.runs.backtest_ahead import COORDINATOR, look_ahead
from cluster.runs.backtest_context import FloatArray, MarketContext, market_context
from cluster.runs.backtest_curves import Curves
from cluster.runs.backtest_recorder import BacktestRecorder
from cluster.runs.backtest_regimes_ahead import regime_obstacle
from cluster.runs.plan import RunPlan

_FIRST, _WIDEST = 32, 1024
_ORDER_PATH = ("venue", "ledger", "coordinator-risk", "coordinator-execution")
_KNOWN = ("market_data", "meta:health", "meta:performance", "coordinator:strategy", "risk:", "venue:", "journal",
          "portfolio:ledger", "coordinator:risk", "coordinator:execution", "execution:", "exits",
          "strategy:", "regime:")  # fmt: skip


def obstacle(plan: RunPlan) -> str | None:
    """Return why a plan cannot take the fast path, None if it can."""
    kinds = [s.kind for s in plan.graph.specs]
    if any(k.startswith(("predict:", "features")) for k in kinds):
        return "decisions depend on predictions, which are computed step by step"
    if (why := regime_obstacle(plan)) is not None:
        return f"regimes are not those of the default fleet: {why}"
    odd = [k for k in kinds if not k.startswith(_KNOWN)]
    if odd:
        return f"agents of kind {', '.join(odd)} may decide something"
    for spec in plan.graph.specs:
        if spec.kind.startswith("strategy:"):
            strategy: Strategy = registry.build(
                "actors.domain.strategies", spec.params["kind"], spec.params["params"]
            )
            if not getattr(strategy, "has_batch", False):
                return f"strategy {spec.params['kind']} has no batch form"
    return None


class FastRun:
    """One run on the fast path.

    Parameters
    ----------
    plan : RunPlan
        Without an `obstacle`.
    recorder : BacktestRecorder
    context : MarketContext, optional
        Of these bars and the same measuring agents, where it is known already.
    """

    def __init__(
        self, plan: RunPlan, recorder: BacktestRecorder, context: MarketContext | None = None
    ) -> None:
        self.plan, self.recorder = plan, recorder
        self.context = market_context(plan) if context is None else context
        self.ahead = look_ahead(plan, self.context)
        self._venue: VenueAgent = self._build("venue")
        self._ledger: LedgerAgent = self._build("ledger")
        self._risk: RiskCoordinator = self._build("coordinator-risk")
        self._planner: ExecutionCoordinator = self._build("coordinator-execution")
        self._algos: list[ExecutionAgent] = [
            self._build(s.name) for s in plan.graph.specs if s.kind.startswith("execution:")
        ]
        self._exits: ExitAgent | None = self._build(EXITS) if EXITS in plan.graph.index else None
        # where sizes follow the account, wishes are not known before it is
        self._wish = None if quiet.follows_account(self._risk) else self._wishes(0, len(self.context.bars))
        self._known = self.context.present & ~np.isnan(self.ahead.targets)
        self._decimals: list[list[Decimal]] | None = None
        self._commands: list[Event] = []
        self._approved: list[Event] = []
        self.curves = Curves(plan, self.context, self.ahead)
        self.active_steps = 0

    def _build(self, name: str) -> Any:
        spec: AgentSpec = self.plan.graph.specs[self.plan.graph.index[name]]
        agent: Agent = build_agent(spec, self.plan.settings, InlineFits())
        return agent

    def run(
        self,
        progress: Callable[[int, BacktestRecorder], None] | None = None,
        *,
        marks: Sequence[int] = (),
        at_mark: Callable[[int], None] | None = None,
    ) -> None:
        """Compute all steps; what was computed when an interrupt came is in recorder and curves.

        Parameters
        ----------
        progress : callable, optional
        marks : sequence of int
            Steps, increasing.
        at_mark : callable, optional
            Called once all steps before a mark are computed and the record holds them; what it raises ends the run.
        """
        size, k, width = len(self.context.bars), 0, _FIRST
        waiting = deque(marks)
        try:
            while k < size:
                if waiting and k >= waiting[0]:
                    waiting.popleft()
                    self.curves.hand_over(self.recorder.record, self._ledger.ledger, k)
                    if at_mark is not None:
                        at_mark(k)
                    continue
                said: Sequence[Event] | None = None
                if self._idle():
                    end = min(size, k + width, waiting[0] if waiting else size)
                    k, said = self._quiet(k, end)
                    if k == end and said is None:
                        width = min(_WIDEST, 2 * width)
                        continue
                    width = _FIRST
                self._step(k, said)
                k += 1
                if progress is not None:
                    progress(k, self.recorder)
        finally:
            self.recorder.steps = k
            self.curves.hand_over(self.recorder.record, self._ledger.ledger, k)
            if k == size and self.context.regimes is not None:
                # of a run that was cut short it would tell what came after
                self.recorder.record.regimes = self.context.regimes.book

    # -- quiet steps -----------------------------------------------------------------------------------------

    def _idle(self) -> bool:
        if self._commands or self._approved or any(a.busy for a in self._algos):
            return False
        return quiet.is_idle(self._risk)

    def _quiet(self, begin: int, end: int) -> tuple[int, Sequence[Event] | None]:
        """Take the quiet steps from `begin` on, `end` at most; return where they end and what the venue said there."""
        context, risk = self.context, self._risk
        ledger = self._ledger.ledger
        positions = [ledger.position(p).quantity for p in self.plan.pairs]
        equity = self._equities(begin, end, positions)
        held = self._held(begin, end, positions, equity)
        wish = self._wishes(begin, end, equity) if self._wish is None else self._wish[begin:end]
        wish = quiet.after_exits(risk, wish, self.ahead.targets[begin:end])
        flat = [q == 0 for q in positions]
        mask = quiet.is_quiet(risk, wish, self._known[begin:end], held, equity, flat)
        if begin < context.warmup_steps:
            mask[: context.warmup_steps - begin] = True
        stop = end if mask.all() else begin + int(np.argmin(mask))
        stop = self._until_time_is_over(begin, stop)
        breakers = list(risk._watch.of_account.values())
        before = [b.state() for b in breakers]
        stop = self._until_trip(begin, stop, equity, before)
        said: Sequence[Event] | None = None
        for j in range(begin, stop):
            out = self._venue.process(self._of_venue(j))
            if out:
                for breaker, state in zip(breakers, before, strict=True):
                    breaker.load_state(state)
                stop, said = self._until_trip(begin, j, equity, before), out
                break
        if stop > begin:
            self._remember(begin, stop, positions, equity, held)
        return stop, said

    def _wishes(self, begin: int, end: int, equity: Sequence[float] = ()) -> FloatArray:
        context, span = self.context, slice(begin, end)
        return quiet.wishes(
            self._risk, self.ahead.targets[span], context.volatility[span], context.correlation[span],
            ranges=context.ranges[span], closes=context.closes[span], equity=equity,
        )  # fmt: skip

    def _until_time_is_over(self, begin: int, stop: int) -> int:
        """Return the step at whose close a position has been held for its time, or `stop`."""
        for i, pair in enumerate(self.plan.pairs) if self._exits is not None else ():
            left = self._exits.bars_left(pair)  # type: ignore[union-attr]
            if left is not None:
                bars = np.flatnonzero(self.context.present[begin:stop, i])
                if len(bars) >= max(left, 1):
                    stop = begin + int(bars[max(left, 1) - 1])
        return stop

    def _until_trip(self, begin: int, stop: int, equity: list[float], before: list[dict[str, Any]]) -> int:
        """Update the breakers; return the step at which one would trip (they then stand before it), or `stop`."""
        times, breakers = self.context.times, list(self._risk._watch.of_account.values())
        for j in range(begin, stop):
            ts, value = int(times[j]), equity[j - begin]
            # all must be asked before any answer counts, as in the coordinator
            if True in [b.update(j, ts, value, True) for b in breakers]:
                for breaker, state in zip(breakers, before, strict=True):
                    breaker.load_state(state)
                return self._until_trip(begin, j, equity, before)
        return stop

    def _remember(
        self, begin: int, stop: int, positions: list[Decimal], equity: list[float], held: FloatArray
    ) -> None:
        context, last = self.context, stop - 1
        quiet.skip(
            self._risk, targets=self.ahead.targets[last], confidences=self.ahead.confidences[last],
            volatility=context.volatility[last], correlation=float(context.correlation[last]),
            quality=context.quality[last], closes=context.closes[last],
            close_steps=context.close_steps[last], returns=context.returns[begin:stop],
            ranges=context.ranges[last], wished=self.ahead.targets[begin:stop],
            regime=None if context.regimes is None else context.regimes.trust[last],
        )  # fmt: skip
        if self._exits is not None:
            for j in range(begin, stop):
                self._exits.process(self._bars_only(j))
            self._exits.process(Step(last, int(context.times[last]), tuple(self._ranges(last))))
        for j in range(begin, stop):
            self._planner.process(self._bars_only(j))
        newest: dict[str | None, Event] = {}
        for j in context.close_steps[last].tolist():
            if j >= begin:
                newest |= {bar.instrument_id: bar for bar in context.bars[j] if type(bar) is BarClosed}
        if newest:
            closing = Step(last, int(context.times[last]), tuple(newest.values()), False)
            for algo in self._algos:
                algo.process(closing)
        top = begin + int(np.argmax(equity[: stop - begin]))
        for j in (top, last):
            for i, pair in enumerate(self.plan.pairs):
                if context.close_steps[j, i] >= 0:
                    self._ledger.ledger.mark(pair, float(context.closes[j, i]))
            self._ledger.ledger.close_step()
        self.curves.quiet(begin, stop, equity, held, self._ledger.ledger)
        lines = [line for row in self.ahead.lines[begin:stop] for line in row]
        self.recorder.log.add_lines(lines)
        self.recorder.write(lines)
        self._weights(begin, stop)

    def _equities(self, begin: int, end: int, positions: list[Decimal]) -> list[float]:
        """Return the exact equity at each close, rounded once: cash plus positions at their marks."""
        cash, exact = self._ledger.ledger.cash, EXACT.fma
        total = [cash] * (end - begin)
        for i, quantity in enumerate(positions):
            if quantity:
                marks = self._marks(i)[begin:end]
                total = [exact(quantity, mark, value) for mark, value in zip(marks, total, strict=True)]
        return [float(value) for value in total]

    def _marks(self, i: int) -> list[Decimal]:
        """Return the last close of a pair at each step as Decimals; zero before its first bar."""
        if self._decimals is None:
            self._decimals = [[] for _ in self.plan.pairs]
        if not self._decimals[i]:
            closes = self.context.closes[:, i].tolist()
            self._decimals[i] = [to_decimal(c) if c == c else ZERO for c in closes]
        return self._decimals[i]

    def _held(self, begin: int, end: int, positions: list[Decimal], equity: list[float]) -> FloatArray:
        """Return the exposures at each close as the ledger's agent reckons them."""
        out = np.zeros((end - begin, len(positions)))
        total = np.array(equity)
        for i, quantity in enumerate(positions):
            if quantity:
                value = float(quantity) * self.context.closes[begin:end, i]
                with np.errstate(divide="ignore", invalid="ignore"):
                    out[:, i] = np.where(total > 0.0, value / total, np.nan)
        return out

    def _bars_only(self, k: int) -> Step:
        return Step(k, int(self.context.times[k]), self.context.bars[k], k < self.context.warmup_steps)

    def _of_venue(self, k: int, commands: Sequence[Event] = ()) -> Step:
        context = self.context
        heard = (*commands, *context.bars[k], *context.details.get(k, ()))
        return Step(k, int(context.times[k]), heard, k < context.warmup_steps)

    # -- steps in which something may happen -----------------------------------------------------------------

    def _step(self, k: int, said: Sequence[Event] | None) -> None:
        """Compute one step with the hosts' objects in the hosts' order."""
        self.active_steps += 1
        context = self.context
        bars, ts, warm = context.bars[k], int(context.times[k]), k < context.warmup_steps
        reports = said
        if reports is None:
            reports = self._venue.process(self._of_venue(k, self._commands))
        kept = self._ledger.process(Step(k, ts, (*reports, *self._approved, *bars), warm))
        account = next(e for e in kept if isinstance(e, AccountUpdated))
        market = self._market_events(k, ts)
        heard = _of(self._risk, reports, kept)
        decided = list(self._risk.process(Step(k, ts, (*heard, *market, *bars), warm)))
        plans = list(self._planner.process(Step(k, ts, (*_of(self._planner, reports, decided), *bars), warm)))
        outputs: list[tuple[str, Sequence[Event]]] = [
            ("venue", reports), ("ledger", [e for e in kept if e is not account]),
            ("coordinator-risk", decided), ("coordinator-execution", plans),
        ]  # fmt: skip
        commands: list[Event] = []
        for algo in self._algos:
            inbox = sorted(_of(algo, reports, plans, bars), key=_priority)
            acts = algo.process(Step(k, ts, tuple(inbox), warm))
            outputs.append((algo.name, acts))
            commands += [e for e in acts if isinstance(e, SubmitOrder | CancelOrder)]
        if self._exits is not None:
            inbox = sorted(_of(self._exits, reports, kept, commands, market, bars), key=_priority)
            acts = self._exits.process(Step(k, ts, tuple(inbox), warm))
            outputs.append((EXITS, acts))
            commands += [e for e in acts if isinstance(e, SubmitOrder | CancelOrder)]
        self._commands = commands
        self._approved = [e for e in decided if type(e) in self._ledger.consumes]
        self._record(k, outputs, account, warm)

    def _market_events(self, k: int, ts: int) -> list[Event]:
        """Return what the ahead agents say in a step to the risk coordinator."""
        context, out = self.context, list[Event]()
        if context.regimes is not None:
            out += context.regimes.assessed[k]
        for i, pair in enumerate(self.plan.pairs):
            if not context.present[k, i]:
                continue
            if context.volatility[k, i] == context.volatility[k, i]:
                out.append(
                    RiskMeasured(
                        ts_event_ns=ts, source="risk-volatility", instrument_id=pair, measure="volatility",
                        value=float(context.volatility[k, i]),
                    )
                )  # fmt: skip
            out.append(
                DataQualityAssessed(
                    ts_event_ns=ts, source="health", instrument_id=pair, score=float(context.quality[k, i]),
                    completeness=0.0, freshness=0.0, outlier_free=0.0,
                )
            )  # fmt: skip
            out.append(
                TargetExposureSet(
                    ts_event_ns=ts, source=COORDINATOR, instrument_id=pair, regime="",
                    target_frac=float(self.ahead.targets[k, i]),
                    confidence=float(self.ahead.confidences[k, i]),
                )
            )  # fmt: skip
        out += [
            e for e in self._ranges(k) if context.present[k, self.plan.pairs.index(e.instrument_id or "")]
        ]
        if context.correlation[k] == context.correlation[k]:
            out.append(
                RiskMeasured(
                    ts_event_ns=ts, source="risk-correlation", measure="correlation",
                    value=float(context.correlation[k]),
                )
            )  # fmt: skip
        return out

    def _ranges(self, k: int) -> list[RiskMeasured]:
        """Return the last known ranges as their agent says them."""
        ts, row = int(self.context.times[k]), self.context.ranges[k].tolist()
        return [
            RiskMeasured(
                ts_event_ns=ts, source="risk-atr", instrument_id=pair, measure="atr", value=value
            )
            for pair, value in zip(self.plan.pairs, row, strict=True)
            if value == value
        ]  # fmt: skip

    def _record(
        self, k: int, outputs: list[tuple[str, Sequence[Event]]], account: AccountUpdated, warm: bool
    ) -> None:
        recorder = self.recorder
        # the stages of the market side come first in a step, then signals and targets, then the order path
        lines = recorder.log.add_step(k, outputs[:2])
        ahead = self.ahead.lines[k]
        recorder.log.add_lines(ahead)
        lines += ahead
        lines += recorder.log.add_step(k, outputs[2:])
        recorder.write(lines)
        # what the market alone does to a limit is seen at some steps only here, so it is told at none
        told = [(n, [e for e in events if type(e) is not RiskLimitBreached]) for n, events in outputs]
        recorder.record.add(told, warmup=warm)
        if not warm:
            views = () if self.ahead.views is None else self.ahead.views.get(k)
            recorder.attribution.add([(COORDINATOR, views), *outputs])
        recorder.last_outputs = [*outputs, ("ledger", [account])]
        self.curves.account(k, account)
        self._weights(k, k + 1)

    def _weights(self, begin: int, stop: int) -> None:
        """Let the record hear the marks and weights of these steps."""
        waiting = self.ahead.weights
        while waiting and waiting[0][0] < stop:
            event = waiting.popleft()[1]
            self.recorder.record.add([(event.source, (event,))], warmup=False)


def _of(agent: Agent, *said: Sequence[Event]) -> list[Event]:
    """Return what an agent hears of these."""
    return [e for events in said for e in events if type(e) in agent.consumes]


def _priority(event: Event) -> int:
    return event.priority
