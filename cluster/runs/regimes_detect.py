"""Labels, probabilities and confidence of detectors and ensemble for every bar of a file, as a Parquet table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from actors.domain.evaluation.regime_book import RegimeBook
from actors.domain.evaluation.report_model import PairSeries
from actors.domain.events.regime import REGIMES, RegimeAssessed
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import format_timeframe
from actors.domain.regime.base import UNIFORM, Assessment
from actors.domain.regime.multi_timeframe import MIXED, frame_agreement, frame_pools, without_vetoed
from actors.domain.regime.panel import ENSEMBLE, Panel
from config.schema import Component


@dataclass(frozen=True)
class Detected:
    """What was said at every bar of a pair.

    Attributes
    ----------
    views : dict
        Name to views, bar by bar; `ENSEMBLE` last.
    frames : tuple of str
        Timeframe of each detector's views, in their order; empty without longer frames.
    vocabularies : dict
        Name to the names of a detector's own states and of its measures.
    """

    views: dict[str, list[Assessment]]
    frames: tuple[str, ...] = ()
    vocabularies: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)

    def last(self, bars: int) -> Detected:
        """Return what was said at the last so many bars."""
        return replace(self, views={name: said[len(said) - bars :] for name, said in self.views.items()})


def detect(
    frame: BarFrame, pair: str, detectors: Sequence[Component], ensemble: dict[str, Any], seed: int,
    timeframes: Sequence[str] = (), health: dict[str, Any] | None = None,
) -> Detected:  # fmt: skip
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
    timeframes : sequence of str
        Longer bars, on which every detector runs as well.
    health : dict, optional
        Parameters of the fleet's health monitor.
    """
    panel = Panel(
        [(part.kind, part.params) for part in detectors], ensemble, pair=pair, seed=seed, fits=InlineFits(),
        timeframe=format_timeframe(frame.timeframe_ns), timeframes=timeframes, health=health,
    )  # fmt: skip
    views: dict[str, list[Assessment]] = {name: [] for name in panel.names}
    for now in panel.run(frame):
        for said, view in zip(views.values(), now, strict=True):
            said.append(view)
    return Detected(views, panel.frames, panel.vocabularies)


def conflicts(found: Detected) -> dict[str, Any] | None:
    """Return how the frames agreed; None without longer ones.

    Keys: timeframes, bars (on which two frames or more were heard), agreement_mean, mixed_frac (share of those bars
    with an agreement below `MIXED`), vetoed_bars (a crash on a longer frame silenced a bull).
    """
    if not found.frames:
        return None
    detectors = [said for name, said in found.views.items() if name != ENSEMBLE]
    agreed, vetoed = [], 0
    for row in zip(*detectors, strict=True):
        pools = frame_pools(row, found.frames)
        agreement = frame_agreement(pools)
        if agreement is not None:
            agreed.append(agreement)
        vetoed += any(v is None for v in without_vetoed(row, found.frames, pools))
    return {
        "timeframes": list(dict.fromkeys(found.frames)), "bars": len(agreed),
        "agreement_mean": sum(agreed) / len(agreed) if agreed else None,
        "mixed_frac": sum(a < MIXED for a in agreed) / len(agreed) if agreed else None, "vetoed_bars": vetoed,
    }  # fmt: skip


def traced(frame: BarFrame, pair: str, found: Detected, stay_probability: float) -> RegimeBook:
    """Return the book of what was said, as a run's record keeps it."""
    book = RegimeBook([pair], stay_probability)
    longer = dict(zip([n for n in found.views if n != ENSEMBLE], found.frames, strict=False))
    base = format_timeframe(frame.timeframe_ns)
    closes = frame.close_ns.tolist()
    for index, (ts, row) in enumerate(zip(closes, zip(*found.views.values(), strict=True), strict=True)):
        for name, v in zip(found.views, row, strict=True):
            own = longer.get(name, base)
            book.take(
                RegimeAssessed(
                    ts_event_ns=ts, source=f"regime-{name}", instrument_id=pair, detector=name, label=v.label,
                    probabilities=v.probabilities, confidence=v.confidence, native_label=v.native_label,
                    bars_in_state=v.bars_in_state, detail=v.detail, context=v.context, weights=v.weights,
                    timeframe="" if own == base else own,
                ),
                warmup=False,
            )  # fmt: skip
        book.close_step({pair: index})
    return book


def series_of(frame: BarFrame, pair: str, found: Detected) -> PairSeries:
    """Return bars and regimes in force; none while nothing is known, as in a run."""
    labels = [v.label if v.probabilities != UNIFORM else "" for v in found.views[ENSEMBLE]]
    return PairSeries(pair=pair, ts_ns=frame.close_ns.tolist(), close=frame.close.tolist(), detected=labels)


def write(frame: BarFrame, found: Detected, path: Path) -> None:
    """Write one row per bar: the bar's opening time, then per detector label, own state, bars in it, confidence, data
    quality, why it is silent, the probability of each regime (``p``) and of each own state (``own``), and its measures
    (``x``); null where it says none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {"timestamp": pa.array(frame.open_ns, pa.timestamp("ns", "UTC"))}
    for kind, said in found.views.items():
        columns[f"{kind}_label"] = [v.label for v in said]
        columns[f"{kind}_state"] = [v.native_label for v in said]
        columns[f"{kind}_bars_in_state"] = [v.bars_in_state for v in said]
        columns[f"{kind}_confidence"] = [v.confidence for v in said]
        for k, regime in enumerate(REGIMES):
            columns[f"{kind}_p_{regime}"] = [v.probabilities[k] for v in said]
        columns[f"{kind}_data_quality"] = [v.data_quality for v in said]
        columns[f"{kind}_reason"] = [v.reason for v in said]
        states, measures = found.vocabularies.get(kind, ((), ()))
        for k, state in enumerate(states):
            columns[f"{kind}_own_{state}"] = [_at(v.own_probabilities, k) for v in said]
        for k, measure in enumerate(measures):
            columns[f"{kind}_x_{measure}"] = [_at(v.features, k) for v in said]
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def _at(values: Sequence[float | None], k: int) -> float | None:
    """A figure, None where there is none or it is undefined."""
    return values[k] if k < len(values) else None


def summary(
    said: Sequence[Assessment], own_states: Sequence[str] = (), measures: Sequence[str] = ()
) -> dict[str, Any]:
    """Return how often each regime and each own state was in force, how often the regime changed, how sure the views
    were, their words, and on how many bars there was none for what reason, the commonest first.
    """
    heard = [v for v in said if v.confidence > 0.0]
    counts = Counter(v.label for v in heard)
    states = Counter(v.native_label for v in heard)
    reasons = Counter(v.reason for v in said if not v.confidence > 0.0 and v.reason)
    switches = sum(a.label != b.label for a, b in pairwise(heard))
    return {
        "bars": len(said),
        "silent_bars": len(said) - len(heard),
        "reasons": dict(sorted(reasons.items(), key=lambda e: (-e[1], e[0]))),
        "states_frac": {s: states[s] / len(heard) for s in sorted(states, key=lambda s: (-states[s], s))},
        "shares_frac": {r: counts[r] / len(heard) if heard else None for r in REGIMES},
        "switches_per_1000": 1000.0 * switches / len(heard) if heard else None,
        "mean_confidence": sum(v.confidence for v in heard) / len(heard) if heard else None,
        "own_states": list(own_states),
        "measures": list(measures),
    }
