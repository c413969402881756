"""The full default fleet on the local host: pair-bars per CPU second, refits apart, and the share of plumbing."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster.bench.figures import Figure
from cluster.bench.plans import fleet_plan, idle_plan
from cluster.bench.processes import EMPTY_CALL_NS, empty_call_ns, timer_us
from cluster.runs.execute import Finished, run_local

GOAL_PAIR_BARS = 3000.0
Say = Callable[[str], None]


def run(folder: Path, *, bars: int, reps: int, seed: int, say: Say) -> dict[str, Any]:
    """Time the fleet with one pair and with two; return figures by number of pairs.

    Full fleet and empty fleet take turns, medians count. One more run with a clock around each agent gives
    the share of plumbing; what the clock itself costs is measured and taken out.
    """
    out: dict[str, Any] = {}
    for pairs in (1, 2):
        say(f"local host, {pairs} pair{'s' if pairs > 1 else ''}, {bars} bars each")
        out[f"{pairs}_pairs"] = _measure(folder, pairs, bars, reps, seed)
    return out


def _measure(folder: Path, pairs: int, bars: int, reps: int, seed: int) -> dict[str, Any]:
    plan = fleet_plan(pairs, bars, folder, seed=seed)
    empty = idle_plan(plan)
    work, idle, walls, calls, fits = [], [], [], [], []
    for _ in range(reps):
        calls.append(empty_call_ns())
        full = run_local(plan)
        work.append(_cpu_s(full))
        walls.append(full.wall_s - full.fit_s)
        fits.append(full.extra["fit_cpu_s"])
        idle.append(_cpu_s(run_local(empty)))
    cost = timer_us()
    watched = run_local(plan, profile=True)
    if watched.recorder.log.digest() != full.recorder.log.digest():
        raise AssertionError("two runs of one plan: expected one decision hash, found two")
    count = plan.feed.bar_count
    cpu, call = statistics.median(work), statistics.median(calls)
    agents = sum(watched.extra["agent_seconds"].values()) - watched.extra["fit_cpu_s"]
    clocks = 2 * len(plan.graph.specs) * len(plan.feed) * cost / 1e6
    # about one of an agent's two clock calls falls inside its own time, the other outside
    inside, outside = agents - clocks / 2, _cpu_s(watched) - agents - clocks / 2
    top = sorted(watched.extra["agent_seconds"].items(), key=lambda x: -x[1])
    return {
        "pairs": pairs, "steps": len(plan.feed), "pair_bars": count, "agents": len(plan.graph.specs),
        "decisions": full.recorder.log.count, "decision_hash": full.recorder.log.digest(),
        "cpu_s": cpu, "wall_s": statistics.median(walls), "fit_cpu_s": statistics.median(fits),
        "fit_count": full.extra["fit_count"], "pair_bars_per_cpu_s": count / cpu,
        "pair_bars_per_s": count / statistics.median(walls), "us_per_pair_bar": cpu / count * 1e6,
        "empty_call_ns": call, "empty_calls_per_pair_bar": cpu / count * 1e9 / call,
        "pair_bars_per_s_at_reference": count / cpu * call / EMPTY_CALL_NS,
        "empty_fleet_us_per_pair_bar": statistics.median(idle) / count * 1e6,
        "x_empty_fleet": cpu / statistics.median(idle),
        "plumbing_frac": outside / (inside + outside),
        "agent_us_per_pair_bar": {n: s / count * 1e6 for n, s in top},
    }  # fmt: skip


def _cpu_s(finished: Finished) -> float:
    """CPU seconds of the steps without refits."""
    return float(finished.extra["cpu_s"] - finished.extra["fit_cpu_s"])


def figures(measured: dict[str, Any]) -> list[Figure]:
    """Return what `run` measured, beside the goals."""
    out = []
    for m in measured.values():
        who = f"{m['pairs']} pair{'s' if m['pairs'] > 1 else ''}: "
        at = f"one empty call {m['empty_call_ns']:.0f} ns now"
        out += [
            Figure("local", who + "pair-bars per CPU second", m["pair_bars_per_cpu_s"], "/s", GOAL_PAIR_BARS,
                   note=f"{m['agents']} agents, refits apart; {at}"),
            Figure("local", who + "the same where an empty call takes 50 ns", m["pair_bars_per_s_at_reference"],
                   "/s", GOAL_PAIR_BARS, note="the speed of the goal's machine"),
            Figure("local", who + "pair-bars per second of wall time", m["pair_bars_per_s"], "/s"),
            Figure("local", who + "CPU per pair-bar", m["us_per_pair_bar"], "us",
                   note=f"{m['empty_calls_per_pair_bar']:,.0f} empty calls"),
            Figure("local", who + "refits", m["fit_cpu_s"], "CPU-s", note=f"{m['fit_count']} of them, apart"),
            Figure("local", who + "share of plumbing", m["plumbing_frac"] * 100, "%",
                   note="host, decision log and record; the rest is agents"),
            Figure("local", who + "against an empty fleet of the same graph", m["x_empty_fleet"], "x",
                   note=f"empty: {m['empty_fleet_us_per_pair_bar']:.1f} us per pair-bar"),
        ]  # fmt: skip
    return out
