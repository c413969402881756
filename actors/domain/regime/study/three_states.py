"""The three-state study by the printed study's own measures, beside its printed rows.

The continuous jump model's authors average each state's recall over the trials in which it occurs, then over the
states, and take the area under the ROC curve, state against state, over the trials in which all occur. Their jump rows
use backward features and the penalty of their grid that was best in hindsight; so does ours. What differs: their trials
have twenty bars more at either end for the features; their features are not standardised; our trials and starts are
other draws. A row that gives labels only (jump models, the ensemble) has its area from them, as their discrete jump
model has. Their HMM is fitted from one start by k-means (so its weak figures), ours from ten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, sqrt
from typing import Any

import numpy as np

from actors.domain.regime.study.process import THREE_STATES
from actors.domain.regime.study.published import PRINTED_THREE, TRIALS
from actors.domain.regime.study.rows import BACKWARD, ROWS
from actors.domain.regime.study.summary import z_to_print
from actors.domain.regime.study.trial import PROCESSES, Cell, RowScore, TrialScore

BEST = "jump_backward"
"""Row that stands for the penalty that was best in hindsight."""


def three_states(trials: Mapping[Cell, Sequence[TrialScore]]) -> list[dict[str, Any]]:
    """Return one line per length and row: recall by state, area, and what was printed.

    Keys: T, detector, causal, bac, bac_se, auc, auc_trials, printed_bac, printed_auc, z (of the difference in bac, for
    which the printed trials are taken to scatter as ours do). A printed row that we do not run has figures of print
    only.
    """
    out: list[dict[str, Any]] = []
    for cell, scores in trials.items():
        if PROCESSES[cell.process] is not THREE_STATES:
            continue
        found = {row.name: _line([s.rows[row.name] for s in scores]) for row in ROWS}
        grid = [name for name in found if name.startswith(BACKWARD)]
        best = max(grid, key=lambda name: found[name]["bac"] or 0.0)
        penalty = best.removeprefix(BACKWARD)
        rows = {name: line for name, line in found.items() if name not in grid} | {BEST: found[best]}
        causal = {row.name: row.causal for row in ROWS} | {BEST: False}
        printed = PRINTED_THREE.get(cell.bars, {})
        for name in [*rows, *(p for p in printed if p not in rows)]:
            line = rows.get(name, {"bac": None, "bac_se": None, "auc": None, "auc_trials": 0})
            bac, area = printed.get(name, (None, None))
            z = z_to_print(line["bac"], line["bac_se"], len(scores), bac, TRIALS[THREE_STATES.name])
            out.append({
                "T": cell.bars, "detector": name, "causal": causal.get(name), **line, "printed_bac": bac,
                "printed_auc": area, "z": z, "penalty": float(penalty) if name == BEST else None,
            })  # fmt: skip
    return out


def _line(scores: Sequence[RowScore]) -> dict[str, Any]:
    recalls = np.array([s.recalls for s in scores])
    there = ~np.isnan(recalls)
    counts = there.sum(axis=0)
    means = np.where(there, recalls, 0.0).sum(axis=0) / np.maximum(counts, 1)
    # what each trial adds to the mean over states of means over trials
    parts = (np.where(there, recalls - means, 0.0) * len(scores) / np.maximum(counts, 1)).mean(axis=1)
    areas = [s.auc for s in scores if not isnan(s.auc)]
    return {
        "bac": float(means.mean()) if counts.all() else None,
        "bac_se": float(parts.std(ddof=1) / sqrt(len(scores))) if len(scores) > 1 else None,
        "auc": sum(areas) / len(areas) if areas else None, "auc_trials": len(areas),
    }  # fmt: skip
