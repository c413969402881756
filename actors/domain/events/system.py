"""Facts about the system itself; none enters a decision, but that an agent was given up, which is an input."""

from __future__ import annotations

from typing import ClassVar

from actors.domain.events.base import PRIORITY_CONTROL, PRIORITY_REPORT, Event


class KernelBackendSelected(Event, frozen=True, kw_only=True, gc=False):
    """Which kernels this run uses, and why."""

    backend: str
    version: str
    reason: str


class AgentStarted(Event, frozen=True, kw_only=True, gc=False):
    """An agent is ready."""

    priority: ClassVar[int] = PRIORITY_REPORT
    agent: str
    pid: int
    incarnation: int


class AgentFailed(Event, frozen=True, kw_only=True, gc=False):
    """An agent's process died or hung."""

    priority: ClassVar[int] = PRIORITY_CONTROL
    agent: str
    reason: str


class AgentRestarted(Event, frozen=True, kw_only=True, gc=False):
    """An agent is back, from snapshot `snapshot_step`."""

    priority: ClassVar[int] = PRIORITY_CONTROL
    agent: str
    pid: int
    incarnation: int
    snapshot_step: int
    recovery_ms: float


class AgentGaveUp(Event, frozen=True, kw_only=True, gc=False):
    """The restart budget is used up; the breaker follows.

    As an input of a run it says from which step on the agent's outputs are missing: the one fact about the
    system that decisions may rest on, because it is journalled before anyone acts on it.
    """

    priority: ClassVar[int] = PRIORITY_CONTROL
    agent: str
    restarts: int
    window_s: float
    missing_from_step: int = -1


class AlertRaised(Event, frozen=True, kw_only=True, gc=False):
    """Something a person should look at."""

    priority: ClassVar[int] = PRIORITY_CONTROL
    severity: str
    code: str
    message: str
