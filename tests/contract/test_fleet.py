"""The contract over the whole default fleet on the local host: causal, deterministic, restorable at any step."""

from __future__ import annotations

from pathlib import Path

import contract
import pytest
import recorded_run as recorded
import small

from actors.runtime.local import LocalHost
from actors.runtime.slices import SliceFeed
from actors.runtime.wire import decode_block, encode_block
from cluster.runs.execute import run_local

BARS, PARTS_AT = 700, 350


@pytest.fixture(scope="module")
def market() -> dict:
    return small.frames(BARS)


def test_the_same_run_twice_is_the_same_to_the_byte_and_trades(market: dict, tmp_path: Path) -> None:
    first, second = (run_local(small.plan(tmp_path / n, market=market)).recorder for n in "ab")
    assert first.record.counts["orders"] > 0
    assert first.lines == second.lines
    assert first.log.digest() == second.log.digest()
    steps = [int(line[1 : line.index(",")]) for line in first.lines]
    assert steps == sorted(steps)
    assert first.steps == BARS


def test_decisions_and_all_else_before_a_step_are_the_same_whatever_follows(
    market: dict, tmp_path: Path
) -> None:
    futures = {
        "another market": recorded.changed(market, PARTS_AT),
        "no market": recorded.truncated(market, PARTS_AT),
        "one pair gone": recorded.one_pair_gone(market, PARTS_AT),
    }
    assert recorded.check_fleet_causal(tmp_path, market, futures, PARTS_AT) == []


def test_decision_lines_part_only_where_the_markets_part(market: dict, tmp_path: Path) -> None:
    def lines(frames: dict, name: str) -> list[str]:
        return run_local(small.plan(tmp_path / name, market=frames)).recorder.lines

    def before(found: list[str]) -> list[str]:
        return [line for line in found if int(line[1 : line.index(",")]) < PARTS_AT]

    one, two = lines(market, "one"), lines(recorded.changed(market, PARTS_AT), "two")
    assert before(one) == before(two)
    assert before(one)
    assert one != two


def _pending(host: LocalHost) -> list[str]:
    return [s.name for s, a in zip(host.graph.specs, host.agents, strict=True) if contract.pending_refits(a)]


def test_a_restored_fleet_has_the_same_future(tmp_path: Path) -> None:
    plan = small.plan(tmp_path, market=small.frames(800))
    feed: SliceFeed = plan.feed
    slices = feed.block(0, len(feed))
    host = LocalHost(plan.graph, plan.settings)
    undisturbed, kept, seen = [], {}, set()
    for item in slices:
        undisturbed.append(recorded.step_bytes(host, item))
        waiting = [n for n in _pending(host) if n not in seen]
        # before decisions are allowed, within them, and when a refit of an agent is first under way
        if item.step in (80, 333) or (waiting and item.step <= len(slices) - 301):
            seen.update(waiting)
            feedback = [(s, p, decode_block(encode_block([e]))[0]) for s, p, e in host.pending()]
            kept[item.step] = (host.snapshot(), feedback)
    assert {"regime-hmm", "predict-forest"} <= seen
    for step, (states, feedback) in kept.items():
        fresh = LocalHost(plan.graph, plan.settings)
        fresh.restore(states, feedback)
        later = slices[step + 1 : step + 351]
        assert len(later) >= 300
        found = [recorded.step_bytes(fresh, item) for item in later]
        assert contract.compare(f"fleet restored at {step}", undisturbed[step + 1 : step + 351], found) == []
