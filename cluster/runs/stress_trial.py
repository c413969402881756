"""One scenario of a stress test, lived through by a fleet on the local host with the simulated venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from actors.adapters.journal.entries import VENUES_OWN
from actors.domain.errors import TradingError
from actors.domain.events.base import Event
from actors.domain.events.execution import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    SubmitOrder,
    VenueStatusChanged,
)
from actors.domain.events.portfolio import AccountCharged
from actors.domain.events.risk import CircuitBreakerTripped, OrderIntentDenied
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import TimeRange
from actors.domain.portfolio.ledger import Bookable
from actors.domain.stress.crisis import Crisis, calm_twin
from actors.domain.stress.response import Account, OrderAudit
from actors.domain.stress.scenario import Shock
from actors.domain.stress.shocks import gap
from actors.runtime.disturbed import DisturbedFeed, Silence, VenueState
from actors.runtime.names import JOURNAL
from actors.runtime.recorder import Outputs, Recorder
from actors.runtime.slices import Slice
from cluster.runs.chaos import ledger_balanced
from cluster.runs.execute import run_local
from cluster.runs.plan import RunPlan, build_plan, combined_hash
from config.load import ResolvedConfig


@dataclass(frozen=True)
class Subjects:
    """What all trials share: the bars, and the configuration of the fleet and of each strategy alone."""

    frames: Mapping[str, BarFrame]
    configs: Mapping[str, ResolvedConfig]

    def data_hash(self) -> str:
        """Return the hash of all bars."""
        return combined_hash(self.frames, {})


@dataclass(frozen=True)
class Trial:
    """One run: a subject, a span of decisions, and what happens at `at_ns` (nothing, if all is None).

    Attributes
    ----------
    gaps : tuple of (pair, fraction), optional
        A gap of its own per pair, for reverse stress.
    without : Crisis, optional
        The market without this crisis.
    """

    subject: str
    start_ns: int
    end_ns: int
    at_ns: int
    shock: Shock | None = None
    gaps: tuple[tuple[str, float], ...] | None = None
    without: Crisis | None = None


@dataclass
class Lived:
    """What came of a trial; plain values that cross processes.

    Attributes
    ----------
    exposures : array, shape (bars, pairs)
    labels : dict pair → (close times, regime labels)
    trips : list of (bars since the shock, breaker, observed)
    denials, rejections : dict code → count, since the shock
    orders, fills : int
        Since the shock.
    into_void : int
        Orders sent in a step in which the fleet already knew that the venue does not answer.
    lost, doubled, unanswered : int
        Over the whole run.
    balanced : bool
        The ledger, rebuilt from the venue's reports, is the run's own to the last digit.
    """

    account: Account
    exposures: np.ndarray[Any, np.dtype[np.float64]]
    pairs: tuple[str, ...]
    labels: dict[str, tuple[list[int], list[str]]]
    decision_hash: str
    warmup_bars: int
    trips: list[tuple[int, str, float]] = field(default_factory=list)
    denials: dict[str, int] = field(default_factory=dict)
    rejections: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    fills: int = 0
    into_void: int = 0
    lost: int = 0
    doubled: int = 0
    unanswered: int = 0
    balanced: bool = False


class Witness(Recorder):
    """A recorder that also watches orders, breakers and the venue's connection."""

    def __init__(self, plan: RunPlan, at_ns: int) -> None:
        super().__init__(plan.pairs, plan.settings.timeframe_ns, plan.config.model.account.initial_cash_quote)
        self.audit = OrderAudit()
        self.booked: list[tuple[int, Bookable]] = []
        self.trips: list[tuple[int, str, float]] = []
        self.denials: dict[str, int] = {}
        self.rejections: dict[str, int] = {}
        self.orders = self.fills = self.into_void = 0
        self._at_ns, self._since, self._width = at_ns, 0, plan.settings.timeframe_ns
        self._away = False
        self.last_step = -1

    def on_step(self, item: Slice, outputs: Outputs) -> None:
        """Take one finished step."""
        super().on_step(item, outputs)
        self.last_step = item.step
        self._since = max(0, (item.ts_event_ns - self._at_ns) // self._width)
        known_away = self._away
        for agent, events in outputs:
            if agent != JOURNAL:
                for event in events:
                    self._see(event, item.step, known_away)

    def _see(self, event: Event, step: int, known_away: bool) -> None:
        shocked = self._since > 0
        if isinstance(event, SubmitOrder):
            self.audit.submitted(event.client_order_id, step)
            self.orders += shocked
            # told in this step or before, and sent all the same
            self.into_void += known_away or self._away
        elif isinstance(event, OrderAccepted):
            self.audit.answered(event.client_order_id, ended=False)
        elif isinstance(event, OrderFilled):
            if not event.intent_id.startswith(VENUES_OWN):
                self.audit.answered(event.client_order_id, ended=event.leaves_quantity == 0)
            self.booked.append((step, event))
            self.fills += shocked
        elif isinstance(event, AccountCharged):
            self.booked.append((step, event))
        elif isinstance(event, OrderRejected | OrderCanceled | OrderExpired):
            self.audit.answered(event.client_order_id, ended=True)
            if isinstance(event, OrderRejected) and shocked:
                self.rejections[event.code] = self.rejections.get(event.code, 0) + 1
        elif isinstance(event, VenueStatusChanged):
            self._away = event.state != "open"
            self.audit.unanswered = event.unanswered_orders
        elif isinstance(event, CircuitBreakerTripped) and shocked:
            self.trips.append((self._since, event.breaker, event.observed))
        elif isinstance(event, OrderIntentDenied) and shocked:
            self.denials[event.code] = self.denials.get(event.code, 0) + 1


def live_through(shared: Subjects, trial: Trial, _rng: Any) -> Lived:
    """Run a trial; deterministic, whoever computes it."""
    plan = trial_plan(shared.frames, shared.configs[trial.subject], trial)
    witness = Witness(plan, trial.at_ns)
    finished = run_local(plan, recorder=witness)
    series, account = witness.record.curves
    exposures = np.array(account.exposures, dtype=np.float64).reshape(len(account.ts_ns), len(plan.pairs))
    try:
        balanced = ledger_balanced(plan, witness.booked, finished)
    except TradingError:
        balanced = False
    return Lived(
        account=Account(
            np.array(account.ts_ns, dtype=np.int64), np.array(account.equity), np.abs(exposures).sum(axis=1)
        ),
        exposures=exposures, pairs=plan.pairs,
        labels={pair: (s.ts_ns, s.detected) for pair, s in series.items()},
        decision_hash=witness.log.digest(), warmup_bars=plan.feed.warmup_steps, trips=witness.trips,
        denials=witness.denials, rejections=witness.rejections, orders=witness.orders, fills=witness.fills,
        into_void=witness.into_void, lost=witness.audit.lost(witness.last_step), doubled=witness.audit.doubled,
        unanswered=witness.audit.unanswered, balanced=balanced,
    )  # fmt: skip


def market_of(frames: Mapping[str, BarFrame], trial: Trial) -> dict[str, BarFrame]:
    """Return the bars of a trial: those of the pairs that trade in its span, disturbed."""
    there = {p: f for p, f in frames.items() if len(f.slice_time(trial.start_ns, trial.end_ns))}
    if trial.without is not None:
        return {p: calm_twin(f, trial.without.start_ns, trial.without.end_ns) for p, f in there.items()}
    if trial.gaps is not None:
        return gap(there, trial.at_ns, size_frac=dict(trial.gaps))
    return there if trial.shock is None else trial.shock.market(there, trial.at_ns)


def trial_plan(frames: Mapping[str, BarFrame], config: ResolvedConfig, trial: Trial) -> RunPlan:
    """Return the plan of a trial; nothing is kept of its run."""
    span = TimeRange(trial.start_ns, trial.end_ns)
    nowhere = Path()
    plan = build_plan(
        config,
        market_of(frames, trial),
        span,
        run_id="stress",
        run_dir=nowhere,
        key_path=nowhere,
        journal=False,
    )
    venue, silences = disturbances(trial, plan.pairs, plan.settings.timeframe_ns)
    if not venue and not silences:
        return plan
    feed = DisturbedFeed(
        plan.feed.frames, trial.start_ns, venue=venue, silences=silences, funding=plan.feed.funding,
        marks=plan.feed.marks,
    )  # fmt: skip
    return replace(plan, feed=feed)


def disturbances(
    trial: Trial, pairs: Sequence[str], timeframe_ns: int
) -> tuple[list[VenueState], list[Silence]]:
    """Return what the venue is like when, and which pairs' feeds are silent when."""
    shock, at = trial.shock, trial.at_ns
    if shock is None:
        return [], []
    end = at + shock.bars * timeframe_ns
    if shock.kind == "feed_stops":
        return [], [Silence(pair, at, end) for pair in pairs]
    first = {
        "spread": VenueState(at, spread_factor=shock.spread_factor),
        "clock_skew": VenueState(at, "refusing", "CLOCK_SKEW"),
        "exchange_down": VenueState(at, "down", "EXCHANGE_DOWN"),
        "venue_dies": VenueState(at, "down", "VENUE_DEAD"),
    }.get(shock.kind)
    if first is None:
        return [], []
    return ([first] if shock.kind == "venue_dies" else [first, VenueState(end)]), []
