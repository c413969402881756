"""Protective exits as configured: contradictions between parts are told at once, own exits of a strategy count."""

from __future__ import annotations

from typing import Any

import pytest

from actors.agents.fleet import default_fleet, exits_of
from actors.domain.errors import InvalidParamsError
from cluster.runs.plan import validate_components
from config.load import resolve

LEAN = ["regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]"]
ALONE = "strategies=[{kind: rsi}]"


def plain(*sets: str) -> dict[str, Any]:
    dumped: dict[str, Any] = resolve("backtest", sets=[*LEAN, *sets]).model.model_dump(mode="json")
    return dumped


def problems(*sets: str) -> str:
    with pytest.raises(InvalidParamsError) as e:
        validate_components(resolve("backtest", sets=sets).model)
    return e.value.message


def test_all_problems_are_told_at_once_with_their_paths() -> None:
    said = problems(
        ALONE, "exits.stop.frac=1.5", "exits.trailing.frac=1", "exits.target.frac=-0.1", "venue.fill_at=intrabar",
        "risk.sizing.kind=kelly", "risk.sizing.params.fraction=2",
    )  # fmt: skip
    for part in (
        "stop.frac: Input should be less than 1, found 1.5",
        "trailing.frac: Input should be less than 1, found 1",
        "target.frac: Input should be greater than 0, found -0.1",
        "venue.fill_at: expected next_open",
        "risk.sizing: kelly: fraction",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ([ALONE, "risk.sizing.kind=risk_per_trade"], "risk.sizing: expected exits.stop or exits.trailing"),
        ([ALONE, "risk.sizing.kind=risk_per_trade", "exits.time.bars=3"], "risk.sizing: expected exits.stop"),
        (["strategies.rsi.exits.stop.frac=0.1"], "strategies.1.exits: expected none: 4 strategies share"),
        (
            [ALONE, "exits.target.frac=1.2", "account.mode=perpetual"],
            "exits.target.frac: expected less than 1",
        ),
        ([ALONE, "exits.target.r=2"], "exits: target.r: expected a stop or trailing"),
        (["strategies=[{kind: 'a.py:B'}]", "exits.stop.frac=0.1"], "a.py:B manages its own exits"),
    ],
)
def test_contradictions_between_parts_are_refused(sets: list[str], said: str) -> None:
    assert said in problems(*sets)


def test_exits_of_the_only_strategy_come_over_those_of_the_run() -> None:
    own = plain(
        "strategies=[{kind: rsi, exits: {stop: {frac: 0.05}}}]", "exits.stop.atr=2", "exits.time.bars=9"
    )
    assert exits_of(own) == {"stop": {"frac": 0.05}, "time": {"bars": 9}}


def test_a_fleet_has_what_its_exits_need_and_nothing_without_them() -> None:
    def agents(*sets: str) -> dict[str, Any]:
        return {s.name: s for s in default_fleet(plain(*sets), ())}

    bare, stop, ranged = (
        agents(),
        agents("exits.stop.frac=0.1"),
        agents("exits.stop.atr=2", "exits.atr_window_bars=9"),
    )
    assert set(stop) - set(bare) == {"execution-exits"}
    assert set(ranged) - set(bare) == {"execution-exits", "risk-atr"}
    assert ranged["risk-atr"].params["params"] == {"window_bars": 9}
    # it hears fills and the state of the connection, with exits or without
    assert all("venue" in {i.source for i in fleet["coordinator-risk"].inputs} for fleet in (bare, stop))
    assert "execution-exits" in {i.source for i in stop["journal"].inputs}
    assert "exits" not in bare["coordinator-risk"].params
    assert "protected" not in bare["coordinator-execution"].params


def test_a_run_without_exits_keeps_the_hash_of_its_configuration() -> None:
    base = resolve("backtest", sets=[ALONE]).content_hash
    assert resolve("backtest", sets=[ALONE, "exits={}"]).content_hash == base
    assert resolve("backtest", sets=[ALONE, "exits.stop.frac=0.1"]).content_hash != base
    assert (
        resolve("backtest", sets=["strategies=[{kind: rsi, exits: {time: {bars: 3}}}]"]).content_hash != base
    )
