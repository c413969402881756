"""Facts about the system itself; none of them enters a decision in replay."""

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
    """The restart budget is used up; the breaker follows."""

    priority: ClassVar[int] = PRIORITY_CONTROL
    agent: str
    restarts: int
    window_s: float


class AlertRaised(Event, frozen=True, kw_only=True, gc=False):
    """Something a person should look at."""

    priority: ClassVar[int] = PRIORITY_CONTROL
    severity: str
    code: str
    message: str
