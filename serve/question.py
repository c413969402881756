"""``python -m serve.question``: write the body of a question for regimes from a file of bars, for any HTTP client.

Example: ``python -m serve.question --data bars -p BTC/USDT -i 1h --last 500 -o question.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from actors.domain.errors import ConfigError
from serve import market
from serve.schemas import MAX_BARS


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    p = argparse.ArgumentParser("python -m serve.question", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    market.add_arguments(p, data=True)
    p.add_argument("--last", type=int, default=500, metavar="N", help="the newest N bars; default 500")
    p.add_argument(
        "--bars", choices=("last", "all"), default="last", help="what to be answered for; default last"
    )
    p.add_argument(
        "--model", default=None, metavar="NAME[:VERSION]", help="default: the active default model"
    )
    p.add_argument("-o", "--out", required=True, metavar="FILE")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (CLI.md's)."""
    return market.command(parser(), run, argv)


def run(args: argparse.Namespace) -> str:
    """Write the file and return what to tell.

    Raises
    ------
    TradingError
    """
    if not 2 <= args.last <= MAX_BARS:
        raise ConfigError("QUESTION_BARS", f"--last: expected 2 to {MAX_BARS} bars, found {args.last}")
    config = market.configuration(args)
    frame = market.bars(args, config).slice_rows(-args.last, None)
    body: dict[str, object] = {"series": [market.columns(frame, config.model.timeframe)], "bars": args.bars}
    if args.model:
        name, _, version = args.model.partition(":")
        if version and not version.isdecimal():
            raise ConfigError(
                "QUESTION_MODEL", f"--model: expected NAME or NAME:NUMBER, found {args.model!r}"
            )
        body["model"] = {"name": name, **({"version": int(version)} if version else {})}
    Path(args.out).write_text(json.dumps(body), encoding="utf-8")
    return f"{args.out}: {frame!r}"


if __name__ == "__main__":
    sys.exit(main())
