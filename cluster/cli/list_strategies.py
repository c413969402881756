"""``list-strategies``: what configuration and ``-s`` can name, ours and the user's, with parameters and sources."""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path
from typing import Any

import msgspec

from actors.domain import registry
from actors.domain.errors import TradingError
from actors.domain.strategies.base import Strategy
from cluster.cli import common
from cluster.cli._lists import about, as_text, parameters, unit_of
from cluster.cli._strategies import classes_of, imports_freqtrade

HELP = "List the strategies that configuration can name, with parameters, search ranges, warm-up and source."
EXAMPLE = "tradewind list-strategies"
PACKAGE = "actors.domain.strategies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No flags of its own."""


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    rows = [described(kind) for kind in registry.kinds(PACKAGE)]
    folder = common.userdir(args) / "strategies"
    rows += [_user_row(kind, folder) for kind in user_kinds(folder)]
    return common.Outcome({"strategies": rows}, text=as_text(rows))


def described(kind: str) -> dict[str, Any]:
    """Return what there is to know of a strategy: with its defaults, where something depends on parameters."""
    cls = registry.load(PACKAGE, kind)
    made: Strategy = registry.build(PACKAGE, kind)
    return {
        "kind": kind,
        "about": about(cls),
        "warmup_bars": made.warmup_bars,
        "has_batch": made.has_batch,
        "reads": list(made.reads),
        "source": source_of(cls),
        "params": parameters(registry.params_of(cls)),
    }


def source_of(cls: type[Any]) -> str | None:
    """Return where the rule comes from: what its module says after its first paragraph; None if nothing."""
    module = sys.modules.get(cls.__module__)
    _, _, rest = (inspect.getdoc(module) or "").partition("\n\n")
    return " ".join(rest.split()) or None


def user_kinds(folder: Path) -> list[str]:
    """Return ``module:Class`` of every strategy class in a user's folder; read, not imported.

    A class counts if the name of one of its bases ends in ``Strategy``; tests and names with an underscore first
    do not.
    """
    out = []
    for file in sorted(folder.glob("*.py")) if folder.is_dir() else []:
        if file.stem.startswith(("_", "test_")) or not file.stem.isidentifier():
            continue
        classes = classes_of(file)
        if classes is None:
            out.append(f"{file.stem}:?")
            continue
        out += [
            f"{file.stem}:{name}"
            for name, bases in classes.items()
            if not name.startswith("_") and any(b.endswith("Strategy") for b in bases)
        ]
    return out


def _user_row(kind: str, folder: Path) -> dict[str, Any]:
    """Return the row of a user's class; one that does not load says why instead of ending the list."""
    row: dict[str, Any] = {"kind": kind, "about": "", "params": {}}
    if kind.endswith(":?"):
        return row | {"error": "the file is not Python"}
    module, _, name = kind.partition(":")
    file = folder / f"{module}.py"
    try:
        if imports_freqtrade(file):
            return _in_freqtrade_style(file, name)
        cls = registry.load(PACKAGE, kind)
        if not issubclass(cls, Strategy):
            return row | {"about": about(cls) or "a class in another style"}
        return described(kind)
    except TradingError as e:
        return row | {"error": e.message}
    except Exception as e:  # noqa: BLE001 - a user's file may raise anything when it is loaded
        return row | {"error": f"{type(e).__name__} while it was loaded: {e}"}


def _in_freqtrade_style(file: Path, name: str) -> dict[str, Any]:
    """Return the row of a class in freqtrade's style; ``-s`` takes its name alone as well."""
    from actors.adapters.freqtrade.loader import ANYWHERE, load_strategy
    from actors.adapters.freqtrade.parameters import parameters_of, space_of

    made = load_strategy(file, name, config=ANYWHERE)
    ranges = space_of(made)
    knobs = {
        n: {
            "default": p.value, "type": type(p).__name__, "unit": unit_of(n), "limits": [],
            "range": msgspec.to_builtins(ranges[n]) if n in ranges else None,
            "about": f"space {p.space}" if p.space else None,
        }
        for n, p in parameters_of(made).items()
    }  # fmt: skip
    return {
        "kind": f"{file.stem}:{name}",
        "about": about(type(made)) if type(made).__doc__ else "",
        "style": "freqtrade",
        "timeframe": made.timeframe,
        "warmup_bars": made.startup_candle_count,
        "has_batch": False,
        "reads": [],
        "source": source_of(type(made)),
        "params": knobs,
    }
