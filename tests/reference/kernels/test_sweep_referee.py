"""Sweeps against single backtests of the shipped strategies' own signals, combination by combination."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.domain import kernels, registry
from actors.domain.backtest.vector import backtest_signal
from actors.domain.errors import InvalidParamsError
from actors.domain.model.bars import BarFrame

YEAR_BARS = 365 * 24
HOUR_NS = 3_600 * 10**9


def frame_of(close: np.ndarray, open_: np.ndarray, spread: float = 0.004) -> BarFrame:
    high, low = np.maximum(open_, close) * (1.0 + spread), np.minimum(open_, close) * (1.0 - spread)
    bars = close.shape[0]
    return BarFrame("X/Y", HOUR_NS, np.arange(bars) * HOUR_NS, open_, high, low, close, np.ones(bars))


def walk(bars: int, seed: int = 5) -> BarFrame:
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.standard_t(4, bars) * 0.006))
    open_ = np.concatenate([close[:1], close[:-1]]) * np.exp(rng.standard_normal(bars) * 0.001)
    return frame_of(close, open_)


def combinations(kind: str, **axes: list[Any]) -> Iterator[Any]:
    """Build the strategies of a grid in the order of its axes, without those that refuse their parameters."""
    for values in itertools.product(*axes.values()):
        try:
            yield registry.build("actors.domain.strategies", kind, dict(zip(axes, values, strict=True)))
        except InvalidParamsError:
            continue


def check(
    frame: BarFrame, records: np.ndarray, built: Iterator[Any], money: float = 1e4, **terms: Any
) -> None:
    strategies = list(built)
    assert len(strategies) == len(records)
    bars, root = len(frame.close), np.sqrt(YEAR_BARS)
    for strategy, r in zip(strategies, records, strict=True):
        direction, _ = strategy.batch(frame)
        run, f = backtest_signal(frame, direction, cash_quote=money, **terms)
        say = f"{strategy.params}"
        assert r["final_equity"] == run.final_equity, say
        assert r["fees"] == run.fees, say
        assert r["max_drawdown"] == run.max_drawdown, say
        assert (r["trades"], r["wins"]) == (f.trades.closed, f.trades.wins), say
        assert r["exposed_bars"] == run.exposed_bars == round(f.exposure * bars), say
        assert r["final_equity"] / money - 1.0 == pytest.approx(f.total_return, rel=1e-9, abs=1e-12), say
        for name, want in (("sharpe", f.sharpe), ("sortino", f.sortino)):
            if want is None:
                assert np.isnan(r[name]), say
            else:
                assert r[name] * root == pytest.approx(want, rel=1e-9, abs=1e-11), f"{name}, {say}"
        if f.trades.profit_factor is not None:
            assert r["gain"] / r["loss"] == pytest.approx(f.trades.profit_factor, rel=1e-9), say


@pytest.mark.parametrize("short", [False, True])
def test_every_family_earns_what_its_strategy_earns(short: bool) -> None:
    frame = walk(4_000)
    o, h, low, c = frame.open, frame.high, frame.low, frame.close
    fast, slow, bands = [1, 3, 8, 21, 55], [2, 8, 30, 90, 233], [0.0, 0.002, 0.01]
    records = kernels.sweep_ma_cross(o, c, fast, slow, bands_frac=bands, allow_short=short)
    built = combinations("ma_crossover", fast_bars=fast, slow_bars=slow, band_frac=bands)
    check(frame, records, built, allow_short=short)

    windows, oversold, overbought = [2, 7, 14, 30], [20.0, 35.0, 45.0], [55.0, 70.0]
    records = kernels.sweep_rsi(o, c, windows, oversold, overbought, allow_short=short)
    built = combinations("rsi", window_bars=windows, oversold=oversold, overbought=overbought)
    check(frame, records, built, allow_short=short)

    windows, widths = [3, 10, 20, 100], [0.5, 1.0, 2.0, 2.5]
    for mode in ("breakout", "reversal"):
        records = kernels.sweep_bollinger(
            o, c, windows, widths, reversal=mode == "reversal", allow_short=short
        )
        check(
            frame, records, combinations("bollinger", window_bars=windows, width=widths, mode=[mode]),
            allow_short=short,
        )  # fmt: skip

    entry, leave = [2, 10, 30, 300], [1, 2, 10, 20]
    records = kernels.sweep_donchian(o, h, low, c, entry, leave, allow_short=short)
    check(frame, records, combinations("donchian", entry_bars=entry, exit_bars=leave), allow_short=short)

    spans = {
        "short_bars": [2, 12],
        "middle_bars": [6, 48],
        "long_bars": [24, 300],
        "volatility_bars": [20, 400],
    }
    records = kernels.sweep_momentum(o, c, *spans.values(), allow_short=short)
    check(frame, records, combinations("time_series_momentum", **spans), allow_short=short)


def test_a_part_of_the_money_and_other_costs() -> None:
    frame = walk(2_500, seed=9)
    terms = {"fee_frac": 0.0004, "slippage_frac": 0.002, "exposure_frac": 0.35}
    fast, slow = [2, 5, 13], [5, 34, 89]
    records = kernels.sweep_ma_cross(frame.open, frame.close, fast, slow, cash_quote=250.0, **terms)
    built = combinations("ma_crossover", fast_bars=fast, slow_bars=slow, band_frac=[0.0])
    check(frame, records, built, money=250.0, **terms)


def test_a_long_run_keeps_its_digits() -> None:
    """Sums of returns over many tiles: 200,000 bars, a thousand and more trades."""
    frame = walk(200_000, seed=2)
    fast, slow = [2, 10, 50], [20, 100]
    records = kernels.sweep_ma_cross(frame.open, frame.close, fast, slow)
    assert records["trades"].min() > 500
    check(frame, records, combinations("ma_crossover", fast_bars=fast, slow_bars=slow, band_frac=[0.0]))


@pytest.mark.parametrize("short", [False, True])
def test_a_band_that_a_gap_meets_exactly_is_decided_by_the_rule_itself(short: bool) -> None:
    """Bands equal to gaps of the series, and one rounding to either side: multiplying out would decide otherwise."""
    frame = walk(1_500, seed=3)
    fast, slow = kernels.sma(frame.close, 3), kernels.sma(frame.close, 20)
    gaps = np.unique(np.abs((fast - slow) / slow)[50:])[200::97]
    bands = np.unique([gaps, np.nextafter(gaps, 0.0), np.nextafter(gaps, 1.0)])
    records = kernels.sweep_ma_cross(
        frame.open, frame.close, [3], [20], bands_frac=bands.tolist(), allow_short=short
    )
    assert len(records) > 30
    for band, record in zip(bands, records, strict=True):
        run = kernels.ma_cross_backtest(
            frame.open, frame.close, 3, 20, band_frac=float(band), allow_short=short
        )
        assert record["final_equity"] == run.final_equity, band
        assert record["exposed_bars"] == run.exposed_bars, band
    assert len(np.unique(records["final_equity"])) > 20


cents = st.integers(min_value=9_000, max_value=11_000)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(cents, cents), min_size=2, max_size=700),
    free=st.booleans(),
    short=st.booleans(),
    data=st.data(),
)
def test_any_prices_and_any_grid(rows: list[tuple[int, int]], free: bool, short: bool, data: Any) -> None:
    """Prices in whole cents tie often: averages, bands, results of trades and peaks."""
    open_, close = (np.array(x, dtype=np.float64) / 100.0 for x in zip(*rows, strict=True))
    frame = frame_of(close, open_)
    axis = st.lists(st.integers(min_value=2, max_value=40), min_size=1, max_size=4, unique=True).map(sorted)
    terms = {"fee_frac": 0.0, "slippage_frac": 0.0} if free else {}
    terms["allow_short"] = short
    fast, slow = data.draw(axis), data.draw(axis)
    if fast[0] < slow[-1]:
        records = kernels.sweep_ma_cross(frame.open, close, fast, slow, **terms)
        check(
            frame,
            records,
            combinations("ma_crossover", fast_bars=fast, slow_bars=slow, band_frac=[0.0]),
            **terms,
        )
    windows, levels = data.draw(axis), [15.0, 40.0]
    records = kernels.sweep_rsi(frame.open, close, windows, levels, [52.0, 80.0], **terms)
    built = combinations("rsi", window_bars=windows, oversold=levels, overbought=[52.0, 80.0])
    check(frame, records, built, **terms)
    entry, leave = data.draw(axis), data.draw(axis)
    if leave[0] <= entry[-1]:
        records = kernels.sweep_donchian(frame.open, frame.high, frame.low, close, entry, leave, **terms)
        check(frame, records, combinations("donchian", entry_bars=entry, exit_bars=leave), **terms)
