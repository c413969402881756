"""Benches of the engine and of the statistics, small: every row is measured, and the C referee does the same work."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from actors.domain import kernels
from actors.domain.errors import KernelError
from cluster.bench import engine, statistics
from cluster.bench.figures import Figure
from cluster.bench.floor import FLAGS, compiled
from cluster.cli.common import plain

NEEDS_CC = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler on this machine")


def _complete(figures: list[Figure], *, referee: bool) -> None:
    names = [f.name for f in figures]
    assert len(set(names)) == len(names)
    for f in figures:
        if f.value is None:
            assert not referee or "memory" in f.name
            assert "against C" in f.name or "memory" in f.name
            assert f.note
        else:
            assert math.isfinite(f.value)
            assert f.value > 0.0
    json.dumps(plain([f.row() for f in figures]), allow_nan=False)


@NEEDS_CC
def test_engine_rows_are_all_measured() -> None:
    found = engine.run(20_000, 1)
    assert found["trades"] > 100
    _complete(engine.figures(found), referee=True)


@NEEDS_CC
def test_statistics_rows_are_all_measured() -> None:
    _complete(statistics.figures(statistics.run(5_000, 40, 1)), referee=True)


def test_without_a_compiler_rows_against_c_are_empty_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = engine.run(2_000, 1)
    assert found["kernel_x_c"] is None
    assert "no C compiler" in found["c_referee"]
    _complete(engine.figures(found), referee=False)
    _complete(statistics.figures(statistics.run(3_000, 40, 1)), referee=False)


@NEEDS_CC
def test_every_referee_makes_the_same_trades_and_equity(tmp_path: Path) -> None:
    frame = engine.frame_of(50_000)
    ours = kernels.ma_cross_backtest(frame.open, frame.close, engine.FAST, engine.SLOW)
    floors, note = compiled(engine.SOURCE, tmp_path)
    assert 1 <= len(floors) <= len(FLAGS), note
    for floor in floors:
        referee = engine.Referee(floor.library, frame)
        assert referee.run() == len(ours.trades) > 300
        for field in ("entry_bar", "exit_bar", "direction"):
            assert np.array_equal(referee.trades[field], ours.trades[field])
        for field in ("quantity", "entry_price", "exit_price", "fees", "slippage"):
            np.testing.assert_allclose(referee.trades[field], ours.trades[field], rtol=1e-9)
        for field in ("pnl", "return_frac"):
            np.testing.assert_allclose(referee.trades[field], ours.trades[field], rtol=1e-9, atol=1e-6)
        np.testing.assert_allclose(referee.equity, ours.equity, rtol=1e-10)
        totals = (ours.final_equity, ours.max_drawdown, ours.fees, ours.slippage)
        np.testing.assert_allclose(referee.totals, totals, rtol=1e-9)


@NEEDS_CC
def test_the_referee_checks_prices_as_we_do(tmp_path: Path) -> None:
    frame = engine.frame_of(2_000)
    floors, _ = compiled(engine.SOURCE, tmp_path)
    opens = frame.open.copy()
    opens[1_700] = 0.0
    object.__setattr__(frame, "open", opens)
    assert [engine.Referee(f.library, frame).run() for f in floors[:2]] == [-1] * len(floors[:2])
    with pytest.raises(KernelError, match="row 1700: open"):
        kernels.ma_cross_backtest(frame.open, frame.close, engine.FAST, engine.SLOW)


@NEEDS_CC
def test_the_referee_of_statistics_finds_the_same_figures(tmp_path: Path) -> None:
    returns = np.random.default_rng(3).standard_t(4, 20_000) * 0.001
    s = kernels.return_statistics(returns)
    n, m2 = s.bars, s.m2 / s.bars
    m3, m4 = s.m3 / n, s.m4 / n
    powers = (s.mean, m2 + s.mean**2, m3 + 3 * s.mean * m2 + s.mean**3)
    fourth = m4 + 4 * s.mean * m3 + 6 * s.mean**2 * m2 + s.mean**4
    growth = math.ldexp(s.growth, s.growth_exponent)
    ours = (*powers, fourth, s.downside_sum / n, s.gain_sum, -s.loss_sum, growth, s.max_drawdown, s.wins)
    for floor in compiled(statistics.SOURCE, tmp_path)[0]:
        out = np.zeros(22)
        statistics.statistics_job(floor.library, returns, out)()
        np.testing.assert_allclose(out[:10], ours, rtol=1e-8)


@NEEDS_CC
def test_the_referee_of_the_bootstrap_draws_from_the_same_law(tmp_path: Path) -> None:
    returns = np.random.default_rng(3).standard_t(4, statistics.STEPS) * 0.001
    paths = kernels.bootstrap_paths(returns, paths=4_000, steps=statistics.STEPS, seed=7)
    for floor in compiled(statistics.SOURCE, tmp_path)[0][:1]:
        deepest, growth = np.zeros(4_000), np.zeros(4_000)
        statistics.bootstrap_job(floor.library, 1.0 + returns, deepest, growth)()
        for ours, theirs in ((paths.max_drawdown, deepest), (paths.growth, growth)):
            error = np.hypot(ours.std(), theirs.std()) / np.sqrt(4_000)
            assert abs(ours.mean() - theirs.mean()) < 4.0 * error
            assert ours.std() == pytest.approx(theirs.std(), rel=0.08)


@NEEDS_CC
def test_loading_the_referees_leaves_subnormal_numbers_alone(tmp_path: Path) -> None:
    for source in (engine.SOURCE, statistics.SOURCE):
        assert len(compiled(source, tmp_path)[0]) == len(FLAGS)
    # NumPy divides at run time, so the value can't be folded before the libraries were loaded
    assert float(np.array([2.0**-1074])[0] / np.array([1.0])[0]) > 0.0
    assert float(np.array([2.0**-1022])[0] / np.array([2.0])[0]) > 0.0
