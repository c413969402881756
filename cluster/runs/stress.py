"""Stress tests of a fleet and of each of its strategies: which trials there are, and what they came to.

First the undisturbed fleet lives through the span of the synthetic shocks; they strike where it had the most at
stake. Then everything else is one fan-out: crises with their calm twins, shocks, the same for each strategy alone.
Reverse stress asks for sizes round by round.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain.errors import DataError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import DAY_NS
from actors.domain.model.timerange import TimeRange, format_ns
from actors.domain.stress.crisis import Crisis, covered
from actors.domain.stress.reverse import Bracket, smallest_break
from actors.domain.stress.scenario import Shock
from actors.runtime.fanout_items import FanOut, Outcome
from cluster.runs.backtest_export import read_windows
from cluster.runs.stress_trial import Lived, Subjects, Trial, live_through

FLEET = "fleet"
SHIPPED = Path(__file__).resolve().parents[2] / "config" / "scenarios" / "crises.csv"
LEAST_BEFORE = 168
"""Bars before a crisis without which it is left out: the fleet would know nothing yet."""
_LEAD_DAYS, _TAIL_BARS, _SPAN_DAYS = 3, 336, 60
REVERSE = ("gap", "slide")
_SLIDE_BARS, _REVERSE_TAIL_BARS = 24, 72
Report = Callable[[str], None]


@dataclass
class Scenario:
    """One line of the table: what happened, and the trials that show it, by subject.

    Attributes
    ----------
    kind : str
        ``crisis``, or the kind of the shock.
    fall_from_ns, fall_to_ns : int
        Span over which the market's own fall is measured.
    """

    name: str
    kind: str
    at_ns: int
    fall_from_ns: int
    fall_to_ns: int
    disturbed: dict[str, Trial] = field(default_factory=dict)
    undisturbed: dict[str, Trial] = field(default_factory=dict)


@dataclass
class StressPlan:
    """What is to be done, before anything is."""

    subjects: Subjects
    timeframe_ns: int
    base: Trial
    crises: list[tuple[Crisis, Trial, Trial]]
    shocks: Sequence[Shock]
    skipped: list[str]


@dataclass
class Stressed:
    """All that was lived through; a failed trial is an `Outcome` with its reason."""

    plan: StressPlan
    at_ns: int
    base: Lived
    scenarios: list[Scenario]
    lived: dict[Trial, Outcome[Lived]]
    reverse: dict[tuple[str, str], Bracket] = field(default_factory=dict)


def read_crises(path: str | None) -> list[Crisis]:
    """Return the crises of a CSV (columns start, end, event, perhaps kind); by default those we ship.

    Raises
    ------
    DataError
        See `read_windows`.
    """
    source = Path(path or SHIPPED)
    kinds = []
    if source.is_file():
        with source.open(newline="", encoding="utf-8-sig") as rows:
            kinds = [row.get("kind") or "" for row in csv.DictReader(rows)]
    spans = read_windows(str(source))
    return [Crisis(start, end, event, kind) for (event, start, end), kind in zip(spans, kinds, strict=True)]


def make_plan(
    subjects: Subjects, crises: Sequence[Crisis], shocks: Sequence[Shock], span: TimeRange, timeframe_ns: int
) -> StressPlan:
    """Choose spans.

    Parameters
    ----------
    span : TimeRange
        Of the synthetic shocks; an open start means the last 60 days before its end.

    Raises
    ------
    DataError
        If the span holds too few bars to shock, recover and be measured.
    """
    frames = subjects.frames
    end = max(f.end_ns for f in frames.values()) if span.end_ns is None else span.end_ns
    start = span.start_ns
    if start is None:
        earliest = min(f.start_ns for f in frames.values()) + LEAST_BEFORE * timeframe_ns
        start = max(end - _SPAN_DAYS * DAY_NS, earliest)
    bars = max((len(f.slice_time(start, end)) for f in frames.values()), default=0) if start < end else 0
    if bars < LEAST_BEFORE:
        raise DataError(
            "STRESS_SPAN",
            f"--timerange: expected at least {LEAST_BEFORE} bars to shock and as many before them, found {bars} from "
            f"{format_ns(start)} to {format_ns(end)}",
        )
    known = covered(crises, frames, LEAST_BEFORE)
    skipped = [
        f"{c.event} ({format_ns(c.start_ns)[:10]}): the bars do not hold it with {LEAST_BEFORE} bars before it"
        for c, k in zip(crises, known, strict=True)
        if not k
    ]
    rows = []
    for crisis in (c for c, k in zip(crises, known, strict=True) if k):
        begin = crisis.start_ns - _LEAD_DAYS * DAY_NS
        until = crisis.end_ns + _TAIL_BARS * timeframe_ns
        trial = Trial(FLEET, begin, until, crisis.start_ns)
        rows.append((crisis, trial, Trial(FLEET, begin, until, crisis.start_ns, without=crisis)))
    base = Trial(FLEET, start, end, start)
    return StressPlan(subjects, timeframe_ns, base, rows, shocks, skipped)


def strike_time(lived: Lived, timeframe_ns: int) -> int:
    """Return the opening time of the bar to strike: the one after the fleet had the most at stake.

    The last bars are left to recover in: 336 of them, or a third of the span if it is short.

    Raises
    ------
    DataError
        If the fleet never held anything there.
    """
    gross, ts = lived.account.gross, lived.account.ts_ns
    usable = max(len(gross) - _TAIL_BARS, 2 * len(gross) // 3)
    # a position that is a bar old: a shock meets what is held, not what is just being bought
    steady = np.minimum(gross[: usable - 1], np.concatenate([[0.0], gross[: usable - 2]]))
    best = int(np.argmax(steady))
    if steady[best] <= 0.0:
        raise DataError(
            "STRESS_FLAT",
            "stress: expected a span in which the undisturbed fleet holds something, found that it never does; choose "
            "another --timerange",
        )
    return int(ts[best])


def run_stress(
    plan: StressPlan, pool: FanOut, *, strategies: Sequence[str] = (), reverse: bool = True,
    limits: Mapping[str, float] | None = None, say: Report = lambda _: None,
) -> Stressed:  # fmt: skip
    """Do everything; what is computed does not depend on the pool.

    Parameters
    ----------
    strategies : sequence of str
        Subjects beside the fleet.
    limits : mapping breaker → limit
        That reverse stress tries to break.
    """
    lived: dict[Trial, Outcome[Lived]] = {}
    say("undisturbed fleet")
    _do(pool, [plan.base], lived)
    base = lived[plan.base].result()
    at = strike_time(base, plan.timeframe_ns)
    scenarios = _scenarios(plan, at, [FLEET, *strategies])
    trials: dict[Trial, None] = {}
    for s in scenarios:
        for subject in s.disturbed:
            trials |= {s.disturbed[subject]: None, s.undisturbed[subject]: None}
    todo = [t for t in trials if t not in lived]
    say(f"{len(scenarios)} scenarios, {len(todo)} runs")
    _do(pool, todo, lived)
    out = Stressed(plan, at, base, scenarios, lived)
    if reverse:
        for kind in REVERSE:
            for breaker in limits or {}:
                say(f"reverse stress: {kind} until {breaker} trips")
                out.reverse[kind, breaker] = _smallest(plan, at, kind, breaker, pool, lived)
    return out


def _scenarios(plan: StressPlan, at: int, subjects: Sequence[str]) -> list[Scenario]:
    width = plan.timeframe_ns
    out = []
    for crisis, trial, twin in plan.crises:
        row = Scenario(crisis.event, "crisis", crisis.start_ns, crisis.start_ns - width, crisis.end_ns)
        for subject in subjects:
            row.disturbed[subject], row.undisturbed[subject] = _of(trial, subject), _of(twin, subject)
        out.append(row)
    for shock in plan.shocks:
        until = at + (max(shock.bars, shock.recovery_bars) + 1) * width
        row = Scenario(shock.name, shock.kind, at, at - width, until)
        for subject in subjects:
            base = plan.base
            row.disturbed[subject] = Trial(subject, base.start_ns, base.end_ns, at, shock=shock)
            row.undisturbed[subject] = _of(base, subject)
        out.append(row)
    return out


def _of(trial: Trial, subject: str) -> Trial:
    return Trial(subject, trial.start_ns, trial.end_ns, trial.at_ns, trial.shock, trial.gaps, trial.without)


def reverse_trial(plan: StressPlan, at: int, kind: str, size: float) -> Trial:
    """Return the trial of one size of reverse stress; it ends soon after the shock."""
    end = min(plan.base.end_ns, at + _REVERSE_TAIL_BARS * plan.timeframe_ns)
    shock = Shock(name=f"{kind} {size:.6f}", kind=kind, size_frac=size, bars=_SLIDE_BARS)
    return Trial(FLEET, plan.base.start_ns, end, at, shock=shock)


def _smallest(
    plan: StressPlan, at: int, kind: str, breaker: str, pool: FanOut, lived: dict[Trial, Outcome[Lived]]
) -> Bracket:
    def breaks(sizes: Sequence[float]) -> list[bool]:
        trials = [reverse_trial(plan, at, kind, size) for size in sizes]
        _do(pool, [t for t in trials if t not in lived], lived)
        return [any(name == breaker for _, name, _ in lived[t].result().trips) for t in trials]

    return smallest_break(breaks)


def _do(pool: FanOut, trials: Sequence[Trial], lived: dict[Trial, Outcome[Lived]]) -> None:
    lived.update(zip(trials, pool.ordered(live_through, trials), strict=True))


def market_closes(
    frames: Mapping[str, BarFrame], start_ns: int, end_ns: int
) -> dict[str, np.ndarray[Any, Any]]:
    """Return closes by pair in a span."""
    return {p: f.slice_time(start_ns, end_ns).close for p, f in frames.items()}
