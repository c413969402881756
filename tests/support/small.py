"""A small run for tests: two synthetic pairs, a plan in a temporary folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import TimeRange
from actors.domain.simulation.synthetic.market import generate
from actors.domain.simulation.synthetic.params import SyntheticParams
from cluster.runs.plan import RunPlan, build_plan
from config.load import resolve

WARMUP = 150


def frames(bars: int = 420, seed: int = 3) -> dict[str, BarFrame]:
    """Two pairs; the second lacks a few bars, so some steps hold one pair only."""
    made = generate(SyntheticParams(n_bars=bars), seed).frames
    first, second = list(made.values())[:2]
    keep = np.ones(bars, dtype=bool)
    keep[[200, 201, 333]] = False
    columns = {
        c: getattr(second, c)[keep] for c in ("open_ns", "open", "high", "low", "close", "volume", "flags")
    }
    holed = BarFrame(second.pair, second.timeframe_ns, source=second.source, synthetic=True, **columns)
    return {first.pair: first, second.pair: holed}


def plan(
    folder: Path,
    *,
    market: dict[str, BarFrame] | None = None,
    journal: bool = False,
    run_id: str = "test",
    sets: Sequence[str] = (),
) -> RunPlan:
    """A plan over the default fleet."""
    market = market if market is not None else frames()
    pairs = ", ".join(repr(p) for p in market)
    config = resolve(
        "paper",
        sets=[f"pairs=[{pairs}]", "runtime.snapshot_every_steps=64", "regime.detectors.hmm.params={}", *sets],
    )
    first = next(iter(market.values()))
    folder.mkdir(parents=True, exist_ok=True)
    return build_plan(
        config,
        market,
        TimeRange(int(first.open_ns[WARMUP]), None),
        run_id=run_id,
        run_dir=folder,
        key_path=folder / "keys" / "snapshot.key",
        journal=journal,
    )
