"""``recursive-analysis``: how long must a component be warmed up before where the data begin no longer matters?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from actors.domain.causality.warmup import PATIENCE, STARTUPS, TOLERANCE, Reading, Sensitivity, measure
from actors.domain.errors import ConfigError
from actors.domain.model.timerange import format_ns
from cluster.cli import _subjects, common

HELP = """Compute the last bar after several start-ups and compare with the whole history: warm-up sensitivity.

exact: no difference once the declared warm-up is over; settles: a recursive filter, within the tolerance after the
bars named; unstable: never within it; learned: fitted, so its training data matter by design. A declared warm-up is
too short if outputs are still missing after it, or take more than --patience times as long to settle (or more than
the settling_bars that the class declares), or never do: exit code 1. For -s see lookahead-analysis --help."""
EXAMPLE = "tradewind recursive-analysis -s rsi --bars 1200 --startups 50 100 200 400 --json -"
BARS = 3200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    _subjects.add_arguments(parser, BARS)
    parser.add_argument(
        "--startups", nargs="+", type=int, default=list(STARTUPS), metavar="BARS",
        help=f"bars from the start to the last bar; default {' '.join(map(str, STARTUPS))}",
    )  # fmt: skip
    parser.add_argument(
        "--tolerance-frac", type=float, default=TOLERANCE, metavar="X",
        help=f"relative difference that counts as settled; default {TOLERANCE}",
    )  # fmt: skip
    parser.add_argument(
        "--patience", type=int, default=PATIENCE, metavar="N",
        help=f"times its declared warm-up that a recursive filter may take to settle; default {PATIENCE}",
    )  # fmt: skip


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    if min(args.startups) < 2 or not args.tolerance_frac > 0.0 or args.patience < 1:
        raise ConfigError(
            "STARTUPS",
            "--startups, --tolerance-frac, --patience: expected start-ups of at least 2 bars, more than 0, at least 1; "
            f"found {args.startups}, {args.tolerance_frac}, {args.patience}",
        )
    series, config, notes, head = _subjects.views(args)
    rows: list[dict[str, Any]] = []
    with _subjects.stdout_kept():
        wanted = _subjects.chosen(args, config)
    with _subjects.stdout_kept(), _subjects.progress(args, "recursive-analysis", len(wanted)) as show:
        for subject in wanted:
            show(subject.name)
            found = {
                pair: measure(
                    subject, view, startups=args.startups, tolerance_frac=args.tolerance_frac,
                    patience=args.patience,
                )
                for pair, view in series.items()
            }  # fmt: skip
            rows.append(row(found))
    short = [r["name"] for r in rows if r["too_short"]]
    needed = [r["warmup_needed_bars"] for r in rows if r["warmup_needed_bars"] is not None]
    result = {
        "components": rows, "too_short": short,
        "unstable": [r["name"] for r in rows if r["stability"] == "unstable"],
        "unknown": [r["name"] for r in rows if r["stability"] == "unknown"],
        "warmup_needed_bars": max(needed, default=None), "startups_bars": sorted(dict.fromkeys(args.startups)),
        "tolerance_frac": args.tolerance_frac, "patience": args.patience,
        "bars": {p: len(v) for p, v in series.items()},
        "synthetic": all(v.frame.synthetic for v in series.values()), "notes": notes,
    }  # fmt: skip
    return common.Outcome(
        result, ok=not short and len(result["unknown"]) < len(rows), text=text(result), head=head
    )


_WORST = ("unknown", "unstable", "learned", "settles", "exact")


def row(found: Mapping[str, Sensitivity]) -> dict[str, Any]:
    """Return what was found about one component over all pairs: the worst of them."""
    first = next(iter(found.values()))
    subject = first.subject
    needs = [s.needed_bars for s in found.values()]
    return {
        "name": subject.name, "family": subject.family, "kind": subject.kind,
        "warmup_bars": subject.warmup_bars, "settling_bars": subject.settling_bars,
        "warmup_needed_bars": None if None in needs else max(n for n in needs if n is not None),
        "stability": min((s.stability for s in found.values()), key=_WORST.index),
        "too_short": any(s.too_short for s in found.values()),
        "silent_bars": max(s.silent_bars for s in found.values()), "cumulative": subject.cumulative,
        "readings": [_reading(pair, s, r) for pair, s in found.items() for r in s.readings],
        "note": "; ".join(dict.fromkeys(s.note for s in found.values() if s.note)),
    }  # fmt: skip


def _reading(pair: str, s: Sensitivity, r: Reading) -> dict[str, Any]:
    return {
        "pair": pair, "output": r.output, "startup_bars": r.startup_bars, "bar": s.bar,
        "time": format_ns(s.time_ns), "value": r.value, "reference": r.reference,
        "relative_difference_frac": r.difference_frac,
    }  # fmt: skip


def text(result: Mapping[str, Any]) -> str:
    """Return what a person reads: per component the largest difference over its outputs for each start-up."""
    startups: Sequence[int] = result["startups_bars"]
    rows = [["component", "declared", "needed", "stability", *map(str, startups)]]
    for c in result["components"]:
        cells = []
        for w in startups:
            gaps = [r["relative_difference_frac"] for r in c["readings"] if r["startup_bars"] == w]
            cells.append(_percent(gaps))
        rows.append(
            [c["name"], _bars(c["warmup_bars"]), _bars(c["warmup_needed_bars"]), c["stability"], *cells]
        )
    lines = [
        _subjects.table(rows), "",
        "largest difference of an output at the last bar from its value after the whole history, by start-up in bars",
    ]  # fmt: skip
    for c in result["components"]:
        if c["stability"] == "unstable":
            lines.append(f"{c['name']} is unstable: it never forgets where its data began")
        elif c["too_short"]:
            lines.append(
                f"{c['name']}: the declared warm-up of {_bars(c['warmup_bars'])} bars is too short; it needs "
                f"{c['warmup_needed_bars']}"
            )
        if c["note"]:
            lines.append(f"{c['name']}: {c['note']}")
    lines.append(
        f"give at least {result['warmup_needed_bars']} bars before the first decision; "
        f"{len(result['unstable'])} unstable, {len(result['too_short'])} with a declared warm-up that is too short"
    )
    return "\n".join([*lines, *result["notes"]])


def _percent(gaps: Sequence[float]) -> str:
    if not gaps:
        return "-"
    return "none" if any(isnan(g) for g in gaps) else f"{max(gaps):.3%}"


def _bars(n: int | None) -> str:
    return "-" if n is None else str(n)
