"""Shared facts: versioned, written by their owner only, never replaced by an older one."""

from __future__ import annotations

import pytest

from actors.domain.errors import AgentError
from actors.domain.events.evaluation import WeightsRevised
from actors.domain.events.regime import RegimeChanged
from actors.domain.events.risk import CircuitBreakerReset, CircuitBreakerTripped
from actors.domain.events.system import AgentGaveUp
from actors.runtime.directory import STATES, AgentRegistry
from actors.runtime.knowledge import KnowledgeRepository


def regime(ts: int, pair: str, label: str) -> RegimeChanged:
    return RegimeChanged(
        ts_event_ns=ts, source="regime-ensemble", instrument_id=pair, label=label, previous="sideways",
        probabilities=(1.0,), confidence=0.7,
    )  # fmt: skip


def test_facts_have_owner_version_and_time() -> None:
    facts = KnowledgeRepository()
    assert (facts.get("regime/BTC/USDT"), facts.version()) == (None, 0)
    facts.notify(regime(5, "BTC/USDT", "bull"))
    facts.notify(regime(6, "ETH/USDT", "bear"))
    facts.notify(regime(9, "BTC/USDT", "crash"))
    fact = facts.get("regime/BTC/USDT")
    assert fact is not None
    assert (fact["owner"], fact["version"], fact["ts_event_ns"]) == ("regime-ensemble", 2, 9)
    assert fact["value"]["label"] == "crash"
    assert facts.version() == 3


def test_an_older_word_changes_nothing() -> None:
    facts = KnowledgeRepository()
    facts.notify(regime(9, "BTC/USDT", "crash"))
    facts.notify(regime(5, "BTC/USDT", "bull"))
    fact = facts.get("regime/BTC/USDT")
    assert fact is not None
    assert (fact["version"], fact["value"]["label"]) == (1, "crash")


def test_only_the_owner_writes() -> None:
    facts = KnowledgeRepository()
    assert facts.put("coordinator-risk", "limits", 0, {"gross": 0.95}) == 1
    with pytest.raises(AgentError, match="owned by coordinator-risk"):
        facts.put("strategy-rsi", "limits", 1, {"gross": 9.0})
    assert facts.facts()["limits"]["value"] == {"gross": 0.95}


def test_events_become_facts_of_their_own_key() -> None:
    facts = KnowledgeRepository()
    for name in ("", "bull"):
        facts.notify(
            WeightsRevised(ts_event_ns=1, source="performance", effective_step=3, members=("a",), weights=(1.0,),
                           regime=name)
        )  # fmt: skip
    trip = CircuitBreakerTripped(
        ts_event_ns=2, source="coordinator-risk", breaker="drawdown", limit=0.1, observed=0.2, until_step=5
    )
    facts.notify(trip)
    facts.notify(CircuitBreakerReset(ts_event_ns=3, source="coordinator-risk", breaker="drawdown"))
    facts.notify(AgentGaveUp(ts_event_ns=4, source="supervisor", agent="x", restarts=6, window_s=300.0))
    assert sorted(facts.facts()) == ["breaker/drawdown", "lost/x", "weights", "weights/bull"]
    assert facts.facts()["breaker/drawdown"]["version"] == 2


def test_the_registry_counts_its_versions_and_keeps_what_is_not_said_again() -> None:
    registry = AgentRegistry()
    assert registry.put("a", {"kind": "k", "state": STATES[0]}) == 1
    assert registry.put("b", {"kind": "k"}) == 2
    assert registry.put("a", {"state": STATES[1], "pid": 7}) == 3
    assert registry.rows()[0] == {"name": "a", "kind": "k", "state": STATES[1], "pid": 7}
    assert registry.version() == 3
