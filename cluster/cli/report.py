"""``report``: the HTML page of a stored run, built again; several runs side by side; what runs there are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.errors import ConfigError, DataError
from actors.domain.evaluation.report_model import ReportModel, RunInfo, decode
from actors.domain.model.timerange import format_ns
from actors.ops.report.compare import build_comparison, letters, rows_of
from actors.ops.report.html import LOUD, build_report
from cluster.cli import common

HELP = (
    "Build the HTML report of a stored run again (the newest by default), compare several runs, or list them."
)
EXAMPLE = "tradewind report"
_SAME = ("config_hash", "data_hash", "decision_hash", "seed", "kernel_backend")
_CAME_TO = (
    "bars", "trade_count", "total_pnl_quote", "total_return_frac", "sharpe_ann", "max_drawdown_frac", "fees_quote",
)  # fmt: skip
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
    parser.add_argument("--compare", nargs="+", metavar="RUN", default=None, help="ids of two or more runs")
    parser.add_argument(
        "--list",
        action="store_true",
        dest="listed",
        help="the stored runs with what they came to, newest last",
    )
    parser.add_argument("-o", "--output", default=None, metavar="FILE", help="where the page goes")


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    root = common.userdir(args) / "results"
    output = None if args.output is None else Path(args.output).expanduser()
    if args.listed:
        if args.run_id is not None or args.compare is not None or output is not None:
            raise ConfigError(
                "REPORT_ARGUMENTS", "report --list: expected no RUN, --compare or --output beside it"
            )
        return listing(root)
    if args.compare is not None:
        if args.run_id is not None:
            raise ConfigError(
                "REPORT_ARGUMENTS", f"report: expected RUN or --compare A B …, found both ({args.run_id!r})"
            )
        return compare(root, args.compare, output)
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


class _Times(msgspec.Struct):
    ts_ns: list[int]


class _Brief(msgspec.Struct):
    """What a list needs of a stored report; the rest is skipped, as reading all of it takes long."""

    info: RunInfo
    metrics: dict[str, Any]
    account: _Times
    notes: tuple[str, ...] = ()


def listing(root: Path) -> common.Outcome:
    """Return every stored run with what it came to; one whose file is damaged is named, not left out."""
    rows: list[dict[str, Any]] = []
    for run_id in run_ids(root):
        try:
            brief = msgspec.json.decode((root / run_id / "report.json").read_bytes(), type=_Brief)
        except msgspec.DecodeError as e:
            rows.append({"run_id": run_id, "error": f"expected a stored report, found {e}; run it again"})
            continue
        i, m, ts = brief.info, brief.metrics, brief.account.ts_ns
        rows.append(
            {
                "run_id": run_id, "mode": i.mode, "title": i.title, "pairs": list(i.pairs), "timeframe": i.timeframe,
                "from": format_ns(ts[0]) if ts else None, "to": format_ns(ts[-1]) if ts else None,
                "synthetic": i.synthetic, "loud": [n for n in brief.notes if n.startswith(LOUD)],
                **{k: m[k] for k in _CAME_TO}, "decision_hash": i.decision_hash,
            }
        )  # fmt: skip
    text = [_line(row) for row in rows] or [f"no stored run in {root}; run one first, or --userdir"]
    return common.Outcome({"runs": rows}, text="\n".join(text))


def _line(row: Mapping[str, Any]) -> str:
    if "error" in row:
        return f"{row['run_id']}  {row['error']}"
    gained, sharpe = row["total_return_frac"], row["sharpe_ann"]
    figures = (
        f"{gained:+9.2%}  Sharpe {'     –' if sharpe is None else f'{sharpe:6.2f}'}  "
        f"{row['trade_count']:5d} trips  {(row['from'] or '')[:10]} to {(row['to'] or '')[:10]}"
    )
    marks = "".join(f"  {note.split(':')[0]}" for note in row["loud"])
    pairs = ", ".join(row["pairs"][:3]) + (
        f" and {len(row['pairs']) - 3} more" if len(row["pairs"]) > 3 else ""
    )
    title = row["title"].removeprefix("Tradewind backtest: ")
    return (
        f"{row['run_id']}  {row['mode']:<9} {figures}  {title} ({pairs}, {row['timeframe']}"
        f"{', synthetic' if row['synthetic'] else ''}){marks}"
    )


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


def compare(root: Path, run_ids: Sequence[str], output: Path | None = None) -> common.Outcome:
    """Return the metrics of several runs side by side and what else differs; written as HTML and JSON too."""
    names = letters(len(run_ids))
    runs = [stored(root, run_id) for run_id in run_ids]
    rows = rows_of(*(model.metrics for _, model in runs))
    about: list[dict[str, Any]] = [
        {"name": n, **{k: getattr(m.info, n) for k, (_, m) in zip(names, runs, strict=True)}} for n in _SHOWN
    ]
    same = {r["name"]: all(r[k] == r["a"] for k in names) for r in about if r["name"] in _SAME}
    notes = []
    if not same["data_hash"]:
        notes.append("the runs saw different bars: their metrics do not compare like with like")
    page = output or root / "comparisons" / f"{'_'.join(i for i, _ in runs)}.html"
    page = build_comparison(runs, about, notes, page)
    result: dict[str, Any] = {
        "runs": {k: i for k, (i, _) in zip(names, runs, strict=True)}, "metrics": rows, "about": about,
        "same": same, "notes": notes, "report": str(page), "data": str(page.with_suffix(".json")),
    }  # fmt: skip
    page.with_suffix(".json").write_text(json.dumps(common.plain(result), indent=1), encoding="utf-8")
    return common.Outcome(result, text=_side_by_side(result))


def _side_by_side(result: Mapping[str, Any]) -> str:
    names = list(result["runs"])
    changes = [f"{n} - a" for n in names[1:]]
    text = [
        " ".join(
            [
                f"{'metric':<26}",
                *(f"{i:>24}" for i in result["runs"].values()),
                *(f"{c:>14}" for c in changes),
            ]
        )
    ]
    for row in result["metrics"]:
        differences = row.get("differences", {"b": row["difference"]})
        cells = [f"{_text(row[n]):>24}" for n in names] + [f"{_text(differences[n]):>14}" for n in names[1:]]
        text.append(" ".join([f"{row['metric']:<26}", *cells]))
    text += [f"{n}: {'equal' if e else 'different'}" for n, e in result["same"].items()]
    text += [f"note: {n}" for n in result["notes"]]
    return "\n".join([*text, f"report: {result['report']}"])


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
