"""Limits that contradict each other: pairs of bounds inside a component, and limits of different rules.

Works on plain mappings, so it can be asked twice: on what a person wrote, and (by the fleet builder) on the
validated parameters with their defaults filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from config.problems import Problem
from config.schema import ADAPTIVE, Config, in_freqtrade_style

# (smaller, larger, may be equal): words that stand for a lower and an upper bound of one thing
_BOUNDS: tuple[tuple[str, str, bool], ...] = (
    ("min", "max", True),
    ("lower", "upper", False),
    ("fast", "slow", False),
    ("short", "long", False),
    ("oversold", "overbought", False),
    ("warn", "trip", True),
)
# limits of different parts, (kind, key) each: were the first above the second, it could never bind
_ACROSS: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    (("max_position_frac", "limit_frac"), ("max_gross_exposure", "limit_frac")),
)


def contradictions(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Problem]:
    """Return the contradictions in mappings, each given with its key path.

    Examples
    --------
    >>> for p in contradictions([("strategies.0.params", {"fast_bars": 30, "slow_bars": 10})]):
    ...     print(p)
    strategies.0.params.fast_bars: expected less than slow_bars = 10, found 30
    """
    return [p for path, params in entries for p in _inside(path, params)]


def across(parts: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[Problem]:
    """Return the contradictions between parts, ``(path, kind, params)`` each.

    Examples
    --------
    >>> for p in across([("risk.rules.0", "max_position_frac", {"limit_frac": 0.9}),
    ...                  ("risk.rules.1", "max_gross_exposure", {"limit_frac": 0.5})]):
    ...     print(p)
    risk.rules.0.params.limit_frac: expected at most 0.5 (risk.rules.1, max_gross_exposure), found 0.9
    """
    known = [(path, kind, params) for path, kind, params in parts]
    out = []
    for (small, small_key), (large, large_key) in _ACROSS:
        limits = [(path, p[large_key]) for path, kind, p in known if kind == large and large_key in p]
        for path, kind, params in known:
            value = params.get(small_key) if kind == small else None
            out += [
                Problem(
                    f"{path}.params.{small_key}", f"expected at most {limit} ({at}, {large}), found {value}"
                )
                for at, limit in limits
                if _is_number(value) and _is_number(limit) and value > limit
            ]
    return out


def adaptive_contradictions(config: Config) -> list[Problem]:
    """Return what keeps parameters from following the regime.

    Examples
    --------
    >>> alone = Config(strategies=({"kind": "rsi", "adaptive": {"min_dwell_bars": 6}},))
    >>> for p in adaptive_contradictions(alone):
    ...     print(p)
    strategies.0.adaptive: expected regime.detectors, whose regime it follows, found none; name some or leave it out
    """
    out = []
    for i, strategy in enumerate(config.strategies):
        path = f"strategies.{i}.{ADAPTIVE}"
        if strategy.adaptive and in_freqtrade_style(strategy.kind):
            text = f"expected none: {strategy.kind} is in freqtrade's style and reads its own parameters"
            out.append(Problem(path, text))
        elif ADAPTIVE in (strategy.kind, strategy.part[0]) and not config.regime.detectors:
            text = "expected regime.detectors, whose regime it follows, found none; name some or leave it out"
            out.append(Problem(path if strategy.adaptive else f"strategies.{i}", text))
    return out


def exit_contradictions(config: Config) -> list[Problem]:
    """Return what a configuration asks of protective exits that another part of it makes impossible.

    Examples
    --------
    >>> lone = Config(strategies=({"kind": "rsi"},), risk={"sizing": {"kind": "risk_per_trade"}})
    >>> for p in exit_contradictions(lone):
    ...     print(p)
    risk.sizing: expected exits.stop or exits.trailing beside risk_per_trade, found neither
    """
    several = len(config.strategies) > 1
    own = [(f"strategies.{i}.exits", s) for i, s in enumerate(config.strategies) if s.exits]
    out = [
        Problem(
            path, f"expected none: {len(config.strategies)} strategies share one position per pair; set exits"
        )
        for path, _ in own
        if several
    ]
    exits = {**config.exits, **(own[0][1].exits if own and not several else {})}
    if config.risk.sizing.kind == "risk_per_trade" and not (exits.get("stop") or exits.get("trailing")):
        text = "expected exits.stop or exits.trailing beside risk_per_trade, found neither"
        out.append(Problem("risk.sizing", text))
    if not exits:
        return out
    if config.venue.fill_at != "next_open":
        text = (
            f"expected next_open: exits need to know what came first in a bar, found {config.venue.fill_at}"
        )
        out.append(Problem("venue.fill_at", text))
    styled = [s.kind for s in config.strategies if in_freqtrade_style(s.kind)]
    if styled:
        text = f"expected none: {styled[0]} manages its own exits (stoploss, minimal_roi), found {', '.join(exits)}"
        out.append(Problem("exits", text))
    target = exits.get("target")
    frac = target.get("frac") if isinstance(target, Mapping) else None
    short = config.risk.params.get("allow_short", config.account.mode != "spot")
    if short and isinstance(frac, int | float) and frac >= 1:
        text = f"expected less than 1 where shorts are allowed (a price cannot fall by more), found {frac}"
        out.append(Problem("exits.target.frac", text))
    return out


def _inside(path: str, params: Mapping[str, Any]) -> list[Problem]:
    out = []
    for key, value in params.items():
        words = key.split("_")
        for small, large, may_equal in _BOUNDS:
            if small not in words:
                continue
            partner = "_".join(large if w == small else w for w in words)
            bound = params.get(partner)
            if not (_is_number(value) and _is_number(bound)):
                continue
            if value > bound or (value == bound and not may_equal):
                word = "at most" if may_equal else "less than"
                out.append(Problem(f"{path}.{key}", f"expected {word} {partner} = {bound}, found {value}"))
    return out


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
