"""The contract over every agent of the default fleet with exits, each one alone with the inbox of a recorded run."""

from __future__ import annotations

import pickle

import contract
import pytest
import small
from recorded_run import EXITS, Recording, process

from actors.agents.fleet import default_fleet
from actors.domain.errors import SnapshotError
from actors.domain.events.market import BarClosed
from actors.domain.features.pipeline import feature_names
from actors.runtime.wire import encode_block
from config.load import resolve

PARTS_AT = 250
LEARNERS = ("predict-online", "predict-forest")
REFITTING = ("features", "regime-hmm", "predict-forest")


def _names() -> list[str]:
    sets = ["pairs=['BTC/USDT', 'ETH/USDT']", *EXITS]
    config = resolve("paper", sets=sets).model.model_dump(mode="json")
    return [s.name for s in default_fleet(config, feature_names(config["features"]["indicators"]))]


NAMES = _names()
every_agent = pytest.mark.parametrize("name", NAMES)


def test_the_recorded_fleet_is_the_default_one_and_has_work(recording: Recording) -> None:
    assert sorted(recording.heard) == sorted(NAMES)
    assert len(NAMES) >= 20
    assert all(len(heard) >= 300 for name, heard in recording.heard.items() if name != "journal"
               and not name.startswith("execution-"))  # fmt: skip
    assert all(recording.heard[n] for n in NAMES), "an agent that heard nothing is not tested"
    one_pair = [s for s in recording.heard["features"] if len(s.inbox) == 1]
    both = [s for s in recording.heard["features"] if len(s.inbox) == 2]
    assert one_pair
    assert both
    assert any(s.warmup for s in recording.heard["coordinator-risk"])
    assert recording.said["execution-market"]
    assert any(b"SubmitOrder" in said for said in recording.said["execution-exits"])


@every_agent
def test_alone_it_says_what_it_said_in_the_fleet_and_travels(name: str, recording: Recording) -> None:
    spec = recording.plan.graph.specs[recording.plan.graph.index[name]]
    assert pickle.loads(pickle.dumps(spec)) == spec
    agent = recording.build(name)
    found = contract.outputs(agent, process, recording.heard[name])
    assert contract.compare(name, recording.said[name], found) == []
    state = agent.snapshot()
    assert pickle.loads(pickle.dumps(state)) == state


@every_agent
def test_it_does_not_notice_another_fleet_in_its_process(
    name: str, recording: Recording, other_recording: Recording
) -> None:
    heard, others = recording.heard[name][:400], other_recording.heard[name]
    one, two = ([encode_block([s.inbox]) for s in part if s.number < PARTS_AT] for part in (heard, others))
    assert one == two, "the same past"
    faults = contract.check_isolated(lambda: recording.build(name), process, heard, others)
    assert faults == []


def _cuts(name: str, recording: Recording) -> list[int]:
    """Before its first step, in the warm-up, in the run, and where a refit is under way."""
    heard = recording.heard[name]
    last = max(0, len(heard) - 300)
    cuts = [0, min(60, last), min(450, last)]
    if name in REFITTING:
        asked = contract.first_pending(lambda: recording.build(name), process, heard, start=100)
        assert asked is not None, "no refit is under way at any step: the run is too short"
        cuts.append(asked)
    return list(dict.fromkeys(cuts))


@every_agent
def test_restored_it_has_the_same_future(name: str, recording: Recording) -> None:
    heard = recording.heard[name]
    assert contract.has_refit(recording.build(name)) == (name in REFITTING)
    for cut in _cuts(name, recording):
        assert contract.check_snapshot(lambda: recording.build(name), process, heard, cut, 300) == []


@pytest.mark.parametrize("name", LEARNERS)
def test_a_restored_learner_has_the_same_1000_steps(name: str, recording: Recording) -> None:
    heard, cut = recording.heard[name], 420
    assert len(heard) >= cut + 1000
    assert contract.check_snapshot(lambda: recording.build(name), process, heard, cut, 1000) == []
    assert any(b"PredictionMade" in said for said in recording.said[name][:cut])


@every_agent
def test_it_refuses_the_state_of_another_kind(name: str, recording: Recording) -> None:
    other = next(n for n in ("coordinator-risk", "features") if n != name)
    foreign = recording.build(other).snapshot()
    with pytest.raises(SnapshotError, match="expected state"):
        recording.build(name).restore(foreign)


def test_a_missing_pair_is_a_step_like_any_other(recording: Recording) -> None:
    pairs = recording.plan.pairs
    gone = [s for s in recording.heard["market-data"] if {e.instrument_id for e in s.inbox} == {pairs[0]}]
    assert [s.number for s in gone][:3] == [200, 201, 333]
    assert small.WARMUP < 200
    for name in ("features", "coordinator-risk", "venue", "ledger"):
        at = {s.number: [e for e in s.inbox if isinstance(e, BarClosed)] for s in recording.heard[name]}
        assert [e.instrument_id for e in at[200]] == [pairs[0]]
