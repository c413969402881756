"""Labels, probabilities and confidence of detectors and ensemble for every bar of a file, as a Parquet table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import log, nan
from pathlib import Path
from typing import Any

from actors.domain import registry
from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.processor import derive_seed
from actors.domain.regime.base import Assessment, Observation
from actors.domain.regime.ensemble import EnsembleParams, RegimeEnsemble
from config.schema import Component

_PACKAGE = "actors.domain.regime"
ENSEMBLE = "ensemble"


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
    fits = InlineFits()
    made = {
        part.kind: registry.build(
            _PACKAGE, part.kind, part.params, fits=fits, name=f"regime-{part.kind}/{pair}",
            seed=derive_seed(seed, f"regime-{part.kind}", pair),
        )
        for part in detectors
    }  # fmt: skip
    pool = RegimeEnsemble(EnsembleParams.parse(ensemble), members=len(made))
    views: dict[str, list[Assessment]] = {kind: [] for kind in [*made, ENSEMBLE]}
    before = nan
    rows = zip(frame.high.tolist(), frame.low.tolist(), frame.close.tolist(), strict=True)
    for step, (high, low, close) in enumerate(rows):
        obs = Observation(step=step, high=high, low=low, close=close, log_return=log(close / before))
        before = close
        said = [detector.update(obs) for detector in made.values()]
        for kind, view in zip(made, said, strict=True):
            views[kind].append(view)
        views[ENSEMBLE].append(pool.update(said))
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
