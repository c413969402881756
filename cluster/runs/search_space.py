"""The search space of a configuration: ranges of its components' parameters, and ranges that a person adds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from actors.domain.errors import ConfigError
from actors.domain.events.regime import REGIMES
from actors.domain.params import Range, search_space
from actors.domain.risk.exits import RANGES
from actors.domain.search.space import Dimension, Owner, Space, Values, model_of
from config.hashing import content_hash
from config.load import ResolvedConfig
from config.merge import assign
from config.parts import blocks, components
from config.schema import ADAPTIVE, Config, in_freqtrade_style

_STRATEGIES = "actors.domain.strategies"


def config_space(
    config: Config, paths: Sequence[str] = ("strategies.*",), ranges: Mapping[str, Range] | None = None
) -> Space:
    """Return what a search over a configuration may vary.

    Parameters
    ----------
    config : Config
    paths : sequence of str
        Patterns of paths, ``*`` for anything, or the beginning of some: ``strategies.rsi``, ``regime.detectors.*``.
        Of them those count whose parameter declares a range. Distances of exits exclude each other: a pattern takes
        those that the configuration has, the whole path (``exits.stop.frac``) any.
    ranges : mapping path → Range, optional
        Other values to vary, and other ranges for those above. A path may lead anywhere in the configuration; what
        belongs to a component is refused by it before a run begins, the rest by the configuration.

    Raises
    ------
    ConfigError
        If a pattern matches nothing, or nothing is left to vary.

    Examples
    --------
    >>> c = Config(strategies=({"kind": "rsi"}, {"kind": "donchian"}))
    >>> config_space(c, ["strategies.rsi"], {"exits.stop.frac": Range("float", 0.01, 0.1)}).paths[-2:]
    ('strategies.rsi.params.overbought', 'exits.stop.frac')
    """
    owners = list(_owners(config))
    # what a strategy has no map for is varied only where a path leads there
    absent = [f"{_place(config, i)}.{ADAPTIVE}" for i, s in enumerate(config.strategies) if not s.adaptive]
    offered = [
        Dimension(f"{owner.at}.{name}", found)
        for owner in owners
        for name, found in search_space(model_of(owner.package, owner.kind)).items()
        if owner.at not in absent or any(p.startswith(f"{owner.at}.") for p in paths)
    ]
    offered += _of_classes(config)
    offered += _by_regime(config, paths)
    offered += [
        Dimension(f"exits.{name}", found)
        for name, found in RANGES.items()
        if f"exits.{name}" in paths or _has(config.exits, name.split("."))
    ]
    for pattern in paths:
        if not any(_matches(d.path, pattern) for d in offered):
            known = ", ".join(sorted({d.path.rpartition(".")[0] for d in offered})) or "none"
            raise ConfigError(
                "SPACE_PATH",
                f"search space: expected the beginning of a path with ranges ({known}), found {pattern!r}; "
                "a value without a range of its own needs one: PATH=LOW..HIGH",
            )
    added = dict(ranges or {})
    chosen = tuple(
        Dimension(d.path, added.pop(d.path, d.range))
        for d in offered
        if d.path in added or any(_matches(d.path, p) for p in paths)
    )
    dimensions = chosen + tuple(Dimension(p, r) for p, r in added.items())
    used = tuple(o for o in owners if any(o.holds(d.path) for d in dimensions) and o.at not in absent)
    used += tuple(
        o for o in owners if o.at in absent and any(d.path.startswith(f"{o.at}.") for d in dimensions)
    )
    return Space(dimensions, used)


def overrides(values: Values) -> list[str]:
    """Return drawn values as ``--set`` takes them.

    Examples
    --------
    >>> overrides({"strategies.rsi.params.window_bars": 9, "risk.sizing.kind": "fixed_fraction"})
    ['strategies.rsi.params.window_bars=9', 'risk.sizing.kind="fixed_fraction"']
    """
    return [f"{path}={json.dumps(value)}" for path, value in values.items()]


def applied(config: ResolvedConfig, values: Values) -> ResolvedConfig:
    """Return a configuration with drawn values in place; where its parameters came from is no longer known.

    Raises
    ------
    ConfigError
        If the configuration refuses them.

    Examples
    --------
    >>> from config.load import resolve
    >>> found = applied(resolve("backtest"), {"strategies.rsi.params.window_bars": 9})
    >>> [s.params["window_bars"] for s in found.model.strategies if s.kind == "rsi"]
    [9]
    """
    tree = config.model.model_dump(mode="json")
    tree["provenance"] = None
    try:
        for path, value in values.items():
            tree = assign(tree, path.split("."), value)
        model = Config.model_validate(tree)
    except ValueError as e:  # pydantic's is one
        raise ConfigError(
            "SPACE_VALUE", f"search space: expected values that the configuration takes, found {e}"
        ) from e
    return ResolvedConfig(model, content_hash(model), config.sources, config.notes)


def _by_regime(config: Config, paths: Sequence[str]) -> list[Dimension]:
    """Return the parameters of strategies per regime: those that the map has, and what a path names beyond it.

    A pattern over everything (``strategies.*``) takes those of the map; one that leads into ``adaptive.by_regime``
    takes all ranges of the strategy, in whatever regime it names.
    """
    out = []
    for i, part in enumerate(config.strategies):
        if in_freqtrade_style(part.kind):
            continue
        at = f"{_place(config, i)}.{ADAPTIVE}.by_regime"
        named = part.adaptive.get("by_regime") or {}
        ranges = search_space(model_of(_STRATEGIES, part.kind))
        meant = [p for p in paths if p == at or p.startswith(f"{at}.")]
        for regime in REGIMES:
            for name, found in ranges.items():
                path = f"{at}.{regime}.{name}"
                if name in (named.get(regime) or {}) or any(_matches(path, p) for p in meant):
                    out.append(Dimension(path, found))
    return out


def _place(config: Config, i: int) -> str:
    """Return the path of a strategy that ``--set`` takes: by its kind where that is enough."""
    kind = config.strategies[i].kind
    once = sum(s.kind == kind for s in config.strategies) == 1 and "." not in kind
    return f"strategies.{kind if once else i}"


def _matches(path: str, pattern: str) -> bool:
    return path == pattern or path.startswith(f"{pattern}.") or fnmatchcase(path, pattern)


def _of_classes(config: Config) -> list[Dimension]:
    """Return what classes in freqtrade's style declare: their parameters that may be optimised."""
    out = []
    for i, part in enumerate(config.strategies):
        if in_freqtrade_style(part.kind):
            from actors.adapters.freqtrade.loader import (
                load_strategy,
            )  # pandas and the adapter: only who needs them
            from actors.adapters.freqtrade.parameters import space_of

            path, _, name = part.kind.rpartition(":")
            found = space_of(load_strategy(path, name, params=part.params, checked=False))
            out += [Dimension(f"strategies.{i}.params.{n}", r) for n, r in found.items()]
    return out


