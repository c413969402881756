"""Limits that contradict each other: pairs of bounds inside a component, and limits of different rules.

Works on plain mappings, so it can be asked twice: on what a person wrote, and (by the fleet builder) on the
validated parameters with their defaults filled in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from config.problems import Problem

# (smaller, larger, may be equal): words that stand for a lower and an upper bound of one thing
_BOUNDS: tuple[tuple[str, str, bool], ...] = (
    ("min", "max", True),
    ("lower", "upper", False),
    ("fast", "slow", False),
    ("short", "long", False),
    ("oversold", "overbought", False),
    ("warn", "trip", True),
)
# limits of different rules: the first must not exceed the second, or the second could never bind
_ACROSS: tuple[tuple[str, str], ...] = (
    ("max_position_frac", "max_gross_frac"),
    ("max_net_frac", "max_gross_frac"),
)


def contradictions(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Problem]:
    """Return the contradictions in mappings, each given with its key path.

    Examples
    --------
    >>> for p in contradictions([("strategies.0.params", {"fast_bars": 30, "slow_bars": 10})]):
    ...     print(p)
    strategies.0.params.fast_bars: expected less than slow_bars = 10, found 30
    """
    entries = list(entries)
    out = [p for path, params in entries for p in _inside(path, params)]
    risk = [(path, params) for path, params in entries if path.startswith("risk.")]
    for small, large in _ACROSS:
        smalls, larges = _numbers(risk, small), _numbers(risk, large)
        out += [
            Problem(where, f"expected at most {large} = {bound} of {bound_at}, found {value}")
            for where, value in smalls
            for bound_at, bound in larges
            if value > bound
        ]
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


def _numbers(entries: Iterable[tuple[str, Mapping[str, Any]]], key: str) -> list[tuple[str, Any]]:
    return [(f"{path}.{key}", p[key]) for path, p in entries if key in p and _is_number(p[key])]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
