"""Labels, probabilities and confidence of detectors and ensemble for every bar of a file, as a Parquet table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.regime.base import Assessment
from actors.domain.regime.panel import Panel
from config.schema import Component


def detect(
    frame: BarFrame, pair: str, detectors: Sequence[Component], ensemble: dict[str, Any], seed: int
) -> dict[str, list[Assessment]]:
    """Return every detector's view at each bar's close, and the ensemble's; each knows the bars up to its own only.

    Parameters
    ----------
    frame : BarFrame
    pair : str
    detectors : sequence of Component
        As configured; one kind once.
    ensemble : dict
        Parameters of the pool.
    seed : int
        Of the configuration: detectors draw as they do in a fleet.

    Returns
    -------
    dict
        Kind to views, `ENSEMBLE` last.
    """
    panel = Panel(
        [(part.kind, part.params) for part in detectors], ensemble, pair=pair, seed=seed, fits=InlineFits()
    )
    views: dict[str, list[Assessment]] = {name: [] for name in panel.names}
    rows = zip(frame.high.tolist(), frame.low.tolist(), frame.close.tolist(), strict=True)
    for high, low, close in rows:
        for said, view in zip(views.values(), panel.update(high, low, close), strict=True):
            said.append(view)
    return views


def write(frame: BarFrame, views: dict[str, list[Assessment]], path: Path) -> None:
    """Write one row per bar: the bar's opening time, then per detector label, own state, bars in it, confidence and the
    probability of each regime.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"timestamp": pa.array(frame.open_ns, pa.timestamp("ns", "UTC"))}
    for kind, said in views.items():
        columns[f"{kind}_label"] = [v.label for v in said]
        columns[f"{kind}_state"] = [v.native_label for v in said]
        columns[f"{kind}_bars_in_state"] = [v.bars_in_state for v in said]
        columns[f"{kind}_confidence"] = [v.confidence for v in said]
        for k, regime in enumerate(REGIMES):
            columns[f"{kind}_p_{regime}"] = [v.probabilities[k] for v in said]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def summary(said: Sequence[Assessment]) -> dict[str, Any]:
    """Return how often each regime was in force, how often it changed, and how sure the views were."""
    heard = [v for v in said if v.confidence > 0.0]
    counts = Counter(v.label for v in heard)
    switches = sum(a.label != b.label for a, b in pairwise(heard))
    return {
        "bars": len(said),
        "silent_bars": len(said) - len(heard),
        "shares_frac": {r: counts[r] / len(heard) if heard else None for r in REGIMES},
        "switches_per_1000": 1000.0 * switches / len(heard) if heard else None,
        "mean_confidence": sum(v.confidence for v in heard) / len(heard) if heard else None,
    }
