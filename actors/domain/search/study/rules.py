"""Rules of a study: comparisons of a run's metrics with numbers, such as ``trade_count>=30``."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actors.domain.errors import ConfigError
from actors.domain.registry import meant

_RULE = re.compile(r"^\s*([A-Za-z_]\w*)\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$")
UNDEFINED = 1e9
"""How far a rule is broken by a metric that is undefined: further than by any number that a person would write."""
_LEAST = 1e-12


@dataclass(frozen=True)
class Rule:
    """A metric, a sign and a number.

    Examples
    --------
    >>> rule = Rule.parse("trade_count >= 30")
    >>> rule.violation({"trade_count": 12}), rule.violation({"trade_count": 30}) <= 0.0
    (18.0, True)
    """

    metric: str
    sign: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> Rule:
        """Return the rule that a person wrote.

        Raises
        ------
        ConfigError
            If it is none.
        """
        found = _RULE.match(text)
        if found is None:
            raise ConfigError(
                "RULE_TEXT",
                f"constraint {text!r}: expected METRIC, one of < <= > >=, and a number, such as trade_count>=30",
            )
        return cls(found[1], found[2], float(found[3]))

    def __str__(self) -> str:
        return f"{self.metric}{self.sign}{self.limit:g}"

    def violation(self, metrics: Mapping[str, Any]) -> float:
        """Return how far the metrics break it: 0 or below keeps it, an undefined metric breaks it by `UNDEFINED`."""
        value = metrics.get(self.metric)
        if value is None:
            return UNDEFINED
        over = float(value) - self.limit if self.sign[0] == "<" else self.limit - float(value)
        if len(self.sign) == 1 and over == 0.0:
            return _LEAST  # at the limit, which is not allowed
        return over


def parse_rules(texts: Iterable[str], known: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules that a person wrote.

    Parameters
    ----------
    texts : iterable of str
    known : sequence of str
        Metrics that there are.

    Raises
    ------
    ConfigError
        If one cannot be read, speaks of a metric that there is not, or no run could keep them all.

    Examples
    --------
    >>> [str(r) for r in parse_rules(["trade_count>=30", "calmar > 1"], ["trade_count", "calmar"])]
    ['trade_count>=30', 'calmar>1']
    """
    rules = tuple(Rule.parse(text) for text in texts)
    for rule in rules:
        if rule.metric not in known:
            raise ConfigError(
                "RULE_METRIC",
                f"constraint {rule}: expected a metric ({', '.join(known)}), found {rule.metric}"
                f"{meant(rule.metric, known)}",
            )
    for metric in dict.fromkeys(r.metric for r in rules):
        own = [r for r in rules if r.metric == metric]
        low = max(((r.limit, r.sign == ">") for r in own if r.sign[0] == ">"), default=(-math.inf, False))
        high = min(((r.limit, r.sign != "<") for r in own if r.sign[0] == "<"), default=(math.inf, True))
        touching = low[0] == high[0] and (low[1] or not high[1])
        if low[0] > high[0] or touching:
            raise ConfigError(
                "RULES_CONTRADICT",
                f"constraints {' and '.join(map(str, own))}: expected a {metric} that keeps all of them, found none; "
                "leave one out",
            )
    return rules
