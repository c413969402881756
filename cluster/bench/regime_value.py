"""What regimes are worth on real data: crises of BTC, risk of stocks, and a fleet with them against one without.

``python -m cluster.bench.regime_value crises|stocks|fleet --shared FOLDER`` (or ``all``) prints one table per part;
``--json FILE`` keeps every figure. FOLDER holds ``ohlcv`` and ``benchmarks`` as its README says. Every detector runs
with its default parameters, causally, bar by bar; nothing is chosen by what comes out here.

crises
    Daily bars of BTC 2013-2023 and hourly ones since 2017 against the windows of ``btc_crisis_windows_2013_2023.csv``:
    bars until 'bull' is left after a window's start, and until a risky regime (bear, crash, high volatility) holds;
    exits in vain a year. Beside two rules: the close below its 200-day mean; 20 % below the highest close of a year
    until 10 % below.
stocks
    NASDAQ-100 since 1985 and SPY with VIX since 2011, 252 bars a year: what volatility follows and what VIX shows
    inside the risky regime and outside, and what comes of holding only outside it. Beside the 200-day mean, the
    highest fifth of past volatility, VIX above 25 and VIX in the highest fifth of its past.
fleet
    The default fleet with and without regimes, and with parameters that follow the regime, walk-forward over several
    pairs with costs: what is chosen on each train is traded on the test behind it. Deflated Sharpe ratios count every
    trial of all three; differences have paired block bootstrap intervals. The words: ``evidence`` if the 95 % interval
    of the difference of the Sharpe ratios lies above 0 and the better one's deflated Sharpe ratio is at least 0.95,
    ``weak evidence`` if only the interval does, else ``no evidence``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from actors.domain import kernels
from cluster.bench import regime_crises, regime_fleet, regime_stocks
from cluster.cli.common import plain

PARTS = ("crises", "stocks", "fleet")
Tell = Callable[[str], None]


def run(args: argparse.Namespace, tell: Tell) -> dict[str, Any]:
    """Compute the parts that were asked for; returns their figures by name."""
    found: dict[str, Any] = {"kernel_backend": kernels.backend().name}
    wanted = PARTS if args.part == "all" else (args.part,)
    if "crises" in wanted:
        found["crises"] = regime_crises.run(args.shared, tell, hourly=not args.daily_only)
    if "stocks" in wanted:
        found["stocks"] = regime_stocks.run(args.shared, tell)
    if "fleet" in wanted:
        terms = regime_fleet.Terms(
            pairs=tuple(args.pairs), timeframe=args.timeframe, timerange=args.timerange, folds=args.folds,
            trials=args.trials, jobs=args.jobs,
        )  # fmt: skip
        found["fleet"] = regime_fleet.run(args.shared, terms, tell)
    return found


def text(found: Mapping[str, Any]) -> str:
    """Return all parts as a person reads them."""
    lines: list[str] = []
    for name, words in (
        ("crises", regime_crises.lines), ("stocks", regime_stocks.lines), ("fleet", regime_fleet.lines)
    ):  # fmt: skip
        if name in found:
            lines += [f"== {name}", *words(found[name]), ""]
    return "\n".join(lines)


def parser() -> argparse.ArgumentParser:
    """Return the flags of the module."""
    p = argparse.ArgumentParser(
        prog="python -m cluster.bench.regime_value", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    p.add_argument("part", choices=(*PARTS, "all"))
    p.add_argument("--shared", type=Path, required=True, help="folder with ohlcv and benchmarks")
    p.add_argument("--json", type=Path, default=None, help="file for all figures")
    p.add_argument("--no-progress", action="store_true")
    p.add_argument("--daily-only", action="store_true", help="crises: leave the hourly bars out")
    usual = regime_fleet.Terms()
    p.add_argument(
        "--pairs", nargs="+", default=list(usual.pairs), help=f"fleet: default {' '.join(usual.pairs)}"
    )
    p.add_argument("--timeframe", default=usual.timeframe, help=f"fleet: default {usual.timeframe}")
    p.add_argument("--timerange", default=usual.timerange, help=f"fleet: default {usual.timerange}")
    p.add_argument("--folds", type=int, default=usual.folds, help=f"fleet: default {usual.folds}")
    p.add_argument(
        "--trials", type=int, default=usual.trials, help=f"fleet, per fold: default {usual.trials}"
    )
    p.add_argument("-j", "--jobs", type=int, default=1, help="fleet: processes, one pair each; default 1")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; exit 0 whatever comes out."""
    args = parser().parse_args(argv)

    def tell(line: str) -> None:
        if not args.no_progress:
            sys.stderr.write(f"{line}\n")

    found = plain(run(args, tell))
    if args.json is not None:
        args.json.write_text(json.dumps(found, allow_nan=False, indent=1), encoding="utf-8")
    sys.stdout.write(text(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
