"""From what was lived through to rows: per scenario, reverse stress, extreme events, robustness, checks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.errors import InsufficientDataError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import DAY_NS
from actors.domain.model.timerange import format_ns
from actors.domain.stress.crisis import worst_fall
from actors.domain.stress.extremes import Detection, ExtremeParams, detect, judge
from actors.domain.stress.response import Response, exact_loss, respond, worst_moves
from actors.domain.stress.reverse import horizon_covariance, most_likely_shock
from actors.domain.stress.robustness import Outcome as Case
from actors.domain.stress.robustness import robustness
from actors.domain.stress.transition import transition
from actors.runtime.fanout_items import FanOut
from cluster.runs.stress import FLEET, Scenario, Stressed
from cluster.runs.stress_trial import Lived, Trial, live_through, market_of

Row = dict[str, Any]
THRESHOLDS = (4.0, 6.0, 8.0, 10.0, 12.0)
"""At which the detector of extreme events is tried beside its own threshold."""


def rows_of(stressed: Stressed, subject: str) -> list[Row]:
    """Return one row per scenario for a subject; a trial that failed says why and has no figures."""
    return [_row(stressed, s, subject) for s in stressed.scenarios]


def _row(stressed: Stressed, scenario: Scenario, subject: str) -> Row:
    trial, twin = scenario.disturbed[subject], scenario.undisturbed[subject]
    head: Row = {
        "scenario": scenario.name, "kind": scenario.kind, "subject": subject, "at": format_ns(scenario.at_ns),
        "market_fall_frac": worst_fall(
            market_of(stressed.plan.subjects.frames, trial), scenario.fall_from_ns, scenario.fall_to_ns
        ),
    }  # fmt: skip
    outcomes = stressed.lived[trial], stressed.lived[twin]
    failed = [str(o.failure) for o in outcomes if o.failure is not None]
    if failed:
        return {**head, "failure": "; ".join(failed)}
    lived, calm = outcomes[0].result(), outcomes[1].result()
    response = respond(lived.account, calm.account, scenario.at_ns, stressed.plan.timeframe_ns)
    if response is None:
        return {**head, "failure": "the bars end before the first close after the shock"}
    return {
        **head, "failure": None, "bars": int(lived.account.ts_ns.size), "warmup_bars": lived.warmup_bars,
        **asdict(response), "breaker_trips": [
            {"breaker": name, "bars": bars, "observed": _finite(observed)} for bars, name, observed in lived.trips
        ],
        "denials": dict(sorted(lived.denials.items())), "rejections": dict(sorted(lived.rejections.items())),
        "orders": lived.orders, "fills": lived.fills, "orders_lost": lived.lost, "orders_doubled": lived.doubled,
        "orders_unanswered": lived.unanswered, "orders_into_void": lived.into_void,
        "ledger_balanced": lived.balanced,
        "frozen_frac": 1.0 if scenario.kind == "venue_dies" else 0.0,
        "regimes": _regimes(lived, scenario.at_ns, stressed.plan.timeframe_ns),
        "decision_hash": lived.decision_hash, "undisturbed_decision_hash": calm.decision_hash,
    }  # fmt: skip


def _regimes(lived: Lived, at_ns: int, timeframe_ns: int) -> Row:
    out: Row = {}
    for pair, (times, labels) in lived.labels.items():
        if not any(labels):
            continue  # a fleet without detectors
        found = transition(labels, [(ts - at_ns) // timeframe_ns for ts in times])
        out[pair] = None if found is None else asdict(found)
    return out


def checks_of(rows: Sequence[Row]) -> Row:
    """Return what must hold in every scenario, and whether it did."""
    good = [r for r in rows if r["failure"] is None]
    out = {
        "scenarios": len(rows), "failed": len(rows) - len(good),
        "orders_lost": sum(r["orders_lost"] for r in good),
        "orders_doubled": sum(r["orders_doubled"] for r in good),
        "orders_into_void": sum(r["orders_into_void"] for r in good),
        "ledgers_unbalanced": sum(not r["ledger_balanced"] for r in good),
    }  # fmt: skip
    return {**out, "ok": bool(good) and not any(v for k, v in out.items() if k != "scenarios")}


def robustness_rows(rows: Sequence[Row], limit_frac: float) -> list[Row]:
    """Return one row per subject."""
    out = []
    for subject in dict.fromkeys(r["subject"] for r in rows):
        cases = [
            Case(
                market_fall_frac=r["market_fall_frac"] or 0.0, drawdown_frac=r["drawdown_frac"],
                undisturbed_drawdown_frac=r["undisturbed_drawdown_frac"], bars_to_half=r["bars_to_half"],
                exposed=r["exposure_before_frac"] > 0.005, breaker_trips=len(r["breaker_trips"]),
                recovered=r["recovery_bars"] is not None,
            )
            for r in rows
            if r["subject"] == subject and r["failure"] is None
        ]  # fmt: skip
        found = robustness(cases, limit_frac)
        if found is not None:
            out.append({"subject": subject, **asdict(found)})
    return out


def reverse_rows(stressed: Stressed, limits: Mapping[str, float]) -> list[Row]:
    """Return where each limit breaks under each kind of shock."""
    return [
        {"kind": kind, "breaker": breaker, "limit_frac": limits[breaker], **asdict(bracket)}
        for (kind, breaker), bracket in stressed.reverse.items()
    ]


def book_at_strike(stressed: Stressed) -> dict[str, float]:
    """Return the undisturbed fleet's exposure per pair when the shocks strike."""
    base = stressed.base
    row = int(np.searchsorted(base.account.ts_ns, stressed.at_ns, side="right")) - 1
    return dict(zip(base.pairs, base.exposures[row].tolist(), strict=True))


