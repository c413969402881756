"""Leveraged accounts decide alike in columns, in one process and as a fleet: shorts, interest, funding."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import small

from cluster.runs.backtest import run_fast
from cluster.runs.backtest_fast import obstacle
from cluster.runs.execute import Finished, open_run, run_local, run_ray
from cluster.runs.plan import RunPlan

pytestmark = [pytest.mark.ray, pytest.mark.timeout(300)]

LEAN = [
    "regime.detectors=[]", "learning.predictors=[]", "features.indicators=[]",
    "strategies=[{kind: macd}, {kind: ma_crossover, params: {fast_bars: 5, slow_bars: 20}}]",
    # as far as the account goes, and what it cannot carry is asked for too
    "risk.sizing={kind: fixed_fraction, params: {fraction: 1.0}}", "risk.rules=[{kind: min_notional}]",
    "risk.breakers={drawdown: null, daily_loss: null}", "coordination.max_target_frac=30",
]  # fmt: skip
MODES = {
    "margin": ["account.mode=margin", "account.leverage=2", "venue.margin.max_leverage=3"],
    "perpetual": [
        "account.mode=perpetual", "account.leverage=20", "venue.perpetual.maintenance_frac=0.04",
        "venue.perpetual.max_leverage=20",
    ],
}  # fmt: skip


def figures(finished: Finished) -> dict[str, Any]:
    record = finished.recorder.record
    return {
        "hash": finished.recorder.log.digest(), "metrics": record.metrics(), "trades": record.trade_rows(),
        "positions": record.positions, "costs": record.cost_book.report(), "counts": record.counts,
    }  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_columns_one_process_and_a_fleet_keep_the_same_books(
    mode: str, ray_for_tests: None, tmp_path: Path
) -> None:
    market, sets = small.frames(420), [*LEAN, *MODES[mode]]

    def plan(name: str, **more: Any) -> RunPlan:
        return small.plan(tmp_path / name, market=market, sets=sets, **more)

    fast = plan("fast")
    assert obstacle(fast) is None
    args = argparse.Namespace(no_progress=True, json="-", verbose=False, log_format="text")
    columns = run_fast(args, fast, None)
    assert columns.path == "fast"
    expected = figures(columns.finished)
    assert expected["counts"]["fills"] > 20
    assert {t["side"] for t in expected["trades"]} == {"long", "short"}
    assert figures(run_local(plan("local"))) == expected
    fleet = plan("ray", journal=True, run_id="margin")
    open_run(fleet, {})
    assert figures(run_ray(fleet)) == expected
    # the account's own limit is asked before the venue has to say no
    assert expected["counts"]["rejected"] == 0
    held = expected["metrics"]["borrow_quote" if mode == "margin" else "funding_quote"]
    assert held != "0"
