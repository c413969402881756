"""Vector backtests: native = twin to the bit, on every instruction set, for every length around the tiles."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from actors.domain.kernels import twins

NATIVE: Any = importlib.import_module("_tradecore") if importlib.util.find_spec("_tradecore") else None
pytestmark = pytest.mark.skipif(NATIVE is None, reason="needs the compiled kernels")
LENGTHS = (1, 2, 3, 31, 33, 50, 51, 52, 2047, 2048, 2049, 9_000)


def market(bars: int, seed: int = 3, volatility: float = 0.004) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    close = 30_000.0 * np.exp(np.cumsum(rng.standard_t(4, bars) * volatility))
    open_ = np.concatenate([close[:1], close[:-1]]) * np.exp(rng.standard_normal(bars) * volatility / 4)
    return open_, close


def both(name: str, bars: int, *arguments: Any) -> tuple[Any, np.ndarray]:
    found = []
    for backend in (NATIVE, twins):
        equity = np.full(bars, -7.0)
        totals, words = getattr(backend, name)(*arguments, equity)
        found.append((totals, words, equity))
    (totals, words, equity), (twin_totals, twin_words, twin_equity) = found
    assert totals == twin_totals
    np.testing.assert_array_equal(words, twin_words)
    np.testing.assert_array_equal(equity, twin_equity)
    return totals, words.reshape(-1, 10)


@pytest.mark.parametrize("bars", LENGTHS)
@pytest.mark.parametrize("windows", [(1, 2), (10, 50), (3, 2048), (300, 3_000)])
@pytest.mark.parametrize("short", [False, True])
def test_crossover_agrees_to_the_bit(bars: int, windows: tuple[int, int], short: bool) -> None:
    open_, close = market(bars)
    for band in (0.0, 0.001):
        _, trades = both(
            "ma_cross_backtest", bars, open_, close, *windows, band, 1e4, 0.001, 0.0005, 1.0, short
        )
        if bars == 9_000:
            assert len(trades) > 2


@pytest.mark.parametrize("bars", LENGTHS)
@pytest.mark.parametrize("short", [False, True])
@pytest.mark.parametrize("changes", [0.01, 0.5])
def test_signals_agree_to_the_bit(bars: int, short: bool, changes: float) -> None:
    open_, close = market(bars)
    rng = np.random.default_rng(bars)
    steps = np.where(rng.random(bars) < changes, rng.integers(-1, 2, bars), 9)
    held = np.maximum.accumulate(np.where(steps == 9, 0, np.arange(bars)))
    signal = np.where(steps[held] == 9, 0.0, steps[held] * 0.3)
    both("signal_backtest", bars, open_, close, signal, 1e4, 0.001, 0.0005, 0.7, short)


def test_a_ruined_short_stops_trading_on_both() -> None:
    close = np.concatenate([np.full(3_000, 10.0), np.full(50, 11.0), np.full(3_000, 40.0), [9.0, 9.0]])
    signal = np.full(close.shape[0], -1.0)
    signal[4_000:] = 1.0
    totals, trades = both("signal_backtest", close.shape[0], close, close, signal, 1e4, 0.001, 0.0, 1.0, True)
    assert totals[5] == 3_050
    assert totals[0] < 0.0
    assert len(trades) == 1
    assert totals[1] > 1.0


@pytest.fixture
def paths() -> Iterator[list[str]]:
    before = NATIVE.instruction_set()
    names = ["portable", "sse2", "avx128", "avx2"]
    yield names
    NATIVE.force_instruction_set(before)


def test_every_instruction_set_gives_the_same_bits(paths: list[str]) -> None:
    open_, close = market(6_000)
    for path in paths:
        try:
            NATIVE.force_instruction_set(path)
        except ValueError:
            continue
        both("ma_cross_backtest", 6_000, open_, close, 10, 50, 0.0, 1e4, 0.001, 0.0005, 1.0, True)


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [("open", 0, 0.0), ("open", 2_100, np.inf), ("close", 5, np.nan), ("close", 2_999, -1.0),
     ("close", 4, -0.0), ("signal", 7, np.nan)],
)  # fmt: skip
def test_the_first_bad_row_is_named_alike(column: str, row: int, value: float) -> None:
    open_, close = market(3_000)
    columns = {"open": open_, "close": close, "signal": np.zeros(3_000)}
    columns[column][row] = value
    if row < 2_900:
        columns["close"][2_950] = np.nan
    for backend in (NATIVE, twins):
        with pytest.raises(ValueError, match=f"^row {row}: {column}: "):
            backend.signal_backtest(*columns.values(), 1e4, 0.001, 0.0005, 1.0, False, np.empty(3_000))
        if column != "signal":
            with pytest.raises(ValueError, match=f"^row {row}: {column}: "):
                backend.ma_cross_backtest(
                    columns["open"], columns["close"], 10, 50, 0.0, 1e4, 0.001, 0.0005, 1.0, False,
                    np.empty(3_000),
                )  # fmt: skip