def crisis_moves(stressed: Stressed, horizon_bars: int) -> list[Row]:
    """Return the worst move of each pair over `horizon_bars` in each crisis, and what it would cost today's book."""
    book, out = book_at_strike(stressed), []
    for crisis, _, _ in stressed.plan.crises:
        moves = {}
        for pair, frame in stressed.plan.subjects.frames.items():
            inside = frame.slice_time(
                crisis.start_ns - horizon_bars * stressed.plan.timeframe_ns, crisis.end_ns
            )
            moves[pair] = worst_moves(inside.close.tolist(), horizon_bars)
        known = {p: m for p, m in moves.items() if m is not None and p in book}
        out.append(
            {
                "crisis": crisis.event, "horizon_bars": horizon_bars, "moves": moves,
                "book_pnl_frac": exact_loss({p: book[p] for p in known}, known),
            }
        )  # fmt: skip
    return out


def likely_rows(
    stressed: Stressed, limits: Mapping[str, float], horizon_bars: int, pool: FanOut
) -> list[Row]:
    """Return the most likely shock that costs each limit, and what the fleet lost when it came as a gap."""
    book = book_at_strike(stressed)
    pairs, plan = list(book), stressed.plan
    weights = np.array([book[p] for p in pairs])
    try:
        covariance = horizon_covariance(_returns(plan.subjects.frames, pairs, stressed.at_ns), horizon_bars)
    except InsufficientDataError as e:
        return [{"failure": e.message}]
    out = []
    for breaker, limit in limits.items():
        found = most_likely_shock(weights, covariance, limit)
        row: Row = {"breaker": breaker, "limit_frac": limit, "horizon_bars": horizon_bars, "book": book}
        if found is None:
            out.append({**row, "moves": None, "distance": None, "fleet_loss_frac": None, "tripped": None})
            continue
        moves = dict(zip(pairs, found.moves.tolist(), strict=True))
        row |= {"moves": moves, "distance": found.distance, "book_pnl_frac": exact_loss(book, moves)}
        if min(moves.values()) <= -1.0:
            # a price cannot lose more than itself
            out.append({**row, "fleet_loss_frac": None, "tripped": None})
            continue
        gaps = tuple((p, -m) for p, m in moves.items())
        base = plan.base
        trial = Trial(FLEET, base.start_ns, base.end_ns, stressed.at_ns, gaps=gaps)
        lived = next(iter(pool.ordered(live_through, [trial]))).result()
        response: Response | None = respond(
            lived.account, stressed.base.account, stressed.at_ns, plan.timeframe_ns
        )
        loss = None if response is None else response.worst_frac
        out.append({**row, "fleet_loss_frac": loss, "tripped": any(n == breaker for _, n, _ in lived.trips)})
    return out


def _returns(frames: Mapping[str, BarFrame], pairs: Sequence[str], before_ns: int) -> np.ndarray[Any, Any]:
    """Return simple returns of bars that all pairs have, up to a time: what was known when the shock struck."""
    known = [dict(zip(f.open_ns.tolist(), f.close.tolist(), strict=True)) for f in
             (frames[p].slice_time(None, before_ns) for p in pairs)]  # fmt: skip
    times = [t for t in known[0] if all(t in k for k in known)]
    closes = np.array([[k[t] for k in known] for t in times]).reshape(len(times), len(pairs))
    return np.asarray(closes[1:] / closes[:-1] - 1.0)


def extreme_row(frame: BarFrame, crises: Sequence[tuple[str, int, int]], params: ExtremeParams) -> Row:
    """Return how the detector of extreme events did on a pair's whole record."""
    learned = int(frame.close_ns[min(params.warmup_bars, len(frame) - 1)])
    spans = [(e, s, t) for e, s, t in crises if s >= learned and t <= frame.end_ns]
    covered_ns = max(DAY_NS, frame.end_ns - learned)

    def at(threshold: float) -> tuple[list[int], Detection]:
        own = params.model_copy(update={"threshold": threshold})
        events = [int(frame.close_ns[k]) for k in detect(frame.close, own)]
        return events, judge(events, [(s, t) for _, s, t in spans], frame.timeframe_ns, covered_ns=covered_ns)

    events, found = at(params.threshold)
    others = [(level, at(level)[1]) for level in THRESHOLDS]
    return {
        "pair": frame.pair, "threshold": params.threshold, "bars": len(frame), **asdict(found),
        "crises_seen": [{"crisis": e, "delay_bars": d} for (e, _, _), d in zip(spans, found.delays_bars, strict=True)],
        "events_at": [format_ns(t) for t in events],
        "by_threshold": [
            {"threshold": level, "hits": d.hits, "events": d.events, "false_alarms": d.false_alarms}
            for level, d in others
        ],
    }  # fmt: skip


def kernel_name() -> str:
    """Return the kernels that this process computes with."""
    return kernels.backend().name


def table_hash(*tables: Sequence[Row]) -> str:
    """Return a hash of rows: equal on any host, with any number of workers."""
    text = json.dumps(_grid(tables), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _grid(value: Any) -> Any:
    if isinstance(value, float):
        return None if value != value else round(value, 12)
    if isinstance(value, Mapping):
        return {str(k): _grid(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_grid(v) for v in value]
    return value


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
