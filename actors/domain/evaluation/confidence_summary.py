"""From trials of the confidence study to tables with standard errors, and what must hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any

from actors.domain.evaluation.confidence_study import (
    LEVELS,
    MARKETS,
    STRANGE,
    ConfidenceCell,
    ConfidenceScore,
    Ending,
    Scored,
)
from actors.domain.evaluation.metrics.calibration import Calibration, Tally
from actors.domain.events.regime import HIGH
from actors.domain.regime.confidence.params import ConfidenceParams
from actors.domain.regime.confidence.skill import SKILL

LEAST_TRIALS = 20
"""Below so many a standard error says too little to judge by."""
_HOW = {
    "truth": ("truth", "truth"), "labels_truth": ("labels", "truth"), "labels_labels": ("labels", "labels"),
}  # fmt: skip
_LARGEST_ERROR = 0.03
Table = list[dict[str, Any]]


def scores(trials: Mapping[ConfidenceCell, Sequence[ConfidenceScore]]) -> Table:
    """Return one line per market, what the calculator learnt from, and what it is held against.

    Standard errors are jackknifed over trials: bars of one market are not independent.
    """
    out: Table = []
    for cell, found in trials.items():
        for key, (learns, held) in _HOW.items():
            parts = [f.scored[key] for f in found]
            whole = _calibration(parts)
            single = [p.tally.result().ece or 0.0 for p in parts]
            out.append({
                "market": cell.market, "learns_from": learns, "scored_by": held, "trials": len(parts),
                "bars": whole.count, "ece": whole.ece, "ece_se": _jackknife(parts, lambda p: _calibration(p).ece),
                "market_ece_mean": sum(single) / len(single), "market_ece_worst": max(single), "mce": whole.mce,
                "brier": whole.brier, "log_loss": whole.log_loss, "base_rate": whole.base_rate,
                "bins": [
                    {"low": b.low, "high": b.high, "bars": b.count, "score": b.probability, "hit_rate": b.rate}
                    for b in whole.bins
                ],
                "levels": {level: _level(parts, level) for level in LEVELS},
                "set_bars": sum(p.sets[0] for p in parts), "set_coverage": _coverage(parts),
                "set_coverage_se": _jackknife(parts, _coverage),
                "set_size": _share(sum(p.sets[2] for p in parts), sum(p.sets[0] for p in parts)),
            })  # fmt: skip
    return out


def endings(trials: Mapping[ConfidenceCell, Sequence[ConfidenceScore]]) -> Table:
    """Return one line per market and kind of label: what the forecast that a regime ends is worth."""
    out: Table = []
    for cell, found in trials.items():
        for key in ("truth", "labels"):
            parts = [f.endings[key] for f in found]
            count = sum(p.forecasts for p in parts)
            out.append({
                "market": cell.market, "labels": key, "trials": len(parts), "forecasts": count,
                "horizon_bars": ConfidenceParams().leave_horizon_bars,
                "brier": _share(sum(p.loss for p in parts), count),
                "base_brier": _share(sum(p.base_loss for p in parts), count),
                "skill": _skill(parts), "skill_se": _jackknife(parts, _skill),
                "skilled_trials": sum(p.verdict == SKILL for p in parts),
            })  # fmt: skip
    return out


def checks(scored: Table, ended: Table) -> Table:
    """Return what the study must hold, as far as it was run with enough trials: name, value, bound, met."""
    out: Table = []
    for row in scored:
        if row["trials"] >= LEAST_TRIALS and row["scored_by"] == "truth" and row["market"] not in STRANGE:
            out += _judged(row)
    for row in ended:
        if row["trials"] < LEAST_TRIALS or row["labels"] != "truth":
            continue
        if row["market"] == "noise":
            claimed = row["skilled_trials"] / row["trials"]
            out.append(
                _check("trials that claim to foresee ends in noise", claimed, "<= 0.1", claimed <= 0.1)
            )
        elif row["skill"] is not None and row["skill_se"]:
            z = row["skill"] / row["skill_se"]
            name = f"skill of forecast ends, standard errors above 0, {row['market']}"
            out.append(_check(name, z, "> 2", z > 2.0))
    return out


def _judged(row: dict[str, Any]) -> Table:
    """Scores against the truth: as right as they say, and HIGH no less right than it states."""
    stated = ConfidenceParams().high_at
    high, name = row["levels"][HIGH], f"{row['market']}, learnt from {row['learns_from']}"
    out = [
        _check(
            f"expected calibration error of confidence, {name}", row["ece"], f"<= {_LARGEST_ERROR}",
            row["ece"] <= _LARGEST_ERROR,
        )
    ]  # fmt: skip
    if high["bars"]:
        hit = high["hit_rate"]
        out.append(_check(f"HIGH is right, {name}", hit, f">= {stated}", hit >= stated))
        over, error = hit - high["score"], high["gap_se"] or 0.0
        said = f">= 0 within its standard error {error:.3f}"
        out.append(_check(f"HIGH is right less what its scores state, {name}", over, said, over >= -error))
    cover, error = row["set_coverage"], row["set_coverage_se"]
    if cover is not None and error is not None:
        wanted = 1.0 - ConfidenceParams().miss_frac
        said = f">= {wanted:g} within two standard errors of {error:.3f}"
        out.append(_check(f"sets hold the right regime, {name}", cover, said, cover >= wanted - 2.0 * error))
    return out


def text(scored: Table, ended: Table) -> str:
    """Return the tables for people."""
    head = (
        "confidence, market by market: expected calibration error of all markets of a kind together, of one alone in "
        "the mean and at worst, Brier; HIGH: share of bars, right, stated; sets when unsure: coverage, size. Live "
        "trading has what is learnt from labels; its worth is what it is scored by the truth. "
        f"Not judged: {' and '.join(STRANGE)}, of which tuning has seen nothing like"
    )
    lines = [head]
    for r in scored:
        high = r["levels"][HIGH]
        lines.append(
            f"  {r['market']}, learns from {r['learns_from']}, scored by {r['scored_by']}: "
            f"{_figure(r['ece'])} ± {_figure(r['ece_se'])}, {_figure(r['market_ece_mean'])}, "
            f"{_figure(r['market_ece_worst'])}, {_figure(r['brier'])}; "
            f"{high['share_frac']:.0%}, {_figure(high['hit_rate'])}, {_figure(high['score'])}; "
            f"{_figure(r['set_coverage'])}, {_figure(r['set_size'])}"
        )
    lines.append("reliability, scored by the truth: score, right, bars")
    for r in scored:
        if r["scored_by"] == "truth":
            bins = ", ".join(f"{b['score']:.2f} {b['hit_rate']:.2f} {b['bars']:,}" for b in r["bins"])
            lines.append(f"  {r['market']}, learnt from {r['learns_from']}: {bins}")
    lines.append(
        f"forecast that the regime ends within {ended[0]['horizon_bars'] if ended else 0} bars: Brier skill"
    )
    for r in ended:
        if r["skill"] is None:
            said = "not known"
        elif r["skill_se"] and r["skill"] > 2.0 * r["skill_se"]:
            said = "skill"
        else:
            said = "no skill"
        lines.append(
            f"  {r['market']}, by {r['labels']}: {_figure(r['skill'])} ± {_figure(r['skill_se'])}, {said}; claimed in "
            f"{r['skilled_trials']} of {r['trials']} trials"
        )
    return "\n".join(lines)


def markets() -> tuple[ConfidenceCell, ...]:
    """Return what is simulated."""
    return tuple(ConfidenceCell(name) for name in MARKETS)


def _level(parts: Sequence[Scored], level: str) -> dict[str, Any]:
    bars = sum(p.levels[level][0] for p in parts)
    return {
        "bars": bars, "share_frac": bars / max(sum(row[0] for p in parts for row in p.levels.values()), 1),
        "hit_rate": _share(sum(p.levels[level][1] for p in parts), bars),
        "score": _share(sum(p.levels[level][2] for p in parts), bars),
        "gap_se": _jackknife(parts, lambda some: _gap(some, level)),
    }  # fmt: skip


def _gap(parts: Sequence[Scored], level: str) -> float | None:
    rows = [p.levels[level] for p in parts]
    return _share(sum(r[1] for r in rows) - sum(r[2] for r in rows), sum(r[0] for r in rows))


def _calibration(parts: Sequence[Scored]) -> Calibration:
    whole = Tally()
    for part in parts:
        whole.merge(part.tally)
    return whole.result()


def _coverage(parts: Sequence[Scored]) -> float | None:
    return _share(sum(p.sets[1] for p in parts), sum(p.sets[0] for p in parts))


def _skill(parts: Sequence[Ending]) -> float | None:
    lost = _share(sum(p.loss for p in parts), sum(p.base_loss for p in parts))
    return None if lost is None else 1.0 - lost


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _jackknife(parts: Sequence[Any], figure: Callable[[Sequence[Any]], float | None]) -> float | None:
    """Standard error of a figure of all trials, from the figures with one left out each."""
    n = len(parts)
    without = [figure([*parts[:i], *parts[i + 1 :]]) for i in range(n)]
    known = [f for f in without if f is not None]
    if n < 2 or len(known) < n:
        return None
    mean = sum(known) / n
    return sqrt((n - 1) / n * sum((f - mean) ** 2 for f in known))


def _check(name: str, value: float, bound: str, met: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "bound": bound, "met": bool(met)}


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
