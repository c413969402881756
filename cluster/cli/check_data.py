"""``check-data``: the data-quality pass over files of bars; offenders are named."""

from __future__ import annotations

import argparse

from actors.adapters.feeds.data_args import data_files
from actors.adapters.feeds.quality import check_file
from actors.domain.errors import ConfigError
from actors.domain.model.timeframe import parse_timeframe
from cluster.cli import common

HELP = "Check files of bars: gaps, duplicates, order, OHLC sanity, clocks, locale-ruined numbers."
EXAMPLE = "tradewind check-data BTCUSDT_1h.parquet"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, or folders of files")
    parser.add_argument(
        "--data", action="append", default=[], metavar="[PAIR=]PATH", help="the same, as elsewhere"
    )
    parser.add_argument(
        "-i", "--timeframe", default=None, help="what the bars should be; default: median spacing"
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb; exit 3 if a file has errors."""
    config = common.configuration(argparse.Namespace(**{**vars(args), "timeframe": None}), "backtest")
    files = data_files([*args.paths, *args.data])
    if not files:
        raise ConfigError("FILES_MISSING", "files: expected at least one file or folder, found none")
    wanted = None if args.timeframe is None else parse_timeframe(args.timeframe)
    reports = [
        check_file(f, timeframe_ns=wanted, max_missing_frac=config.model.data.max_missing_frac) for f in files
    ]
    bad = [r for r in reports if not r.ok]
    text = "\n".join(r.summary() for r in reports)
    text += f"\n{len(reports)} files, {len(bad)} with errors"
    return common.Outcome(
        {"files": [{"path": r.path, "ok": r.ok, **r.to_dict()} for r in reports], "errors": len(bad)},
        ok=not bad, text=text, code=common.EXIT_DATA if bad else None, head={"config_hash": config.content_hash},
    )  # fmt: skip
