"""Bench of change points: the Turing series beside what others printed, and bars to an alarm.

``python -m cluster.bench.change_points --data ../shared/data/benchmarks/tcpd_part1.zip [--json]``
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from actors.domain.errors import DataError, TradingError
from actors.domain.regime.changes.alarms import RunLength, bocpd_run_length, cusum_run_length
from actors.domain.regime.changes.cusum import average_run_length
from actors.domain.regime.changes.online import Prior
from actors.domain.regime.changes.published import printed
from actors.domain.regime.changes.turing import DEFAULTS, HINDSIGHT, Series, score

SHIFTS = (0.0, 0.5, 1.0, 2.0)
ALLOWANCE, THRESHOLD = 0.5, 5.0
PRIOR, RECENT_BARS = Prior(200.0, 20.0, 3.0, 3.0), 30
"""The detector's own prior; an alarm is more than half the mass on runs of at most so many bars."""
TOLERANCE = 1e-3
"""Printed scores are quoted to three places, and R prunes the modified criterion as if its cost had no slack."""


def load(path: Path) -> tuple[list[Series], list[str]]:
    """Return the series of one dimension in the archive, of unit variance, and the names of the others.

    Raises
    ------
    DataError
        If there is no such archive, or it lacks annotations or a series.
    """
    if not path.is_file():
        raise DataError(
            "TURING_MISSING", f"{path}: expected the archive of the Turing change-point series, found none"
        )
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        if "annotations.json" not in names:
            raise DataError("TURING_ANNOTATIONS", f"{path}: expected annotations.json, found {sorted(names)}")
        marked = json.loads(archive.read("annotations.json"))
        found, others = [], []
        for name in sorted(marked):
            if f"{name}.json" not in names:
                raise DataError(
                    "TURING_SERIES", f"{path}: expected {name}.json, which is annotated; found none"
                )
            told = json.loads(archive.read(f"{name}.json"))
            if told["n_dim"] != 1:
                others.append(name)
                continue
            raw = np.array(told["series"][0]["raw"], dtype=np.float64)
            found.append(Series(name, (raw - raw.mean()) / raw.std(ddof=1), marked[name]))
    return found, others


def turing(series: Sequence[Series], *, hindsight: bool = True) -> dict[str, Any]:
    """Score every method on every series.

    Returns
    -------
    dict
        ``series``: one row per series with ``name bars scores printed``; ``means``: per method, F1 and covering over
        all series with standard errors, the same of what was printed for these series, and in how many series it beats
        no change at all; ``reproduced``: whether PELT as printed gives the printed scores in every series.
    """
    rows = []
    for one in series:
        said = printed(one.name)
        rows.append({
            "name": one.name, "bars": len(one.values), "scores": score(one, hindsight=hindsight),
            "printed": None if said is None else {k: dict(v) for k, v in said._asdict().items()},
        })  # fmt: skip
    kinds = [*DEFAULTS, *(HINDSIGHT if hindsight else ())]
    return {
        "series": rows, "means": {kind: _mean(kind, rows) for kind in kinds}, "reproduced": _reproduced(rows)
    }  # fmt: skip


