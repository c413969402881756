"""``lookahead-analysis``: does any strategy, indicator, detector or feature know what comes after its bar?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from actors.domain.causality.lookahead import CUTS, Leak, Verdict, analyse
from actors.domain.causality.market import View
from actors.domain.errors import ConfigError
from actors.domain.model.timerange import format_ns
from cluster.cli import _subjects, common

HELP = """Cut off and replace the future at several bars: an output before the cut may not change.

Looks at every shipped strategy, indicator, detector, predictor and feature, bar by bar and in batch form, and at what
their fits are given; or with -s at one of them or at your own code: a kind (rsi, indicators.rsi), module:Name or
FILE.py[:Name] with a component class, a class in freqtrade's style, or a function of a frame of bars that returns one
value per bar. Exit code 1 if something leaks, or if its batch form says another thing than its streaming form."""
EXAMPLE = "tradewind lookahead-analysis -s rsi --bars 600 --json -"
BARS = 1500
HINT = (
    "What is said at a bar may rest on that bar and those before it. The usual leaks: shift with a negative number, a "
    "centred window, a mean, scaler or model fitted on the whole frame, the states of a decode of the whole series, a "
    "resample whose last bar is not over."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    _subjects.add_arguments(parser, BARS)
    parser.add_argument(
        "--cuts", type=int, default=CUTS, metavar="N", help=f"cut points per component; default {CUTS}"
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    if args.cuts < 1:
        raise ConfigError("CUTS", f"--cuts: expected at least 1, found {args.cuts}")
    series, config, notes, head = _subjects.views(args)
    rows: list[dict[str, Any]] = []
    with _subjects.stdout_kept():
        wanted = _subjects.chosen(args, config)
    with _subjects.stdout_kept(), _subjects.progress(args, "lookahead-analysis", len(wanted)) as show:
        for subject in wanted:
            show(subject.name)
            rows.append(
                row({pair: analyse(subject, view, cuts=args.cuts) for pair, view in series.items()}, series)
            )
    leaking = [r["name"] for r in rows if r["causal"] is False]
    parting = [r["name"] for r in rows if r["batch_equals_stream"] is False]
    untested = [r["name"] for r in rows if r["causal"] is None]
    judged = len(rows) - len(untested)
    result = {
        "components": rows, "checked": judged, "leaking": leaking, "parting": parting, "untested": untested,
        "cuts": args.cuts, "bars": {p: len(v) for p, v in series.items()},
        "synthetic": all(v.frame.synthetic for v in series.values()), "notes": notes,
    }  # fmt: skip
    return common.Outcome(result, ok=judged > 0 and not leaking and not parting, text=text(result), head=head)


def row(verdicts: Mapping[str, Verdict], series: Mapping[str, View]) -> dict[str, Any]:
    """Return what was found about one component over all pairs: the earliest leak, the worst verdict."""
    first = next(iter(verdicts.values()))
    leaks = [(v.first_leak.time_ns, p, v.first_leak) for p, v in verdicts.items() if v.first_leak]
    judged = [v.causal for v in verdicts.values() if v.causal is not None]
    partings = [(p, v.parting) for p, v in verdicts.items() if v.parting is not None]
    told = min(leaks, key=lambda x: x[0], default=None)
    subject = first.subject
    return {
        "name": subject.name, "family": subject.family, "kind": subject.kind,
        "causal": all(judged) if judged else None,
        "first_leak": None if told is None else _leak(told[1], told[2], series[told[1]]),
        "batch_equals_stream": None if len(first.forms) < 2 or told is not None else not partings,
        "first_parting": None if not partings else {
            "pair": partings[0][0], "bar": partings[0][1].bar, "time": format_ns(partings[0][1].time_ns),
            "output": partings[0][1].output, "stream": partings[0][1].stream, "batch": partings[0][1].batch,
        },
        "bit_exact": all(v.bit_exact for v in verdicts.values()),
        "deterministic": all(v.deterministic for v in verdicts.values()),
        "forms": list(first.forms), "warmup_bars": subject.warmup_bars,
        "probes": sum(v.probes for v in verdicts.values()), "fits": sum(v.fits for v in verdicts.values()),
        "note": "; ".join(dict.fromkeys(v.note for v in verdicts.values() if v.note)),
    }  # fmt: skip


def _leak(pair: str, leak: Leak, view: View) -> dict[str, Any]:
    return {
        "pair": pair, "bar": leak.bar, "time": format_ns(leak.time_ns), "output": leak.output,
        "before": leak.before, "after": leak.after, "form": leak.form, "probe": leak.probe,
        "cut_bar": leak.cut, "cut_time": format_ns(int(view.frame.open_ns[leak.cut])),
    }  # fmt: skip


def _sentence(leak: Mapping[str, Any]) -> str:
    where = f"at bar {leak['bar']} ({leak['time']}, {leak['pair']})"
    if leak["probe"] == "live memory":
        return f"the data of its fit {leak['output']}, used {where}, changed after they were handed over"
    since = f"bar {leak['cut_bar']} ({leak['cut_time']})"
    when = (
        f"when the data end before {since}" if leak["probe"] == "truncation"
        else f"when a {leak['probe']} follows from {since} on"
    )  # fmt: skip
    what = f"its fit {leak['output']}" if leak["form"] == "fit" else leak["output"]
    return f"{what} {where} is {_value(leak['before'])}, and {_value(leak['after'])} {when} ({leak['form']})"


def _value(value: Any) -> str:
    """Return an output for a person; the document has every digit.

    >>> _value(0.653599633503478), _value("bull"), _value(float("nan"))
    ('0.6535996335', 'bull', 'missing')
    """
    if isinstance(value, float):
        return "missing" if value != value else f"{value:.10g}"
    return str(value)


def text(result: Mapping[str, Any]) -> str:
    """Return what a person reads."""
    rows = [["component", "forms", "fits", "probes", "verdict"]]
    for c in result["components"]:
        verdict = (
            "LOOKS AHEAD" if c["causal"] is False else "not judged" if c["causal"] is None
            else "batch differs" if c["batch_equals_stream"] is False else "causal"
        )  # fmt: skip
        rows.append([c["name"], "+".join(c["forms"]), str(c["fits"]), str(c["probes"]), verdict])
    lines = [_subjects.table(rows), ""]
    for c in result["components"]:
        leak, parting = c["first_leak"], c["first_parting"]
        if leak is not None:
            lines.append(f"{c['name']} looks ahead: {_sentence(leak)}")
        if parting is not None:
            lines.append(
                f"{c['name']}: at bar {parting['bar']} ({parting['time']}, {parting['pair']}) {parting['output']} is "
                f"{parting['stream']} bar by bar and {parting['batch']} in the batch form"
            )
        if c["note"]:
            lines.append(f"{c['name']}: {c['note']}")
    if result["leaking"]:
        lines.append(HINT)
    bars = ", ".join(f"{n} bars of {p}" for p, n in result["bars"].items())
    made = " (synthetic)" if result["synthetic"] else ""
    lines.append(
        f"{result['checked']} judged over {bars}{made}, {result['cuts']} cuts: "
        f"{len(result['leaking'])} look ahead, {len(result['parting'])} differ between forms, "
        f"{len(result['untested'])} could not be judged"
    )
    return "\n".join([*lines, *result["notes"]])
