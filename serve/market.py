"""What the commands of this package share: whose bars, from which files, under which configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from actors.adapters.feeds.data_args import select_data
from actors.adapters.feeds.files import load_pair
from actors.domain.errors import ConfigError, TradingError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import parse_timerange
from config.load import ResolvedConfig, resolve
from config.problems import ConfigProblem


def add_arguments(parser: argparse.ArgumentParser, *, data: bool) -> None:
    """Add flags that name bars; `data` says whether there must be some."""
    parser.add_argument("-c", "--config", action="append", default=[], metavar="FILE", help="repeatable")
    parser.add_argument("--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="repeatable")
    parser.add_argument(
        "--data", action="append", required=data, default=[], metavar="[PAIR=]PATH",
        help="bars as Parquet, Feather or CSV(.gz); a folder means its files",
    )  # fmt: skip
    parser.add_argument("-p", "--pair", default=None, help="whose bars; default the configured one")
    parser.add_argument("-i", "--timeframe", default=None, help="default the configured one")
    parser.add_argument("--timerange", default="-", metavar="START-END", help="default all bars")


def command(
    parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], str], argv: Sequence[str] | None
) -> int:
    """Run a command of this package: say what it returns, or its error on stderr; return the exit code (CLI.md's)."""
    args = parser.parse_args(argv)
    try:
        said = run(args)
    except TradingError as e:
        sys.stderr.write(f"error: {e}\n")
        return e.exit_code
    sys.stdout.write(f"{said}\n")
    return 0


def configuration(args: argparse.Namespace) -> ResolvedConfig:
    """Return the configuration that the flags name.

    Raises
    ------
    ConfigError
    """
    sets = [*args.set]
    sets += [f'pairs=["{args.pair}"]'] if args.pair else []
    sets += [f"timeframe={args.timeframe}"] if args.timeframe else []
    try:
        return resolve("paper", files=args.config, sets=sets, env=dict(os.environ))
    except ConfigProblem as e:
        raise ConfigError("CONFIG_INVALID", str(e)) from e


def bars(args: argparse.Namespace, config: ResolvedConfig) -> BarFrame:
    """Return the bars that the flags name.

    Raises
    ------
    ConfigError, DataError
    """
    model = config.model
    pair = model.pairs[0]
    files = select_data(args.data, [pair], model.timeframe).files[pair]
    frame, _ = load_pair(
        files, pair, model.timeframe, model.data.policy, max_missing_frac=model.data.max_missing_frac
    )
    span = parse_timerange(args.timerange)
    return frame.slice_time(span.start_ns, span.end_ns)


def columns(frame: BarFrame, timeframe: str) -> dict[str, Any]:
    """Return bars as a request has them."""
    values = {name: getattr(frame, name).tolist() for name in ("open", "high", "low", "close", "volume")}
    return {"pair": frame.pair, "timeframe": timeframe, "timestamp": frame.open_ns.tolist(), **values}
