"""Sweeps of plans: shared work equals single runs, pools and slabs change nothing, the best are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest

from actors.domain.errors import ConfigError
from actors.domain.model.bars import BarFrame
from actors.domain.search import sweep as module
from actors.domain.search.objectives import Objective, load
from actors.domain.search.plan import SweepPlan
from actors.domain.search.result import RECORD_METRICS, RUN_METRICS
from actors.domain.search.sweep import enough, sweep
from actors.domain.search.terms import Terms

HOUR_NS = 3_600 * 10**9
PLANS = {
    "ma_crossover": ({"fast_bars": [2, 5, 13], "slow_bars": [5, 30, 90], "band_frac": [0.0, 0.004]}, {}),
    "rsi": ({"window_bars": [3, 14], "oversold": [20.0, 40.0], "overbought": [55.0, 80.0]}, {}),
    "bollinger": ({"window_bars": [5, 20], "width": [0.7, 2.0]}, {"mode": "reversal"}),
    "donchian": ({"entry_bars": [5, 20], "exit_bars": [2, 10, 20]}, {}),
    "time_series_momentum": (
        {"short_bars": [2, 9], "middle_bars": [5, 30], "long_bars": [40]}, {"volatility_bars": 30},
    ),
}  # fmt: skip


def frame(bars: int = 900, seed: int = 4, drift: float = 0.0) -> BarFrame:
    rng = np.random.default_rng(seed)
    close = 50.0 * np.exp(np.cumsum(rng.standard_t(5, bars) * 0.008 + drift))
    open_ = np.concatenate([close[:1], close[:-1]]) * np.exp(rng.standard_normal(bars) * 0.001)
    high, low = np.maximum(open_, close) * 1.002, np.minimum(open_, close) * 0.998
    return BarFrame("X/Y", HOUR_NS, np.arange(bars) * HOUR_NS, open_, high, low, close, np.ones(bars))


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize("short", [False, True])
def test_shared_work_finds_what_single_runs_find(kind: str, short: bool) -> None:
    axes, fixed = PLANS[kind]
    plan = SweepPlan(kind, axes, fixed, Terms(allow_short=short, cash_quote=500.0))
    frames = {"X/Y": frame(), "V/W": frame(700, 9)}
    shared, single = sweep(plan, frames), sweep(plan, frames, objective=load("ulcer"))
    assert list(shared) == list(single) == list(frames)
    for pair in frames:
        assert shared[pair].shared
        assert not single[pair].shared
        assert set(single[pair].columns) == set(RUN_METRICS)
        for name in RECORD_METRICS:
            np.testing.assert_allclose(
                shared[pair].columns[name], single[pair].columns[name], rtol=1e-9, atol=1e-12, err_msg=name
            )
        assert (shared[pair].columns["trade_count"] > 2).mean() > 0.5


def test_slabs_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = SweepPlan("ma_crossover", {"fast_bars": range(2, 30, 3), "slow_bars": range(3, 60, 7)})
    whole = sweep(plan, {"X/Y": frame()})["X/Y"]
    monkeypatch.setattr(module, "SLAB", 3 * 900)
    cut = sweep(plan, {"X/Y": frame()}, threads=3)["X/Y"]
    for name in RECORD_METRICS:
        np.testing.assert_array_equal(whole.columns[name], cut.columns[name])


class Reversed:
    """A pool that does its items from behind."""

    def __init__(self, shared: Any) -> None:
        self.shared, self.closed = shared, False

    def map(self, fn: Callable[..., Any], items: Iterable[Any], /) -> list[Any]:
        backwards = [fn(self.shared, item, np.random.default_rng(1)) for item in reversed(list(items))]
        return backwards[::-1]

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("kind", ["ma_crossover", "mean_reversion"])
def test_a_pool_does_the_work(kind: str) -> None:
    axes = PLANS[kind][0] if kind in PLANS else {"window_bars": [20, 40], "enter_sd": [1.0, 1.5]}
    plan = SweepPlan(kind, axes)
    frames = {"X/Y": frame(), "V/W": frame(700, 9)}
    made: list[Reversed] = []

    def pool(shared: Any) -> Reversed:
        made.append(Reversed(shared))
        return made[-1]

    got, want = sweep(plan, frames, pool=pool), sweep(plan, frames)
    assert made[0].closed
    for pair in frames:
        for name, column in want[pair].columns.items():
            np.testing.assert_array_equal(got[pair].columns[name], column)


def ranking(objective: Objective) -> list[Any]:
    plan = SweepPlan("rsi", {"window_bars": [2, 5, 9, 200], "oversold": [1.0, 20.0, 40.0]})
    bars = frame()
    found = sweep(plan, {"X/Y": bars}, objective=objective)["X/Y"]
    best = found.best(objective, 5, bars)
    every = found.judged(objective)
    known = sorted(every[~np.isnan(every)], reverse=objective.direction == "maximize")
    assert 5 < len(known) < len(plan)  # those that never trade are left out
    assert [b.value for b in best] == known[:5]
    for b in best:
        assert b.params == plan.params(b.number)
        assert b.value == every[b.number]
        assert b.run is not None
        assert b.run.final_equity / 10_000.0 - 1.0 == pytest.approx(b.metrics["total_return_frac"], rel=1e-12)
        assert len(b.run.equity) == 900
    return best


@pytest.mark.parametrize("kind", ["sharpe", "total_return", "ulcer", "profit_factor"])
def test_the_best_come_with_their_runs(kind: str) -> None:
    ranking(load(kind))


def test_equals_are_ranked_by_number() -> None:
    plan = SweepPlan("rsi", {"window_bars": [5], "oversold": [30.0], "overbought": [60.0, 70.0, 80.0]})
    found = sweep(plan, {"X/Y": frame()})["X/Y"]
    # a long ends at 50, so the upper level changes nothing
    assert [b.number for b in found.best(load("sharpe"), 3)] == [0, 1, 2]
    assert found.best(load("sharpe"), 1)[0].run is None


def test_which_objectives_records_are_enough_for() -> None:
    assert enough(None)
    assert enough(load("calmar"))
    assert not enough(load("ulcer"))
    assert not enough(load("math:sqrt"))


def test_undefined_is_none_in_metrics() -> None:
    plan = SweepPlan("rsi", {"window_bars": [500], "oversold": [1.0]})
    for objective in (None, load("ulcer")):
        m = sweep(plan, {"X/Y": frame()}, objective=objective)["X/Y"].metrics(0)
        assert (m["trade_count"], m["total_return_frac"]) == (0, 0.0)
        assert [m[n] for n in ("sharpe_ann", "sortino_ann", "calmar", "win_rate_frac", "profit_factor")] == [
            None
        ] * 5
        assert m["expectancy_quote"] is None
        assert type(m["trade_count"]) is int


def test_a_ruined_account_has_a_return_and_no_ratios() -> None:
    close = np.concatenate([np.linspace(100.0, 60.0, 100), np.full(30, 600.0), np.full(60, 90.0)])
    bars = BarFrame("X/Y", HOUR_NS, np.arange(190) * HOUR_NS, close, close, close, close, np.ones(190))
    plan = SweepPlan(
        "ma_crossover", {"fast_bars": [3], "slow_bars": [10, 20]}, {"band_frac": 0.0}, Terms(allow_short=True)
    )
    shared = sweep(plan, {"X/Y": bars})["X/Y"]
    single = sweep(plan, {"X/Y": bars}, objective=load("ulcer"))["X/Y"]
    for found in (shared, single):
        m = found.metrics(0)
        assert m["total_return_frac"] is not None
        assert m["total_return_frac"] < -1.0
        assert (m["sharpe_ann"], m["calmar"], m["cagr_frac"]) == (None, None, None)
    np.testing.assert_allclose(
        [shared.columns[n] for n in RECORD_METRICS], [single.columns[n] for n in RECORD_METRICS], rtol=1e-9
    )


def test_no_bars_are_told() -> None:
    plan = SweepPlan("rsi", {"window_bars": [5]})
    for frames in ({}, {"X/Y": frame(0)}):
        with pytest.raises(ConfigError, match="bars of at least one pair"):
            sweep(plan, frames)