def _mean(kind: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    ours = np.array([[r["scores"][kind][m] for m in ("f1", "covering")] for r in rows])
    none = np.array([r["scores"]["none"]["f1"] for r in rows])
    error = ours.std(axis=0, ddof=1) / np.sqrt(len(rows)) if len(rows) > 1 else np.full(2, np.nan)
    base, _, late = kind.partition("_")
    said = [r["printed"] for r in rows if r["printed"] is not None]
    tables = (("hindsight_f1",) if late == "hindsight" else ("f1", "covering")) if late != "normal" else ()
    return {
        "f1": float(ours[:, 0].mean()), "f1_se": float(error[0]),
        "covering": float(ours[:, 1].mean()), "covering_se": float(error[1]),
        "better_than_none": int((ours[:, 0] > none + 1e-12).sum()),
        "worse_than_none": int((ours[:, 0] < none - 1e-12).sum()),
        "printed": {t: float(np.mean([p[t][base] for p in said])) for t in tables if said},
    }  # fmt: skip


def _reproduced(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    gaps = [
        max(abs(r["scores"][ours][m] - r["printed"][m][theirs]) for m in ("f1", "covering"))
        for r in rows
        if r["printed"] is not None
        for ours, theirs in (("pelt_as_printed", "pelt"), ("none", "none"))
    ]
    worst = max(gaps, default=float("nan"))
    return {
        "largest_difference": worst,
        "bound": TOLERANCE,
        "met": worst <= TOLERANCE,
        "series": len(gaps) // 2,
    }


def alarms(paths: int, seed: int = 7) -> list[dict[str, Any]]:
    """Return bars to an alarm of CUSUM and BOCPD for shifts of the mean, and of BOCPD for twice the deviation."""
    rows = []
    for shift in SHIFTS:
        found = cusum_run_length(ALLOWANCE, THRESHOLD, shift, paths=5 * paths, seed=seed)
        exact = average_run_length(ALLOWANCE, THRESHOLD, shift)
        rows.append(_row(f"cusum k={ALLOWANCE:g} h={THRESHOLD:g}", shift, 1.0, found, exact))
    for shift, scale in (*((s, 1.0) for s in SHIFTS), (0.0, 2.0)):
        found = bocpd_run_length(PRIOR, shift, scale=scale, paths=paths, seed=seed, recent_bars=RECENT_BARS)
        rows.append(_row(f"bocpd, run of {RECENT_BARS} bars", shift, scale, found, None))
    return rows


def _row(name: str, shift: float, scale: float, found: RunLength, exact: float | None) -> dict[str, Any]:
    calm = shift == 0.0 and scale == 1.0
    return {
        "detector": name, "figure": "ARL0" if calm else "ARL1", "shift_sd": shift, "scale": scale,
        **found._asdict(), "theory": exact,
    }  # fmt: skip


def text(found: Mapping[str, Any]) -> str:
    """Return what was found as tables."""
    kinds = list(found["turing"]["means"])
    lines = ["F1 at margin 5, ours / printed (covering in the second table)"]
    for metric in ("f1", "covering"):
        lines += ["", f"{metric:<18} {'bars':>5} " + " ".join(f"{k:>16}" for k in kinds)]
        for r in found["turing"]["series"]:
            lines.append(
                f"{r['name']:<18} {r['bars']:>5} " + " ".join(f"{_cell(r, k, metric):>16}" for k in kinds)
            )
    lines += [
        "",
        f"{'mean':<18} {'F1':>7} {'s.e.':>6} {'covering':>9} {'s.e.':>6}  better/worse than none  printed",
    ]
    for k, m in found["turing"]["means"].items():
        said = ", ".join(f"{t} {v:.3f}" for t, v in m["printed"].items()) or "-"
        lines.append(
            f"{k:<18} {m['f1']:>7.3f} {m['f1_se']:>6.3f} {m['covering']:>9.3f} {m['covering_se']:>6.3f}  "
            f"{m['better_than_none']:>6} / {m['worse_than_none']:<13} {said}"
        )
    check = found["turing"]["reproduced"]
    verdict = "held" if check["met"] else "FAILED"
    lines.append(
        f"\n{verdict}: printed PELT and none reproduced in {check['series']} series, largest difference "
        f"{check['largest_difference']:.1e} (at most {check['bound']:g})"
    )
    if found["left_out"]:
        lines.append(f"not scored, more than one dimension: {', '.join(found['left_out'])}")
    lines += [
        "",
        f"{'bars to an alarm':<22} {'':>5} {'shift':>6} {'scale':>6} {'mean':>9} {'s.e.':>7} {'theory':>8}",
    ]
    for a in found["alarms"]:
        theory = "-" if a["theory"] is None else f"{a['theory']:.2f}"
        cut = f"  ({a['open_frac']:.0%} had none)" if a["open_frac"] else ""
        lines.append(
            f"{a['detector']:<22} {a['figure']:>5} {a['shift_sd']:>6g} {a['scale']:>6g} {a['mean']:>9.2f} "
            f"{a['standard_error']:>7.2f} {theory:>8}{cut}"
        )
    return "\n".join(lines)


def _cell(row: Mapping[str, Any], kind: str, metric: str) -> str:
    base, _, late = kind.partition("_")
    said = row["printed"] or {}
    table = {"": metric, "hindsight": f"hindsight_{metric}"}.get(late, "")
    value = said.get(table, {}).get(base)
    return f"{row['scores'][kind][metric]:.3f} / " + ("  -  " if value is None else f"{value:.3f}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the bench; exit code 1 if the printed scores are not reproduced, 2 if the data cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m cluster.bench.change_points", description=__doc__)
    parser.add_argument("--data", required=True, type=Path, metavar="ZIP", help="tcpd_part1.zip")
    parser.add_argument("--paths", type=int, default=200, metavar="N", help="simulated paths; default 200")
    parser.add_argument("--no-hindsight", action="store_true", help="leave out the grids")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    args = parser.parse_args(argv)
    if args.paths < 2:
        parser.error(f"--paths: expected at least 2, found {args.paths}")
    try:
        series, others = load(args.data)
    except TradingError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    found: dict[str, Any] = {
        "turing": turing(series, hindsight=not args.no_hindsight), "left_out": others,
        "alarms": alarms(args.paths),
    }  # fmt: skip
    sys.stdout.write((json.dumps(found, indent=1) if args.json else text(found)) + "\n")
    return 0 if found["turing"]["reproduced"]["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
