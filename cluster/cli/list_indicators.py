"""``list-indicators``: the kinds that configuration and strategies can name: columns, warm-up, parameters, source."""

from __future__ import annotations

import argparse
import inspect
import sys
from typing import Any

from actors.domain import registry
from actors.domain.indicators.base import Indicator
from cluster.cli import common
from cluster.cli._lists import about, as_text, parameters

HELP = "List the indicators that configuration and strategies can name, with columns, warm-up, parameters, source."
EXAMPLE = "tradewind list-indicators"
PACKAGE = "actors.domain.indicators"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags of its own."""


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    rows = [described(kind) for kind in registry.kinds(PACKAGE)]
    return common.Outcome({"indicators": rows}, text=as_text(rows))


def described(kind: str) -> dict[str, Any]:
    """Return what there is to know of an indicator: with its defaults, where something depends on parameters."""
    cls = registry.load(PACKAGE, kind)
    made: Indicator = registry.build(PACKAGE, kind)
    return {
        "kind": kind,
        "about": about(cls),
        "columns": list(made.names),
        "warmup_bars": made.warmup_bars,
        "source": inspect.getdoc(sys.modules[cls.__module__]),
        "params": parameters(registry.params_of(cls)),
    }
