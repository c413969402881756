"""``regimes``: labels of real bars to a file (`detect`), or detectors against known truth (`bench`)."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timeframe import format_timeframe
from actors.domain.regime.panel import ENSEMBLE
from actors.domain.regime.study.published import LENGTHS
from actors.domain.regime.study.rows import BACKWARD
from actors.domain.regime.study.summary import LEAST_TRIALS, calibration, checks, shipped_table, table
from actors.domain.regime.study.three_states import three_states
from actors.domain.regime.study.trial import PROCESSES, Cell, TrialScore, cells, run_task, tasks
from actors.ops.report.regimes import RegimePart, regime_part, write_regime_page
from actors.runtime.fanout_items import Progress
from cluster.bench.figures import number
from cluster.cli import common
from cluster.cli._subjects import table as columns
from cluster.runs import regimes_confidence
from cluster.runs.plan import combined_hash, cut, stay_probability
from cluster.runs.pools import add_workers, pools
from cluster.runs.regimes_detect import conflicts, detect, series_of, summary, traced, write

HELP = "Label bars with regimes (detect), or measure models and detectors on markets whose states are known (bench)."
EXAMPLE = "tradewind regimes bench --trials 20 --lengths 250 -j 1 --json -"
STUDIES = (*dict.fromkeys(p.name for p in PROCESSES), regimes_confidence.STUDY)
LEAST_AREAS = 20
"""Trials with all states, below which the text shows no mean area under the ROC curve beside print."""
PROJECTED = (
    "a detector's regime is the likeliest one by its measures: one that measures volatility alone tells no bull from a "
    "bear"
)
KEYS = """detect: --data and -p name the bars; every detector sees the bars up to its own only, and fits what it learns
from its past. One Parquet file per pair: timestamp, then per detector and for the ensemble label, state, bars_in_state,
confidence, data_quality, reason (why it says nothing), p_REGIME, own_STATE (probability of each own state) and
x_MEASURE (its own measures; null where undefined). Keys of the result: detectors, files {pair}, views {pair: {detector:
{bars, silent_bars, reasons {REASON: bars without a view}, states_frac (of its own states), shares_frac (of regimes),
switches_per_1000, mean_confidence, own_states, measures}}}, frames {pair: null, or
with --timeframes {timeframes, bars, agreement_mean, mixed_frac, vetoed_bars}}, statistics {pair: {bars,
unlabelled_bars, switches, switches_per_1000, rows (per regime: share_frac, spells, mean_bars, median_bars,
expected_bars, mean_return_ann, volatility_ann ...), counts, transitions (value, low, high), first_spell, last_spell,
confidence, paths}} of the ensemble's regimes, report (path of the page, with --report). A detector's label follows its
largest probability and may change from bar to bar; its own state is held where it has bands or a dwell, and the
ensemble's label for min_dwell_bars, but for a crash. Longer bars are seen at their close only; a first one that began
before the data is dropped, so data that begin at midnight lose none.

