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
