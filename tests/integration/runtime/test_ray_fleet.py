"""A real fleet on Ray: the same decisions as in one process, also while its processes are killed."""

from __future__ import annotations

from pathlib import Path

import pytest
import small

from actors.domain.evaluation.regime_trace import RegimeView
from cluster.runs.chaos import Chaos, audit, draw_kills
from cluster.runs.execute import Finished, open_run, run_local, run_ray

pytestmark = [pytest.mark.ray, pytest.mark.timeout(900)]


EXITS = [
    "exits.stop.atr=1", "exits.target.r=1.5", "exits.trailing.frac=0.1", "exits.time.bars=12",
    "risk.sizing={kind: kelly, params: {min_trades: 3, min_frac: 0.1}}", "regime.timeframes=[4h]",
]  # fmt: skip


def _regimes(run: Finished) -> list[RegimeView]:
    """Return what a report would show of the regimes: all that the detectors said goes into it."""
    record = run.recorder.record
    views = record.regimes.views(record.curves[0], timeframe_ns=record.timeframe_ns, seed=7)
    assert len(views) == len(record.pairs)
    return views


@pytest.mark.parametrize(
    "sets", [[], EXITS], ids=["default", "exits settled by finer bars, regimes on a longer frame"]
)
def test_same_decisions_on_both_hosts_while_agents_are_killed(
    sets: list[str], ray_for_tests: None, tmp_path: Path
) -> None:
    market, detail = small.frames(420), bool(sets)
    reference = run_local(small.plan(tmp_path / "local", market=market, sets=sets, detail=detail))
    plan = small.plan(tmp_path / "ray", market=market, journal=True, run_id="chaos", sets=sets, detail=detail)
    open_run(plan, {})
    kills = draw_kills(plan.graph.names, 8, plan.feed.warmup_steps, len(plan.feed), 1)
    chaos = Chaos(list(kills))
    finished = run_ray(plan, on_submit=chaos.on_submit, on_recovered=chaos.on_recovered, restart_budget=50)
    assert finished.recorder.log.digest() == reference.recorder.log.digest()
    assert finished.recorder.record.counts["orders"] > 0
    assert _regimes(finished) == _regimes(reference)
    assert all(k.pid_after and k.pid_after != k.pid_before for k in chaos.done)
    assert len(chaos.done) == 8
    found = audit(finished, reference)
    assert found == {"lost_orders": 0, "duplicate_orders": 0, "ledger_balanced": True, "journal_problems": []}
    assert len({a["pid"] for a in finished.agents}) >= 20
    if detail:
        whole = run_local(small.plan(tmp_path / "whole", market=market, sets=sets))
        assert whole.recorder.log.digest() != reference.recorder.log.digest()
    left = {t.exit_reason for t in finished.recorder.record.trades}
    assert bool(left & {"stop", "target", "trailing", "time"}) == bool(sets)
