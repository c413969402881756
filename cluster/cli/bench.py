"""``bench``: ratios of kernels, engine and statistics, speeds of the fleet on both hosts, beside their goals."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from actors.domain.errors import ConfigError
from actors.runtime.environment import prepare_environment
from cluster.bench.figures import Figure, kernel_figures, table, tally
from cluster.bench.processes import empty_call_ns
from cluster.cli import common

HELP = "Measure kernels, backtests, statistics and both hosts; print ratios and figures beside their goals."
EXAMPLE = "tradewind bench --quick"
PARTS = ("kernels", "engine", "sweep", "statistics", "regimes", "local", "ray", "fanout", "serve")
_TITLES = {
    "kernels": "Kernels (read the ratios)",
    "engine": "Backtest engine, one thread, costs on",
    "sweep": "Sweeps of a grid (read the ratios)",
    "statistics": "Statistics and bootstrap, one thread",
    "regimes": "Fits and filters of regimes (read the ratios)",
    "local": "Local host, default fleet",
    "ray": "Ray host, default fleet, every agent a process",
    "fanout": "Fan-out over Ray",
    "serve": "Regimes over HTTP, Ray Serve, two replicas; clients share the cores",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.add_argument("--quick", action="store_true", help="fewer bars and rounds, some minutes")
    parser.add_argument(
        "--only", default=",".join(PARTS), metavar="PARTS", help=f"comma separated; default {','.join(PARTS)}"
    )


def chosen(text: str) -> list[str]:
    """Return the parts of ``--only`` in their order.

    Raises
    ------
    ConfigError
        On an unknown part.
    """
    wanted = [p.strip() for p in text.split(",") if p.strip()]
    unknown = [p for p in wanted if p not in PARTS]
    if unknown or not wanted:
        raise ConfigError("BENCH_PARTS", f"--only: expected some of {', '.join(PARTS)}, found {text!r}")
    return [p for p in PARTS if p in wanted]


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    parts = chosen(args.only)
    seed = 7 if args.seed is None else args.seed
    found: dict[str, Any] = {"quick": args.quick, "empty_call_ns": empty_call_ns(), "wall_s": {}}
    figures: list[Figure] = []
    sections = [f"one empty method call: {found['empty_call_ns']:.0f} ns (50 on the quiet reference machine)"]
    for part in parts:
        began = time.perf_counter()
        measured, judged, text = _PARTS[part](args, seed)
        found[part] = measured
        found["wall_s"][part] = time.perf_counter() - began
        figures += judged
        sections.append(f"{_TITLES[part]}\n{text}{table(judged)}")
    met, goals = tally(figures)
    found |= {"figures": [f.row() for f in figures], "goals_met": met, "goals": goals}
    sections.append(f"{met} of {goals} goals met; a goal that is not met does not fail this verb")
    return common.Outcome(found, text="\n\n".join(sections), head={"seed": seed})


def _say(args: argparse.Namespace) -> Any:
    def say(text: str) -> None:
        if not args.no_progress:
            sys.stderr.write(f"bench: {text}\n")

    return say


def _kernels(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    from cluster.bench import kernels

    bars, reps = (100_000, 3) if args.quick else (1_000_000, 5)
    _say(args)(f"kernels, {bars:,} bars, {reps} rounds")
    rows = kernels.run(bars, reps)
    return {"bars": bars, "rows": rows}, kernel_figures(rows), kernels.table(rows) + "\n\n"


def _engine(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    from cluster.bench import engine

    bars, reps = (100_000, 3) if args.quick else (1_000_000, 5)
    _say(args)(f"engine, {bars:,} bars, {reps} rounds")
    measured = engine.run(bars, reps)
    return measured, engine.figures(measured), ""


def _statistics(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    from cluster.bench import statistics

    bars, paths, reps = (100_000, 1_000, 3) if args.quick else (1_000_000, 10_000, 5)
    _say(args)(f"statistics, {bars:,} returns, {paths:,} paths, {reps} rounds")
    measured = statistics.run(bars, paths, reps)
    return measured, statistics.figures(measured), ""


def _regimes(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    from cluster.bench import detector_set, regimes

    bars, jump_bars, reps = (20_000, 2_000, 3) if args.quick else (100_000, 10_000, 3)
    _say(args)(f"regimes, {bars:,} bars, {reps} rounds")
    measured = regimes.run(bars, jump_bars, reps)
    set_bars = 3_000 if args.quick else detector_set.BARS
    _say(args)(f"regimes, every detector over {set_bars:,} bars")
    measured["detector_set"] = detector_set.run(set_bars)
    return measured, [*regimes.figures(measured), *detector_set.figures(measured["detector_set"])], ""


def _sweep(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    from cluster.bench import sweep

    bars, reps = (20_000, 3) if args.quick else (100_000, 5)
    _say(args)(f"sweeps, {bars:,} bars, {reps} rounds")
    measured = sweep.run(bars, reps, long=not args.quick)
    return measured, sweep.figures(measured), ""


def _fanout(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    prepare_environment(common.userdir(args))
    from cluster.bench import fanout

    tasks, bars = (40, 20_000) if args.quick else (100, 100_000)
    _say(args)(f"fan-out, {tasks} tasks")
    measured = fanout.run(tasks, bars)
    return measured, fanout.figures(measured), ""


def _local(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    from cluster.bench import fleet

    bars, reps = (1200, 1) if args.quick else (3000, 3)
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        measured = fleet.run(Path(folder), bars=bars, reps=reps, seed=seed, say=_say(args))
    return measured, fleet.figures(measured), ""


def _ray(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    prepare_environment(common.userdir(args))
    from cluster.bench import ray_figures, ray_fleet

    chunks, chunk_steps, single = (1, 128, 64) if args.quick else (4, 256, 256)
    with tempfile.TemporaryDirectory(prefix="tradewind-bench-") as folder:
        measured = ray_fleet.run(
            Path(folder), chunks=chunks, chunk_steps=chunk_steps, single_steps=single,
            start_up=not args.quick, seed=seed, say=_say(args),
        )  # fmt: skip
    return measured, ray_figures.figures(measured), ""


def _serve(args: argparse.Namespace, seed: int) -> tuple[Any, list[Figure], str]:
    from cluster.bench import serve

    measured = serve.run(
        4.0 if args.quick else 15.0, seed, checkout=Path(__file__).resolve().parents[2], say=_say(args)
    )
    return measured, serve.figures(measured), ""


_PARTS = {
    "kernels": _kernels, "engine": _engine, "sweep": _sweep, "statistics": _statistics, "regimes": _regimes,
    "local": _local, "ray": _ray, "fanout": _fanout,
    "serve": _serve,
}  # fmt: skip
