"""The figures of the Ray host beside their goals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.bench.figures import Figure

_QUICK = "not measured with --quick"


def figures(m: Mapping[str, Any]) -> list[Figure]:
    """Return what `cluster.bench.ray_fleet.run` measured, beside the goals."""
    memory = m["memory"]
    whole = "plain_start_cpu_s" in m
    ratio = m["start_cpu_s"] / m["plain_start_cpu_s"] if whole else None
    plain = f"as many import-free actors: {m['plain_start_cpu_s']:.1f} CPU-s" if whole else _QUICK
    wall = f"{m['start_wall_s']:.1f} s of wall time"
    return [
        Figure("ray", "bars per second, full fleet", m["bars_per_s"], "/s", 60.0,
               note=f"{m['pair_bars']} bars in blocks, refits included, no other fleet beside it"),
        Figure("ray", "against an empty fleet, a call for every step in both", m["x_empty_every_step"], "x", 0.6,
               note=_in_turn(m, "every_step")),
        Figure("ray", "against an empty fleet, each as it runs", m["x_empty_as_it_runs"], "x",
               note=f"{_in_turn(m, 'as_it_runs')}; {m['trials']} trials for {m['trial_steps']} steps, "
               f"{m['trials_broken']} broken; an empty fleet sends no order and breaks none"),
        Figure("ray", "decisions per second", m["decisions_per_s"], "/s"),
        Figure("ray", "bar accepted to intent approved, p50", m["verdict_p50_ms"], "ms", 30.0, "<=",
               f"{m['single_steps']} steps, one at a time"),
        Figure("ray", "bar accepted to intent approved, p99", m["verdict_p99_ms"], "ms"),
        Figure("ray", "bar accepted to step complete, p50", m["step_p50_ms"], "ms",
               note=f"p99 {m['step_p99_ms']:.1f} ms; all agents, orders on their way"),
        Figure("ray", "durable commit of a bar, p50", m["input_commit_p50_ms"], "ms",
               note=f"p99 {m['input_commit_p99_ms']:.1f} ms; before the bar counts as accepted"),
        Figure("ray", "durable commit of order intents, p50", m["order_commit_p50_ms"], "ms",
               note=f"p99 {m['order_commit_p99_ms']:.1f} ms over {m['order_commits']} commits"),
        Figure("ray", "memory of a light agent, largest", memory["light_max_mib"], "MiB PSS", 70.0, "<=",
               memory["light_worst"]),
        Figure("ray", "memory of a light agent, median", memory["light_median_mib"], "MiB PSS"),
        Figure("ray", "memory of a heavy agent, largest", memory["heavy_max_mib"], "MiB PSS", 160.0, "<=",
               memory["heavy_worst"]),
        Figure("ray", "start-up of the fleet", m["start_cpu_s"], "CPU-s", note=f"{m['processes']} processes; {wall}"),
        Figure("ray", "start-up against import-free actors", ratio, "x", 1.4, "<=", plain),
        Figure("ray", "recovery of a light agent after SIGKILL", m.get("recovery_light_s"), "s", 3.0, "<=",
               "" if whole else _QUICK),
        Figure("ray", "recovery of a heavy agent after SIGKILL", m.get("recovery_heavy_s"), "s", 8.0, "<=",
               "" if whole else _QUICK),
    ]  # fmt: skip


def _in_turn(m: Mapping[str, Any], how: str) -> str:
    return f"full {m[f'bars_per_s_{how}']:.0f}, empty {m[f'empty_bars_per_s_{how}']:.0f} bars/s, in turn"
