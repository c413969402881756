"""A panel says what the fleet's agents say, goes on from its state, and refuses what it cannot be made of."""

from __future__ import annotations

from typing import Any

import pytest
import small

from actors.agents.regime import EnsembleAgent, RegimeAgent
from actors.domain import state
from actors.domain.errors import InvalidBarError, InvalidParamsError, UnknownComponentError
from actors.domain.events.market import BarClosed, DataQualityAssessed
from actors.domain.events.regime import RegimeAssessed
from actors.domain.fitting import InlineFits
from actors.domain.processor import AgentContext, Step
from actors.domain.regime.panel import Panel

QUICK: dict[str, Any] = {"min_history_bars": 80, "lag_steps": 4, "refit_every_bars": 60}
PARTS = [("jump", QUICK), ("trend", {}), ("volatility", {"min_history_bars": 60})]
PAIR = "BTC/USDT"


def panel() -> Panel:
    return Panel(PARTS, {"min_dwell_bars": 2}, pair=PAIR, seed=7, fits=InlineFits())


def rows(count: int) -> list[tuple[float, float, float]]:
    frame = small.frames(420)[PAIR].slice_rows(0, count)
    return list(zip(frame.high.tolist(), frame.low.tolist(), frame.close.tolist(), strict=True))


def test_a_panel_says_what_the_agents_say() -> None:
    def context(name: str) -> AgentContext:
        return AgentContext(name, {PAIR: None}, 3600 * 10**9, 7, InlineFits())  # type: ignore[dict-item]

    agents = [RegimeAgent(context(f"regime-{kind}"), kind, params) for kind, params in PARTS]
    pool = EnsembleAgent(context("regime-ensemble"), [a.name for a in agents], {"min_dwell_bars": 2})
    mine = panel()
    assert mine.names == ("jump", "trend", "volatility", "ensemble")
    for i, (high, low, close) in enumerate(rows(200)):
        bar = BarClosed(
            ts_event_ns=i, source="feed", instrument_id=PAIR, open=close, high=high, low=low, close=close,
            volume=1.0, open_ns=i, close_ns=i + 1,
        )  # fmt: skip
        said = [agent.process(Step(i, i, (bar,)))[0] for agent in agents]
        quality = DataQualityAssessed(
            ts_event_ns=i, source="health", instrument_id=PAIR, score=1.0, completeness=1.0, freshness=1.0,
            outlier_free=1.0,
        )  # fmt: skip
        agreed = pool.process(Step(i, i, (bar, quality, *said)))[0]
        for view, event in zip(mine.update(high, low, close, 1.0), [*said, agreed], strict=True):
            assert isinstance(event, RegimeAssessed)
            for name in [f for f in view.__struct_fields__ if f in event.__struct_fields__]:
                assert repr(getattr(event, name)) == repr(getattr(view, name)), (i, name)
    assert mine.bars == 200


def test_a_panel_goes_on_from_its_state() -> None:
    whole, first = panel(), panel()
    bars = rows(200)
    expected = [whole.update(*row) for row in bars]
    for row in bars[:143]:
        first.update(*row)
    second = panel()
    second.load_state(state.loads(state.dumps(first.state())))
    assert [second.update(*row) for row in bars[143:]] == expected[143:]


@pytest.mark.parametrize(
    ("parts", "error"),
    [
        ([], InvalidParamsError),
        ([("trend", {}), ("trend", {})], InvalidParamsError),
        ([("trend", {"window": 3})], InvalidParamsError),
        ([("wavelet", {})], UnknownComponentError),
    ],
)
def test_what_is_no_panel_is_refused(parts: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="expected"):
        Panel(parts, {}, pair=PAIR, seed=1, fits=InlineFits())


def test_a_close_that_is_no_price_is_refused() -> None:
    mine = panel()
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(InvalidBarError, match="expected above 0"):
            mine.update(1.0, 1.0, wrong)
    assert mine.bars == 0


def test_needs_are_those_of_the_detectors() -> None:
    needs = panel().warmup_bars
    assert list(needs) == ["jump", "trend", "volatility"]
    assert needs["jump"] == 80 + 4 + 1
