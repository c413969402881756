"""An agent that is given up becomes an input: the breaker trips, the run ends, and any host repeats it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import small

from actors.adapters.journal import JournalReader
from actors.domain.errors import SupervisionError
from actors.domain.events.system import AgentGaveUp
from cluster.runs.chaos import audit
from cluster.runs.execute import load_losses, open_run, run_local, run_ray
from cluster.runs.plan import RunPlan

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]
BUDGET = 1


class Assassin:
    """Kills one agent at a step, and again as soon as it is back."""

    def __init__(self, victim: str, step: int) -> None:
        self.victim, self.step = victim, step
        self.host: Any = None

    def on_submit(self, step: int, host: Any) -> None:
        """Strike first."""
        self.host = host
        if step == self.step:
            os.kill(host.conducting.pids[self.victim], signal.SIGKILL)

    def on_recovered(self, rows: dict[str, dict[str, Any]], _: float) -> None:
        """Strike again."""
        if self.victim in rows:
            os.kill(rows[self.victim]["pid"], signal.SIGKILL)


def lose(plan: RunPlan, victim: str, step: int) -> Any:
    open_run(plan, {})
    assassin = Assassin(victim, step)
    return run_ray(
        plan, on_submit=assassin.on_submit, on_recovered=assassin.on_recovered, restart_budget=BUDGET
    )


def kinds_of(lines: list[str], kind: str) -> list[tuple[int, dict[str, Any]]]:
    rows = [json.loads(line) for line in lines]
    return [(step, dict(fields)) for step, name, _, fields in rows if name == kind]


def decisions(plan: RunPlan) -> list[str]:
    return (Path(plan.run_dir) / "decisions.jsonl").read_text(encoding="utf-8").splitlines()


def test_the_breaker_trips_and_both_hosts_agree(ray_for_tests: None, tmp_path: Path) -> None:
    market = small.frames(500)
    plan = small.plan(tmp_path / "ray", market=market, journal=True, run_id="lost")
    finished = lose(plan, "strategy-rsi", 250)
    missing = finished.extra["missing_from"]
    assert list(missing) == ["strategy-rsi"]
    # how far it comes between its recovery and the second blow depends on the machine
    assert 190 <= missing["strategy-rsi"] < 480
    platform = finished.extra["platform"]
    states = {row["name"]: row["state"] for row in platform["registry"]}
    assert {name for name, state in states.items() if state == "FAULTED"} == {"strategy-rsi"}
    facts = platform["knowledge"]
    assert facts["lost/strategy-rsi"]["owner"] == "supervisor"
    assert facts["breaker/agent_lost"]["value"]["until_step"] > 0

    lines = decisions(plan)
    ((tripped, trip),) = kinds_of(lines, "CircuitBreakerTripped")
    assert trip["breaker"] == "agent_lost"
    assert tripped >= missing["strategy-rsi"]
    reasons = [f["reason"] for step, f in kinds_of(lines, "OrderIntentApproved") if step > tripped]
    assert set(reasons) <= {"breaker_exit"}
    assert not any(finished.recorder.record.positions.values())

    # the loss stands in the journal as an input, and the other host makes the same of it
    with JournalReader(plan.journal_url, plan.run_id) as journal:
        (noted,) = [r for r in journal.inputs(source="supervisor") if isinstance(r.event, AgentGaveUp)]
    assert (noted.step, noted.event.missing_from_step) == (tripped, missing["strategy-rsi"])
    again = small.plan(tmp_path / "local", market=market, run_id="again")
    again.feed.lose(noted.step, noted.event)
    reference = run_local(again)
    assert reference.recorder.log.digest() == finished.recorder.log.digest()
    assert audit(finished, reference) == {
        "lost_orders": 0, "duplicate_orders": 0, "ledger_balanced": True, "journal_problems": [],
    }  # fmt: skip
    undisturbed = run_local(small.plan(tmp_path / "quiet", market=market))
    assert undisturbed.recorder.log.digest() != reference.recorder.log.digest()

    # a resumed run knows of the loss
    fresh = small.plan(tmp_path / "ray", market=market, journal=True, run_id="lost")
    load_losses(fresh)
    assert fresh.feed.missing_from() == missing


def test_without_whom_nothing_could_be_sold_the_run_halts_and_goes_on_later(
    ray_for_tests: None, tmp_path: Path
) -> None:
    market = small.frames(340)
    plan = small.plan(tmp_path / "ray", market=market, journal=True, run_id="halt")
    with pytest.raises(SupervisionError, match="resume the run") as caught:
        lose(plan, "coordinator-risk", 230)
    assert caught.value.context["agent"] == "coordinator-risk"
    resumed = run_ray(plan, resume=True)
    reference = run_local(small.plan(tmp_path / "quiet", market=market))
    assert resumed.recorder.log.digest() == reference.recorder.log.digest()


def test_without_a_breaker_for_it_the_run_halts(ray_for_tests: None, tmp_path: Path) -> None:
    sets = ["risk.breakers.agent_lost=null"]
    plan = small.plan(tmp_path / "ray", market=small.frames(340), journal=True, run_id="bare", sets=sets)
    with pytest.raises(SupervisionError) as caught:
        lose(plan, "strategy-rsi", 170)
    assert caught.value.code == "AGENT_GAVE_UP"
