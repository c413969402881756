"""``sentiment``: what a text says and why (`score`), a feed to a file (`collect`), scorers against labels (`bench`)."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from actors.adapters.sentiment.collectors import FileCollector, HttpCollector
from actors.adapters.sentiment.documents import to_csv
from actors.adapters.sentiment.port import KINDS, MAX_BYTES, Collected, Layout
from actors.domain import registry
from actors.domain.errors import ConfigError, DataError, StorageError
from actors.domain.kernels import backend
from actors.domain.sentiment.scorers.base import checked
from actors.domain.sentiment.scorers.lexicon import LexiconScorer
from cluster.bench.figures import number
from cluster.cli import common
from cluster.cli._subjects import table as columns

HELP = "Score headlines and say why (score), turn a feed into a file (collect), measure scorers (bench)."
EXAMPLE = 'tradewind sentiment score "Bitcoin soars to a new all-time high" --json -'
SCORERS = "actors.domain.sentiment.scorers"
KEYS = """score: texts, or with --file one text per line (- is stdin). Keys of the result: scorer, texts {text, score
(-1 to 1; null where nothing is known, see reason), coverage (share of known words), hits, reason, truncated, terms
{term, text, begin, end, value, worth, rules}}. The scorer is sentiment.scorer of the configuration: the lexicon, or
module:Class of your own.

collect: an address (http, https) or a file in RSS, Atom, JSON or CSV, to a CSV for sentiment.sources. Keys: items,
first, last, file, digest, notes. It is the only verb that fetches; runs read files.

bench: macro-F1 on labelled texts, cross-validated: the two cut-points are chosen in training folds. Keys: rows {set, n,
scorer, macro_f1, spread, f1, accuracy, confusion, cuts, customary_macro_f1, lead_over_vader, lead_se}, speed
{per_second, faster_than_twin, ...}, checks {name, value, bound, met}. Exit code 1 if a check fails."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.description = f"{HELP}\n\n{KEYS}"
    parser.add_argument("what", choices=("score", "collect", "bench"))
    parser.add_argument(
        "texts", nargs="*", metavar="TEXT|URL|PATH", help="texts to score, or what to collect"
    )
    g = parser.add_argument_group("score")
    g.add_argument("--file", default=None, metavar="PATH", help="one text per line; - is stdin")
    g = parser.add_argument_group("collect")
    g.add_argument("--kind", choices=KINDS, default="news")
    g.add_argument("--out", default=None, metavar="FILE", help="CSV to write")
    g.add_argument("--day-first", action="store_true", help="3-4-2022 is the 3rd of April")
    g = parser.add_argument_group("bench")
    g.add_argument(
        "--data", default=None, metavar="DIR", help="folder with the labelled files; without, speed only"
    )
    g.add_argument("--repeats", type=int, default=10, metavar="N", help="of the cross-validation; default 10")
    g.add_argument("--rounds", type=int, default=5, metavar="N", help="of the speed; default 5")


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    return {"score": _score, "collect": _collect, "bench": _bench}[args.what](args)


def _score(args: argparse.Namespace) -> common.Outcome:
    texts = [*args.texts, *_lines(args.file)]
    if not texts:
        raise ConfigError("SENTIMENT_TEXTS", "sentiment score: expected texts or --file, found none")
    common.own_code(args)
    config = common.configuration(args, "paper", [])
    chosen = config.model.sentiment.scorer
    scorer = registry.build(SCORERS, chosen.kind, chosen.params)
    verdicts = checked(scorer.score(texts), len(texts), chosen.kind)
    rows = []
    for text, v in zip(texts, verdicts, strict=True):
        rows.append({
            "text": text[:200], "score": None if math.isnan(v.score) else v.score,
            "coverage": None if math.isnan(v.coverage) else v.coverage, "hits": v.hits, "reason": v.reason or None,
            "truncated": v.truncated, "terms": _terms(scorer, text),
        })  # fmt: skip
    head = {"seed": config.model.seed, "config_hash": config.content_hash, "kernel_backend": backend().name}
    return common.Outcome({"scorer": chosen.kind, "texts": rows}, text=_score_text(rows), head=head)


def _terms(scorer: Any, text: str) -> list[dict[str, Any]]:
    """Return what made the score, where the scorer is the lexicon."""
    if not isinstance(scorer, LexiconScorer):
        return []
    names = scorer.lexicon.texts
    return [
        {"term": names[h.term] if h.term >= 0 else "signed percentage", "text": text[h.begin : h.end],
         "begin": h.begin, "end": h.end, "value": h.value, "worth": h.worth, "rules": list(h.rules)}
        for h in scorer.kernel.explain(text)
    ]  # fmt: skip


