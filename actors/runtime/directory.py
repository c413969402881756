"""The agent registry: who is in the fleet, as what, where, and in which state."""

from __future__ import annotations

import os
from typing import Any

INITIALIZED, RUNNING, DEGRADED, FAULTED = "INITIALIZED", "RUNNING", "DEGRADED", "FAULTED"
"""Created; answering; missing beats; gone, hung or given up. The rows of a run end with it."""
STATES = (INITIALIZED, RUNNING, DEGRADED, FAULTED)


class AgentRegistry:
    """Versioned directory; written by the supervisor, read by all."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}
        self._version = 0

    def put(self, name: str, row: dict[str, Any]) -> int:
        """Add or change one agent's row; return the new version."""
        self._rows[name] = {**self._rows.get(name, {}), **row, "name": name}
        self._version += 1
        return self._version

    def version(self) -> int:
        """Return the version; a reader keeps its copy while it does not change."""
        return self._version

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows in order of registration."""
        return list(self._rows.values())

    def whoami(self) -> int:
        """Return the process id."""
        return os.getpid()
