"""``list-detectors``: the kinds that configuration can name, with parameters."""

from __future__ import annotations

import argparse

from cluster.cli import common
from cluster.cli._lists import listing

HELP = "List the detectors that configuration can name, with parameters and defaults."
EXAMPLE = "tradewind list-detectors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags of its own."""


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    return listing("actors.domain.regime", "detectors")
