"""Finished folds on disk: what ``--resume`` takes over, and what decides whether it may."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain import kernels
from actors.domain.errors import ConfigError
from actors.domain.search.study.by_regime import LearnRule
from cluster.runs.own_code import own_code_hash
from cluster.runs.searched import Searched
from cluster.runs.walk_forward import FoldResult, FoldSpan

QUESTION = "question.json"


def question_key(search: Searched, spans: list[FoldSpan], learn: LearnRule | None = None) -> str:
    """Return a hash of all that decides the folds' results."""
    text = json.dumps(
        [
            search.config.content_hash, search.plan.data_hash, kernels.backend().name, str(search.spec),
            [str(d) for d in search.space.dimensions], [str(c) for c in search.space.constraints],
            [str(s) for s in spans], *([] if learn is None else [str(learn)]),
            own_code_hash(search.config.model, (name for name, _ in search.spec.objectives)),
        ]
    )  # fmt: skip
    return hashlib.sha256(text.encode()).hexdigest()


def begin(folder: Path, key: str) -> None:
    """Make the folder of a run and note its question."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / QUESTION).write_text(json.dumps({"key": key}), encoding="utf-8")


def keep(folder: Path, r: FoldResult) -> None:
    """Write a finished fold, whole or not at all."""
    row = {
        "number": r.number, "params": r.params, "reason": r.reason, "train": r.train, "metrics": r.metrics,
        "returns": r.returns.tolist(), "times": r.times.tolist(), "held": r.held, "exit_cost_frac": r.exit_cost_frac,
    }  # fmt: skip
    path = folder / f"fold_{r.number:03d}.json"
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(row), encoding="utf-8")
    partial.replace(path)


def remembered(root: Path, key: str) -> dict[int, FoldResult]:
    """Return the finished folds of the newest run of the same question that has any.

    Raises
    ------
    ConfigError
        If there is none.
    """
    for path in sorted(root.glob(f"*/{QUESTION}"), reverse=True):
        if json.loads(path.read_text(encoding="utf-8"))["key"] != key:
            continue
        rows = [json.loads(f.read_text(encoding="utf-8")) for f in sorted(path.parent.glob("fold_*.json"))]
        if rows:
            return {row["number"]: _fold(row) for row in rows}
    raise ConfigError(
        "NOTHING_TO_RESUME",
        f"--resume: expected finished folds of the same question (data, configuration, folds, search) in {root}, found "
        "none; leave --resume out",
    )


def _fold(row: dict[str, Any]) -> FoldResult:
    row["returns"] = np.array(row["returns"], dtype=np.float64)
    row["times"] = np.array(row["times"], dtype=np.int64)
    return FoldResult(**row)
