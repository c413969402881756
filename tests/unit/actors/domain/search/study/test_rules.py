"""Rules over metrics: read, judged, and refused where no run could keep them."""

from __future__ import annotations

import pytest

from actors.domain.errors import ConfigError
from actors.domain.search.study.rules import UNDEFINED, Rule, parse_rules

KNOWN = ("trade_count", "sharpe_ann", "max_drawdown_frac")


@pytest.mark.parametrize(
    ("text", "value", "kept"),
    [
        ("trade_count>=30", 30, True), ("trade_count>=30", 29, False), ("trade_count>30", 30, False),
        ("max_drawdown_frac<=0.2", 0.2, True), ("max_drawdown_frac<0.2", 0.2, False),
        ("sharpe_ann > -1e-1", 0, True),
    ],
)  # fmt: skip
def test_a_rule_is_kept_or_broken(text: str, value: float, kept: bool) -> None:
    rule = Rule.parse(text)
    assert (rule.violation({rule.metric: value}) <= 0.0) is kept
    assert rule.violation({rule.metric: None}) == rule.violation({}) == UNDEFINED


def test_violations_grow_with_distance() -> None:
    rule = Rule.parse("trade_count>=30")
    assert rule.violation({"trade_count": 10}) == 20.0
    assert rule.violation({"trade_count": 40}) == -10.0


@pytest.mark.parametrize("text", ["trade_count", "trade_count=3", ">=3", "trade_count>=many", "a.b>3"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="RULE_TEXT"):
        parse_rules([text], KNOWN)


def test_an_unknown_metric_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean sharpe_ann"):
        parse_rules(["sharpe_an>1"], KNOWN)


@pytest.mark.parametrize(
    "texts",
    [
        ["trade_count>=30", "trade_count<10"], ["trade_count>5", "trade_count<=5"],
        ["trade_count>=5", "trade_count<5"], ["trade_count>5", "trade_count<5", "sharpe_ann>0"],
    ],
)  # fmt: skip
def test_rules_that_no_run_keeps_are_refused(texts: list[str]) -> None:
    with pytest.raises(ConfigError, match="RULES_CONTRADICT"):
        parse_rules(texts, KNOWN)
    assert len(parse_rules(["trade_count>=5", "trade_count<=5", "sharpe_ann<3"], KNOWN)) == 3
