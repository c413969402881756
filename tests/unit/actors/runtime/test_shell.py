"""The shell answers repeated calls from memory, refuses gaps, and comes back from its snapshot as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import small

from actors.domain.errors import AgentError, SnapshotError
from actors.runtime.graph import FEED, AgentSpec, Input
from actors.runtime.shell import AgentShell
from actors.runtime.slices import SliceFeed
from actors.runtime.wire import decode_block, encode_block, encode_head, trim_block
from cluster.runs.plan import RunPlan

SPEC = AgentSpec("counter", "counter", "fleet_parts:Counts", inputs=(Input(FEED),))
DELAYED = AgentSpec("late", "late", "fleet_parts:Counts", inputs=(Input(FEED, 3),))


@pytest.fixture
def plan(tmp_path: Path) -> RunPlan:
    return small.plan(tmp_path / "run", market=small.frames(340), journal=True)


def shell(plan: RunPlan, spec: AgentSpec = SPEC, **more: Any) -> AgentShell:
    return AgentShell(spec, plan.settings, keep_steps=8, **more)


def run(me: AgentShell, feed: SliceFeed, first: int, count: int, delay: int = 0) -> bytes:
    block = feed.block(first, first + count)
    payload = encode_block([s.events for s in block])
    times = [s.ts_event_ns for s in block]
    return me.run_steps(first, times, [False] * count, [(0, first, delay)], payload)


def codes(payload: bytes) -> list[str]:
    return [event.code for events in decode_block(payload) for event in events]


def test_steps_are_computed_once_and_repeated_to_the_byte(plan: RunPlan) -> None:
    me = shell(plan)
    first = run(me, plan.feed, 0, 5)
    assert codes(first) == ["1", "2", "3", "4", "5"]
    assert run(me, plan.feed, 0, 5) == first
    assert codes(run(me, plan.feed, 5, 1)) == ["6"]
    assert me.status()["last_step"] == 5


def test_a_call_in_bytes_is_the_plain_call(plan: RunPlan) -> None:
    block = plan.feed.block(0, 6)
    payload, times = encode_block([s.events for s in block]), [s.ts_event_ns for s in block]
    head = encode_head(0, times, [True] * 2 + [False] * 4, [(0, 0, 3)])
    plain = shell(plan, DELAYED).run_steps(0, times, [True] * 2 + [False] * 4, [(0, 0, 3)], payload)
    assert shell(plan, DELAYED).compute(head, payload) == plain
    assert codes(plain) == ["1", "2", "3"]


def test_a_gap_and_a_forgotten_or_differently_cut_block_are_refused(plan: RunPlan) -> None:
    me = shell(plan)
    with pytest.raises(AgentError) as caught:
        run(me, plan.feed, 1, 1)
    assert caught.value.code == "STEP_GAP"
    run(me, plan.feed, 0, 4)
    with pytest.raises(AgentError) as caught:
        run(me, plan.feed, 0, 3)
    assert caught.value.code == "STEP_FORGOTTEN"
    run(me, plan.feed, 4, 20)
    me.forget(23)
    with pytest.raises(AgentError) as caught:
        run(me, plan.feed, 0, 4)
    assert caught.value.code == "STEP_FORGOTTEN"


def attempt(me: AgentShell, feed: SliceFeed, first: int, count: int) -> bytes:
    block = feed.block(first, first + count)
    times, payload = [s.ts_event_ns for s in block], encode_block([s.events for s in block])
    return me.try_steps(first, times, [False] * count, [(0, first, 0)], payload)


def test_a_trial_ends_where_it_is_told_and_no_snapshot_is_taken_of_what_may_not_stand(plan: RunPlan) -> None:
    me = shell(plan)
    run(me, plan.feed, 0, 4)
    whole = attempt(me, plan.feed, 4, 4)
    assert codes(whole) == ["5", "6", "7", "8"]
    with pytest.raises(AgentError) as caught:
        me.save(7)
    assert caught.value.code == "SNAPSHOT_STEP"
    with pytest.raises(AgentError) as caught:
        me.save(7, (4, 3))  # three steps stand, and the call that was to follow is lost
    assert caught.value.code == "SNAPSHOT_STEP"
    assert me.status()["last_step"] == 6
    assert me.outputs_since(3) == [(4, 3, trim_block(whole, 3))]
    assert codes(run(me, plan.feed, 7, 1)) == ["8"]
    assert me.save(7, (4, 3)) == 7


def test_a_trial_is_told_and_kept_only_once_it_stands(plan: RunPlan) -> None:
    me = shell(plan)
    attempt(me, plan.feed, 0, 4)
    assert me.outputs_since(-1) == []
    again = encode_head(0, [s.ts_event_ns for s in plan.feed.block(0, 2)], [False] * 2, [(0, 0, 0)], [])
    payload = encode_block([s.events for s in plan.feed.block(0, 2)])
    assert codes(me.compute(again, payload)) == ["1", "2"], "the same first step: it begins anew"
    me.confirm(None)
    assert me.outputs_since(-1) == []
    me.confirm((0, 2))
    assert [(first, count) for first, count, _ in me.outputs_since(-1)] == [(0, 2)]


def test_what_was_said_on_trial_behind_what_stands_is_forgotten(plan: RunPlan) -> None:
    """Words of a trial that are to be heard three steps later: those of steps that stand stay, the others go."""
    me = shell(plan, DELAYED)
    block = plan.feed.block(0, 6)
    times, payload = [s.ts_event_ns for s in block], encode_block([s.events for s in block])
    me.try_steps(0, times, [False] * 6, [(0, 0, 3)], payload, on_trial=[0])
    assert sorted(me._inbox) == [6, 7, 8]
    me.confirm((0, 4))
    assert {k for k, buckets in me._inbox.items() if buckets[0]} == {4, 5, 6}


def test_a_snapshot_asked_for_again_is_there(plan: RunPlan) -> None:
    """Its answer was lost on the way, and the agent went on."""
    me = shell(plan)
    run(me, plan.feed, 0, 4)
    assert me.save(3) == 3
    run(me, plan.feed, 4, 2)
    assert me.save(3) == 3
    with pytest.raises(AgentError):
        me.save(4)
    assert me.save(5) == 5
    run(me, plan.feed, 6, 1)
    with pytest.raises(AgentError):
        me.save(4)  # a later one is no proof of it: whoever resumes there would not find it


def test_steps_computed_again_must_be_what_they_were(plan: RunPlan) -> None:
    """An agent that keeps what its snapshot does not hold ends the run, it does not go on with another answer."""
    me = shell(plan)
    run(me, plan.feed, 0, 4)
    attempt(me, plan.feed, 4, 4)
    me.agent.restore = lambda state: None  # type: ignore[method-assign]
    with pytest.raises(AgentError) as caught:
        run_after(me, plan.feed, (4, 2), 6, 1)
    assert caught.value.code == "REPLAY_DIVERGED"


def test_silence_replaces_what_was_heard(plan: RunPlan) -> None:
    """As when an agent is given up and its words of the steps to come are taken back."""
    me = shell(plan)
    block = plan.feed.block(0, 2)
    times, heard = [s.ts_event_ns for s in block], encode_block([s.events for s in block])
    assert codes(me.run_steps(0, times[:1], [False], [(0, 0, 0)], heard)) == ["1"], "the second step waits"
    assert codes(me.run_steps(1, times[1:], [False], [(0, 1, 0)], encode_block([[]]))) == []


def run_after(me: AgentShell, feed: SliceFeed, kept: tuple[int, int], first: int, count: int) -> bytes:
    block = feed.block(first, first + count)
    times, payload = [s.ts_event_ns for s in block], encode_block([s.events for s in block])
    return me.compute(encode_head(first, times, [False] * count, [(0, first, 0)], None, kept), payload)


def test_what_is_said_with_a_delay_counts_in_its_own_step(plan: RunPlan) -> None:
    me = shell(plan, DELAYED)
    assert codes(run(me, plan.feed, 0, 4, delay=3)) == ["1"]
    assert codes(run(me, plan.feed, 4, 4, delay=3)) == ["2", "3", "4", "5"]


@pytest.mark.parametrize("how", ["recover", "resume"])
def test_restored_it_repeats_and_goes_on_as_before(plan: RunPlan, how: str) -> None:
    me = shell(plan, DELAYED)
    kept = [run(me, plan.feed, first, 4, delay=3) for first in (0, 4, 8)]
    assert me.save(11) == 11
    after = run(me, plan.feed, 12, 4, delay=3)
    more: dict[str, Any] = {"recover": True} if how == "recover" else {"resume_step": 11}
    again = shell(plan, DELAYED, **more)
    status = again.status()
    assert (status["last_step"], status["restored_step"], status["restarted"]) == (11, 11, how == "recover")
    assert status["incarnation"] != me.incarnation
    # blocks that feedback may still need are kept inside the snapshot, older ones are not
    assert again.outputs_since(3) == [(4, 4, kept[1]), (8, 4, kept[2])]
    assert run(again, plan.feed, 12, 4, delay=3) == after
    assert again.save(11) == 11  # a repeated call finds the snapshot it came from


def test_a_snapshot_of_another_step_or_configuration_is_refused(plan: RunPlan, tmp_path: Path) -> None:
    me = shell(plan)
    run(me, plan.feed, 0, 4)
    with pytest.raises(AgentError) as caught:
        me.save(2)
    assert caught.value.code == "SNAPSHOT_STEP"
    me.save(3)
    with pytest.raises(SnapshotError):
        shell(plan, resume_step=2)
    other = small.plan(
        tmp_path / "run", market=small.frames(340), journal=True, sets=["account.initial_cash_quote=7"]
    )
    with pytest.raises(SnapshotError):
        shell(other, resume_step=3)


def test_it_says_what_it_is_and_which_kernels_it_found(plan: RunPlan) -> None:
    me = shell(plan)
    assert repr(me) == "counter"
    assert me.status()["kernel_backend"] in ("native", "python")
    assert me.status()["kernel_reason"]
