"""``download-data``: candles of exchanges by ccxt into the user's folder; resumable."""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from actors.adapters.feeds.ccxt_client import VENUES
from actors.adapters.feeds.download import DownloadProgress, download
from actors.adapters.storage.bar_store import BarStore
from actors.domain.errors import ConfigError
from actors.domain.model.timeframe import parse_timeframe
from actors.domain.model.timerange import format_ns
from cluster.cli import common

HELP = "Download candles by ccxt into USERDIR/data/EXCHANGE; what is complete already is not fetched again."
EXAMPLE = "tradewind download-data --exchange binance -p BTC/USDT -i 1h --timerange 20240101-20240201"
Show = Callable[[DownloadProgress], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.add_argument(
        "--exchange", nargs="+", default=["binance"], metavar="KIND",
        help=f"of {', '.join(sorted(VENUES))}; default binance",
    )  # fmt: skip
    parser.add_argument("-p", "--pairs", nargs="+", default=None, metavar="PAIR", help="BTC/USDT ETH/USDT")
    parser.add_argument("-i", "--timeframe", default=None, help="for example 1h")
    parser.add_argument(
        "--timerange", default="-", metavar="START-[END]",
        help="20240101-20240201, end excluded; an empty end is now",
    )  # fmt: skip
    parser.add_argument(
        "--resume", action=argparse.BooleanOptionalAction, default=True,
        help="skip what is complete already (default); without it a bar that differs from the stored one is an error",
    )  # fmt: skip
    parser.add_argument(
        "--base-url",
        default=None,
        metavar="URL",
        help="instead of the exchange's hosts: a gateway, a local server",
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb; what was fetched before an error or an interrupt is stored."""
    config = common.configuration(args, "backtest")
    span = common.timerange(args)
    if span.start_ns is None:
        raise ConfigError(
            "TIMERANGE_OPEN", f"--timerange: expected a start such as 20240101-, found {args.timerange!r}"
        )
    root = common.make_userdir(common.userdir(args)) / "data"
    files: list[dict[str, Any]] = []
    for exchange in dict.fromkeys(name.strip().lower() for name in args.exchange):
        store = BarStore(root / exchange)
        before = {s.path: s.rows for s in store.contents()}
        try:
            with _progress(args, exchange) as shown:
                paths = download(
                    exchange, list(config.model.pairs), config.model.timeframe, span.start_ns, span.end_ns, store,
                    resume=args.resume, progress=shown, urls=args.base_url,
                )  # fmt: skip
        except KeyboardInterrupt:
            raise KeyboardInterrupt("Go on with the same command: what was fetched is stored.") from None
        files += _files(exchange, store, paths, before)
    text = [
        f"{f['path']}: {f['rows']} bars ({f['added']} new), {f['missing']} missing in {f['gaps']} gaps, "
        f"{f['first']} to {f['last']} (opening times)"
        for f in files
    ]
    return common.Outcome(
        {"files": files},
        text="\n".join(text),
        head={"config_hash": config.content_hash, "seed": config.model.seed},
    )


def _files(
    exchange: str, store: BarStore, paths: list[Path], before: Mapping[Path, int]
) -> list[dict[str, Any]]:
    """What the files of this download hold now, in the order of the pairs."""
    held = {s.path: s for s in store.contents()}
    out = []
    for s in (held[p] for p in paths):
        gaps = store.read(s.pair, parse_timeframe(s.timeframe)).gaps()
        out.append(
            {
                "exchange": exchange, "path": s.path, "pair": s.pair, "timeframe": s.timeframe, "rows": s.rows,
                "added": s.rows - before.get(s.path, 0), "gaps": len(gaps), "missing": sum(g.missing for g in gaps),
                "first": format_ns(s.first_ns), "last": format_ns(s.last_ns),
            }
        )  # fmt: skip
    return out


@contextlib.contextmanager
def _progress(args: argparse.Namespace, exchange: str) -> Iterator[Show | None]:
    """Yield what shows progress: nothing, a line now and then, or bars on a terminal."""
    if args.no_progress:
        yield None
    elif not sys.stderr.isatty():
        yield _Lines(exchange)
    else:
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True)) as bars:
            tasks: dict[str, Any] = {}

            def show(p: DownloadProgress) -> None:
                if p.pair not in tasks:
                    tasks[p.pair] = bars.add_task(f"{exchange} {p.pair}", total=1.0)
                bars.update(tasks[p.pair], completed=p.done_frac)

            yield show


class _Lines:
    """A line every few seconds, for pipes and logs."""

    def __init__(self, exchange: str) -> None:
        self._exchange = exchange
        self._next = time.monotonic() + 5.0

    def __call__(self, p: DownloadProgress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 5.0
            sys.stderr.write(
                f"{self._exchange} {p.pair}: {p.bars} bars, at {format_ns(p.at_ns)}, {p.done_frac:.0%}\n"
            )
