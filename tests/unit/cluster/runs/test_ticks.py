"""A tick that is not the bars' own: refused where it would invent the fills, noted where it shifts them."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.model.instrument import Instrument
from cluster.runs.ticks import coarse_ticks

HOUR_NS = 3_600 * 10**9


def frame(price: float, step: float) -> BarFrame:
    close = price + step * np.arange(100)
    return BarFrame(
        "X/USDT", HOUR_NS, np.arange(100) * HOUR_NS, close, close + step, close - step, close, np.ones(100)
    )


def rules(tick: str) -> dict[str, Instrument]:
    return {"X/USDT": Instrument(pair="X/USDT", tick=Decimal(tick))}


def test_a_tick_above_the_price_is_refused_with_the_way_out() -> None:
    with pytest.raises(ConfigError, match=r"tick 0\.01, lowest price 1\.29e-06") as caught:
        coarse_ticks({"X/USDT": frame(1.3e-6, 1e-8)}, rules("0.01"))
    assert caught.value.code == "TICK_COARSE"
    assert "instruments.overrides" in str(caught.value)


def test_a_tick_of_half_a_percent_is_noted_and_a_fine_one_is_not() -> None:
    frames = {"X/USDT": frame(2.0, 0.0003)}
    assert [n.split(":")[0] for n in coarse_ticks(frames, rules("0.01"))] == ["TICK"]
    assert coarse_ticks(frames, rules("0.001")) == []


def test_a_coin_whose_prices_are_whole_coarse_ticks_is_taken_as_it_is() -> None:
    assert coarse_ticks({"X/USDT": frame(50e-8, 1e-8)}, rules("0.00000001")) == []
