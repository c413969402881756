"""Parameters that follow the regime: when they switch, who has the say meanwhile, and what is refused."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from actors.domain import registry
from actors.domain import state as codec
from actors.domain.errors import InvalidParamsError
from actors.domain.events.regime import REGIMES
from actors.domain.strategies.adaptive import Adaptive, AdaptiveParams
from actors.domain.strategies.base import Market, MarketColumns
from actors.domain.strategies.rows import market_rows
from actors.domain.strategies.switching import SetSelector, SwitchRule

PACKAGE = "actors.domain.strategies"
FLAT = (0.0, 0.0)


def _selector(**changed: Any) -> SetSelector:
    rule = {"min_confidence": 0.5, "release_confidence": 0.0, "min_dwell_bars": 0, "confirm_bars": 1,
            "handover_bars": 0, "urgent": ("crash",)} | changed  # fmt: skip
    names = ("global", "bull", "crash")
    return SetSelector(SwitchRule(**rule), {"bull": 1, "crash": 2}, names, (0, 0, 0))


def _said(
    selector: SetSelector, rows: list[tuple[str, float]], sides: tuple[float, ...] = (0.0,) * 3
) -> list[int]:
    return [selector.choose(regime, sure, sides) for regime, sure in rows]


def test_nothing_is_switched_below_the_confidence_or_where_the_regime_is_unknown() -> None:
    assert _said(_selector(), [("bull", 0.49), ("", 0.0), ("bull", 0.5), ("", 0.0), ("bull", 0.1)]) == [
        0,
        0,
        1,
        1,
        1,
    ]


def test_a_regime_without_a_set_of_its_own_has_the_global_one() -> None:
    assert _said(_selector(), [("bull", 0.9), ("bear", 0.9)]) == [1, 0]


def test_low_confidence_gives_the_global_set_back_only_where_that_is_asked_for() -> None:
    rows = [("bull", 0.9), ("bull", 0.3), ("bull", 0.1)]
    assert _said(_selector(), rows) == [1, 1, 1]
    selector = _selector(release_confidence=0.2)
    assert _said(selector, rows) == [1, 1, 0]
    assert selector.switch == ("bull", "global", 0.1, "no regime is sure: 0.100 for 1 bars")


def test_alternating_regimes_switch_at_most_once_per_dwell() -> None:
    rows = [("bull", 0.9), ("bear", 0.9)] * 60
    free, held = _said(_selector(), rows), _said(_selector(min_dwell_bars=10), rows)
    switches = [sum(a != b for a, b in itertools.pairwise(x)) for x in (free, held)]
    assert switches[0] == 119
    assert 5 <= switches[1] <= 120 / 11
    assert not any(_said(_selector(confirm_bars=2), rows)), "no regime lasted for two bars"


def test_an_urgent_regime_waits_for_nothing_but_the_confidence() -> None:
    selector = _selector(min_dwell_bars=50, confirm_bars=3, handover_bars=9)
    long, flat = 1.0, 0.0
    selector.choose("bear", 0.9, (long, long, flat))
    assert selector.choose("crash", 0.4, (long, long, flat)) == 0
    assert selector.choose("crash", 0.6, (long, long, flat)) == 2
    assert selector.switch is not None
    assert "urgent" in selector.switch[3]


def test_a_position_is_left_to_the_set_that_holds_it_for_a_while() -> None:
    selector = _selector(handover_bars=3)
    selector.choose("bear", 0.9, (1.0, 0.0, 0.0))
    assert [selector.choose("bull", 0.9, (1.0, 0.0, 0.0)) for _ in range(4)] == [0, 0, 0, 1]
    assert selector.switch is not None
    assert selector.switch[3].endswith("after 3 bars in which the old set held a position")


@pytest.mark.parametrize("sides", [(0.0, 0.0, 0.0), (1.0, 0.5, 0.0), (-1.0, 1.0, 0.0)],
                         ids=["it is closed", "the next set shares it", "it was turned round"])  # fmt: skip
def test_the_say_is_handed_over_when_the_position_ends(sides: tuple[float, ...]) -> None:
    selector = _selector(handover_bars=99)
    selector.choose("bear", 0.9, (1.0, 0.0, 0.0))
    assert selector.choose("bull", 0.9, (1.0, 0.0, 0.0)) == 0
    assert selector.choose("bull", 0.9, sides) == 1


def test_a_set_is_not_switched_to_before_its_warm_up_is_over() -> None:
    rule = SwitchRule(min_confidence=0.0, release_confidence=0.0, min_dwell_bars=0, confirm_bars=1, handover_bars=0,
                      urgent=())  # fmt: skip
    selector = SetSelector(rule, {"bull": 1}, ("global", "bull"), (0, 3))
    assert [selector.choose("bull", 1.0, FLAT) for _ in range(5)] == [0, 0, 0, 1, 1]


def _columns(bars: int = 900, regime_bars: int = 60) -> MarketColumns:
    rng = np.random.default_rng(5)
    close = 100.0 * np.exp(np.cumsum(0.01 * rng.standard_normal(bars)))
    regime = (np.arange(bars) // regime_bars % 7 - 1).astype(np.int8)  # -1: unknown
    return MarketColumns(
        close, close * 1.01, close * 0.99, close, np.full(bars, 10.0), regime, rng.random(bars)
    )


MAP = {"bull": {"window_bars": 7}, "crash": {"window_bars": 7}, "bear": {"window_bars": 28}, "sideways": {}}


def test_equal_sets_are_one_and_each_opinion_is_that_of_the_set_in_force() -> None:
    made = registry.build(PACKAGE, "adaptive", {"kind": "rsi", "by_regime": MAP, "handover_bars": 0})
    assert made.names == ("global", "bull+crash", "bear")
    assert made.values("bear")["window_bars"] == 28
    alone = {n: registry.build(PACKAGE, "rsi", made.values(n)) for n in made.names}
    used = dict.fromkeys(made.names, 0)
    now = "global"
    for market in market_rows(_columns()):
        said = {name: s.update(market) for name, s in alone.items()}
        opinion = made.update(market)
        if made.switch is not None:
            assert made.switch[0] == now
            now = made.switch[1]
        assert opinion == said[now]
        used[now] += 1
    assert min(used.values()) > 100


def test_the_batch_form_tells_the_same_switches() -> None:
    params = {"kind": "donchian", "by_regime": {"bull": {"entry_bars": 30}, "bear": {"entry_bars": 90}}}
    made, columns = registry.build(PACKAGE, "adaptive", params), _columns()
    streamed = []
    for k, market in enumerate(market_rows(columns)):
        made.update(market)
        if made.switch is not None:
            streamed.append((k, made.switch))
    direction, confidence, found = made.decided(columns)
    assert found == streamed
    assert len(found) > 5
    assert np.array_equal((direction, confidence), made.batch(columns))


def test_an_empty_map_is_the_strategy_itself() -> None:
    columns = _columns()
    made = registry.build(PACKAGE, "adaptive", {"kind": "macd", "by_regime": {}})
    assert np.array_equal(made.batch(columns), registry.build(PACKAGE, "macd").batch(columns))
    assert made.decided(columns)[2] == []


def test_it_reads_what_its_strategy_reads_and_the_regime() -> None:
    def reads(kind: str) -> tuple[str, ...]:
        return registry.build(PACKAGE, "adaptive", {"kind": kind}).reads

    assert reads("rsi") == ("regime",)
    assert reads("regime_aware") == ("regime", "predictions")


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"kind": "rsi", "by_regime": {"bul": {}}}, f"expected regimes of {', '.join(REGIMES)}, found ['bul']"),
        ({"kind": "rsi", "by_regime": {"bull": {"windw_bars": 3}}}, "by_regime.bull: rsi: windw_bars"),
        ({"kind": "ma_crossover", "params": {"slow_bars": 30}, "by_regime": {"bear": {"fast_bars": 40}}},
         "by_regime.bear: ma_crossover: fast_bars: expected < slow_bars (30), found 40"),
        ({"kind": "rsi", "params": {"window_bars": 0}}, "params: rsi: window_bars"),
        ({"kind": "adaptive"}, "expected the strategy whose parameters are switched"),
        ({"kind": "rsii"}, "did you mean rsi?"),
        ({"min_confidence": 0.1, "release_confidence": 0.2}, "release_confidence: expected at most min_confidence"),
        ({"urgent": ("panic",)}, "found ['panic']"),
    ],
)  # fmt: skip
def test_a_map_that_cannot_work_is_refused_with_its_place(params: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidParamsError) as e:
        registry.build(PACKAGE, "adaptive", params)
    assert told in e.value.message


def test_a_switch_is_told_at_its_bar_only() -> None:
    made = Adaptive(AdaptiveParams(kind="rsi", by_regime={"bull": {"window_bars": 7}}, min_dwell_bars=0))
    told = [
        made.switch
        for k in range(30)
        if made.update(Market(k, 1.0, 1.0, 1.0, 1.0 + k % 3, 1.0, "bull", 0.8, {})) is not None
    ]
    assert [k for k, s in enumerate(told) if s] == [7]
    assert told[7] == ("global", "bull", 0.8, "bull at 0.800 for 8 bars")


def test_a_restored_machine_remembers_all_at_every_bar() -> None:
    rng = np.random.default_rng(8)
    settings = {"min_dwell_bars": 3, "confirm_bars": 2, "handover_bars": 4, "release_confidence": 0.2}
    one = _selector(**settings)
    waited = 0
    for regime in np.repeat(rng.choice(["bull", "bear", "crash", ""], 120), 5):
        fresh = _selector(**settings)
        fresh.load_state(codec.loads(codec.dumps(one.state())))
        assert _memory(fresh) == _memory(one)
        waited += one._waited > 0
        one.choose(str(regime), float(rng.random()), tuple(rng.choice([-1.0, 0.0, 1.0], 3).tolist()))
    assert waited > 5, "or what is counted while waiting is not tried"


def _memory(selector: SetSelector) -> dict[str, Any]:
    return {name: value for name, value in vars(selector).items() if name != "_rule"}
