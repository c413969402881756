"""``python -m serve.publish``: make a version of a model from the configuration, with or without bars to learn from.

Example: ``python -m serve.publish --name btc --data bars -p BTC/USDT -i 1h``. It is not active before
``POST /api/v1/models/NAME/activate``, or with ``--activate``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from actors.adapters.feeds.data_args import select_data
from actors.adapters.feeds.files import load_pair
from actors.domain.errors import ConfigError, TradingError
from actors.domain.model.bars import BarFrame
from actors.domain.model.timerange import parse_timerange
from config.load import ResolvedConfig, resolve
from config.problems import ConfigProblem
from serve.api.service import DEFAULT_MODEL
from serve.models.store import ModelStore
from serve.models.version import ModelSettings


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    p = argparse.ArgumentParser("python -m serve.publish", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument("--name", default=DEFAULT_MODEL, help=f"of the model; default {DEFAULT_MODEL}")
    p.add_argument("-c", "--config", action="append", default=[], metavar="FILE", help="repeatable")
    p.add_argument("--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="repeatable")
    p.add_argument("--data", action="append", default=[], metavar="[PAIR=]PATH", help="bars to learn from")
    p.add_argument("-p", "--pair", default=None, help="whose bars; default the configured one")
    p.add_argument("-i", "--timeframe", default=None, help="default the configured one")
    p.add_argument("--timerange", default="-", metavar="START-END", help="bars to learn from; default all")
    p.add_argument("--activate", action="store_true", help="let it answer from the next request on")
    p.add_argument("--userdir", default=os.environ.get("TRADEWIND_USERDIR", "user_data"), metavar="DIR")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (CLI.md's)."""
    args = parser().parse_args(argv)
    try:
        said = run(args)
    except TradingError as e:
        sys.stderr.write(f"error: {e}\n")
        return e.exit_code
    sys.stdout.write(f"{said}\n")
    return 0


def run(args: argparse.Namespace) -> str:
    """Publish and return what to tell.

    Raises
    ------
    TradingError
    """
    sets = [*args.set]
    sets += [f'pairs=["{args.pair}"]'] if args.pair else []
    sets += [f"timeframe={args.timeframe}"] if args.timeframe else []
    try:
        config = resolve("paper", files=args.config, sets=sets, env=dict(os.environ))
    except ConfigProblem as e:
        raise ConfigError("CONFIG_INVALID", str(e)) from e
    bars = _bars(args, config) if args.data else None
    store = ModelStore(Path(args.userdir).expanduser().resolve())
    made = store.publish(args.name, ModelSettings.of(config.model), config.content_hash, bars)
    learned = f"has learned from {bars!r}" if bars is not None else "learns from each request's own bars"
    if args.activate:
        store.activate(args.name, made.version, by="publish")
    state = "active" if args.activate else "not active"
    return f"model {made.name}, version {made.version}: {learned}; {state}"


def _bars(args: argparse.Namespace, config: ResolvedConfig) -> BarFrame:
    model = config.model
    pair = model.pairs[0]
    files = select_data(args.data, [pair], model.timeframe).files[pair]
    frame, _ = load_pair(
        files, pair, model.timeframe, model.data.policy, max_missing_frac=model.data.max_missing_frac
    )
    span = parse_timerange(args.timerange)
    return frame.slice_time(span.start_ns, span.end_ns)


if __name__ == "__main__":
    sys.exit(main())
