"""The run that the fleet benches time: the default fleet of paper trading over a seeded synthetic market."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actors.domain.model.timerange import TimeRange
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.bench.idle import idle_graph
from cluster.runs.plan import RunPlan, build_plan
from config.load import resolve

WARMUP_BARS = 400


def fleet_plan(
    pairs: int, bars: int, folder: Path, *, seed: int = 7, journal: bool = False, run_id: str = "bench"
) -> RunPlan:
    """Return a plan of the default fleet.

    Parameters
    ----------
    pairs : int
        How many of the synthetic assets.
    bars : int
        Bars per pair, of which `WARMUP_BARS` warm up.
    folder : Path
        Journal, snapshots and keys go below it when `journal` is set.
    seed : int
    journal : bool
        Keep journal and snapshots, as a real run does.
    """
    market = generate(SyntheticParams(n_bars=bars), seed)
    frames = dict(list(market.frames.items())[:pairs])
    names = ", ".join(repr(p) for p in frames)
    config = resolve("paper", sets=[f"pairs=[{names}]", "timeframe=1h", f"seed={seed}"])
    first = next(iter(frames.values()))
    run_dir = folder / run_id
    if journal:
        run_dir.mkdir(parents=True, exist_ok=True)
    return build_plan(
        config, frames, TimeRange(int(first.open_ns[WARMUP_BARS]), None), run_id=run_id, run_dir=run_dir,
        key_path=folder / "keys" / "snapshot.key", journal=journal,
    )  # fmt: skip


def idle_plan(plan: RunPlan) -> RunPlan:
    """Return the same plan with every agent idle."""
    return replace(plan, graph=idle_graph(plan.graph))
