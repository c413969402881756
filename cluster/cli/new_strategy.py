"""``new-strategy``: a file with a strategy that runs, and its test."""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
from pathlib import Path

from actors.domain import registry
from actors.domain.errors import ConfigError
from cluster.cli import _strategy_template as template
from cluster.cli import common

HELP = "Write a new strategy and its test into user_data/strategies."
EXAMPLE = "tradewind new-strategy calm_trend"
PACKAGE = "actors.domain.strategies"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the verb."""
    parser.add_argument(
        "name", metavar="NAME", help="of the file, such as calm_trend, or of the class, such as CalmTrend"
    )


def run(args: argparse.Namespace) -> common.Outcome:
    """Run the verb."""
    module, name = names_of(args.name)
    folder = common.userdir(args) / "strategies"
    files = [folder / f"{module}.py", folder / f"test_{module}.py"]
    _free(args.name, module, files)
    common.make_userdir(folder)
    shown = [_shown(f) for f in files]
    texts = (
        template.STRATEGY.format(name=name),
        template.TEST.format(name=name, module=module, file=shown[1]),
    )
    for file, text in zip(files, texts, strict=True):
        # x: what another has put there in between is not overwritten
        with file.open("x", encoding="utf-8") as out:
            out.write(text)
    kind = f"{module}:{name}"
    where = "" if args.userdir == "user_data" else f" --userdir {args.userdir}"
    follow = [
        f"python -m pytest {shown[1]}",
        f"tradewind backtesting -s {kind}{where} --data BARS -p BTC/USDT -i 1h",
    ]
    text = f"wrote {shown[0]}\nwrote {shown[1]}\nnext:\n" + "\n".join(f"  {line}" for line in follow)
    return common.Outcome({"strategy": kind, "files": [str(f) for f in files], "next": follow}, text=text)


def names_of(given: str) -> tuple[str, str]:
    """Return names of file and class, whichever of the two was given.

    Raises
    ------
    ConfigError
        If it can be neither.

    Examples
    --------
    >>> names_of("calm_trend"), names_of("CalmTrend"), names_of("RSI2Fade")
    (('calm_trend', 'CalmTrend'), ('calm_trend', 'CalmTrend'), ('rsi2_fade', 'RSI2Fade'))
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", given) or len(given) > 60:
        raise ConfigError(
            "STRATEGY_NAME",
            f"{given!r}: expected letters, digits and _ with a letter first (at most 60), such as "
            "calm_trend or CalmTrend",
        )
    if given[0].isupper() and "_" not in given:
        module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", given).lower()
        name = given
    else:
        module = re.sub(r"_+", "_", given.lower()).strip("_")
        name = "".join(part[:1].upper() + part[1:] for part in module.split("_"))
    if keyword.iskeyword(module) or keyword.iskeyword(name) or module.startswith("test_") or module == "test":
        raise ConfigError(
            "STRATEGY_NAME",
            f"{given!r}: expected no word of Python and no name of a test; choose another",
        )
    return module, name


def _free(given: str, module: str, files: list[Path]) -> None:
    there = [str(f) for f in files if f.exists()]
    if there:
        raise ConfigError(
            "STRATEGY_EXISTS",
            f"{given}: expected a new name, found {', '.join(there)}; choose another",
        )
    if module in registry.kinds(PACKAGE):
        raise ConfigError(
            "STRATEGY_EXISTS",
            f"{given}: a built-in strategy is called {module}; choose another name",
        )
    if importlib.util.find_spec(module) is not None:
        raise ConfigError(
            "STRATEGY_NAME",
            f"{given}: Python would find another module called {module} first; choose another name",
        )


def _shown(file: Path) -> str:
    """Return a path as a person would type it here."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
