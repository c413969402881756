"""``list-agents``: the configured fleet, who hears whom and who answers for whom."""

from __future__ import annotations

import argparse
from typing import Any

from actors.agents.fleet import default_fleet
from actors.domain.features.pipeline import feature_names
from actors.runtime.graph import AgentSpec, FleetGraph
from cluster.cli import common
from cluster.runs.plan import validate_components

HELP = "List the configured fleet: name, kind, parent, inputs, loop or ahead, group."
EXAMPLE = "tradewind list-agents"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.add_argument(
        "-s", "--strategy", action="extend", nargs="+", default=[], metavar="KIND",
        help="kinds of strategies or module:Class; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--fleet", choices=("auto", "lean", "full"), default="auto", help="as in backtesting; default auto"
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb; nothing is started, so no agent has a pid."""
    config = common.configuration(args, "paper")
    validate_components(config.model)
    plain = config.model.model_dump(mode="json")
    graph = FleetGraph(default_fleet(plain, feature_names(plain["features"]["indicators"])))
    rows = [_row(spec) for spec in graph.specs]
    text = [f"{'agent':<24} {'kind':<24} {'order':<6} {'group':<10} {'parent':<22} hears"]
    for r in rows:
        heard = ", ".join(f"{i['source']}(-{i['delay']})" if i["delay"] else i["source"] for i in r["inputs"])
        text.append(
            f"{r['name']:<24} {r['kind']:<24} {r['order']:<6} {r['group'] or '-':<10} {r['parent'] or '-':<22} {heard}"
        )
    text.append(
        f"{len(rows)} agents; (-n) is heard n steps later; loop agents read fills, the others run ahead"
    )
    return common.Outcome({"agents": rows}, text="\n".join(text), head={"config_hash": config.content_hash})


def _row(spec: AgentSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "kind": spec.kind,
        "pid": None,
        "parent": spec.parent or None,
        "inputs": [{"source": e.source, "delay": e.delay} for e in spec.inputs],
        "order": "loop" if spec.loop else "ahead",
        "group": spec.group or None,
        "tier": spec.tier,
    }
