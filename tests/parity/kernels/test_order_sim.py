"""The exact simulator over columns with finer bars: native = twin to the unit; what does not fit is refused alike."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from order_table import backends

from actors.domain.errors import KernelError
from actors.domain.kernels import sim as native
from actors.domain.kernels.sim import BUY, SELL, OrderSim, SimRules
from actors.domain.model.bars import BarFrame
from actors.domain.model.detail import BarDetail, detail_of
from actors.domain.model.instrument import Instrument


def finer_frames(bars: int, seed: int) -> tuple[BarFrame, BarDetail]:
    """Bars of four parts each on a walk of ticks; every ninth bar lacks one of its parts."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-60, 61, size=(bars, 4, 2))
    close = 100.0 + np.cumsum(steps[:, :, 0].reshape(-1)) / 100.0
    close = np.maximum(close, 20.0)
    opened = np.r_[close[:1], close[:-1]]
    reach = np.abs(steps[:, :, 1].reshape(-1)) / 100.0
    times = np.arange(4 * bars, dtype=np.int64)
    volume = rng.choice([0.0, 5.0, 400.0], size=4 * bars)
    columns = {"open_ns": times, "open": opened, "high": np.maximum(opened, close) + reach,
               "low": np.minimum(opened, close) - reach, "close": close, "volume": volume}  # fmt: skip
    finer = BarFrame.from_columns("X/Y", 1, columns)
    coarse = BarFrame(
        "X/Y", 4, times[::4], opened[::4], columns["high"].reshape(-1, 4).max(1),
        columns["low"].reshape(-1, 4).min(1), close[3::4], volume.reshape(-1, 4).sum(1),
    )  # fmt: skip
    kept = times % 36 != 35
    part = BarFrame.from_columns("X/Y", 1, {name: c[kept] for name, c in columns.items()})
    assert len(finer) > len(part)
    return coarse, detail_of(coarse, part)


def simulator(backend: Any) -> OrderSim:
    before, native.impl = native.impl, lambda: backend
    try:
        return OrderSim(Instrument(pair="X/Y", lot=Decimal("0.001")), Decimal(10_000), rules=SimRules())
    finally:
        native.impl = before


@pytest.mark.skipif(len(backends()) < 2, reason="the native module is not installed")
@pytest.mark.parametrize("seed", [1, 2])
def test_bars_settled_by_finer_ones_agree_to_the_unit(seed: int) -> None:
    coarse, detail = finer_frames(600, seed)
    assert 0 < (detail.count == 0).sum() < len(coarse) / 4
    signal = np.sign(np.sin(np.arange(len(coarse)) / 9.0))
    found = []
    for backend in backends():
        sim = simulator(backend)
        equity = sim.simulate(
            coarse, signal, stop_frac=0.004, target_frac=0.006, trailing_frac=0.01, detail=detail
        )
        driven = simulator(backend)

        def on_bar(i: int, close: float, driven: OrderSim = driven) -> None:
            if i % 20 == 0:
                driven.submit("market", BUY, Decimal("1"))
                driven.submit("trailing_stop", SELL, Decimal("1"), trailing_offset=0.5)

        told = (equity.tolist(), sim.reports().tolist(), driven.run(coarse, on_bar, detail).tolist(),
                driven.reports().tolist())  # fmt: skip
        found.append((repr(told), sim.balances, driven.balances))
    assert found[0] == found[1]
    whole = simulator(backends()[-1])
    whole.simulate(coarse, signal, stop_frac=0.004, target_frac=0.006, trailing_frac=0.01)
    assert repr(whole.reports().tolist()) not in found[1][0]


@pytest.mark.parametrize("backend", backends(), ids=lambda b: b.__name__)
def test_finer_bars_that_do_not_rebuild_theirs_are_refused(backend: Any) -> None:
    sim = simulator(backend)
    with pytest.raises(KernelError, match="rebuild"):
        sim.advance(100.0, 102.0, 99.0, 101.0, 5.0, finer=[(100.0, 101.0, 99.0, 101.0, 5.0)])
    coarse, detail = finer_frames(20, 1)
    for wrong in (
        replace(detail, first=detail.first + 1000),
        replace(detail, count=detail.count[:-1]),
        replace(detail, count=-np.maximum(detail.count, 1)),
    ):
        with pytest.raises(KernelError):
            simulator(backend).simulate(coarse, np.zeros(20), detail=wrong)
