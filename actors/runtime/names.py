"""Names of the platform's own actors."""

from __future__ import annotations

SUPERVISOR = "supervisor"
REGISTRY = "registry"
BUS = "event-bus"
KNOWLEDGE = "knowledge"
JOURNAL = "journal"
PLATFORM: tuple[str, ...] = (REGISTRY, BUS, KNOWLEDGE)


def namespace(run_id: str) -> str:
    """Ray namespace of a run: explicit, so that names are found from any job."""
    return f"tradewind-{run_id}"