bench: two published studies, and one of confidence. The rows of cells are oracles and models of the same kinds as the
detectors in the study's own form (fitted on other series or on the whole one), not the detectors of a fleet. Those are
in as_shipped: two states with T of 1000 or more, the first 20 trials of a cell, each detector of the default fleet and
both ensembles with defaults, bar by bar, from bar 500 on; a probability of bear, crash and high_volatility together
above one half is the turbulent state, and the oracle beside them is scored on the same bars. Defaults are made for
hourly bars of six regimes, so only that no row is above the oracle is checked there. Keys of the result:
cells {study, emission, T, detector, causal, fit_protocol, trials,
bac_mean, bac_se, oracle_bac_mean, diff_mean, diff_se (paired with the causal oracle under the prior rule),
delay_median, delay_mean, missed_frac, false_switches_per_1000 (changes to a state that is not the true one),
published_bac, published_z (of 100 trials or more; z below likewise)},
three_states {T, detector, causal, bac (each state's recall averaged over the trials in
which it occurs, then over the states), bac_se, auc, auc_trials, printed_bac, printed_auc, z, penalty}, calibration,
as_shipped {as cells, without print, and first_bar}, checks {name, value, bound, met, with some a note}, which take 100
trials (as_shipped and confidence: 20). Exit code 1 if one fails.
"""
KEYS += regimes_confidence.KEYS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.description = f"{HELP}\n\n{KEYS}"
    parser.add_argument("what", choices=("detect", "bench"))
    common.add_market(parser)
    g = parser.add_argument_group("detect")
    g.add_argument("--detectors", nargs="+", default=None, metavar="KIND",
                   help="kinds instead of the configured ones, with the parameters of the configured detector of that "
                        "kind where there is just one, else the kind's defaults; see list-detectors")  # fmt: skip
    g.add_argument(
        "--timeframes",
        nargs="+",
        default=None,
        metavar="TF",
        help="longer bars on which every detector runs as well, e.g. 4h 1d; default the configured ones",
    )
    g.add_argument(
        "--report",
        nargs="?",
        const="",
        default=None,
        metavar="FILE",
        help="write a page of charts and tables too; default beside the Parquet files",
    )
    g.add_argument("--out", default=None, metavar="DIR", help="default results in the user's folder")
    g = parser.add_argument_group("bench")
    g.add_argument("--trials", type=int, default=200, metavar="N", help="per cell; default 200")
    g.add_argument("--lengths", type=int, nargs="+", default=list(LENGTHS), metavar="T",
                   help=f"bars of a trial; default {' '.join(map(str, LENGTHS))}")  # fmt: skip
    g.add_argument("--studies", nargs="+", default=list(STUDIES), choices=STUDIES, metavar="NAME",
                   help=f"default {' '.join(STUDIES)}")  # fmt: skip
    add_workers(parser)


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    return _detect(args) if args.what == "detect" else _bench(args)


def _named(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the detectors of --detectors: as the files configure them where just one of the kind is there, else with
    their kind's defaults. What --set says of detectors comes later, for it may speak of those that are only named.
    """
    others = [text for text in args.set if not text.startswith("regime.detectors")]
    known = common.resolved(
        argparse.Namespace(**{**vars(args), "set": others}), "paper"
    ).model.regime.detectors
    out = []
    for kind in args.detectors:
        alike = [part for part in known if part.kind == kind]
        out.append(alike[0].model_dump(mode="json") if len(alike) == 1 else {"kind": kind})
    return out


def _detect(args: argparse.Namespace) -> common.Outcome:
    sets = []
    if args.detectors:
        sets.append("regime.detectors=" + json.dumps(_named(args)))
    if args.timeframes:
        sets.append("regime.timeframes=" + json.dumps(args.timeframes))
    config = common.configuration(args, "paper", sets)
    chosen = config.model.regime.detectors
    if not chosen:
        raise ConfigError("REGIMES_NONE", "regime.detectors: expected at least one detector, found none")
    frames, _, notes = common.load_frames(args, config)
    if config.model.sentiment.enabled:
        said_so = (
            "SENTIMENT: detect reads bars only; in a fleet the sentiment detector is heard as well, so its regimes may "
            "differ"
        )
        notes.append(said_so)
        common.tell([said_so])
    folder = Path(args.out) if args.out else common.make_userdir(common.userdir(args)) / "results"
    files: dict[str, str] = {}
    found: dict[str, dict[str, Any]] = {}
    agreed: dict[str, Any] = {}
    statistics: dict[str, Any] = dict.fromkeys(frames)
    parts: list[RegimePart] = []
    regime = config.model.regime
    span = common.timerange(args)
    for pair, whole in frames.items():
        seen = cut(
            whole, span, config.model.data.max_warmup_bars
        )  # bars before the range are past, as in a run
        frame = frames[pair] = seen.slice_time(span.start_ns)
        said = detect(
            seen,
            pair,
            chosen,
            dict(regime.ensemble),
            config.model.seed,
            regime.timeframes,
            config.model.health,
        ).last(len(frame))
        views = said.views
        target = folder / f"regimes-{pair.replace('/', '')}-{config.model.timeframe}.parquet"
        write(frame, said, target)
        files[pair] = str(target)
        found[pair] = {
            kind: summary(rows, *said.vocabularies.get(kind, ((), ()))) for kind, rows in views.items()
        }
        agreed[pair] = conflicts(said)
        series = series_of(frame, pair, said)
        book = traced(frame, pair, said, stay_probability(config.model))
        for view in book.views({pair: series}, timeframe_ns=frame.timeframe_ns, seed=config.model.seed):
            statistics[pair] = view.statistics
            if args.report is not None:
                parts.append(regime_part(series, view, len(parts), config.model.account.quote))
        if all(view["silent_bars"] == view["bars"] for view in found[pair].values()):
            why = [f"{n}: {next(iter(v['reasons']))}" for n, v in found[pair].items() if v["reasons"]]
            notes.append(f"NO_REGIME: {pair}: no regime on any of {len(frame):,} bars; {'; '.join(why)}")
    result = {
        "detectors": [part.kind for part in chosen], "files": files, "views": found, "frames": agreed,
        "statistics": msgspec.to_builtins(statistics),
        "bars": {pair: len(frame) for pair, frame in frames.items()}, "notes": [*config.notes, *notes],
    }  # fmt: skip
    result["report"] = None if args.report is None else _page(args, folder, frames, parts, result)
    head = {
        "seed": config.model.seed, "config_hash": config.content_hash, "data_hash": combined_hash(frames, {}),
    }  # fmt: skip
    return common.Outcome(result, text=_detect_text(result), head=head)


