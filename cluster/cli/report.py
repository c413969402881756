"""``report``: the HTML page of a stored run, built again; or two runs side by side."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.errors import ConfigError, DataError
from actors.domain.evaluation.report_model import ReportModel, decode
from actors.ops.report.compare import build_comparison, rows_of
from actors.ops.report.html import build_report
from cluster.cli import common

HELP = "Build the HTML report of a stored run again (the newest by default), or compare two runs."
EXAMPLE = "tradewind report"
_SAME = ("config_hash", "data_hash", "decision_hash", "seed", "kernel_backend")
_SHOWN = (*_SAME, "host", "mode", "version", "started_at", "decisions", "warmup_bars")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.add_argument(
        "run_id",
        nargs="?",
        default=None,
        metavar="RUN",
        help="id of a run or its beginning; default: the newest",
    )
    parser.add_argument("--compare", nargs=2, metavar=("A", "B"), default=None, help="ids of two runs")
    parser.add_argument("-o", "--output", default=None, metavar="FILE", help="where the page goes")


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    root = common.userdir(args) / "results"
    output = None if args.output is None else Path(args.output).expanduser()
    if args.compare is not None:
        if args.run_id is not None:
            raise ConfigError(
                "REPORT_ARGUMENTS", f"report: expected RUN or --compare A B, found both ({args.run_id!r})"
            )
        one, other = args.compare
        return compare(root, one, other, output)
    run_id, model = stored(root, args.run_id if args.run_id is not None else newest(root))
    page = build_report(model, output or root / run_id / "report.html")
    result = {
        "run_id": run_id, "report": page, "title": model.info.title,
        "decision_hash": model.info.decision_hash, "metrics": model.metrics,
    }  # fmt: skip
    return common.Outcome(result, text=f"{run_id}: {model.info.title}\nreport: {page}", head=_head(model))


def run_ids(root: Path) -> list[str]:
    """Return the ids of the stored runs; ids sort by time, so the newest is the last."""
    return sorted(p.parent.name for p in root.glob("*/report.json"))


def newest(root: Path) -> str:
    """Return the id of the newest stored run.

    Raises
    ------
    ConfigError
        If there is none.
    """
    found = run_ids(root)
    if not found:
        raise ConfigError(
            "RUN_MISSING", f"report: expected a stored run in {root}, found none; run one first, or --userdir"
        )
    return found[-1]


def stored(root: Path, run_id: str) -> tuple[str, ReportModel]:
    """Read the report model of the run of this id, or of the one run whose id begins so.

    Raises
    ------
    ConfigError
        If there is no such run, or several.
    DataError
        If its file is damaged.
    """
    known = run_ids(root)
    fits = [k for k in known if k == run_id] or [k for k in known if k.startswith(run_id)]
    if len(fits) != 1:
        some = ", ".join(known[-5:]) or "none"
        raise ConfigError(
            "RUN_UNKNOWN", f"run: expected one run in {root} ({some}), found {len(fits)} for {run_id!r}"
        )
    path = root / fits[0] / "report.json"
    try:
        return fits[0], decode(path.read_bytes())
    except msgspec.DecodeError as e:
        raise DataError(
            "REPORT_DAMAGED", f"{path}: expected a stored report, found {e}; run it again", path=str(path)
        ) from e


def compare(root: Path, one: str, other: str, output: Path | None = None) -> common.Outcome:
    """Return the metrics of two runs side by side and what else differs; written as HTML and JSON too."""
    (id_a, a), (id_b, b) = stored(root, one), stored(root, other)
    rows = rows_of(a.metrics, b.metrics)
    about = [{"name": n, "a": getattr(a.info, n), "b": getattr(b.info, n)} for n in _SHOWN]
    same = {r["name"]: r["a"] == r["b"] for r in about if r["name"] in _SAME}
    notes = []
    if not same["data_hash"]:
        notes.append("the runs saw different bars: their metrics do not compare like with like")
    page = output or root / "comparisons" / f"{id_a}_{id_b}.html"
    page = build_comparison((id_a, a), (id_b, b), about, notes, page)
    result: dict[str, Any] = {
        "runs": {"a": id_a, "b": id_b}, "metrics": rows, "about": about, "same": same, "notes": notes,
        "report": str(page), "data": str(page.with_suffix(".json")),
    }  # fmt: skip
    page.with_suffix(".json").write_text(json.dumps(common.plain(result), indent=1), encoding="utf-8")
    text = [f"{'metric':<26} {id_a:>24} {id_b:>24} {'b - a':>14}"]
    text += [
        f"{r['metric']:<26} {_text(r['a']):>24} {_text(r['b']):>24} {_text(r['difference']):>14}"
        for r in rows
    ]
    text += [f"{n}: {'equal' if e else 'different'}" for n, e in same.items()]
    text += [f"note: {n}" for n in notes]
    return common.Outcome(result, text="\n".join([*text, f"report: {page}"]))


def _text(value: Any) -> str:
    if value is None:
        return "undefined"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _head(model: ReportModel) -> dict[str, Any]:
    i = model.info
    return {
        "seed": i.seed,
        "config_hash": i.config_hash or None,
        "data_hash": i.data_hash or None,
        "kernel_backend": i.kernel_backend,
    }
