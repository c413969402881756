"""From bars to an answer: the same panel, bar by bar, as `tradewind regimes detect` and a fleet have, and its JSON."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from actors.domain.errors import InsufficientDataError, ModelError, ModelVersionError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import format_timeframe
from actors.domain.model.timerange import format_ns
from actors.domain.regime.base import WARMING_UP, Assessment
from actors.domain.regime.panel import Panel
from serve.inference.job import Job, out_of_time
from serve.models.store import ModelStore
from serve.models.version import Training


def detect(job: Job, store: ModelStore, given_up: threading.Event | None = None) -> bytes:
    """Return the answer for one series as JSON; once `given_up` is set, nobody waits for it and it ends soon.

    Raises
    ------
    InsufficientDataError
        If every detector would still be silent at the last bar.
    ModelVersionError
        If the version has learned from other bars than those the series goes on from.
    ModelError
        If time is up, nobody waits any longer, or a detector says what is no probability.
    """
    end = time.monotonic() + job.budget_s
    frame, warnings = job.frame, []
    training = store.load(*job.model)[0].training if job.model is not None else None
    if training is not None:
        warnings += _continues(frame, training)
    panel = _panel(job, store)
    warnings += _enough(panel, frame)
    warnings += _plain(frame)
    said = _views(panel, frame, job, end, given_up or threading.Event())
    warnings += _silent(said, {code for code, _ in warnings})
    vocabularies = panel.vocabularies
    shown = slice(None) if job.all_bars else slice(-1, None)
    return msgspec.json.encode(
        {
            "pair": frame.pair,
            "timeframe": format_timeframe(frame.timeframe_ns),
            "bars": len(frame),
            "data_hash": frame.data_hash,
            "open_ns": frame.open_ns[shown].tolist(),
            "states": {name: states for name, (states, _) in vocabularies.items()},
            "measures": {name: measures for name, (_, measures) in vocabularies.items()},
            "views": {name: _columns(views[shown]) for name, views in said.items()},
            "warnings": [{"code": code, "message": message} for code, message in warnings],
        }
    )


def _panel(job: Job, store: ModelStore) -> Panel:
    pair, timeframe_ns = job.frame.pair, job.frame.timeframe_ns
    if job.model is not None:
        return store.panel(*job.model, pair, timeframe_ns)
    assert job.settings is not None, "a job has a model or settings"
    return job.settings.panel(pair, timeframe_ns)


def _continues(frame: BarFrame, training: Training) -> list[tuple[str, str]]:
    """Check that a series goes on where a version's training ended: a bar seen twice would be known beforehand."""
    own = (training.pair, training.timeframe_ns)
    if (frame.pair, frame.timeframe_ns) != own:
        raise ModelVersionError(
            "MODEL_OTHER_MARKET",
            f"series: expected bars of {training.pair} {format_timeframe(training.timeframe_ns)}, which the model has "
            f"learned from, found {frame.pair} {format_timeframe(frame.timeframe_ns)}; use a version for these, or one "
            "that is not fitted",
        )
    if frame.start_ns < training.until_ns:
        raise ModelVersionError(
            "MODEL_KNOWS_BARS",
            f"series: expected bars that open at or after {format_ns(training.until_ns)}, where the model's own end, "
            f"found {format_ns(frame.start_ns)}; leave the earlier ones out",
        )
    missing = (frame.start_ns - training.until_ns) // frame.timeframe_ns
    if not missing:
        return []
    return [
        ("MODEL_GAP", f"{missing} bars are missing between those of the model and the first of the request")
    ]


def _enough(panel: Panel, frame: BarFrame) -> list[tuple[str, str]]:
    """Check that somebody can say something at the last bar; name those who cannot."""
    known = panel.bars + len(frame)
    short = {kind: need for kind, need in panel.warmup_bars.items() if need > known}
    if len(short) == len(panel.warmup_bars):
        kind = min(short, key=lambda k: short[k])
        raise InsufficientDataError(
            "BARS_TOO_FEW",
            f"{frame.pair}: expected at least {short[kind]} bars, which {kind} needs to say anything, found {known}; "
            "send more history, or use a fitted model",
        )
    return [
        ("WARMING_UP", f"{kind} says nothing yet: it needs {need} bars and has {known}")
        for kind, need in short.items()
    ]


def _plain(frame: BarFrame) -> list[tuple[str, str]]:
    out = []
    missing = sum(gap.missing for gap in frame.gaps())
    if missing:
        out.append(("GAPS", f"{missing} bars are missing in between; they are not filled"))
    if frame.high.max() == frame.low.min():
        out.append(("PRICES_CONSTANT", "no price moves: labels say nothing about a market"))
    return out


def _views(
    panel: Panel, frame: BarFrame, job: Job, end: float, given_up: threading.Event
) -> dict[str, list[Assessment]]:
    said: dict[str, list[Assessment]] = {name: [] for name in panel.names}
    for i, now in enumerate(panel.run(frame)):
        if given_up.is_set():
            raise ModelError(
                "DETECTION_GIVEN_UP", f"bars: expected somebody to wait for them, found none at bar {i}"
            )
        if time.monotonic() > end:  # at every bar: each may bring fits, which are not interrupted
            raise out_of_time(job.budget_s, i, len(frame))
        for (name, views), view in zip(said.items(), now, strict=True):
            if not abs(math.fsum(view.probabilities) - 1.0) < 1e-6 or not math.isfinite(view.confidence):
                raise ModelError(
                    "VIEW_UNDEFINED",
                    f"{name}: expected probabilities that sum to 1, found {view.probabilities} at bar {i}",
                )
            views.append(view)
    return said


def _silent(said: dict[str, list[Assessment]], told: set[str]) -> list[tuple[str, str]]:
    """Name the views that say nothing at the last bar and why, unless that was told before."""
    known = {"", WARMING_UP} if "WARMING_UP" in told else {""}
    return [
        ("SILENT", f"{name} says nothing: {views[-1].reason}")
        for name, views in said.items()
        if views[-1].reason not in known
    ]


def _columns(views: Sequence[Assessment]) -> dict[str, Any]:
    """Return views as columns; what only an ensemble says is null where nobody said it."""
    detail = [v.detail for v in views]
    context = [v.context for v in views]
    weights = [v.weights for v in views]
    return {
        "label": [v.label for v in views],
        "probabilities": [v.probabilities for v in views],
        "confidence": [v.confidence for v in views],
        "native_label": [v.native_label for v in views],
        "bars_in_state": [v.bars_in_state for v in views],
        "own_probabilities": [v.own_probabilities for v in views],
        "features": [v.features for v in views],
        "data_quality": [v.data_quality for v in views],
        "reason": [v.reason for v in views],
        "detail": detail if any(detail) else None,
        "context": context if any(context) else None,
        "weights": weights if any(weights) else None,
    }
