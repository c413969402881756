"""``status``: nodes and agents of the local cluster, with health."""

from __future__ import annotations

import argparse

from actors.domain.errors import VenueUnavailableError
from cluster import local, ray_state
from cluster.cli import common

HELP = "List nodes and agents of the cluster that up started, with health; exit 1 if something is ill."
EXAMPLE = "tradewind status"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags of its own."""


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb.

    Raises
    ------
    VenueUnavailableError
        If no cluster runs.
    """
    folder = common.userdir(args)
    note = local.read_note(folder)
    if note is None:
        raise VenueUnavailableError(
            "CLUSTER_NONE",
            f"status: expected a cluster noted in {folder}, found none; start one with `tradewind up`",
        )
    if not local.is_running(note):
        raise VenueUnavailableError(
            "CLUSTER_GONE",
            f"status: expected the cluster at {note.address} (pid {note.pid}) to run, found its process gone; "
            f"see {note.log}, clear it with `tradewind down`, start anew with `tradewind up`, and go on with "
            "`tradewind trade --resume`",
        )
    nodes = ray_state.nodes(note)
    agents, ended = ray_state.agents(note)
    ill = [a["name"] for a in agents if a["health"] == ray_state.ILL]
    healthy = not ill and any(n["state"] == "ALIVE" for n in nodes)
    rows = [f"cluster {note.address}  pid {note.pid}  dashboard {note.dashboard}"]
    rows += [f"node    {n['ip']:<16} {n['state']:<8} {n['cpus'] or 0:g} CPUs" for n in nodes]
    rows.append(f"agents  {len(agents)}, ill {len(ill)}; actors of ended runs: {ended}")
    rows += [
        f"  {a['name']:<26} {a['kind']:<24} pid {a['pid'] or '-':<8} {a['state']:<10} {a['health']:<9}"
        f" restarts {a['restarts']}  run {a['run_id']}"
        for a in agents
    ]
    result = {
        "cluster": local.as_result(note), "nodes": nodes, "agents": agents, "ended_actors": ended, "ill": ill,
        "healthy": healthy,
    }  # fmt: skip
    return common.Outcome(result, ok=healthy, text="\n".join(rows))
