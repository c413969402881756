"""Vector backtests against a referee in exact fractions, written independently of their order of operations.

vectorbt is a second referee. What differs, and what the tests do about it:

* It fills at the price given on the bar of the order: the signals are shifted by one bar and the opens are passed as
  fill prices, so both decide at a close and fill at the next open.
* Its all-in size of a short leaves the fee out of the equity that is put in, ours puts in notional and fee together:
  shorts are passed as orders of our quantities, so only sizing is taken over; prices, fees, PnL and equity are its own.
* A turn from long to short is two fills of ours and one of its: fees add up to the same.
* A position that is open at the end counts as a trade there and here, valued at the last close.

backtesting.py (AGPL, never shipped) is left to the exact simulator, whose whole units it shares.
"""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.adapters.feeds.files import load_bars
from actors.domain import kernels
from actors.domain.errors import KernelError
from actors.domain.model.bars import BarFrame
from actors.domain.strategies.ma_crossover import MaCrossover, MaCrossoverParams


def referee(
    opens: list[float], closes: list[float], wanted: list[int], money: float, fee: float, slip: float
) -> tuple[list[Fraction], list[Fraction]]:
    """Return equity and results of the round trips, closed ones first to last, the open one at the end."""
    cash, units, at_entry = Fraction(money), Fraction(0), Fraction(0)
    f, s = Fraction(fee), Fraction(slip)
    equity, results = [], []
    position = 0
    for i, (o, c) in enumerate(zip(opens, closes, strict=True)):
        target = wanted[i - 1] if i else 0
        if target != position:
            price = Fraction(o)
            if position:
                cash += units * (price - position * s * price)
                cash -= abs(units) * (price - position * s * price) * f
                results.append(cash - at_entry)
                units = Fraction(0)
            if target:
                at_entry, fill = cash, price + target * s * price
                # notional and its fee together are the whole equity
                units = target * cash / (fill + fill * f)
                cash -= units * fill + abs(units) * fill * f
            position = target
        equity.append(cash + units * Fraction(c))
        if equity[-1] <= 0:
            raise ArithmeticError("ruined: the referee does not go on")
    if position:
        results.append(equity[-1] - at_entry)
    return equity, results


prices = st.floats(min_value=50.0, max_value=80.0, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(prices, prices, st.sampled_from([-1, 0, 0, 1, 1])), min_size=1, max_size=25),
    fee=st.sampled_from([0.0, 0.001, 0.02]),
    slip=st.sampled_from([0.0, 0.0005, 0.01]),
)
def test_equity_and_results_equal_exact_fractions(
    rows: list[tuple[float, float, int]], fee: float, slip: float
) -> None:
    opens, closes, wanted = (list(x) for x in zip(*rows, strict=True))
    try:
        equity, results = referee(opens, closes, wanted, 10_000.0, fee, slip)
    except ArithmeticError:
        return
    run = kernels.signal_backtest(
        np.array(opens), np.array(closes), np.array(wanted, dtype=np.float64),
        fee_frac=fee, slippage_frac=slip, allow_short=True,
    )  # fmt: skip
    np.testing.assert_allclose(run.equity, [float(e) for e in equity], rtol=1e-12)
    np.testing.assert_allclose(run.trades["pnl"], [float(r) for r in results], rtol=1e-9, atol=1e-7)
    peak, worst = Fraction(10_000), Fraction(0)
    for value in equity:
        peak = max(peak, value)
        worst = max(worst, 1 - value / peak)
    assert run.max_drawdown == pytest.approx(float(worst), abs=1e-12)
    bought = run.trades["quantity"] * run.trades["entry_price"]
    paid = bought * fee + np.where(
        run.trades["exit_bar"] >= 0, run.trades["quantity"] * run.trades["exit_price"] * fee, 0.0
    )
    np.testing.assert_allclose(run.fees, paid.sum(), rtol=1e-12)


def walk(bars: int, seed: int = 5) -> BarFrame:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_normal(bars) * 0.01))
    open_ = np.concatenate([close[:1], close[:-1]]) * np.exp(rng.standard_normal(bars) * 0.001)
    high, low = np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999
    times = np.arange(bars, dtype=np.int64) * 60
    return BarFrame("X/Y", 60, times, open_, high, low, close, np.ones(bars))


@pytest.mark.parametrize("band", [0.0, 0.002])
def test_the_crossover_trades_the_strategy_of_that_name(band: float) -> None:
    frame = walk(3_000)
    params = MaCrossoverParams(fast_bars=7, slow_bars=31, band_frac=band)
    direction, _ = MaCrossover(params).batch(frame)
    by_rule = kernels.ma_cross_backtest(frame.open, frame.close, 7, 31, band_frac=band, allow_short=True)
    by_signal = kernels.signal_backtest(frame.open, frame.close, direction, allow_short=True)
    np.testing.assert_array_equal(by_rule.equity, by_signal.equity)
    np.testing.assert_array_equal(by_rule.trades, by_signal.trades)
    assert len(by_rule.trades) > 50


def test_no_fill_on_the_bar_of_its_signal() -> None:
    frame = walk(500)
    run = kernels.ma_cross_backtest(frame.open, frame.close, 5, 20)
    fast, slow = kernels.sma(frame.close, 5), kernels.sma(frame.close, 20)
    for trade in run.trades:
        before = trade["entry_bar"] - 1
        assert fast[before] > slow[before]
        assert not fast[before - 1] > slow[before - 1]
        assert trade["entry_price"] == pytest.approx(frame.open[trade["entry_bar"]] * 1.0005, rel=1e-15)
    # what happens later changes nothing before it
    cut = kernels.ma_cross_backtest(frame.open[:300], frame.close[:300], 5, 20)
    np.testing.assert_array_equal(run.equity[:300], cut.equity)


