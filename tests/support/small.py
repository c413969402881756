"""A small run for tests: two synthetic pairs, a plan in a temporary folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import detail_of
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


def finer(frames: dict[str, BarFrame]) -> dict[str, BarFrame]:
    """Return half-hour bars that rebuild the hours: down first, then up; every tenth hour lacks its second half."""
    out = {}
    for pair, f in frames.items():
        half = f.timeframe_ns // 2
        times = np.stack([f.open_ns, f.open_ns + half], axis=1).reshape(-1)
        middle = (f.low + np.minimum(f.open, f.close)) / 2
        pick = np.arange(2 * len(f)) % 20 != 19

        def both(a: Any, b: Any, pick: Any = pick) -> Any:
            return np.stack([a, b], axis=1).reshape(-1)[pick]

        columns = {
            "open_ns": times[pick], "open": both(f.open, middle), "high": both(f.open, f.high),
            "low": both(f.low, middle), "close": both(middle, f.close), "volume": both(f.volume / 2, f.volume / 2),
        }  # fmt: skip
        columns["high"] = np.maximum(columns["high"], np.maximum(columns["open"], columns["close"]))
        out[pair] = BarFrame.from_columns(pair, half, columns, source=f.source, synthetic=True)
    return out


def plan(
    folder: Path,
    *,
    market: dict[str, BarFrame] | None = None,
    journal: bool = False,
    run_id: str = "test",
    sets: Sequence[str] = (),
    detail: bool = False,
) -> RunPlan:
    """A plan over the default fleet; `detail` settles orders by half-hour bars."""
    market = market if market is not None else frames()
    pairs = ", ".join(repr(p) for p in market)
    config = resolve(
        "paper",
        sets=[
            f"pairs=[{pairs}]",
            "runtime.snapshot_every_steps=64",
            "regime.detectors.hmm.params={}",
            *sets,
            *(["timeframe_detail=30m"] if detail else []),
        ],
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
        details={p: detail_of(f, finer(market)[p]) for p, f in market.items()} if detail else None,
    )
