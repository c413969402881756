"""From the flags of ``hyperopt`` to a space and to how it is searched."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import Any

from actors.domain.errors import ConfigError
from actors.domain.registry import kinds, meant
from actors.domain.search.objectives.base import PACKAGE, load
from actors.domain.search.ranges import parse_ranges
from actors.domain.search.space import Constraint, Space
from cluster.runs.search_space import config_space
from cluster.runs.study import Objectives, StudySpec
from config.schema import Config

_LOSSES = {
    "SharpeHyperOptLoss": "sharpe", "SharpeHyperOptLossDaily": "sharpe", "SortinoHyperOptLoss": "sortino",
    "SortinoHyperOptLossDaily": "sortino", "CalmarHyperOptLoss": "calmar", "OnlyProfitHyperOptLoss": "total_return",
    "ProfitDrawDownHyperOptLoss": "drawdown_limited_return", "MaxDrawDownHyperOptLoss": "drawdown_limited_return",
}  # fmt: skip
"""Loss functions that freqtrade's users know, and the objective that is nearest."""
_PART = re.compile(r",(?=\s*\w+\s*=)")


def objectives_of(texts: Sequence[str]) -> Objectives:
    """Return objectives with their parameters: ``sharpe``, ``drawdown_limited_return,limit_frac=0.1``.

    Raises
    ------
    ConfigError
        If there is none of a name, or a parameter is refused.

    Examples
    --------
    >>> objectives_of(["SharpeHyperOptLoss", "ulcer,min_trades=5"])
    (('sharpe', {}), ('ulcer', {'min_trades': 5}))
    """
    out = []
    for text in texts or ["sharpe"]:
        name, *pairs = [part.strip() for part in _PART.split(text)]
        name = _LOSSES.get(name, name)
        known = kinds(PACKAGE)
        if ":" not in name and name not in known:
            raise ConfigError(
                "OBJECTIVE_UNKNOWN",
                f"--objective {name}: expected one of {', '.join(known)}, or module:function of your own"
                f"{meant(name, known)}",
            )
        params = {}
        for pair in pairs:
            key, _, value = pair.partition("=")
            params[key.strip()] = _plain(value.strip())
        load(name, params)
        out.append((name, params))
    if len({n for n, _ in out}) < len(out):
        raise ConfigError("OBJECTIVE_TWICE", f"--objective: expected each once, found {[n for n, _ in out]}")
    return tuple(out)


def space_of(
    config: Config, texts: Sequence[str], constraints: Sequence[str], chosen: Sequence[str]
) -> Space:
    """Return the space that a person asks for.

    Parameters
    ----------
    config : Config
    texts : sequence of str
        ``PATH``, a pattern of paths with ranges of their own, or ``PATH=RANGE``; none: all ranges of the strategies.
        ``strategy.X`` is parameter X of the one strategy that -s chooses.
    constraints : sequence of str
        ``strategy.fast_bars < strategy.slow_bars``: comparisons of dimensions.
    chosen : sequence of str
        Kinds of the strategies of -s.

    Raises
    ------
    ConfigError
        If nothing is left to vary, or something cannot be read.

    Examples
    --------
    >>> c = Config(strategies=({"kind": "rsi"},))
    >>> space_of(c, ["strategy.window_bars=5..20"], ["strategy.window_bars > 6"], ["rsi"]).size()
    16
    """
    said = [
        (_full(config, text.partition("=")[0].strip(), chosen), *text.partition("=")[1:]) for text in texts
    ]
    paths = [path for path, sign, _ in said if not sign]
    ranges = parse_ranges([f"{path}={text}" for path, sign, text in said if sign])
    if not texts:
        paths = ["strategies.*"]
    space = config_space(config, paths, ranges)
    rules = []
    for text in constraints:
        rule = Constraint.parse(text)
        right = _full(config, rule.right, chosen) if isinstance(rule.right, str) else rule.right
        rules.append(Constraint(_full(config, rule.left, chosen), rule.sign, right))
    return space.with_constraints(rules) if rules else space


def split_constraints(texts: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return comparisons of dimensions, and rules over metrics: paths have a dot.

    Examples
    --------
    >>> split_constraints(["strategy.a < strategy.b", "trade_count>=30", "calmar > 0.5"])
    (['strategy.a < strategy.b'], ['trade_count>=30', 'calmar > 0.5'])
    """
    of_space = [t for t in texts if "." in re.split(r"[<>!=]", t, maxsplit=1)[0]]
    return of_space, [t for t in texts if t not in of_space]


def spec_of(args: argparse.Namespace, seed: int) -> StudySpec:
    """Return how the study searches.

    Raises
    ------
    ConfigError
    """
    _, rules = split_constraints(args.constraint)
    if args.min_trades is not None:
        rules = [*rules, f"trade_count>={args.min_trades}"]
    return StudySpec(
        epochs=args.epochs, sampler=args.sampler, objectives=objectives_of(args.objective), rules=tuple(rules),
        pruner=args.pruner, slices=args.slices, patience=args.early_stop, seed=seed, grid_points=args.grid_points,
    )  # fmt: skip


def about(space: Space, spec: StudySpec, hashes: Mapping[str, str]) -> dict[str, str]:
    """Return what decides a study, by name: one that goes on must agree in all of it."""
    return {
        **hashes,
        "space": "; ".join(
            [*(f"{d.path}={d.range}" for d in space.dimensions), *map(str, space.constraints)]
        ),
        "objectives": "; ".join(f"{n} {dict(sorted(p.items()))}" for n, p in spec.objectives),
        "constraints": "; ".join(spec.rules),
        "sampler": spec.sampler,
        "pruner": f"{spec.pruner} {spec.slices}" if spec.pruner != "none" else "none",
        "seed": str(spec.seed),
        # what these samplers ask depends on how long the study is
        "epochs": str(spec.epochs) if spec.sampler in ("grid", "nsga2") else "any",
    }


def _full(config: Config, path: str, chosen: Sequence[str]) -> str:
    if not path.startswith("strategy."):
        return path
    rest = path.removeprefix("strategy.")
    own = list(chosen) or [s.kind for s in config.strategies]
    named = [k for k in own if rest.startswith(f"{k}.")]
    if len(named) == 1:
        kind, rest = named[0], rest.removeprefix(f"{named[0]}.")
    elif len(own) == 1:
        kind = own[0]
    else:
        raise ConfigError(
            "SPACE_STRATEGY",
            f"--space {path}: expected the strategy to be named, since there are {len(own)}: strategy.{own[0]}.{rest}",
        )
    at = kind if "." not in kind and ":" not in kind else str([s.kind for s in config.strategies].index(kind))
    if rest.startswith(("exits.", "adaptive.")):
        return f"strategies.{at}.{rest}"
    return f"strategies.{at}.params.{rest}"


def _plain(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text
