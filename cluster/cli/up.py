"""``up``: start a Ray cluster of one node on loopback, with a token of its own."""

from __future__ import annotations

import argparse
import os

from actors.domain.errors import ConfigError
from cluster import local
from cluster.cli import common

HELP = "Start a local Ray cluster (loopback only, token authentication); down ends it."
EXAMPLE = "tradewind up"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    for name, port in local.PORTS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=port, help=f"default {port}")
    parser.add_argument("--num-cpus", type=int, default=None, help="default: at least 4, else the cores")
    parser.add_argument("--object-store-mb", type=int, default=None, help="default 200")


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    config = common.configuration(args, "paper")
    runtime = config.model.runtime
    cpus = args.num_cpus or runtime.num_cpus or max(4, os.cpu_count() or 1)
    store = args.object_store_mb or runtime.object_store_mb or 200
    if cpus < 1 or store < 80:
        raise ConfigError(
            "CLUSTER_SIZE",
            f"up: expected --num-cpus of at least 1 and --object-store-mb of at least 80, found {cpus} and {store}",
        )
    folder = common.userdir(args)
    common.make_userdir(folder)
    note = local.start(
        folder, {name: getattr(args, name) for name in local.PORTS}, num_cpus=cpus, object_store_mb=store
    )
    text = (
        f"cluster:   {note.address}, pid {note.pid}, authentication: {note.auth_mode}\n"
        f"dashboard: {note.dashboard}\nmetrics:   {note.metrics}\n"
        f"trade on it:\n  tradewind trade --replay --host ray --address {note.address} --userdir {folder} …\n"
        f"or submit a job from the checkout:\n  {local.submit_command(note)}\n"
        f"end it:\n  tradewind down --userdir {folder}"
    )
    return common.Outcome(local.as_result(note), text=text)
