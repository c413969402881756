"""Reasons to doubt a run speak of the bars that its ratios cover."""

from __future__ import annotations

import numpy as np

from actors.domain.evaluation.report_model import AccountSeries
from actors.domain.evaluation.run_metrics import run_metrics
from actors.domain.evaluation.run_tables import run_tables

HOUR = 3_600_000_000_000


def account(equity: list[float]) -> AccountSeries:
    n = len(equity)
    return AccountSeries(
        initial_equity=100.0, ts_ns=[HOUR * (i + 1) for i in range(n)], equity=equity, benchmark=[100.0] * n,
        drawdown=[0.0] * n, exposures=[(1.0,)] * n, es_bound_frac=[None] * n, es_confidence=0.975,
        fees_quote=[0.0] * n, slippage_quote=[0.0] * n,
    )  # fmt: skip


def test_bars_after_a_lost_account_are_no_evidence() -> None:
    rng = np.random.default_rng(3)
    alive = (100.0 * np.cumprod(1.0 + rng.normal(0.02, 0.05, 60))).tolist()
    lost = [*alive, -5.0, *[-5.0] * 500]
    metrics = run_metrics(np.array([100.0, *lost]), timeframe_ns=HOUR)
    found = run_tables(account(lost), (), metrics, timeframe_ns=HOUR, seed=1).warnings
    assert found[0].startswith("the account was lost at 1970-01-03")
    (extrapolated,) = [text for text in found if "extrapolated" in text]
    quiet = run_tables(
        account(alive),
        (),
        run_metrics(np.array([100.0, *alive]), timeframe_ns=HOUR),
        timeframe_ns=HOUR,
        seed=1,
    ).warnings
    assert metrics["bars"] == 561
    assert "2.5 days" in extrapolated, extrapolated
    assert any("2.5 days" in text for text in quiet), quiet
