"""Learn again how far labels in hindsight may be trusted, and print the constants of `reliability_table`.

``python -m cluster.bench.confidence_reliability [--markets N] [--bars N] [--json FILE]``

Simulates markets of every family of `confidence_markets` from the seeds of tuning, fits, and prints coefficients,
biases and the correction of what they state beside the committed ones; then, per family, what outcomes state before it,
what is right and the calibration error, once with the family among those fitted and once fitted to the others only.
Defaults are those of the committed table: some seven minutes of one processor.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from actors.domain.evaluation import confidence_tuning as tuning
from actors.domain.evaluation.confidence_markets import FAMILIES
from actors.domain.regime.confidence.reliability_table import BIASES, COEFFICIENTS, CORRECTION

DIGITS = 3
"""Places to which the table is rounded."""


def run(markets: int, bars: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """Return constants, as learnt and as committed, and what they are worth per family.

    Parameters
    ----------
    markets : int
        Per family, times its share in `tuning.SHARES`.
    bars : int
        Per market.
    """
    lessons = {}
    for family in FAMILIES:
        count = markets * tuning.SHARES.get(family, 1)
        lessons[family] = [tuning.lesson(tuning.market(family, n, bars)) for n in range(count)]
        tell(f"{family}: {count} markets")
    found = tuning.fit([x for some in lessons.values() for x in some])
    coefficients, biases = ([round(c, DIGITS) for c in some] for some in found)
    judged = []
    for family, times in tuning.CORRECTED.items():
        judged += lessons[family]
        more = range(len(lessons[family]), markets * times)
        judged += [tuning.lesson(tuning.market(family, n, bars)) for n in more]
    tell(f"correction: {len(judged)} markets")
    correction = [
        [round(x, DIGITS) for x in pair] for pair in tuning.correction(judged, coefficients, biases)
    ]
    return {
        "coefficients": coefficients, "biases": biases, "correction": correction,
        "committed": {
            "coefficients": list(COEFFICIENTS), "biases": list(BIASES), "correction": [list(p) for p in CORRECTION],
        },
        "markets": markets, "bars": bars,
        "families": [
            {"family": family, "with": with_it._asdict(), "without": without._asdict()}
            for family, (with_it, without) in tuning.left_out(lessons).items()
        ],
    }  # fmt: skip


def text(found: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = []
    for name in ("coefficients", "biases", "correction"):
        lines += [f"{name}: {found[name]}", f"  committed: {found['committed'][name]}"]
    lines.append(
        "outcomes against the truth: stated, right, calibration error; fitted with the family | without it"
    )
    for row in found["families"]:
        both = " | ".join(
            f"{row[key]['stated']:.3f} {row[key]['right']:.3f} {row[key]['ece']:.3f}"
            for key in ("with", "without")
        )
        lines.append(f"  {row['family']}: {both}")
    return "\n".join(lines) + "\n"


def parser() -> argparse.ArgumentParser:
    """Return the flags of the module."""
    p = argparse.ArgumentParser(
        prog="python -m cluster.bench.confidence_reliability", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    p.add_argument(
        "--markets", type=int, default=tuning.MARKETS, help=f"per family: default {tuning.MARKETS}"
    )
    p.add_argument("--bars", type=int, default=tuning.BARS, help=f"per market: default {tuning.BARS}")
    p.add_argument("--json", type=Path, default=None, help="file for all figures")
    p.add_argument("--no-progress", action="store_true")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Print the constants; exit 0 whatever comes out."""
    args = parser().parse_args(argv)

    def tell(line: str) -> None:
        if not args.no_progress:
            sys.stderr.write(f"{line}\n")

    found = run(args.markets, args.bars, tell)
    if args.json is not None:
        args.json.write_text(json.dumps(found, allow_nan=False, indent=1), encoding="utf-8")
    sys.stdout.write(text(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
