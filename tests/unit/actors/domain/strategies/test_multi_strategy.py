"""The vote, over opinions put in by hand."""

from __future__ import annotations

from typing import Any

import pytest

from actors.domain import registry
from actors.domain.errors import InvalidParamsError
from actors.domain.strategies.base import PREDICTIONS, REGIME, Market, Opinion
from actors.domain.strategies.multi_strategy import MultiStrategy, MultiStrategyParams

PACKAGE = "actors.domain.strategies"
MARKET = Market(0, 1.0, 1.0, 1.0, 1.0, 1.0, "", 0.0, {})
LONG, LONG_TOO, SHORT, FLAT = (1.0, 0.6), (1.0, 0.4), (-1.0, 0.5), (0.0, 0.0)


class _Says:
    """A member with one opinion."""

    def __init__(self, said: tuple[float, float]) -> None:
        self.said = Opinion(*said)

    def update(self, _: Market) -> Opinion:
        return self.said


def _vote(*said: tuple[float, float], **params: int) -> tuple[float, float]:
    s = MultiStrategy(MultiStrategyParams(members=("rsi",) * len(said), **params))
    s._members = [_Says(x) for x in said]  # type: ignore[misc]
    opinion = s.update(MARKET)
    return opinion.direction, opinion.confidence


@pytest.mark.parametrize(
    ("said", "params", "expected"),
    [
        ((LONG, LONG_TOO, FLAT), {}, (1.0, 1.0 / 3.0)),
        ((LONG, FLAT, FLAT), {}, FLAT),
        ((LONG, FLAT, FLAT), {"min_agreeing": 1}, (1.0, 0.2)),
        ((LONG, LONG_TOO, SHORT), {}, FLAT),
        ((LONG, LONG_TOO, SHORT), {"max_opposing": 1}, (1.0, 1.0 / 3.0)),
        ((LONG, LONG_TOO, SHORT, SHORT), {"min_agreeing": 3, "max_opposing": 2}, FLAT),
        ((SHORT, (-0.5, 0.1), FLAT), {}, (-0.75, 0.2)),
        ((SHORT, SHORT, SHORT), {"min_agreeing": 3}, (-1.0, 0.5)),
    ],
)
def test_the_vote(said: Any, params: dict[str, int], expected: tuple[float, float]) -> None:
    assert _vote(*said, **params) == pytest.approx(expected)


def test_members_are_kinds_or_kinds_with_parameters() -> None:
    short = MultiStrategyParams(members=("rsi", "macd"))
    assert short == MultiStrategyParams.model_validate({"members": [{"kind": "rsi"}, {"kind": "macd"}]})
    s = registry.build(
        PACKAGE, "multi_strategy", {"members": [{"kind": "rsi", "params": {"window_bars": 5}}, "macd"]}
    )
    # the second of 5 and 33 bars: two must be able to speak
    assert s.warmup_bars == 33
    assert MultiStrategy(MultiStrategyParams(members=("rsi", "macd"), min_agreeing=1)).warmup_bars == 14


def test_it_reads_what_its_members_read() -> None:
    assert MultiStrategy(MultiStrategyParams()).reads == ()
    assert MultiStrategy(MultiStrategyParams(members=("rsi", "regime_aware"))).reads == (REGIME, PREDICTIONS)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"members": ["rsi"]}, "at least two"),
        ({"members": ["rsi", "multi_strategy"]}, "none of them multi_strategy"),
        ({"members": ["rsi", "nothing"]}, "nothing"),
        ({"members": ["rsi", {"kind": "macd", "params": {"fast_bars": 90}}]}, "fast_bars"),
        ({"members": ["rsi", "macd"], "min_agreeing": 3}, "min_agreeing"),
        ({"min_agreeing": 1, "max_opposing": 1}, "max_opposing"),
    ],
)
def test_members_that_cannot_vote_are_refused(params: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidParamsError, match=match):
        registry.build(PACKAGE, "multi_strategy", params)
