"""The full fleet on the Ray host beside an empty fleet of the same graph, in one session."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from actors.runtime.order_path import Stride
from actors.runtime.ray_host import RayHost
from actors.runtime.session import ray_session
from actors.runtime.supervision import SupervisionPolicy
from cluster.bench.plans import fleet_plan, idle_plan
from cluster.bench.processes import percentile, pss_mib, tree_cpu_s
from cluster.bench.ray_probe import ProbedConductor, plain_actors, plain_start_cpu_s, recovery_s
from cluster.runs.execute import new_recorder, open_run
from cluster.runs.plan import RunPlan

HEAVY = ("regime:hmm", "predict:")
"""Kinds of agents that hold models of the big libraries."""
LIGHT_VICTIM, HEAVY_VICTIM = "regime-trend", "predict-forest"
Say = Callable[[str], None]


@dataclass
class _Member:
    """One fleet under measurement."""

    plan: RunPlan
    host: RayHost
    conductor: ProbedConductor
    recorder: Any
    at: int = 0

    def advance(self, steps: int) -> float:
        """Run the next steps in blocks; return the seconds they took."""
        began = time.perf_counter()
        self.conductor.run(self.at, self.at + steps)
        took = time.perf_counter() - began
        self.at += steps
        return took

    def one_by_one(self, steps: int) -> float:
        """Run the next steps with a call for each step of each agent of the order path."""
        path = self.conductor.path
        own, path.stride = path.stride, Stride(1)
        try:
            return self.advance(steps)
        finally:
            path.stride = own


def _member(plan: RunPlan, host: RayHost) -> _Member:
    recorder = new_recorder(plan)
    runtime = plan.config.model.runtime
    conductor = ProbedConductor(
        plan.graph, plan.feed, host.supervisor, host.handles, block_steps=runtime.block_steps,
        snapshot_every_steps=runtime.snapshot_every_steps, on_step=recorder.on_step,
    )  # fmt: skip
    host.conducting = conductor
    return _Member(plan, host, conductor, recorder)


def _host(plan: RunPlan) -> RayHost:
    runtime = plan.config.model.runtime
    policy = SupervisionPolicy(
        restart_budget=runtime.restart_budget, restart_window_s=runtime.restart_window_s,
        heartbeat_s=runtime.heartbeat_interval_s,
    )  # fmt: skip
    open_run(plan, {"verb": "bench"})
    return RayHost(plan.graph, plan.settings, policy, ready_deadline_s=runtime.ready_deadline_s)


def run(
    folder: Path, *, chunks: int, chunk_steps: int, single_steps: int, start_up: bool, seed: int, say: Say
) -> dict[str, Any]:
    """Measure; the environment must be prepared and no Ray session be open.

    Parameters
    ----------
    folder : Path
        Journals and snapshots of the runs.
    chunks, chunk_steps : int
        The full fleet runs so many steps alone; then, so often, full and empty fleet run so many in turn, each
        in several ways.
    single_steps : int
        Steps that are submitted one at a time, each waited for.
    start_up : bool
        Also start as many import-free actors, and kill a light and a heavy agent.
    """
    warm = 448  # past the warm-up and, with it, the first fits
    bars = warm + 3 * chunks * chunk_steps + single_steps + 64
    full = fleet_plan(1, bars, folder, seed=seed, journal=True, run_id="bench-full")
    empty = idle_plan(fleet_plan(1, bars, folder, seed=seed, journal=True, run_id="bench-empty"))
    out: dict[str, Any] = {"steps": bars, "agents": len(full.graph.specs)}
    with ray_session():
        # workers that Ray starts ahead would be a gift to whoever starts first
        for handle in plain_actors(8):
            ray.kill(handle, no_restart=True)
        time.sleep(2.0)
        processes = len(full.graph.specs) + 4
        if start_up:
            say(f"Ray host: {processes} import-free actors")
            out["plain_start_cpu_s"] = plain_start_cpu_s(processes)
        say(f"Ray host: the full fleet, {processes} processes")
        before, began = tree_cpu_s(), time.perf_counter()
        with _host(full) as host:
            out["start_cpu_s"] = tree_cpu_s() - before
            out["start_wall_s"] = time.perf_counter() - began
            out["processes"] = processes
            out.update(_measure(full, host, empty, warm, chunks, chunk_steps, single_steps, start_up, say))
    return out


def _measure(
    full: RunPlan, host: RayHost, empty: RunPlan, warm: int, chunks: int, chunk_steps: int, single_steps: int,
    kills: bool, say: Say,
) -> dict[str, Any]:  # fmt: skip
    out: dict[str, Any] = {}
    one = _member(full, host)
    say(f"Ray host: {warm} warm-up steps")
    out["warmup_s"] = one.advance(warm)
    out["memory"] = _memory(host)
    say(f"Ray host: {single_steps} single steps")
    out.update(_single_steps(one, single_steps))
    say(f"Ray host: {chunks * chunk_steps} steps, nothing else running")
    before = one.recorder.log.count
    took = one.advance(chunks * chunk_steps)
    out |= {
        "pair_bars": chunks * chunk_steps, "bars_per_s": chunks * chunk_steps / took,
        "decisions_per_s": (one.recorder.log.count - before) / took,
    }  # fmt: skip
    out.update(_beside_an_empty_fleet(one, empty, warm, chunks, chunk_steps, say))
    commits = ray.get(host.handles["journal"].commit_times_ms.remote())
    out["order_commits"] = len(commits)
    out["order_commit_p50_ms"] = percentile(commits, 0.5)
    out["order_commit_p99_ms"] = percentile(commits, 0.99)
    if kills:
        say(f"Ray host: SIGKILL of {LIGHT_VICTIM} and {HEAVY_VICTIM}")
        out["recovery_light_s"] = recovery_s(host.handles[LIGHT_VICTIM], one.conductor.pids[LIGHT_VICTIM])
        out["recovery_heavy_s"] = recovery_s(host.handles[HEAVY_VICTIM], one.conductor.pids[HEAVY_VICTIM])
        one.advance(64)  # the fleet goes on after it, or this raises
        out["recoveries"] = one.conductor.recoveries
    one.recorder.close()
    return out


def _beside_an_empty_fleet(
    one: _Member, empty: RunPlan, warm: int, chunks: int, chunk_steps: int, say: Say
) -> dict[str, Any]:
    """Time both fleets in turn: with a call for every step of the order path, and each as it runs by itself."""
    single, free = [], []
    path = one.conductor.path
    trials, broken = path.trials, path.broken
    with _host(empty) as other:
        two = _member(empty, other)
        two.advance(warm)
        for number in range(chunks):
            say(f"Ray host: full and empty fleet in turn, {number + 1} of {chunks}")
            single.append((one.one_by_one(chunk_steps), two.one_by_one(chunk_steps)))
            free.append((one.advance(chunk_steps), two.advance(chunk_steps)))
        two.recorder.close()
    out: dict[str, Any] = {"trials": path.trials - trials, "trials_broken": path.broken - broken}
    out["trial_steps"] = chunks * chunk_steps
    for name, pairs in (("every_step", single), ("as_it_runs", free)):
        out[f"x_empty_{name}"] = statistics.median(b / a for a, b in pairs)
        out[f"bars_per_s_{name}"] = chunks * chunk_steps / sum(a for a, _ in pairs)
        out[f"empty_bars_per_s_{name}"] = chunks * chunk_steps / sum(b for _, b in pairs)
    return out


def _single_steps(member: _Member, steps: int) -> dict[str, Any]:
    """Submit one step, wait, submit the next: nothing runs ahead, nothing queues."""
    durable, verdict, done = [], [], []
    conductor = member.conductor
    gc.collect()
    for step in range(member.at, member.at + steps):
        a, b, c = conductor.timed_step(step)
        durable.append(a)
        verdict.append(b)
        done.append(c)
    member.at += steps
    return {
        "single_steps": steps,
        "input_commit_p50_ms": percentile(durable, 0.5), "input_commit_p99_ms": percentile(durable, 0.99),
        "verdict_p50_ms": percentile(verdict, 0.5), "verdict_p99_ms": percentile(verdict, 0.99),
        "step_p50_ms": percentile(done, 0.5), "step_p99_ms": percentile(done, 0.99),
    }  # fmt: skip


def _memory(host: RayHost) -> dict[str, Any]:
    rows = {r["name"]: (r["kind"], pss_mib(r["pid"])) for r in host.agents()}
    heavy = {n: v for n, (kind, v) in rows.items() if kind.startswith(HEAVY) and v is not None}
    light = {n: v for n, (kind, v) in rows.items() if not kind.startswith(HEAVY) and v is not None}
    light_worst, heavy_worst = _largest(light), _largest(heavy)
    return {
        "pss_mib": {n: v for n, (_, v) in rows.items()},
        "light_worst": light_worst, "light_max_mib": light.get(light_worst),
        "light_median_mib": statistics.median(light.values()) if light else None,
        "heavy_worst": heavy_worst, "heavy_max_mib": heavy.get(heavy_worst),
    }  # fmt: skip


def _largest(sizes: dict[str, float]) -> str:
    return max(sizes, key=sizes.__getitem__, default="")
