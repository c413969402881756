"""Columns of what strategies see, and back to rows."""

from __future__ import annotations

import numpy as np
import pytest

from actors.domain.errors import DataError
from actors.domain.model.bars import BarFrame
from actors.domain.strategies.base import Market, MarketColumns
from actors.domain.strategies.rows import market_rows, shifted, streamed
from actors.domain.strategies.rsi import Rsi, RsiParams

MARKETS = [
    Market(0, 1.0, 3.0, 0.5, 2.0, 9.0, "bull", 0.7, {"a": 0.6}),
    Market(1, 2.0, 4.0, 1.5, 3.0, 8.0, "", 0.0, {"a": 0.4, "b": 0.5}),
    Market(2, 3.0, 5.0, 2.5, 4.0, 7.0, "crash", 0.9, {"b": 0.1}),
]


def test_there_and_back() -> None:
    columns = MarketColumns.from_markets(MARKETS)
    assert columns.regime.tolist() == [0, -1, 3]
    back = list(market_rows(columns))
    for m, b in zip(MARKETS, back, strict=True):
        assert (b.step, b.open, b.high, b.low, b.close, b.volume, b.regime, b.regime_confidence) == (
            m.step, m.open, m.high, m.low, m.close, m.volume, m.regime, m.regime_confidence
        )  # fmt: skip
        assert {k: p for k, p in b.predictions.items() if p == p} == m.predictions
    assert [m.predictions for m in market_rows(columns, predictions=False)] == [{}] * 3
    assert [m.step for m in market_rows(columns, np.array([2, 0]))] == [2, 0]


def test_plain_bars_have_no_regime() -> None:
    x = np.array([1.0, 2.0])
    frame = BarFrame("X/Y", 60, np.array([0, 60]), x, x, x, x, x)
    assert [(m.regime, m.regime_confidence) for m in market_rows(frame)] == [("", 0.0)] * 2
    columns = MarketColumns.from_markets(MARKETS)
    assert MarketColumns.of(columns) is columns


def test_columns_of_different_length_are_refused() -> None:
    x = np.array([1.0, 2.0])
    with pytest.raises(DataError, match="expected 2 rows each"):
        MarketColumns(x, x, x, x, x[:1])
    with pytest.raises(DataError, match="model"):
        MarketColumns(x, x, x, x, x, predictions={"model": x[:1]})


def test_no_bars() -> None:
    none = MarketColumns(*[np.zeros(0)] * 5)
    assert list(market_rows(none)) == []
    assert [len(x) for x in streamed(Rsi(RsiParams()), none)] == [0, 0]
    assert [len(x) for x in Rsi(RsiParams()).batch(none)] == [0, 0]


@pytest.mark.parametrize("bars", [0, 1, 3, 4])
def test_shifting(bars: int) -> None:
    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_array_equal(
        shifted(x, bars), np.concatenate((np.full(min(bars, 3), np.nan), x[: max(0, 3 - bars)]))
    )
