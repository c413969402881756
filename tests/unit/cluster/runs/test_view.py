"""What a person sees of a run: agents with state and last word, regime, equity, orders; plain lines in a pipe."""

from __future__ import annotations

import argparse
import io
import re
from pathlib import Path
from typing import Any

import pytest
import small
from rich.console import Console

from actors.domain.events.system import AgentGaveUp, KernelBackendSelected
from cluster.runs.execute import run_local
from cluster.runs.plan import RunPlan
from cluster.runs.view import LineView, LiveView, SilentView, progress_view

NATIVE = KernelBackendSelected(
    ts_event_ns=0, source="driver", backend="native", version="1.2", reason="found"
)
TWINS = KernelBackendSelected(
    ts_event_ns=0, source="driver", backend="python", version="1.2", reason="no module"
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> RunPlan:
    return small.plan(tmp_path_factory.mktemp("view"), market=small.frames(340))


def drawn(view: LiveView, recorder: Any) -> str:
    page = io.StringIO()
    Console(file=page, width=140, force_terminal=False).print(view._draw(recorder))
    return page.getvalue()


def test_the_live_view_shows_every_agent_and_the_market(plan: RunPlan) -> None:
    view = LiveView(plan, "trade", "ray")
    view.announce(NATIVE)
    before = drawn(view, None)
    assert "native kernels 1.2: found" in before
    assert len(re.findall(r" starting ", before)) == len(plan.graph.specs)
    view.ready(None)
    finished = run_local(plan, progress=view.update)
    view.recovered({"strategy-rsi": {}}, 1.0)
    view.recovered({"strategy-rsi": {}}, 1.0)
    page = drawn(view, finished.recorder)
    rows = {line.split()[0]: line for line in page.splitlines() if line.split()}
    assert set(plan.graph.names) <= set(rows)
    assert "running, restarted 2x" in rows["strategy-rsi"]
    assert "RegimeAssessed" in rows["regime-hmm"]
    assert "SignalEmitted" in rows["strategy-macd"]
    assert "AccountUpdated" in rows["ledger"]
    assert re.search(r"regime\W+\S+/USDT \w+ \(\d+%\)", page)
    assert re.search(r"equity\W+\d+\.\d\d, drawdown", page)
    assert re.search(rf"open orders\W+{len(finished.recorder.record.open_orders)}\b", page)
    assert f"{len(plan.feed)}/{len(plan.feed)}" in page


def test_who_is_lost_for_good_is_told(tmp_path: Path) -> None:
    plan = small.plan(tmp_path, market=small.frames(340))
    view = LiveView(plan, "trade", "ray")
    event = AgentGaveUp(
        ts_event_ns=0,
        source="supervisor",
        agent="regime-trend",
        restarts=6,
        window_s=300.0,
        missing_from_step=7,
    )
    plan.feed.lose(9, event)
    view.update(3, run_local(plan).recorder)
    assert view.state_of("regime-trend") == "lost"
    assert view.state_of("regime-hmm") == "running"


def test_a_pipe_gets_lines(plan: RunPlan, capsys: pytest.CaptureFixture[str]) -> None:
    with progress_view(argparse.Namespace(no_progress=False), plan, "demo", "local") as view:
        assert type(view) is LineView
        view.announce(TWINS)
        view.recovered({"venue": {}, "ledger": {}}, 1.25)
        view._next = 0.0
        view.update(5, None)  # type: ignore[arg-type]
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "demo: Python twins of the kernels (slower) 1.2: no module",
        "demo: restarted venue, ledger; back after 1.2 s",
        f"demo: 5/{len(plan.feed)} steps",
    ]
    with progress_view(argparse.Namespace(no_progress=True), plan, "demo", "local") as view:
        assert type(view) is SilentView
        view.announce(TWINS)
    assert capsys.readouterr().err == ""
