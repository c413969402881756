"""``down``: end the cluster that `up` started, and nothing else."""

from __future__ import annotations

import argparse

from cluster import local
from cluster.cli import common

HELP = "End the local Ray cluster that up started; other Ray processes are left alone."
EXAMPLE = "tradewind down"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags of its own."""


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    folder = common.userdir(args)
    note = local.stop(folder)
    if note is None:
        return common.Outcome(
            {"stopped": False, "pid": None, "address": None}, text=f"no cluster of {folder} was running"
        )
    return common.Outcome(
        {"stopped": True, "pid": note.pid, "address": note.address},
        text=f"ended the cluster at {note.address}",
    )