def _page(
    args: argparse.Namespace, folder: Path, frames: Mapping[str, BarFrame], parts: Sequence[RegimePart],
    result: Mapping[str, Any],
) -> str:  # fmt: skip
    """Write the page and return its path."""
    length = format_timeframe(next(iter(frames.values())).timeframe_ns)
    names = "".join(pair.replace("/", "") for pair in frames) if len(frames) == 1 else f"{len(frames)}-pairs"
    path = Path(args.report) if args.report else folder / f"regimes-{names}-{length}.html"
    bars = sum(map(len, frames.values()))
    return str(
        write_regime_page(
            path.expanduser(), parts, title=f"Regimes of {', '.join(frames)}", notes=result["notes"],
            about=f"{length} bars, {bars:,} of them · detectors: {', '.join(result['detectors'])} · causal: every view "
            "knows the bars up to its own only",
            synthetic=any(frame.synthetic for frame in frames.values()),
        )
    )  # fmt: skip


def _detect_text(result: Mapping[str, Any]) -> str:
    parts = []
    for pair, views in result["views"].items():
        rows = [
            ["detector", "bars", "silent", "switches per 1000", "own state, mostly", "as a regime, mostly"]
        ]
        silent = []
        for kind, view in views.items():
            rows.append([
                kind, f"{view['bars']:,}", f"{view['silent_bars']:,}", number(view["switches_per_1000"]),
                "-" if kind == ENSEMBLE else _mostly(view["states_frac"]), _mostly(view["shares_frac"]),
            ])  # fmt: skip
            if view["silent_bars"] == view["bars"] and view["reasons"]:
                silent.append(f"\n{kind} is silent on every bar: {next(iter(view['reasons']))}")
        frames = result["frames"][pair]
        told = (
            ""
            if frames is None
            else f"\nframes {', '.join(frames['timeframes'])}: agreement {_short(frames['agreement_mean'])}, mixed on "
            f"{_short(frames['mixed_frac'])} of {frames['bars']:,} bars, a bull silenced by a crash on "
            f"{frames['vetoed_bars']:,}"
        )
        parts.append(
            f"{pair}, the last row is the {ENSEMBLE}\n{columns(rows)}\n{PROJECTED}{''.join(silent)}{told}\n"
            f"written to {result['files'][pair]}"
        )
    if result["report"]:
        parts.append(f"report: {result['report']}")
    return "\n\n".join(parts)


def _mostly(shares: Mapping[str, float | None]) -> str:
    known = {k: v for k, v in shares.items() if v}
    return ", ".join(f"{k} {known[k]:.0%}" for k in sorted(known, key=lambda k: -known[k])[:2]) or "-"


def _bench(args: argparse.Namespace) -> common.Outcome:
    if args.trials < 2:
        raise ConfigError("REGIMES_TRIALS", f"--trials: expected at least 2, found {args.trials}")
    if min(args.lengths) < 100:
        raise ConfigError("REGIMES_LENGTHS", f"--lengths: expected at least 100 bars, found {args.lengths}")
    config = common.configuration(args, "paper")
    wanted = cells(tuple(args.studies), tuple(dict.fromkeys(args.lengths)))
    asked = regimes_confidence.STUDY in args.studies
    if not wanted and not asked:
        raise ConfigError(
            "REGIMES_CELLS",
            "regimes bench: expected at least one cell, found none: three states begin at 500 bars",
        )
    # long trials first, so that no worker is left alone with one at the end
    order = sorted(range(len(wanted)), key=lambda i: -wanted[i].bars)
    items = tasks([wanted[i] for i in order], args.trials)
    with pools(args, config, None if args.no_progress else _teller()) as make:
        pool = make(None)
        try:
            scores: list[TrialScore] = pool.map(run_task, items)
        finally:
            pool.close()
        confidence = regimes_confidence.study(args.trials, make) if asked else None
    trials: dict[Cell, list[TrialScore]] = {cell: [] for cell in wanted}
    for task, score in zip(items, scores, strict=True):
        trials[task.cell].append(score)
    rows, shipped = table(trials), shipped_table(trials)
    found = checks(rows, shipped)
    if confidence is not None:
        found += confidence.pop("checks")
    result = {
        "cells": rows, "as_shipped": shipped, "three_states": three_states(trials), "calibration": calibration(trials),
        "confidence": confidence, "checks": found,
    }  # fmt: skip
    return common.Outcome(
        result, ok=all(c["met"] for c in found), text=_bench_text(result), head={"seed": config.model.seed}
    )


