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

from serve import market
from serve.api.service import DEFAULT_MODEL
from serve.models.store import ModelStore
from serve.models.version import ModelSettings


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    p = argparse.ArgumentParser("python -m serve.publish", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument("--name", default=DEFAULT_MODEL, help=f"of the model; default {DEFAULT_MODEL}")
    market.add_arguments(p, data=False)
    p.add_argument("--activate", action="store_true", help="let it answer from the next request on")
    p.add_argument("--userdir", default=os.environ.get("TRADEWIND_USERDIR", "user_data"), metavar="DIR")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (CLI.md's)."""
    return market.command(parser(), run, argv)


def run(args: argparse.Namespace) -> str:
    """Publish and return what to tell.

    Raises
    ------
    TradingError
    """
    config = market.configuration(args)
    bars = market.bars(args, config) if args.data else None
    store = ModelStore(Path(args.userdir).expanduser().resolve())
    made = store.publish(args.name, ModelSettings.of(config.model), config.content_hash, bars)
    learned = f"has learned from {bars!r}" if bars is not None else "learns from each request's own bars"
    if args.activate:
        store.activate(args.name, made.version, by="publish")
    state = "active" if args.activate else "not active"
    return f"model {made.name}, version {made.version}: {learned}; {state}"


if __name__ == "__main__":
    sys.exit(main())
