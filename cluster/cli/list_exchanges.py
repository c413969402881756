"""``list-exchanges``: where candles come from and where orders go."""

from __future__ import annotations

import argparse
from typing import Any

from actors.adapters.exchanges.mock import MockParams, SimulatedExchange
from actors.adapters.feeds.ccxt_client import CLOSED, VENUES
from cluster.cli import common
from cluster.cli._lists import about, as_text, kinds_of, parameters

HELP = "List exchanges: candles by ccxt, the simulated venue with its parts, and what has closed."
EXAMPLE = "tradewind list-exchanges"
_PARTS = ("fees", "slippage", "latency")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags of its own."""


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    exchanges: list[dict[str, Any]] = [
        {
            "kind": name, "about": "candles for download-data", "orders": False, "candles": True,
            "params": {}, "page_limit_bars": traits.page_limit, "history_bars": traits.history_bars,
        }
        for name, traits in sorted(VENUES.items())
    ]  # fmt: skip
    exchanges.append(
        {
            "kind": "mock", "about": about(SimulatedExchange), "orders": True, "candles": False,
            "params": parameters(MockParams), "page_limit_bars": None, "history_bars": None,
        }
    )  # fmt: skip
    parts = {p: kinds_of(f"actors.domain.simulation.{p}") for p in _PARTS}
    lines = ["exchanges (download-data --exchange KIND; venue.kind):"]
    for row in exchanges:
        if row["candles"]:
            kept = row["history_bars"]
            past = "all of its history" if kept is None else f"its last {kept} candles only"
            lines.append(f"{row['kind']:<16} {row['about']}: {past}, {row['page_limit_bars']} a request")
        else:
            lines.append(as_text([row]))
    for part, rows in parts.items():
        lines += ["", f"{part} of the simulated venue (venue.{part}.kind):", as_text(rows)]
    lines += ["", "closed:"] + [f"{name:<16} {why}" for name, why in CLOSED.items()]
    return common.Outcome({"exchanges": exchanges, "venue": parts, "closed": CLOSED}, text="\n".join(lines))
