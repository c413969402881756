"""``download-data``: candles of an exchange by ccxt into the user's folder; resumable."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from actors.adapters.feeds.ccxt_client import VENUES
from actors.adapters.feeds.download import DownloadProgress, download
from actors.adapters.storage.bar_store import BarStore
from actors.domain.errors import ConfigError
from actors.domain.model.timerange import format_ns
from cluster.cli import common

HELP = "Download candles by ccxt; what is complete already is not fetched again."
EXAMPLE = "tradewind download-data --exchange binance -p BTC/USDT -i 1h --timerange 20240101-20240201"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.add_argument("--exchange", default="binance", metavar="KIND",
                        help=f"one of {', '.join(sorted(VENUES))}; default binance")  # fmt: skip
    parser.add_argument("-p", "--pairs", nargs="+", default=None, metavar="PAIR", help="BTC/USDT ETH/USDT")
    parser.add_argument("-i", "--timeframe", default=None, help="for example 1h")
    parser.add_argument("--timerange", default="-", metavar="START-END",
                        help="20240101-20240201, end excluded; an empty end is now")  # fmt: skip
    parser.add_argument("--base-url", default=None, metavar="URL",
                        help="base address instead of the exchange's hosts: a proxy or a local server")  # fmt: skip
    resume = parser.add_mutually_exclusive_group()
    resume.add_argument("--resume", dest="resume", action="store_true", default=True,
                        help="skip what is complete already (default)")  # fmt: skip
    resume.add_argument("--no-resume", dest="resume", action="store_false",
                        help="fetch all again; a bar that differs from the stored one is an error")  # fmt: skip


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    config = common.configuration(args, "backtest")
    span = common.timerange(args)
    if span.start_ns is None:
        raise ConfigError(
            "TIMERANGE_OPEN", f"--timerange: expected a start such as 20240101-, found {args.timerange!r}"
        )
    pairs, timeframe = list(config.model.pairs), config.model.timeframe
    store = BarStore(common.userdir(args) / "data" / args.exchange.lower())
    shown = None if args.no_progress or not sys.stderr.isatty() else _show
    try:
        paths = download(
            args.exchange, pairs, timeframe, span.start_ns, span.end_ns, store,
            resume=args.resume, progress=shown, urls=args.base_url,
        )  # fmt: skip
    except KeyboardInterrupt:
        raise KeyboardInterrupt("Go on with the same command: what was fetched is stored.") from None
    files = _files(store, paths)
    text = [f"{f['path']}: {f['rows']} bars, {f['first']} to {f['last']} (opening times)" for f in files]
    return common.Outcome(
        {"exchange": args.exchange.lower(), "files": files},
        text="\n".join(text),
        head={"config_hash": config.content_hash, "seed": config.model.seed},
    )


def _files(store: BarStore, paths: list[Path]) -> list[dict[str, Any]]:
    """What the files of this download hold now, in the order of the pairs."""
    held = {s.path: s for s in store.contents()}
    return [
        {
            "path": path, "pair": held[path].pair, "timeframe": held[path].timeframe, "rows": held[path].rows,
            "first": format_ns(held[path].first_ns), "last": format_ns(held[path].last_ns),
        }
        for path in paths
    ]  # fmt: skip


def _show(progress: DownloadProgress) -> None:
    """One line that is written over on a terminal."""
    end = "\n" if progress.done_frac >= 1 else ""
    sys.stderr.write(
        f"\r{progress.pair}: {progress.bars} bars, at {format_ns(progress.at_ns)}, "
        f"{progress.done_frac:.0%} {end}"
    )
    sys.stderr.flush()
