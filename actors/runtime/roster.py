"""What the supervisor knows of each agent, told to the registry when it changes and to the bus when it matters."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from typing import Any

from ray.exceptions import RayError

from actors.domain.events.base import Event
from actors.domain.events.system import AgentFailed, KernelBackendSelected
from actors.runtime import names
from actors.runtime.directory import FAULTED
from actors.runtime.graph import AgentSpec
from actors.runtime.wire import encode_block


class Roster:
    """Rows of the agents: kind, process, state.

    Parameters
    ----------
    specs : mapping name → AgentSpec
    handles : mapping name → actor handle
        The supervisor's own; registry and bus are told once they are in it.
    """

    def __init__(self, specs: Mapping[str, AgentSpec], handles: Mapping[str, Any]) -> None:
        self._specs, self._handles = specs, handles
        self._rows: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, float] = {}
        self._kernels: list[tuple[str, str]] = []

    def say(self, event: Event) -> None:
        """Publish a fact about the system."""
        if names.BUS in self._handles:
            self._handles[names.BUS].publish.remote(encode_block([[event]]))

    def state(self, name: str, state: str, **more: Any) -> None:
        """Keep an agent's row, and tell the registry what is new."""
        known = self._rows.get(name, {})
        row = {**known, "kind": self._specs[name].kind, "state": state, **more}
        if row != known:
            self._rows[name] = row
            if names.REGISTRY in self._handles:
                self._handles[names.REGISTRY].put.remote(name, row)

    def fails(self, name: str, reason: str) -> None:
        """Note that an agent is gone or hangs; said once until it is back."""
        if name not in self._failed:
            self._failed[name] = time.monotonic()
            self.state(name, FAULTED)
            self.say(
                AgentFailed(ts_event_ns=time.time_ns(), source=names.SUPERVISOR, agent=name, reason=reason)
            )

    def back(self, name: str) -> float:
        """Return for how many ms an agent was missed; 0 if its failure was not seen."""
        now = time.monotonic()
        return (now - self._failed.pop(name, now)) * 1e3

    def announce_kernels(self, row: Mapping[str, Any]) -> None:
        """Say once which kernels compute, and again if a process of the fleet found others."""
        found = (row["kernel_backend"], row["kernel_version"])
        if found not in self._kernels:
            self._kernels.append(found)
            self.say(
                KernelBackendSelected(
                    ts_event_ns=time.time_ns(), source=names.SUPERVISOR, backend=found[0], version=found[1],
                    reason=row["kernel_reason"],
                )
            )  # fmt: skip

    async def refill(self, wait_s: float) -> None:
        """A registry that was restarted knows nobody: tell it again."""
        with contextlib.suppress(RayError, TimeoutError):
            registry = self._handles[names.REGISTRY]
            if await asyncio.wait_for(registry.version.remote(), wait_s) < len(self._rows):
                for name, row in self._rows.items():
                    registry.put.remote(name, row)