def _lines(file: str | None) -> list[str]:
    if file is None:
        return []
    try:
        path = Path("/dev/stdin") if file == "-" else Path(file).expanduser()
        raw = path.read_bytes()
        return [line for line in raw.decode("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as e:
        raise DataError("SENTIMENT_FILE", f"--file {file}: expected texts in UTF-8, found {e}") from e


def _score_text(rows: Sequence[Mapping[str, Any]]) -> str:
    out = []
    for row in rows:
        score = f"{row['score']:+.3f}" if row["score"] is not None else f"  -    ({row['reason']})"
        cut = " (only its beginning was read)" if row["truncated"] else ""
        out.append(f"{score}  {row['text']}{cut}")
        out += [
            f"          {t['worth']:+.2f}  {t['text']}"
            + (f"  ({', '.join(t['rules'])})" if t["rules"] else "")
            for t in row["terms"]
        ]
    return "\n".join(out)


def _collect(args: argparse.Namespace) -> common.Outcome:
    if len(args.texts) != 1 or args.out is None:
        raise ConfigError(
            "SENTIMENT_COLLECT",
            f"sentiment collect: expected one address or file and --out FILE, found {len(args.texts)} and "
            f"{'no --out' if args.out is None else args.out}",
        )
    (source,), layout = args.texts, Layout(day_first=args.day_first)
    remote = source.startswith(("http://", "https://"))
    found: Collected = (
        HttpCollector(source, args.kind, layout) if remote
        else FileCollector(Path(source).expanduser(), args.kind, layout, MAX_BYTES)
    ).collect()  # fmt: skip
    target = Path(args.out).expanduser()
    _write(target, to_csv(found.items, args.kind))
    first, last = (_utc(found.items[k].published_ns) for k in (0, -1))
    result = {
        "items": len(found.items), "first": first, "last": last, "file": str(target), "digest": found.digest,
        "notes": list(found.notes),
    }  # fmt: skip
    text = "\n".join([f"{len(found.items)} items from {first} to {last}: {target}", *found.notes])
    return common.Outcome(result, text=text)


def _write(target: Path, text: str) -> None:
    """Write a whole file or none.

    Raises
    ------
    StorageError
        If the folder takes no files.
    """
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, "utf-8")
        partial.replace(target)
    except OSError as e:
        raise StorageError(
            "SENTIMENT_OUT", f"--out {target}: expected a file to write, found {e.strerror}"
        ) from e


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns / 1e9, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _bench(args: argparse.Namespace) -> common.Outcome:
    from cluster.bench import sentiment as bench

    if args.repeats < 1 or args.rounds < 1:
        raise ConfigError("SENTIMENT_BENCH", "sentiment bench: expected --repeats and --rounds of at least 1")
    config = common.configuration(args, "paper", [])
    rows = [] if args.data is None else bench.accuracy_rows(
        Path(args.data).expanduser(), config.model.seed, args.repeats
    )  # fmt: skip
    speed = bench.speed_row(args.rounds)
    checks = [_check("headlines_per_second", speed["per_second"], bench.SPEED_GOAL)]
    lead = next((r for r in rows if (r["set"], r["scorer"]) == ("cryptolin", "lexicon")), None)
    if lead is not None and lead["lead_over_vader"] is not None:
        checks.append(_check("lead_over_vader_on_crypto", lead["lead_over_vader"], bench.LEAD_GOAL))
    result = {"rows": rows, "speed": speed, "checks": checks, "finbert_phrasebank": bench.FINBERT_PRINTED}
    head = {"seed": config.model.seed, "config_hash": config.content_hash, "kernel_backend": backend().name}
    return common.Outcome(result, all(c["met"] for c in checks), _bench_text(result), head=head)


def _check(name: str, value: float, bound: float) -> dict[str, Any]:
    return {"name": name, "value": value, "bound": bound, "met": value >= bound}


def _bench_text(result: Mapping[str, Any]) -> str:
    rows = [
        [
            "set",
            "n",
            "scorer",
            "macro-F1",
            "±",
            "neg",
            "neu",
            "pos",
            "accuracy",
            "customary",
            "over vader",
            "se",
        ]
    ]
    rows += [
        [r["set"], str(r["n"]), r["scorer"], *[number(x) for x in (r["macro_f1"], r["spread"], *r["f1"], r["accuracy"],
         r["customary_macro_f1"], r["lead_over_vader"], r["lead_se"])]]
        for r in result["rows"]
    ]  # fmt: skip
    speed = result["speed"]
    out = [columns(rows)] if len(rows) > 1 else []
    out += [
        f"{r['set']}, lexicon, truth by answer (neg neu pos): {json.dumps(r['confusion'])}"
        for r in result["rows"]
        if r["scorer"] == "lexicon"
    ]
    out.append(
        f"speed: {speed['per_second']:,.0f} headlines/s on one core ({speed['backend']}, {speed['mean_chars']:.0f} "
        f"characters), {speed['faster_than_twin']:.0f} times the twin"
    )
    out += [f"{c['name']}: {number(c['value'])}, at least {number(c['bound'])}: {'met' if c['met'] else 'MISSED'}"
            for c in result["checks"]]  # fmt: skip
    return "\n".join(out)
