"""``parity``: the same input on each host gives the same decisions, or the first difference is shown."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from actors.domain.errors import ConfigError
from cluster.cli import common
from cluster.runs import perpetual, session
from cluster.runs.detail import load_details
from cluster.runs.execute import Finished
from cluster.runs.result import head

HELP = "Run the same bars on each host and compare the canonical decision logs."
EXAMPLE = (
    "tradewind parity --data BTCUSDT_1h.parquet -p BTC/USDT -i 1h --timerange 20200101-20200401 --json -"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    common.add_market(parser)
    common.add_detail(parser)
    perpetual.add_arguments(parser)
    parser.add_argument("--hosts", default="local,ray", help="comma separated; default local,ray")
    parser.add_argument("--address", default=None, help="a running Ray cluster")


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    hosts = args.hosts.split(",")
    if len(hosts) < 2 or any(h not in ("local", "ray") for h in hosts):
        raise ConfigError("HOSTS", f"--hosts: expected at least two of local and ray, found {args.hosts!r}")
    config = common.configuration(args, "paper")
    frames, loaded, notes = common.load_frames(args, config)
    market = session.Market(
        frames, loaded, notes, details=load_details(args.data, config.model, frames),
        perpetuals=perpetual.load(args, config.model),
    )  # fmt: skip
    runs: dict[str, Finished] = {}
    for number, host in enumerate(hosts):
        name = host if host not in runs else f"{host}-{number + 1}"
        plan = session.make_plan(
            args, config, market, common.timerange(args), session.new_run_id(), journal=host == "ray"
        )
        runs[name] = session.execute(args, plan, verb="parity", host=host)
    first = next(iter(runs.values()))
    hashes = {name: f.recorder.log.digest() for name, f in runs.items()}
    equal = len(dict.fromkeys(hashes.values())) == 1
    difference = None
    for other in list(runs.values())[1:]:
        difference = difference or first_difference(log_lines(first), log_lines(other))
    counts = first.recorder.record.counts
    result: dict[str, Any] = {
        "hosts": list(runs), "hashes": hashes, "equal": equal, "first_difference": difference,
        "agents_by_host": {n: f.agents for n, f in runs.items()}, "bars": first.plan.feed.bar_count,
        "warmup_bars": first.plan.feed.warmup_steps, "decisions": first.recorder.log.count,
        "orders": counts["orders"], "fills": counts["fills"], "trade_count": len(first.recorder.record.trades),
    }  # fmt: skip
    text = [f"{n:<8} {h}  {len(runs[n].agents)} agents, {runs[n].wall_s:.1f} s" for n, h in hashes.items()]
    text.append(
        f"equal: {str(equal).lower()} over {result['decisions']} decisions, {result['orders']} orders"
    )
    if difference is not None:
        text.append(f"first difference: {json.dumps(difference)}")
    return common.Outcome(
        result, ok=equal and result["decisions"] > 0, text="\n".join(text), head=head(first.plan)
    )


def log_lines(finished: Finished) -> list[str]:
    """Return the canonical decision lines of a run."""
    path = Path(finished.plan.run_dir) / "decisions.jsonl"
    if finished.plan.settings.snapshot_dir:
        return path.read_text(encoding="utf-8").splitlines()
    return finished.recorder.lines


def first_difference(one: Sequence[str], other: Sequence[str]) -> dict[str, Any] | None:
    """Return where two decision logs part, with both records; None if they do not.

    Examples
    --------
    >>> first_difference(['[1,"A","x",[]]'], ['[1,"B","x",[]]'])["line"]
    0
    """
    for number in range(max(len(one), len(other))):
        a = json.loads(one[number]) if number < len(one) else None
        b = json.loads(other[number]) if number < len(other) else None
        if a != b:
            return {"line": number, "step": (a if a is not None else b or [None])[0], "first": a, "second": b}
    return None
