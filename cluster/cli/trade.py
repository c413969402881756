"""``trade``: paper trading over recorded bars (``--replay``); resumable."""

from __future__ import annotations

import argparse
from typing import Any

from actors.domain.errors import ConfigError
from cluster.cli import common
from cluster.runs import perpetual, session
from cluster.runs.detail import load_details

HELP = "Trade on paper over recorded bars with the configured fleet; --resume goes on after a crash."
EXAMPLE = "tradewind trade --replay --data BTCUSDT_1h.parquet -p BTC/USDT -i 1h --timerange 20200201-20200501"
_KEPT = (
    "data",
    "funding",
    "mark",
    "pairs",
    "timeframe",
    "timerange",
    "timeframe_detail",
    "strategy",
    "fleet",
    "config",
    "set",
    "seed",
    "host",
    "address",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    common.add_market(parser)
    common.add_detail(parser)
    perpetual.add_arguments(parser)
    common.add_host(parser, "ray")
    parser.add_argument(
        "--replay", action="store_true", help="trade recorded bars as fast as they can be decided"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with the newest unfinished run of this folder"
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    began = session.started()
    run_id = session.new_run_id()
    if args.resume:
        run_id, kept = session.newest_interrupted(args, "trade")
        common.tell(session.without_effect(args, kept, _KEPT, add_arguments))
        for name, value in kept.items():
            setattr(args, name, value)
    elif not args.replay:
        raise ConfigError(
            "LIVE_FEED",
            "trade: this release trades recorded bars only; expected --replay with --data, found neither a live feed "
            "nor a reason to guess one",
        )
    config = common.configuration(args, "paper")
    frames, loaded, notes = common.load_frames(args, config)
    market = session.Market(
        frames, loaded, notes, details=load_details(args.data, config.model, frames),
        perpetuals=perpetual.load(args, config.model),
    )  # fmt: skip
    plan = session.make_plan(args, config, market, common.timerange(args), run_id)
    note: dict[str, Any] = {name: getattr(args, name) for name in _KEPT}
    for name in ("data", "funding", "mark"):
        note[name] = session.absolute_data(getattr(args, name))
    note["config"] = [session.absolute(c) for c in args.config]
    finished = session.execute(args, plan, verb="trade", host=args.host, resume=args.resume, note=note)
    with session.unfinished_without_report(args, plan, "trade", note):
        return session.finish(
            args,
            finished,
            market,
            verb="trade",
            title="Tradewind paper trading (replay)",
            mode="replay",
            started_s=began,
        )
