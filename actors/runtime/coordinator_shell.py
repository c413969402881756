"""A coordinator's shell: its mind like any agent's, and beside it a loop that watches its own agents.

The loop publishes only system facts: it asks the root supervisor to restart an agent that hangs. It runs in a
thread of its own, so a long `process` does not stop it, and shares nothing with the mind.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError

from actors.runtime import names
from actors.runtime.build import RunSettings
from actors.runtime.graph import AgentSpec
from actors.runtime.shell import AgentShell


class CoordinatorShell(AgentShell):
    """An `AgentShell` that supervises `children`."""

    def __init__(
        self,
        spec: AgentSpec,
        run: RunSettings,
        *,
        children: Sequence[str] = (),
        heartbeat_s: float = 2.0,
        misses: int = 15,
        **more: Any,
    ) -> None:
        super().__init__(spec, run, **more)
        self._heartbeat_s, self._misses = heartbeat_s, misses
        self._children = tuple(children)
        self._stop = threading.Event()
        self.missed: Counter[str] = Counter()
        if self._children:
            threading.Thread(target=self._watch, name=f"watch-{spec.name}", daemon=True).start()

    def children(self) -> dict[str, int]:
        """Return the watched agents and the beats each has missed in a row."""
        return {n: self.missed[n] for n in self._children}

    def _watch(self) -> None:
        space = names.namespace(self.run.run_id)
        while not self._stop.wait(self._heartbeat_s):
            for name in self._children:
                try:
                    # looked up each time: a group that was created anew has new handles
                    handle = ray.get_actor(name, namespace=space)
                    ray.get(handle.status.remote(), timeout=self._heartbeat_s)
                    self.missed[name] = 0
                except (RayActorError, ValueError):
                    self.missed[name] = 0  # dead, not hung: Ray or the supervisor is bringing it back
                except GetTimeoutError:
                    self.missed[name] += 1
                    if self.missed[name] >= self._misses:
                        self.missed[name] = 0
                        root = ray.get_actor(names.SUPERVISOR, namespace=space)
                        root.restart.remote(name, f"{self.spec.name}: no heartbeat")
