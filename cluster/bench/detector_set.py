"""Bench of all detectors: every kind with its defaults over one long series, refits included, in this process."""

from __future__ import annotations

import sys
import time
from math import nan
from typing import Any

import numpy as np

from actors.domain import registry
from actors.domain.fitting import InlineFits
from actors.domain.regime.base import Observation
from cluster.bench.figures import Figure, number, table

BARS = 50_000
_PACKAGE = "actors.domain.regime"


def market(bars: int, seed: int = 5) -> list[Observation]:
    """Return bars whose drift and volatility change every 400 bars, with fat tails."""
    rng = np.random.default_rng(seed)
    part = np.arange(bars) // 400
    sigma = 0.005 * np.array([1.0, 2.5, 0.6])[part % 3]
    returns = sigma * rng.standard_t(5, bars) + 0.15 * sigma * np.array([1.0, -1.0, 0.0, 0.0, 1.0])[part % 5]
    close = 100.0 * np.exp(np.cumsum(returns))
    first = np.concatenate([[100.0], close[:-1]])
    high = np.maximum(close, first) * np.exp(rng.exponential(0.5 * sigma))
    low = np.minimum(close, first) * np.exp(-rng.exponential(0.5 * sigma))
    rows = zip(*(v.tolist() for v in (high, low, close, returns, first)), strict=True)
    return [
        Observation(i, h, lo, c, r if i else nan, volume=1.0, open=o)
        for i, (h, lo, c, r, o) in enumerate(rows)
    ]


def run(bars: int) -> dict[str, Any]:
    """Run every detector over the same bars; CPU seconds per kind and bars with a view."""
    row = market(bars)
    seconds: dict[str, float] = {}
    heard: dict[str, int] = {}
    for kind in registry.kinds(_PACKAGE):
        detector = registry.build(_PACKAGE, kind, {}, fits=InlineFits(), name=f"bench/{kind}", seed=7)
        begin = time.process_time()
        heard[kind] = sum(detector.update(obs).confidence > 0.0 for obs in row)
        seconds[kind] = time.process_time() - begin
    return {"bars": bars, "seconds": seconds, "heard": heard, "total_s": sum(seconds.values())}


def figures(found: dict[str, Any]) -> list[Figure]:
    """Return the total, stated and not judged, with the parts in its note."""
    parts = sorted(found["seconds"].items(), key=lambda item: -item[1])
    return [
        Figure(
            "regimes", f"{len(parts)} detectors over {found['bars']:,} bars with refits", found["total_s"], "s",
            note="CPU; " + ", ".join(f"{kind} {number(s)}" for kind, s in parts),
        )
    ]  # fmt: skip


def main() -> int:
    """Print the figures as text."""
    sys.stdout.write(table(figures(run(BARS))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
