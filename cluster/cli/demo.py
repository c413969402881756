"""``demo``: a fleet trades a synthetic market with planted regimes and hands over a report."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actors.adapters.storage.bar_store import BarStore
from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import TimeRange
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.cli import common
from cluster.runs import session
from cluster.runs.execute import Finished

HELP = "A fleet of agents on Ray trades a synthetic market with planted regimes; ends with a report."
EXAMPLE = "tradewind demo"
_WARMUP_BARS = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    common.add_host(parser, "ray")
    parser.add_argument(
        "--bars", type=int, default=2400, help="bars per asset, warm-up included; default 2400"
    )
    parser.add_argument(
        "--export-bars",
        default=None,
        metavar="DIR",
        help="write the market's bars there as Parquet, marked synthetic",
    )


def synthetic_market(seed: int, bars: int) -> session.Market:
    """Return the demo's market with its planted truth by pair and close time."""
    market = generate(SyntheticParams(n_bars=bars), seed)
    truth = {
        pair: {
            int(ts): market.regime_names[code]
            for ts, code in zip(frame.close_ns.tolist(), market.truth.tolist(), strict=True)
        }
        for pair, frame in market.frames.items()
    }
    return session.Market(
        market.frames, {}, ["synthetic market: made by a generator, not traded anywhere"], truth
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the demo."""
    began = session.started()
    if args.bars <= _WARMUP_BARS + 100:
        raise ConfigError("DEMO_BARS", f"--bars: expected more than {_WARMUP_BARS + 100}, found {args.bars}")
    seed = 7 if args.seed is None else args.seed
    market = synthetic_market(seed, args.bars)
    exported = [] if args.export_bars is None else export_bars(market.frames.values(), Path(args.export_bars))
    sets = [f"pairs=[{', '.join(repr(p) for p in market.frames)}]", "timeframe=1h"]
    config = common.configuration(args, "paper", sets)
    first = next(iter(market.frames.values()))
    span = TimeRange(int(first.open_ns[_WARMUP_BARS]), None)
    plan = session.make_plan(args, config, market, span, session.new_run_id())
    finished = session.execute(args, plan, verb="demo", host=args.host, note={"bars": args.bars})
    extra: dict[str, Any] = {"regimes": regime_figures(finished, market)}
    if exported:
        extra["exported_bars"] = [str(p) for p in exported]
    outcome = session.finish(
        args, finished, market, verb="demo", title="Tradewind demo (synthetic market)", mode="demo",
        started_s=began, extra=extra,
    )  # fmt: skip
    outcome.text += "".join(f"\nbars:     {p}" for p in exported)
    return outcome


def export_bars(frames: Iterable[BarFrame], folder: Path) -> list[Path]:
    """Write bars as ``BTC_USDT-1h-synthetic.parquet``, which every verb takes by ``--data``; return the paths.

    Name and metadata say that no market traded them, so nobody takes them for real ones later.

    Raises
    ------
    ConfigError
        If the folder cannot be written to.
    StorageError
        If the disk is full.
    """
    target = folder.expanduser().resolve()
    try:
        target.mkdir(parents=True, exist_ok=True)
        # under its own name a store's file could replace real bars of the same pair
        with tempfile.TemporaryDirectory(prefix=".export-", dir=target) as scratch:
            store = BarStore(Path(scratch))
            written = [store.write(frame) for frame in frames]
            return [p.replace(target / f"{p.stem}-synthetic{p.suffix}") for p in written]
    except OSError as e:
        raise ConfigError(
            "EXPORT_FOLDER",
            f"--export-bars {folder}: expected a folder that can be written to, found: {e.strerror or e}",
        ) from e


def regime_figures(finished: Finished, market: session.Market) -> dict[str, Any]:
    """Return accuracy against planted truth over all pairs and by pair; undefined is None."""
    rows = finished.recorder.record.accuracy(market.truth or {})
    figures: dict[str, dict[str, Any]] = {
        pair: {
            "accuracy_frac": a.accuracy,
            "balanced_accuracy_frac": a.balanced_accuracy,
            "majority_frac": max(map(sum, a.confusion)) / a.bars if a.bars else None,
            "observations": a.bars,
            "labels": a.labels,
            "confusion": a.confusion,
        }
        for pair, a in rows.items()
    }
    total = sum(f["observations"] for f in figures.values())

    def mean(name: str) -> float | None:
        if not total or any(f[name] is None for f in figures.values()):
            return None
        return float(sum(f[name] * f["observations"] for f in figures.values()) / total)

    names = ("accuracy_frac", "balanced_accuracy_frac", "majority_frac")
    return {**{n: mean(n) for n in names}, "observations": total, "by_pair": figures}
