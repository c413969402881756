"""``chaos``: SIGKILL agents during a replay and show that nothing was lost, doubled or decided otherwise."""

from __future__ import annotations

import argparse
import math

from cluster.cli import common
from cluster.cli.parity import first_difference, log_lines
from cluster.runs import perpetual, session
from cluster.runs.chaos import Chaos, audit, draw_kills
from cluster.runs.detail import load_details
from cluster.runs.result import head

HELP = "Replay on the Ray host while agents are killed; compare with an undisturbed run."
EXAMPLE = "tradewind chaos --kills 20 --seed 1 --data BTC.parquet -p BTC/USDT --timerange 20200101-20200401"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    common.add_market(parser)
    common.add_detail(parser)
    perpetual.add_arguments(parser)
    parser.add_argument("--address", default=None, help="a running Ray cluster on this machine")
    parser.add_argument(
        "--kills",
        type=int,
        default=20,
        help="SIGKILLs in all, at least 6 (coordinators, supervisor, bus, journal); default 20",
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    args.host = "ray"
    seed = 7 if args.seed is None else args.seed
    config = common.configuration(args, "paper")
    frames, loaded, notes = common.load_frames(args, config)
    market = session.Market(
        frames, loaded, notes, details=load_details(args.data, config.model, frames),
        perpetuals=perpetual.load(args, config.model),
    )  # fmt: skip
    span = common.timerange(args)
    quiet = session.make_plan(args, config, market, span, session.new_run_id(), journal=False)
    kills = draw_kills(list(quiet.graph.names), args.kills, quiet.feed.warmup_steps, len(quiet.feed), seed)
    reference = session.execute(args, quiet, verb="chaos", host="local")
    plan = session.make_plan(args, config, market, span, session.new_run_id())
    chaos = Chaos(list(kills))
    finished = session.execute(
        args, plan, verb="chaos", host="ray", on_submit=chaos.on_submit, on_recovered=chaos.on_recovered,
        restart_budget=args.kills + 1, note={"kills": args.kills},
    )  # fmt: skip
    found = audit(finished, reference)
    hashes = {"undisturbed": reference.recorder.log.digest(), "chaos": finished.recorder.log.digest()}
    equal = hashes["undisturbed"] == hashes["chaos"]
    counts = finished.recorder.record.counts
    struck = [k for k in chaos.done if k.pid_after]
    result = {
        "kills": [vars(k) for k in chaos.done],
        "kills_struck": len(struck),
        "restart_budget": args.kills + 1,
        "hashes": hashes,
        "equal": equal,
        "first_difference": None if equal else first_difference(log_lines(reference), log_lines(finished)),
        "bars": plan.feed.bar_count, "warmup_bars": plan.feed.warmup_steps,
        "decisions": finished.recorder.log.count, "orders": counts["orders"], "fills": counts["fills"],
        "trade_count": len(finished.recorder.record.trades),
        "recoveries": finished.extra["recoveries"],
        "restarts": finished.extra["platform"]["supervision"]["restarts"],
        "agents": finished.agents, "journal": str(plan.run_dir), **found,
    }  # fmt: skip
    ok = (
        equal and not found["lost_orders"] and not found["duplicate_orders"] and found["ledger_balanced"]
        and not found["journal_problems"] and len(struck) == args.kills and counts["orders"] > 0
    )  # fmt: skip
    times = sorted(k.recovery_ms for k in struck if math.isfinite(k.recovery_ms))
    text = [
        f"{k.agent:<24} step {k.step:>6}  pid {k.pid_before} -> {k.pid_after}  {k.recovery_ms:8.0f} ms"
        for k in chaos.done
    ]
    text.append(f"{len(struck)} of {args.kills} kills struck (restart budget {args.kills + 1} for this test)")
    if times:
        text.append(f"recovery median {times[len(times) // 2]:.0f} ms, worst {times[-1]:.0f} ms")
    text.append(
        f"equal: {str(equal).lower()}; orders {counts['orders']}, fills {counts['fills']}; lost "
        f"{found['lost_orders']}, duplicate {found['duplicate_orders']}; ledger balanced: "
        f"{str(found['ledger_balanced']).lower()}"
    )
    return common.Outcome(result, ok=ok, text="\n".join(text), head=head(plan))