def _teller() -> Callable[[Progress], None]:
    """Return what tells every tenth part on stderr."""
    told = [0]

    def tell(p: Progress) -> None:
        tenth = 10 * p.done // max(p.total or p.done, 1)
        if tenth > told[0]:
            told[0] = tenth
            sys.stderr.write(f"regimes bench: {p.done} of {p.total} trials\n")

    return tell


def _bench_text(result: Mapping[str, Any]) -> str:
    head = ["study", "law", "T", "row", "causal", "BAC", "s.e.", "to oracle", "s.e.", "delay", "missed",
            "false/1000", "printed", "z"]  # fmt: skip
    rows: list[Sequence[str]] = [head]
    rows += [
        [
            c["study"], c["emission"], str(c["T"]), c["detector"], "yes" if c["causal"] else "no",
            f"{c['bac_mean']:.3f}", _short(c["bac_se"]), f"{c['diff_mean']:+.3f}", _short(c["diff_se"]),
            number(c["delay_median"]), number(c["missed_frac"]), f"{c['false_switches_per_1000']:.2f}",
            _short(c["published_bac"]), "-" if c["published_z"] is None else f"{c['published_z']:+.1f}",
        ]
        for c in result["cells"]
        if not c["detector"].startswith(BACKWARD)
    ]  # fmt: skip
    lines = [columns(rows), ""] if result["cells"] else []
    if result["as_shipped"]:
        lines += [_shipped_text(result["as_shipped"]), ""]
    if result["three_states"]:
        lines += [_three_text(result["three_states"]), ""]
    if result["confidence"] is not None:
        lines += [regimes_confidence.text(result["confidence"]), ""]
    lines += [
        f"calibration of {c['detector']}, {c['emission']}: expected error {c['ece']:.4f} over {c['bars']:,} bars"
        for c in result["calibration"]
    ]
    lines += [
        f"{'held' if c['met'] else 'FAILED'}: {c['name']}: {number(c['value'])} ({c['bound']})"
        + (f"; {c['note']}" if "note" in c else "")
        for c in result["checks"]
    ]
    if not result["checks"]:
        least = LEAST_TRIALS if result["cells"] else regimes_confidence.LEAST_TRIALS
        lines.append(f"nothing was checked: that takes {least} trials")
    return "\n".join(lines)


def _shipped_text(rows: Sequence[Mapping[str, Any]]) -> str:
    head = [
        "as shipped, law",
        "T",
        "row",
        "BAC",
        "s.e.",
        "to oracle",
        "s.e.",
        "delay",
        "missed",
        "false/1000",
    ]
    lines = [
        [
            r["emission"], str(r["T"]), r["detector"], f"{r['bac_mean']:.3f}", _short(r["bac_se"]),
            f"{r['diff_mean']:+.3f}", _short(r["diff_se"]), number(r["delay_median"]), number(r["missed_frac"]),
            f"{r['false_switches_per_1000']:.2f}",
        ]
        for r in rows
    ]  # fmt: skip
    note = (
        f"as shipped: a fleet's detectors and ensembles with defaults, which are made for hourly bars; first "
        f"{rows[0]['trials']} trials, from bar {rows[0]['first_bar']} on; rows above are other models of these kinds"
    )
    return f"{columns([head, *lines])}\n{note}"


def _three_text(rows: Sequence[Mapping[str, Any]]) -> str:
    head = [
        "three states, T",
        "row",
        "causal",
        "by state",
        "s.e.",
        "printed",
        "z",
        "AUC",
        "printed",
        "trials",
    ]
    lines = [
        [
            str(r["T"]), r["detector"] + ("" if r["penalty"] is None else f" (lambda {r['penalty']:g})"),
            "-" if r["causal"] is None else "yes" if r["causal"] else "no", _short(r["bac"]), _short(r["bac_se"]),
            _short(r["printed_bac"]), "-" if r["z"] is None else f"{r['z']:+.1f}",
            _short(r["auc"] if r["auc_trials"] >= LEAST_AREAS else None), _short(r["printed_auc"]),
            str(r["auc_trials"]),
        ]
        for r in rows
    ]  # fmt: skip
    note = "by state: recall of each state over the trials with it, then their mean, as in print; lambda in hindsight"
    return f"{columns([head, *lines])}\n{note}"


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
