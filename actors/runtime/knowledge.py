"""The shared knowledge repository: versioned facts, readable by all, written by their owners only.

Facts come from the bus: the agent that is the source of the first event of a key owns it. Facts inform people,
dashboards and late joiners; decisions in replay read their inputs only.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec

from actors.domain.errors import AgentError
from actors.domain.events.base import Event
from actors.domain.events.evaluation import WeightsRevised
from actors.domain.events.regime import RegimeChanged
from actors.domain.events.risk import CircuitBreakerReset, CircuitBreakerTripped
from actors.domain.events.system import AgentGaveUp, KernelBackendSelected

TOPICS: tuple[str, ...] = ("RegimeChanged", "WeightsRevised", "CircuitBreakerTripped", "CircuitBreakerReset",
                           "ModelTrained", "AlertRaised", "AgentGaveUp", "KernelBackendSelected")  # fmt: skip


class KnowledgeRepository:
    """Facts by key: ``regime/BTC/USDT``, ``weights``, ``limits``, ``breaker/drawdown``, ``kernels``, …"""

    def __init__(self) -> None:
        self._facts: dict[str, dict[str, Any]] = {}
        self._writes = 0

    def put(self, owner: str, key: str, ts_event_ns: int, value: Any) -> int:
        """Write a fact; return its version. An older fact never replaces a newer one.

        Raises
        ------
        AgentError
            If another agent owns the key.
        """
        known = self._facts.get(key)
        if known is not None and known["owner"] != owner:
            raise AgentError(
                "FACT_OWNER", f"fact {key!r}: owned by {known['owner']}, found a write by {owner}"
            )
        if known is not None and known["ts_event_ns"] > ts_event_ns:
            return int(known["version"])
        self._writes += 1
        version = 1 if known is None else known["version"] + 1
        self._facts[key] = {"owner": owner, "version": version, "ts_event_ns": ts_event_ns, "value": value}
        return version

    def notify(self, event: Event) -> None:
        """Turn an event of the bus into a fact."""
        self.put(event.source, fact_key(event), event.ts_event_ns, msgspec.to_builtins(event))

    def get(self, key: str) -> dict[str, Any] | None:
        """Return one fact with owner, version and time, or None."""
        return self._facts.get(key)

    def version(self) -> int:
        """Return how often facts were written; 0 in a process that knows nothing yet."""
        return self._writes

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return all facts."""
        return dict(self._facts)

    def whoami(self) -> int:
        """Return the process id."""
        return os.getpid()


def fact_key(event: Event) -> str:
    """Return the key of the fact that an event states; a later event of the same key replaces it.

    Examples
    --------
    >>> fact_key(KernelBackendSelected(ts_event_ns=0, source="supervisor", backend="native", version="1", reason=""))
    'kernels'
    """
    if isinstance(event, RegimeChanged):
        return f"regime/{event.instrument_id}"
    if isinstance(event, WeightsRevised):
        return f"weights/{event.regime}" if event.regime else "weights"
    if isinstance(event, CircuitBreakerTripped | CircuitBreakerReset):
        return f"breaker/{event.breaker}"
    if isinstance(event, AgentGaveUp):
        return f"lost/{event.agent}"
    if isinstance(event, KernelBackendSelected):
        return "kernels"
    return f"{type(event).__name__}/{event.source}"