def peer(opens: Any, closes: Any, wanted: Any) -> Any:
    """Return vectorbt's portfolio of a long-only signal, filled at the next open."""
    import pandas as pd

    vbt: Any = importlib.import_module("vectorbt")
    shifted = np.concatenate([[False], np.asarray(wanted, dtype=bool)[:-1]])
    edge = np.diff(shifted.astype(int), prepend=0)
    return vbt.Portfolio.from_signals(
        pd.Series(closes), pd.Series(edge > 0), pd.Series(edge < 0), price=pd.Series(opens), fees=0.001,
        slippage=0.0005, init_cash=10_000.0,
    )  # fmt: skip


def assert_same_trades(run: Any, portfolio: Any) -> None:
    """Bars, quantities, prices, fees, PnL and returns of every trade, the open one included."""
    theirs, ours = portfolio.trades.records, run.trades
    assert len(theirs) == len(ours)
    np.testing.assert_array_equal(theirs["entry_idx"], ours["entry_bar"])
    closed = ours["exit_bar"] >= 0
    np.testing.assert_array_equal(theirs["status"] == 1, closed)
    np.testing.assert_array_equal(theirs["exit_idx"][closed], ours["exit_bar"][closed])
    for name, own in (("size", "quantity"), ("entry_price", "entry_price"), ("exit_price", "exit_price")):
        np.testing.assert_allclose(theirs[name], ours[own], rtol=1e-9)
    np.testing.assert_allclose(theirs["entry_fees"] + theirs["exit_fees"], ours["fees"], rtol=1e-9)
    np.testing.assert_allclose(theirs["pnl"], ours["pnl"], rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(theirs["return"], ours["return_frac"], rtol=1e-7, atol=1e-10)


needs_vectorbt = pytest.mark.skipif(
    importlib.util.find_spec("vectorbt") is None, reason="vectorbt is not installed"
)


@needs_vectorbt
def test_vectorbt_agrees() -> None:
    frame = walk(5_000)
    run = kernels.ma_cross_backtest(frame.open, frame.close, 10, 50)
    up = kernels.sma(frame.close, 10) > kernels.sma(frame.close, 50)
    portfolio = peer(frame.open, frame.close, up)
    np.testing.assert_allclose(run.equity, portfolio.value().to_numpy(), rtol=1e-9)
    assert -portfolio.max_drawdown() == pytest.approx(run.max_drawdown, rel=1e-9)
    assert_same_trades(run, portfolio)


@needs_vectorbt
@pytest.mark.shared_data
def test_vectorbt_agrees_over_all_bars_of_bitcoin(shared_data: Path) -> None:
    path = shared_data / "ohlcv" / "binance_spot" / "BTCUSDT_1h.parquet"
    frame = load_bars(path, "BTC/USDT", "1h")
    run = kernels.ma_cross_backtest(frame.open, frame.close, 10, 50)
    up = kernels.sma(frame.close, 10) > kernels.sma(frame.close, 50)
    portfolio = peer(frame.open, frame.close, up)
    np.testing.assert_allclose(run.equity, portfolio.value().to_numpy(), rtol=1e-8)
    assert len(run.trades) > 600
    assert_same_trades(run, portfolio)


@needs_vectorbt
def test_vectorbt_agrees_about_shorts_of_our_size() -> None:
    import pandas as pd

    vbt: Any = importlib.import_module("vectorbt")
    frame = walk(3_000)
    run = kernels.ma_cross_backtest(frame.open, frame.close, 10, 50, allow_short=True)
    orders = np.zeros(len(frame))
    for trade in run.trades:
        orders[trade["entry_bar"]] += trade["direction"] * trade["quantity"]
        if trade["exit_bar"] >= 0:
            orders[trade["exit_bar"]] -= trade["direction"] * trade["quantity"]
    # cash without end: what a short may take is sizing, which is ours here
    portfolio = vbt.Portfolio.from_orders(
        pd.Series(frame.close), pd.Series(orders), price=pd.Series(frame.open), fees=0.001, slippage=0.0005,
        init_cash=1e9,
    )  # fmt: skip
    assert (run.trades["direction"] == -1).sum() > 20
    np.testing.assert_allclose(run.equity - 1e4, portfolio.value().to_numpy() - 1e9, atol=1e-4)
    assert portfolio.orders.fees.sum() == pytest.approx(run.fees, rel=1e-9)


def test_bad_arguments_are_refused() -> None:
    x = np.full(5, 10.0)
    with pytest.raises(KernelError) as e:
        kernels.signal_backtest(x, np.array([10.0, 10.0, np.nan, 10.0, 10.0]), np.zeros(5))
    assert (e.value.code, e.value.context["row"]) == ("BACKTEST_ROW_INVALID", 2)
    with pytest.raises(KernelError, match="at least one bar"):
        kernels.signal_backtest(x[:0], x[:0], x[:0])
    with pytest.raises(KernelError, match="exposure_frac"):
        kernels.signal_backtest(x, x, x, exposure_frac=1.5)
    with pytest.raises(KernelError, match="swap them"):
        kernels.ma_cross_backtest(x, x, 5, 5)
    with pytest.raises(KernelError, match="fee_frac"):
        kernels.ma_cross_backtest(x, x, 1, 5, fee_frac=-0.1)
    with pytest.raises(KernelError, match="expected 5 bars"):
        kernels.ma_cross_backtest(x[:4], x, 1, 5)