def _has(tree: Any, keys: Sequence[str]) -> bool:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree is not None


def _owners(config: Config) -> Iterator[Owner]:
    """Yield holders of parameters with the path that ``--set`` takes: list members by kind where that is enough."""
    refs = list(components(config))
    lists = [r.path.rpartition(".")[0] for r in refs if r.path.rpartition(".")[2].isdecimal()]
    for ref in refs:
        parent, _, last = ref.path.rpartition(".")
        here = ref.path
        if last == ADAPTIVE:
            continue  # below, whether the configuration has it or a search puts it there
        if last.isdecimal() and parent in lists:
            same = sum(r.kind == ref.kind and r.path.rpartition(".")[0] == parent for r in refs)
            here = f"{parent}.{ref.kind}" if same == 1 and "." not in ref.kind else ref.path
        yield Owner(f"{here}.params", ref.package, ref.kind, ref.params)
    for i, part in enumerate(config.strategies):
        if not in_freqtrade_style(part.kind):
            here = _place(config, i)
            own = {"kind": part.kind, "params": part.params, "by_regime": {}, **part.adaptive}
            yield Owner(f"{here}.{ADAPTIVE}", _STRATEGIES, ADAPTIVE, own, {f"{here}.params": "params"})
    for block in blocks(config):
        yield Owner(block.path, block.package, block.kind, block.params)
