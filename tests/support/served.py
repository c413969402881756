"""Parts that tests of serving share: bars as a request has them, an application in a temporary folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import small
from fastapi import FastAPI

from actors.domain.events.regime import REGIMES
from actors.domain.fitting import InlineFits
from actors.domain.model.bars import BarFrame
from actors.domain.regime.base import Assessment
from actors.domain.regime.panel import Panel
from serve.api.access import Tokens
from serve.api.application import application
from serve.api.service import Service
from serve.inference.job import Inference
from serve.inference.local import LocalInference
from serve.models.store import ModelStore, ensure
from serve.models.version import ModelSettings

READER, ADMIN = "reader-" + "r" * 40, "admin-" + "a" * 40
ASK = {"authorization": f"Bearer {READER}"}
RULE = {"authorization": f"Bearer {ADMIN}"}
QUICK: dict[str, Any] = {"min_history_bars": 80, "lag_steps": 4, "refit_every_bars": 60}
PARTS = (("jump", QUICK), ("trend", {}), ("volatility", {"min_history_bars": 60}))
SETTINGS = ModelSettings(PARTS, {"min_dwell_bars": 2}, 11)
OTHER = ModelSettings((("volatility", {"min_history_bars": 60}),), {}, 11)
PAIR = "BTC/USDT"


def bars(count: int = 300, start: int = 0, seed: int = 3) -> BarFrame:
    return small.frames(420, seed)[PAIR].slice_rows(start, start + count)


def series(frame: BarFrame) -> dict[str, Any]:
    columns = {n: getattr(frame, n).tolist() for n in ("open", "high", "low", "close", "volume")}
    return {"pair": frame.pair, "timeframe": "1h", "timestamp": frame.open_ns.tolist(), **columns}


def named(parts: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Detectors as a request names them."""
    return [{"kind": kind, "params": dict(params)} for kind, params in parts]


def in_process(frame: BarFrame, settings: ModelSettings = SETTINGS) -> dict[str, list[Assessment]]:
    """What the detectors say in this process, without anything of serving."""
    panel = Panel(
        settings.detectors, settings.ensemble, pair=frame.pair, seed=settings.seed, fits=InlineFits(),
        timeframes=settings.timeframes,
    )  # fmt: skip
    said: dict[str, list[Assessment]] = {name: [] for name in panel.names}
    for now in panel.run(frame):
        for views, view in zip(said.values(), now, strict=True):
            views.append(view)
    return said


def assert_same(views: Mapping[str, Any], said: Mapping[str, Sequence[Assessment]]) -> None:
    """Every number of an answer is the in-process one, bit for bit: equal by what Python writes for it."""
    assert list(views) == list(said)
    for name, column in views.items():
        for field in ("label", "native_label", "bars_in_state", "reason"):
            assert column[field] == [getattr(v, field) for v in said[name]], (name, field)
        for field in ("confidence", "data_quality"):
            assert [repr(x) for x in column[field]] == [repr(getattr(v, field)) for v in said[name]], (
                name,
                field,
            )
        for field in ("probabilities", "own_probabilities", "features", "weights"):
            found = column[field] or [()] * len(said[name])
            assert [[repr(x) for x in row] for row in found] == [
                [repr(x) for x in getattr(v, field)] for v in said[name]
            ], (name, field)
        for found, view in zip(column["detail"] or [None] * len(said[name]), said[name], strict=True):
            assert repr(found) == repr(json.loads(msgspec.json.encode(view.detail))), name
        assert all(len(row) == len(REGIMES) for row in column["probabilities"])


def made(folder: Path, inference: Inference | None = None, **limits: Any) -> tuple[FastAPI, ModelStore]:
    """An application with one active version of ``default`` (`SETTINGS`)."""
    store = ModelStore(folder)
    ensure(store, "default", SETTINGS, "c" * 64)
    return application(
        Service(store, inference or LocalInference(store), **limits), Tokens(READER, ADMIN)
    ), store
