"""``doctor``: is this machine ready? Each check with its state and a remedy."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from cluster.checks import all_checks
from cluster.cli import common

HELP = "Check tool chain, packages, kernels, Ray, ports, clock, disk, data and keys; exit 1 if one fails."
EXAMPLE = "tradewind doctor"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags of its own."""


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb; nothing on the machine is changed."""
    checks = all_checks(common.userdir(args))
    failed = [c.name for c in checks if c.state == "fail"]
    warned = [c.name for c in checks if c.state == "warn"]
    lines = [
        f"{c.state:<5} {c.name:<14} {c.found}" + (f"\n{'':<21}do: {c.remedy}" if c.remedy else "")
        for c in checks
    ]
    lines.append(f"{len(checks)} checks, {len(failed)} failed, {len(warned)} warnings")
    return common.Outcome(
        {"checks": [asdict(c) for c in checks], "failed": failed, "warnings": warned},
        ok=not failed, text="\n".join(lines),
    )  # fmt: skip
