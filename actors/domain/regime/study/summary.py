"""From trials to a table: means with standard errors, differences from the oracle and from print, and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

import numpy as np

from actors.domain.regime.study.published import TRIALS, published_bac
from actors.domain.regime.study.rows import ORACLE, ROWS
from actors.domain.regime.study.shipped import FIRST_BAR, NAMES, TURBULENT
from actors.domain.regime.study.shipped import TRIALS as SHIPPED_TRIALS
from actors.domain.regime.study.trial import BINS, PROCESSES, Cell, RowScore, TrialScore

POOLED = "ensemble"
LEAST_TRIALS = 100
"""Below so many a standard error says too little to judge by."""
Table = list[dict[str, Any]]


def table(trials: Mapping[Cell, Sequence[TrialScore]]) -> Table:
    """Return one line per cell and row.

    ``diff_mean`` and ``diff_se`` are paired over the same trials with the causal oracle under the prior rule;
    ``published_z`` is the difference from print over its own standard error, for which the printed trials are taken to
    scatter as ours do; None of fewer than `LEAST_TRIALS`.
    """
    out: Table = []
    for cell, scores in trials.items():
        process = PROCESSES[cell.process]
        for row in ROWS:
            if row.name not in scores[0].rows:
                continue
            line = _line([s.rows[row.name] for s in scores], [s.rows[ORACLE] for s in scores], cell.bars)
            printed = published_bac(process.name, process.emission, cell.bars, row.name)
            out.append({
                "study": process.name, "emission": process.emission, "T": cell.bars, "detector": row.name,
                "causal": row.causal, "fit_protocol": row.fit_protocol, **line, "published_bac": printed,
                "published_z": z_to_print(
                    line["bac_mean"], line["bac_se"], len(scores), printed, TRIALS[process.name]
                ),
            })  # fmt: skip
    return out


def shipped_table(trials: Mapping[Cell, Sequence[TrialScore]]) -> Table:
    """Return one line per cell and row as shipped, the oracle on the same bars of the same trials first.

    Keys are those of `table` without print, and ``first_bar``, from which on bars are scored.
    """
    protocol = f"defaults, own past; {' + '.join(TURBULENT)} above 0.5 is the turbulent state"
    out: Table = []
    for cell, all_scores in trials.items():
        process, scores = PROCESSES[cell.process], [s.shipped for s in all_scores if s.shipped]
        for name in (ORACLE, *NAMES) if scores else ():
            line = _line([s[name] for s in scores], [s[ORACLE] for s in scores], cell.bars - FIRST_BAR)
            out.append({
                "study": process.name, "emission": process.emission, "T": cell.bars, "detector": name, "causal": True,
                "fit_protocol": "true parameters and law; filter, prior rule" if name == ORACLE else protocol,
                "first_bar": FIRST_BAR, **line,
            })  # fmt: skip
    return out


def _line(mine: Sequence[RowScore], theirs: Sequence[RowScore], bars: int) -> dict[str, Any]:
    """How a row did over trials of so many scored bars, and against the oracle in the same trials."""
    bac, oracle = np.array([m.bac for m in mine]), np.array([m.bac for m in theirs])
    delays = [d for m in mine for d in m.delays]
    missed, found = sum(m.missed for m in mine), len(delays)
    return {
        "trials": len(mine), "bac_mean": float(bac.mean()), "bac_se": _se(bac), "oracle_bac_mean": float(oracle.mean()),
        "diff_mean": float((bac - oracle).mean()), "diff_se": _se(bac - oracle),
        "delay_median": float(np.median(delays)) if delays else None,
        "delay_mean": float(np.mean(delays)) if delays else None,
        "missed_frac": missed / (missed + found) if missed + found else None,
        "false_switches_per_1000": 1000.0 * sum(m.false_switches for m in mine) / (bars * len(mine)),
    }  # fmt: skip


def _se(x: np.ndarray[Any, Any]) -> float | None:
    return float(x.std(ddof=1) / sqrt(x.shape[0])) if x.shape[0] > 1 else None


def z_to_print(
    mean: float | None, se: float | None, trials: int, printed: float | None, printed_trials: int
) -> float | None:
    """Return the difference from print over its standard error; None where there is none, or too few trials for it."""
    if mean is None or printed is None or not se or trials < LEAST_TRIALS:
        return None
    return (mean - printed) / (se * sqrt(1.0 + trials / printed_trials))


def calibration(trials: Mapping[Cell, Sequence[TrialScore]]) -> Table:
    """Return, per emission of the two-state study, how probabilities of the turbulent state of the frozen t-HMM hold.

    ``ece`` is the expected calibration error over ten equal bins, ``bins`` their bars, mean probability and hit rate.
    """
    out: Table = []
    for process in PROCESSES:
        whole = np.zeros((BINS, 3))
        for cell, scores in trials.items():
            if PROCESSES[cell.process] is process:
                whole += np.sum([s.bins for s in scores], axis=0)
        count, p, hits = whole.T
        if not count.sum():
            continue
        used = count > 0
        mean_p, rate = p[used] / count[used], hits[used] / count[used]
        out.append({
            "study": process.name, "emission": process.emission, "detector": "student_hmm_frozen",
            "bars": int(count.sum()), "ece": float((count[used] * np.abs(mean_p - rate)).sum() / count.sum()),
            "bins": [
                {"bars": int(n), "probability": float(a), "hit_rate": float(b)}
                for n, a, b in zip(count[used], mean_p, rate, strict=True)
            ],
        })  # fmt: skip
    return out


def checks(rows: Table, shipped: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """Return what a study must hold, as far as its cells were run with enough trials: name, value, bound, met.

    Of the rows as shipped only that none is above the oracle; they take the trials that they are run on.
    """
    rows = [r for r in rows if r["trials"] >= LEAST_TRIALS]
    two = [r for r in rows if r["study"] == "two_states"]
    out: list[dict[str, Any]] = []
    z = [abs(r["published_z"]) for r in two if r["detector"] == "jump" and r["published_z"] is not None]
    if z:
        out.append(
            _at_most("jump row against print: cells beyond 2 standard errors", sum(v > 2.0 for v in z), 1)
        )
        out.append(_at_most("jump row against print: largest difference, standard errors", max(z), 3.0))
    for r in two:
        if r["detector"] == "hmm" and r["T"] in (1000, 2000):
            lead = r["bac_mean"] - r["published_bac"]
            name = f"HMM of several starts above the better printed one, {r['emission']}, T = {r['T']}"
            out.append(_at_least(name, lead, 0.05 if r["T"] == 1000 else 0.0))
    bac = {(r["emission"], r["T"], r["detector"]): r["bac_mean"] for r in two}
    if ("t5", 2000, "oracle_argmax") in bac:
        gap = bac["t5", 2000, "student_hmm_frozen_argmax"] - bac["t5", 2000, "oracle_argmax"]
        check = _at_least("frozen t-HMM less the argmax oracle, t5, T = 2000", gap, -0.02)
        beside = bac["t5", 2000, "student_hmm_walk_forward"] - bac["t5", 2000, ORACLE]
        check["note"] = f"walk-forward, prior rule, less the oracle with it: {beside:+.3f}"
        out.append(check)
    out += _pooled(rows)
    out += _excess(rows, "causal rows")
    out += _excess([r for r in shipped if r["trials"] >= SHIPPED_TRIALS], "rows as shipped")
    return out


def _excess(rows: Sequence[Mapping[str, Any]], what: str) -> list[dict[str, Any]]:
    """Nothing causal can know more than the oracle: the row that comes nearest to it."""
    excess = [
        (r["diff_mean"] / r["diff_se"], r)
        for r in rows
        if r["causal"] and r["detector"] != ORACLE and r["diff_se"]
    ]
    if not excess:
        return []
    worst, row = max(excess, key=lambda e: e[0])
    name = f"{what} above the oracle, standard errors ({row['detector']}, {row['emission']}, T = {row['T']})"
    return [_at_most(name, worst, 3.0)]


def _pooled(rows: Table) -> list[dict[str, Any]]:
    """The ensemble against the best single causal row of each cell: the cell where it does worst counts."""
    best: dict[tuple[str, str, int], tuple[float, str]] = {}
    pooled: dict[tuple[str, str, int], float] = {}
    for r in rows:
        cell = r["study"], r["emission"], r["T"]
        if r["detector"] == POOLED:
            pooled[cell] = r["bac_mean"]
        elif r["causal"] and not r["detector"].startswith("oracle"):
            best[cell] = max(best.get(cell, (-1.0, "")), (r["bac_mean"], r["detector"]))
    if not pooled:
        return []
    worst, name, cell = min((mean - best[cell][0], best[cell][1], cell) for cell, mean in pooled.items())
    where = f"{name}, {cell[0]}, {cell[1]}, T = {cell[2]}"
    return [
        _at_least(
            f"ensemble less the best single causal row, worst of {len(pooled)} cells ({where})", worst, -0.01
        )
    ]


def _at_most(name: str, value: float, bound: float) -> dict[str, Any]:
    return {"name": name, "value": value, "bound": f"<= {bound:g}", "met": value <= bound}


def _at_least(name: str, value: float, bound: float) -> dict[str, Any]:
    return {"name": name, "value": value, "bound": f">= {bound:g}", "met": value >= bound}
